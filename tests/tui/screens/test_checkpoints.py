"""Steering a run, going back to a checkpoint, beginning anew, and what is said at the end; by keyboard only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.base.loss_history import History
from engine.recipe import read_toml
from engine.runs.folder import read_facts

KEEPING = {"pace": "max", "steps": "100", "checkpoint_every": "25"}


async def test_a_run_is_branched_at_a_checkpoint_and_goes_on_bit_for_bit(drive: Any) -> None:
    async with drive(values=KEEPING) as driver:
        await driver.press("space")
        await driver.done()
        first = driver.app.workspace.snapshot.run
        await driver.press("w")
        await driver.see("checkpoints of", "25", "50", "75", "last", pane="checkpoints")
        await driver.press("home", "down")
        await driver.see("back to 50", pane="rewind-chart")
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train" and driver.app.workspace.phase == "paused")
        assert driver.app.workspace.snapshot.step == 50
        await driver.press("space")
        await driver.done()
        second = driver.app.workspace.snapshot.run
        assert second != first
        before, after = History.open(first / "loss.f64"), History.open(second / "loss.f64")
        assert np.array_equal(before.values(0, 100), after.values(0, 100))
        assert read_facts(second)["origin"]["run"] == first.name
        before.close()
        after.close()


async def test_a_branch_of_a_live_run_ends_it_and_leaves_later_changes_behind(drive: Any) -> None:
    async with drive(values={**KEEPING, "pace": "8", "lr": "0.1"}) as driver:
        await driver.press("space")
        await driver.until(lambda: (driver.app.workspace.snapshot.step or 0) > 30)
        await driver.press("space")
        await driver.until(lambda: driver.app.workspace.phase == "paused")
        await driver.press("right_square_bracket")
        await driver.until(lambda: bool(driver.app.workspace.snapshot.marks))
        first = driver.app.workspace.snapshot.run
        await driver.press("w")
        await driver.see("last", pane="checkpoints")
        await driver.press("home", "enter")
        await driver.until(
            lambda: driver.app.workspace.snapshot.run not in (first, None) and driver.app.workspace.phase == "paused"
        )
        assert driver.app.workspace.snapshot.step == 25
        assert not driver.app.workspace.run.recipe.events
        assert driver.app.workspace.recipe.optimizer.lr == 0.1
        assert read_facts(first)["state"] == "ended"


async def test_best_weights_can_be_gone_back_to_from_the_list_of_runs(drive: Any) -> None:
    values = {"dataset": "moons", "model": "mlp", "lr": "0.05", "epochs": "6", "pace": "max"}
    async with drive(values=values) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("r")
        await driver.see("1 run in", pane="run-list")
        await driver.press("w")
        await driver.see("best", pane="checkpoints")
        points = driver.app.screen.points
        await driver.press("home", *["down"] * [point.name for point in points].index("best"), "enter")
        await driver.until(lambda: driver.app.workspace.phase in ("paused", "failed"))
        assert driver.app.workspace.snapshot.error == ""
        step = next(point.step for point in points if point.name == "best")
        assert driver.app.workspace.snapshot.step == step
        assert driver.app.workspace.snapshot.validation.points()[0].tolist()[-1] == step


async def test_optimizer_momentum_and_batch_size_are_taken_by_a_live_run(drive: Any) -> None:
    async with drive(values={"dataset": "titanic", "pace": "120", "optimizer": "momentum", "lr": "0.1"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("3", "down", "enter", *["up"] * 8)
        while driver.app.screen.panels[2].current.label != "adam":
            await driver.press("down")
        await driver.press("enter")
        await driver.see("optimizer adam", pane="chart")
        await driver.press("down", "enter", "0")
        await driver.type(".5")
        await driver.press("enter", "down", "enter", "6", "4", "enter")
        await driver.until(lambda: len(driver.app.workspace.snapshot.marks) == 3)
        assert [mark.text for mark in driver.app.workspace.snapshot.marks] == [
            "optimizer adam",
            "momentum 0.5",
            "batch size 64",
        ]
        assert not driver.app.workspace.later
        run = driver.app.workspace.snapshot.run
        await driver.press("x")
        await driver.done()
        events = [(event.field, event.value) for event in read_toml(run).events]
        assert events == [("optimizer", "adam"), ("momentum", 0.5), ("batch_size", 64)]


async def test_a_change_that_cannot_be_taken_is_told_and_taken_back(drive: Any) -> None:
    async with drive(values={"dataset": "iris", "pace": "120"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        driver.app.workspace.set({"optimizer": "lbfgs"})
        await driver.until(lambda: driver.app.workspace.recipe.optimizer.optimizer == "auto")
        assert any("full batches" in toast.message for toast in driver.app._notifications)
        assert driver.app.workspace.phase == "training"


async def test_n_begins_a_new_run_with_what_this_one_cannot_take(drive: Any) -> None:
    async with drive(values={"pace": "120"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        assert "new run with it" not in driver.text("keys")
        await driver.press("2", "up", "enter")
        await driver.see("new run with it", pane="keys")
        first = driver.app.workspace.snapshot.run
        await driver.press("n")
        await driver.until(
            lambda: "minmax" in str(driver.app.workspace.snapshot.run) and driver.app.workspace.phase == "training"
        )
        assert read_facts(first)["state"] == "ended"
        assert "new run with it" not in driver.text("keys")


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_an_ending_is_read_in_full_and_f_takes_its_remedy(drive: Any, size: tuple[int, int]) -> None:
    values = {"pace": "max", "normalize": "none", "steps": "200", "lr": "0.001"}
    async with drive(size=size, values=values) as driver:
        await driver.press("space")
        await driver.done()
        sentence = driver.app.workspace.snapshot.ending.sentence
        await driver.press("i")
        await driver.until(lambda: len(driver.app.screen_stack) > 1)
        seen = " ".join(driver.text().split())
        assert sentence in seen
        assert driver.app.workspace.snapshot.ending.remedy_text in seen
        await driver.press("f")
        await driver.until(lambda: "zscore" in str(driver.app.workspace.snapshot.run))
        await driver.done()
        assert len(driver.app.screen_stack) == 1
