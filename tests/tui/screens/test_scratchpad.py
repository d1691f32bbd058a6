"""The scratchpad and the recipes by name, by way of the palette."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_the_gradient_of_an_expression(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size) as driver:
        await driver.palette("gradient of", "Gradient of an expression")
        await driver.see("log((3x + 4y)^2)", pane="pad")
        await driver.see("3.8918203", "∂f/∂x  0.85714286", "∂f/∂y  1.1428571", "└─ ", "constant", pane="tree")
        await driver.press("down", "2")
        await driver.see("∂f/∂x  0.6", pane="tree")
        await driver.press("escape")
        await driver.see("∂f/∂x  0.85714286", pane="tree")
        await driver.press("up", "enter")
        await driver.type("sqrt(x")
        await driver.see("The parenthesis at “(x” is not closed.", pane="tree")
        assert driver.app.focused.has_class("bad")
        await driver.type(" * z) ")
        await driver.press("enter")
        await driver.see("z", pane="pad")
        await driver.press("down", "down", "4", "enter")
        await driver.see("∂f/∂x  1", "∂f/∂z  0.25", pane="tree")
        await driver.press("backspace")
        await driver.see("∂f/∂z  0.5", pane="tree")


async def test_a_preset_sets_the_panels_and_own_recipes_stand_beside_them(drive: Any, tmp_path: Path) -> None:
    own = tmp_path / "config" / "ravine" / "recipes"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text('# My own\n# A small one.\n[data]\ndataset = "scales"\n')
    (own / "broken.toml").write_text("[data]\nno = 1\n")
    async with drive(values={"runs": "elsewhere", "pace": "max"}) as driver:
        await driver.until(lambda: len(driver.app.workspace.presets) >= 9)
        await driver.palette("houses by hand", "Preset: Houses by hand")
        recipe = driver.app.workspace.recipe
        assert (recipe.data.dataset, recipe.normalization.normalize) == ("houses", "none")
        assert recipe.stopping.steps == 2_000_000 or recipe.stopping.epochs == 2_000_000
        assert (recipe.recording.runs, recipe.recording.pace) == ("elsewhere", "max")
        await driver.palette("my own", "Own recipe: My own")
        assert driver.app.workspace.recipe.data.dataset == "scales"
        await driver.palette("own broken", "Own recipe: broken")
        assert driver.app.workspace.recipe.data.dataset == "scales"
