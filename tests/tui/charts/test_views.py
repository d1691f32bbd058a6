"""The views of a run: which there are, what they show, and that nothing heavy is done where keys are read."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.survey import survey
from engine.learn.kernels.contract import Parameters
from engine.recipe import Event, Recipe
from engine.training.snapshot import Phase, Snapshot
from tui.charts.axes import Axes, Axis
from tui.charts.views.base import Subject, drawn_by
from tui.charts.views.boundary import BoundaryView
from tui.charts.views.over_steps import learning_rates
from tui.charts.views.weight_history import MOST, WeightHistory
from tui.look.styles import RAVINE, ink
from tui.registry.views import REGISTRY
from tui.tasks.throttled import Throttled

REGRESSION = ["fit", "residuals", "metric", "rate", "gradient", "weights", "bars"]
CLASSES = ["boundary", "confusion", "roc", "metric", "rate", "gradient", "weights", "bars"]


async def looked(driver: Any) -> None:
    """Wait until the view has what it looks up."""
    await driver.until(lambda: "looking…" not in driver.text("fit"), "the view")


async def test_v_goes_through_every_view_of_a_regression(drive: Any) -> None:
    async with drive(values={"dataset": "diabetes", "pace": "max"}) as driver:
        await driver.see("boundary", pane="fit")
        await driver.press("space")
        await driver.done()
        await driver.until(lambda: [view.record.name for view in driver.app.screen.fit.views] == REGRESSION)
        said = {
            "fit": "progression:", "residuals": "actual − predicted", "metric": "rmse", "rate": "constant",
            "gradient": "log y", "weights": "on norm", "bars": "raises",
        }  # fmt: skip
        for name in REGRESSION:
            await looked(driver)
            await driver.see(said[name], pane="fit")
            assert f"[#e8b04b]{name}[/" in driver.app.screen.fit.border_title
            await driver.press("v")
        await driver.press("V")
        await driver.see("raises", pane="fit")
        await driver.see("view", pane="keys")


async def test_classes_have_a_boundary_a_confusion_matrix_and_a_roc_curve(drive: Any) -> None:
    values = {"dataset": "moons", "model": "mlp", "epochs": "4", "pace": "max"}
    async with drive(values=values) as driver:
        await driver.press("space")
        await driver.done()
        await driver.until(lambda: [view.record.name for view in driver.app.screen.fit.views] == CLASSES[:-1])
        await looked(driver)
        await driver.see("•", "×", "x2 ↑", pane="fit")
        await driver.press("v")
        await looked(driver)
        await driver.see("validation:", "accuracy", pane="fit")
        while driver.app.focused is not driver.app.screen.fit:
            await driver.press("tab")
        await driver.press("down")
        await driver.see("train:", "accuracy", pane="fit")
        await driver.press("v")
        await looked(driver)
        result = json.loads((driver.app.workspace.snapshot.run / "run.json").read_text())["result"]
        await driver.see(f"AUC {result['metrics']['validation']['roc_auc']:.4f}", pane="fit")
        await driver.press("v", "down", "down")
        await driver.until(lambda: "[" in driver.app.screen.fit.border_subtitle)
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.fit.size.width > 150)


async def test_on_a_small_screen_v_unfolds_the_views(drive: Any) -> None:
    async with drive(size=(80, 24), values={"dataset": "poly", "degree": "3", "pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        assert driver.app.screen.fit.folded
        await driver.press("v")
        await driver.until(lambda: not driver.app.screen.fit.folded)
        await looked(driver)
        await driver.press("enter")
        await driver.see("y over x", "•", pane="fit")


async def test_the_views_of_a_live_run_follow_it_from_a_thread(drive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []
    look = BoundaryView.look

    def noted(self: BoundaryView, *given: Any) -> Any:
        threads.append(threading.current_thread().name)
        return look(self, *given)

    monkeypatch.setattr(BoundaryView, "look", noted)
    async with drive(values={"dataset": "moons", "pace": "60"}) as driver:
        await driver.press("space")
        await driver.until(lambda: len(threads) >= 2, "two looks at the boundary")
        pane = driver.app.screen.fit
        await driver.until(lambda: len(pane._trail) >= 3 and len(pane._trail.figures["accuracy"]) >= 1)
        assert set(threads) == {"looking"}


async def test_a_kept_run_has_its_views_again(drive: Any) -> None:
    async with drive(values={"dataset": "iris", "pace": "max", "epochs": "20"}) as driver:
        await driver.press("space")
        await driver.done()
        before = driver.app.workspace.snapshot
        await driver.press("r")
        await driver.see("1 run in", pane="run-list")
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train" and driver.app.workspace.snapshot is not before)
        await driver.until(lambda: [view.record.name for view in driver.app.screen.fit.views] == CLASSES[1:])
        assert set(driver.app.workspace.snapshot.tracks) == set(before.tracks)
        await looked(driver)
        await driver.see("accuracy", " of 30", pane="fit")


async def test_a_view_is_chosen_in_the_palette(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.palette("view residuals", "View: residuals")
        await looked(driver)
        await driver.see("actual − predicted", pane="fit")


async def test_the_weights_pane_names_the_tensors(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.see(
            "inputs [7, 2] float64 cpu @ weights [2, 1] + bias [1]", "broadcast over 7 rows", pane="weights"
        )


async def test_the_tensors_have_the_rows_of_a_batch_that_was_changed(drive: Any) -> None:
    async with drive(values={"dataset": "linear3", "batch_size": 8, "pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("inputs [8, 3]", pane="weights")
        driver.app.workspace.set({"batch_size": "25"})
        await driver.see("inputs [25, 3]", "[25, 1]", pane="weights")
        driver.app.workspace.set({"batch_size": "full"})
        await driver.see("inputs [100, 3]", pane="weights")


# Without a screen.


def subject(values: dict[str, Any], arrays: dict[str, Any], **given: Any) -> Subject:
    recipe = Recipe().replace(values)
    known = survey(recipe)
    parameters = Parameters({name: np.asarray(value, np.float64) for name, value in arrays.items()})
    now = Snapshot(Phase.TRAINING, step=90, steps=100, lr=0.1, parameters=parameters, **given)
    return Subject(now, known.prepared, known.plan, recipe, WeightHistory())


def test_the_boundary_lies_where_the_model_says() -> None:
    given = subject({"dataset": "moons"}, {"weight": [[0.0], [1.0]], "bias": [0.0]})
    found = drawn_by(REGISTRY["boundary"]).look(given, "", (60, 20))
    assert given.prepared is not None
    mean = given.prepared.normalizer.offset[1]
    rows = np.linspace(found.y.high, found.y.low, len(found.decided))
    far = np.abs(rows - mean) > 1e-6
    assert (found.decided[far] == (rows[far] > mean)[:, None]).all()
    drawn = drawn_by(REGISTRY["boundary"]).draw(given, found, "", ink(RAVINE), (60, 20))
    assert {sum(len(text) for text, _ in line) for line in drawn.lines} == {60}


def test_learning_rates_follow_schedule_and_steering() -> None:
    given = subject(
        {"dataset": "scales", "lr": 0.1, "schedule": "step", "steps": 90}, {"weight": [[0.0]] * 2, "bias": [0.0]}
    )
    steered = replace(given.recipe, events=(Event(step=50, field="lr", value=0.4),))
    rates = learning_rates(
        Subject(given.snapshot, given.prepared, given.plan, steered, WeightHistory()), np.array([0, 29, 30, 49, 50, 60])
    )
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.04, 0.004])


def test_a_view_of_other_choices_than_the_run_shows_nothing() -> None:
    assert subject({"dataset": "scales"}, {"weight": [[0.0]] * 5, "bias": [0.0]}).model is None


def test_a_trail_keeps_its_ends_and_forgets_between() -> None:
    trail = WeightHistory()
    for step in range(3 * MOST):
        trail.take(
            Snapshot(Phase.TRAINING, step=step, parameters=Parameters({"a.weight": np.full((2, 2), float(step))}))
        )
    assert len(trail) <= MOST + 1
    assert trail.steps[0] == 0
    assert trail.steps[-1] == 3 * MOST - 1
    assert trail.names == ("‖a.weight‖",)
    assert trail.values[-1][0] == pytest.approx(2 * (3 * MOST - 1))
    assert not trail.take(
        Snapshot(Phase.PAUSED, step=3 * MOST - 1, parameters=Parameters({"a.weight": np.ones((2, 2))}))
    )


def test_of_many_questions_the_newest_is_answered() -> None:
    begun, go_on, told = threading.Event(), threading.Event(), []
    done = threading.Event()

    def tell(key: Any, answer: Any) -> None:
        told.append((key, answer))
        if key == 3:
            done.set()

    def slow() -> str:
        begun.set()
        assert go_on.wait(30)
        return "slow"

    looker = Throttled(tell, rest=0)
    looker.ask(1, slow)
    assert begun.wait(30)
    looker.ask(2, lambda: pytest.fail("given up"))
    looker.ask(3, lambda: 1 / 0)
    go_on.set()
    assert done.wait(30)
    assert told[0] == (1, "slow")
    assert [key for key, _ in told] == [1, 3]
    assert isinstance(told[1][1], ZeroDivisionError)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20), st.booleans())
def test_an_axis_holds_what_it_is_for(values: list[float], log: bool) -> None:
    axis = Axis.around(values, log=log)
    shares = axis.share([value for value in values if value > 0 or not log])
    assert ((shares >= -1e-9) & (shares <= 1 + 1e-9)).all()
    axes = Axes(ink(RAVINE), (40, 8), axis, axis)
    axes.line(values, values, ink(RAVINE).train)
    axes.dots(values, values, ink(RAVINE).train, "•")
    assert {sum(len(text) for text, _ in line) for line in axes.sheet.lines()} == {40}
