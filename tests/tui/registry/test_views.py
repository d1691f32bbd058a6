"""Every view of a run, drawn for every kind of run that it is for; and one that is made up here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from engine.analysis.survey import survey
from engine.base.loss_history import Series
from engine.learn.kernels.contract import Parameters
from engine.recipe import Recipe
from engine.training.snapshot import Phase, Snapshot
from tests.conftest import ROOT, recipe, train
from tui.charts.views.base import RunView, Subject, available, drawn_by
from tui.charts.views.weight_history import WeightHistory
from tui.keys.keymap import KeyTable
from tui.keys.table import KEYS
from tui.look.ascii import to_ascii
from tui.look.styles import RAVINE, ink
from tui.registry import views
from tui.registry.views import REGISTRY, remove

assert views.__doc__ is not None
EXAMPLE = dedent(views.__doc__.split("the app begins:\n\n")[1].partition("\n\nThe order of the records")[0])
NAME = "steps"  # the view of the example
SIZES = [(24, 6), (78, 18), (200, 50)]

OF_ANY = {"metric", "rate", "gradient", "weights"}
NUMBERS, CLASSES = OF_ANY | {"fit", "residuals"}, OF_ANY | {"confusion", "roc"}
KINDS: dict[str, tuple[dict[str, Any], set[str]]] = {  # the recipe, and the views that claim its runs
    "one feature": ({"dataset": "poly", "degree": 3}, NUMBERS | {"bars"}),
    "many features": ({"dataset": "linear3"}, NUMBERS | {"bars"}),
    "network": ({"dataset": "linear3", "model": "mlp", "hidden": "4"}, NUMBERS),
    "two columns, two classes": ({"dataset": "moons:rows=60"}, CLASSES | {"boundary", "bars"}),
    "classifying network": ({"dataset": "moons:rows=60", "model": "mlp", "hidden": "4"}, CLASSES | {"boundary"}),
    "many columns, many classes": ({"dataset": "iris"}, CLASSES | {"bars"}),
}


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Subject]:
    """A finished run of each kind."""
    folder, found = tmp_path_factory.mktemp("views"), {}
    for kind, (fields, _) in KINDS.items():
        chosen = recipe(folder, steps=30, val=0.2, backend="autograd", **fields)
        known, now, trail = survey(chosen), train(chosen).snapshot(), WeightHistory()
        assert now.parameters is not None
        start = {name: np.zeros_like(array) for name, array in now.parameters.arrays.items()}
        trail.take(Snapshot(Phase.TRAINING, step=0, parameters=Parameters(start)))
        trail.take(now)
        found[kind] = Subject(now, known.prepared, known.plan, chosen, trail)
    return found


def test_each_has_a_label_a_sentence_of_help_and_says_which_runs_it_is_for() -> None:
    for view in REGISTRY:
        assert view.label.lower() == view.name
        assert view.help.endswith(".")
        assert view.refusal == f"The view {view.label} is for {view.runs}."
        assert isinstance(drawn_by(view), RunView)
    empty = Subject(
        Snapshot(Phase.PREPARING, tracks={"gradient_norm": Series()}), None, None, Recipe(), WeightHistory()
    )
    assert available(empty) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_has_the_views_that_claim_it(kind: str, subjects: dict[str, Subject]) -> None:
    assert {view.record.name for view in available(subjects[kind])} == KINDS[kind][1]
    assert REGISTRY.names == tuple(sorted(REGISTRY.names, key=[one.name for one in REGISTRY].index))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", REGISTRY.names)
def test_every_view_draws_every_kind_of_run_that_it_claims(
    name: str, kind: str, size: tuple[int, int], subjects: dict[str, Subject]
) -> None:
    subject, drawn = subjects[kind], drawn_by(REGISTRY[name])
    assert drawn.fits(subject) == (name in KINDS[kind][1])
    if not drawn.fits(subject):
        return
    for turn in drawn.turns(subject) or ("",):
        found = drawn.look(subject, turn, size) if drawn.key(subject) is not None else None
        drawing = drawn.draw(subject, found, turn, ink(RAVINE), size)
        lines = ["".join(text for text, _ in line) for line in drawing.lines]
        assert any(line.strip() for line in lines)
        assert len(lines) <= size[1]
        assert max(map(cell_len, lines)) <= size[0]
        assert all(label for _, _, label in drawing.legend) or len(drawing.legend) == 1
        for line in [*lines, drawing.about, *(f"{marker} {label}" for _, marker, label in drawing.legend)]:
            plain = to_ascii(line)
            assert plain.isascii()
            assert "?" not in plain
            assert cell_len(plain) == cell_len(line)


def test_the_key_and_the_readme_list_them_all() -> None:
    (key,) = [key for key in KEYS if key.id == "views.next"]
    assert key.help == f"The next view of the run: {', '.join(view.label for view in REGISTRY)}."
    assert key.help in (ROOT / "README.md").read_text(encoding="utf-8")


# A view that is made up: the documented example.


@pytest.fixture
def made_up() -> Iterator[str]:
    """The example, registered in one place."""
    exec(EXAMPLE, {})
    yield NAME
    remove(NAME)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_drawn_as_the_others_are(made_up: str, kind: str, subjects: dict[str, Subject]) -> None:
    assert available(subjects[kind])[-1].record is REGISTRY[made_up]
    drawing = drawn_by(REGISTRY[made_up]).draw(subjects[kind], None, "", ink(RAVINE), (40, 10))
    assert drawing.lines[0][0][0] == " step 30 of 30"


async def test_it_has_a_tab_a_line_in_the_palette_and_its_name_in_the_help(made_up: str, drive: Any) -> None:
    async with drive(values={"dataset": "linear3", "steps": 40, "pace": "max"}) as driver:
        await driver.see(f"{made_up}:", pane="fit")
        await driver.press("space")
        await driver.done()
        await driver.palette(f"view {made_up}", f"View: {made_up}")
        await driver.see("step 40 of 40", pane="fit")
        assert re.search(rf"\[#\w+\]{made_up}\[/", driver.app.screen.fit.border_title)
        await driver.press("v")  # after the last comes the first
        await driver.until(lambda: driver.app.screen.fit.view.record.name == "fit")
        await driver.press("V")
        await driver.see("step 40 of 40", pane="fit")
        assert any(made_up in sentence for _, keys in KeyTable().help() for _, sentence in keys)


async def test_a_view_that_a_run_has_not_says_what_it_is_for(drive: Any) -> None:
    async with drive(values={"dataset": "linear3", "steps": 40, "pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.until(lambda: driver.app.screen.fit.view is not None)
        driver.app.screen.choose_view("roc")
        said = "The view ROC is for classifiers."
        await driver.until(lambda: any(str(one.message) == said for one in driver.app._notifications))
        assert driver.app.screen.fit.view.record.name == "fit"


async def test_what_was_liked_under_an_older_name_is_found(drive: Any, tmp_path: Path) -> None:
    async with drive(values={"dataset": "moons:rows=60", "steps": 40, "pace": "max"}) as driver:
        driver.app.screen.fit.like("ROC")
        await driver.press("space")
        await driver.done()
        await driver.until(lambda: driver.app.screen.fit.view.record.label == "ROC")
