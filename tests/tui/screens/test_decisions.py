"""The positive class and the threshold, in the panels and wherever figures are shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

SIZES = [(160, 45), (120, 36)]
CHOSEN = {"dataset": "titanic", "epochs": 5, "pace": "max", "positive": "0", "threshold": "0.4"}


def flat(text: str) -> str:
    """On one line."""
    return " ".join(text.split())


@pytest.mark.parametrize("size", SIZES)
async def test_positive_class_and_threshold_stand_beside_the_figures(drive: Any, size: tuple[int, int]) -> None:
    said = "The positive class is 0, decided from a probability of 0.4 on."
    async with drive(size=size, values=CHOSEN) as driver:
        await driver.press("space")
        await driver.done()
        result = json.loads((driver.app.workspace.snapshot.run / "run.json").read_text())["result"]
        assert (result["positive"], result["threshold"]) == ("0", 0.4)
        await driver.press("i")
        await driver.until(lambda: len(driver.app.screen_stack) > 1, "the ending")
        await driver.until(lambda: said in flat(driver.text()), said)
        await driver.press("escape")
        await driver.press("a")
        await driver.see("+ 0", "+ from 0.4 on", pane="classes")
        if size == SIZES[0]:  # on the smaller one that line is reached by scrolling
            await driver.until(lambda: "are of 0, from 0.4 on" in flat(driver.text("figures")), "of which class")
        await driver.until(lambda: said in flat(driver.text("conditions")), said)
        part = driver.app.screen.evaluation.parts["validation"]
        for name, value in result["metrics"]["validation"].items():
            assert part.figures[name] == pytest.approx(value)
        assert [curve.name for curve in part.curves] == ["0"]


async def test_the_panel_offers_the_classes_and_takes_back_the_choice(drive: Any) -> None:
    async with drive(values=CHOSEN) as driver:
        panel = driver.app.screen.query_one("#panel1")
        workspace = driver.app.workspace
        assert panel.words(workspace, workspace.find("positive")) == ("auto", "0", "1")
        workspace.set({"positive": "auto"})
        assert workspace.recipe.data.positive is None
        await driver.ready()
        assert workspace.resolved("positive") == "1"
        workspace.set({"positive": "1"})
        workspace.set({"target": "sex"})
        assert workspace.recipe.data.positive is None
        assert workspace.recipe.model.threshold == 0.4


async def test_views_and_race_tell_how_is_decided(drive: Any) -> None:
    async with drive(values=CHOSEN) as driver:
        await driver.press("space")
        await driver.done()
        fit = driver.app.screen.fit
        await driver.until(lambda: [view.record.name for view in fit.views][:2] == ["confusion", "roc"], "the views")
        await driver.see("+ from 0.4 on", "+ 0", pane="fit")
        await driver.press("N")
        await driver.see("positive 0 from 0.4 on", pane="racers")
        await driver.press("x")
