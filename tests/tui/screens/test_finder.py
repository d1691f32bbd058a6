"""The finder screen, by keyboard only."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.learn.finder import find
from engine.recipe import Recipe
from tui.look.numbers import figures


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_enter_takes_the_rate_that_the_curve_speaks_for(drive: Any, size: tuple[int, int]) -> None:
    values = {"dataset": "moons", "optimizer": "sgd"}
    async with drive(size=size, values=values) as driver:
        best = find(Recipe().replace(values)).suggestion
        await driver.press("F")
        await driver.see(f"suggested {figures(best, 3)}", "1e-8", "take it" if size[0] > 100 else "", pane="")
        await driver.see("Enter takes it", pane="rate-curve")
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train")
        assert driver.app.workspace.recipe.optimizer.lr == pytest.approx(best, rel=1e-3)


async def test_who_leaves_gives_the_trial_run_up(drive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.learn import finder

    gone: list[bool] = []

    def wait(recipe: Recipe, table: Any, cancelled: Any) -> Any:
        from engine.base.errors import Cancelled

        while not cancelled():
            time.sleep(0.005)
        gone.append(True)
        raise Cancelled

    monkeypatch.setattr(finder, "find", wait)
    async with drive() as driver:
        await driver.press("F")
        await driver.see("A trial run with a rising learning rate", pane="rate-curve")
        await driver.press("escape")
        await driver.until(lambda: bool(gone), "the end of the trial run")
        assert driver.app.workspace.recipe.optimizer.lr == "auto"


async def test_there_is_none_beside_a_run_or_without_a_rate(drive: Any) -> None:
    async with drive(values={"pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("F")
        await driver.see("A run is going on; stop it first", pane="rate-curve")
        await driver.press("x", "t")
        await driver.done()
        driver.app.workspace.set({"optimizer": "lbfgs"})
        await driver.ready()
        await driver.press("F")
        await driver.see("L-BFGS finds the length of its steps itself", pane="rate-curve")
