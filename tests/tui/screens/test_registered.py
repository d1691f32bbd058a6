"""What is registered while the program runs is offered on the screens like what comes along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.registry import datasets, modes
from tests.engine.registry.test_datasets import SINE
from tests.engine.registry.test_modes import MIDRANGE


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    datasets.register(SINE)
    modes.register(MIDRANGE)
    yield
    datasets.remove(SINE.name)
    modes.remove(MIDRANGE.name)


async def test_a_table_and_a_mode_stand_in_their_panels_and_are_trained_with(drive: Any) -> None:
    values = {"dataset": "sine", "normalize": "midrange", "pace": "max", "steps": 30}
    async with drive((160, 80), values=values) as driver:
        await driver.see("sine", "80 x 1", "mid-range", "z-score")
        await driver.see("sine · mid-range · linear", pane="top")
        await driver.press("space")
        await driver.done()
        await driver.see("30 steps", pane="top")


async def test_a_mode_runs_in_the_race(drive: Any) -> None:
    async with drive(values={"pace": "max", "steps": 20}) as driver:
        await driver.press("N")
        await driver.see("none", "mid-range", "robust", pane="race-chart")
        await driver.done()
        await driver.press(*["down"] * 5)
        await driver.see("mid-range", pane="racers")
