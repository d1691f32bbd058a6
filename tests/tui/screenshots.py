"""The pictures of the README: `python -m tests.tui.screenshots` draws them anew into .screenshots/."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from engine.recipe import Recipe
from tests.tui.conftest import Driver
from tests.tui.scenes import SCENES, Scene
from tests.tui.stage import make_alike, settled, told
from tui.app.app import RavineApp

FOLDER = Path(__file__).parents[2] / ".screenshots"
SIZE = (120, 36)
SHOWN = {"train": "train-training", "data": "data"}  # name of the picture: scene


async def picture(scene: Scene, folder: Path) -> str:
    """What a scene looks like."""
    scene.write(folder)
    app = RavineApp(lambda: Recipe().replace(scene.values), opener=scene.opener)
    async with app.run_test(size=SIZE) as pilot:
        driver = Driver(app, pilot)
        await driver.ready()
        await scene.play(driver)
        await settled(driver, folder)
        found = told(driver, folder, drawn=True)
        if app.workspace is not None:
            app.workspace.leave(10.0)
        return found


def main() -> None:
    """Draw them, in empty folders."""
    FOLDER.mkdir(exist_ok=True)
    for name, scene in SHOWN.items():
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            make_alike(patch)
            for variable in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
                patch.setenv(variable, str(Path(folder) / variable.lower()))
            patch.chdir(folder)
            (FOLDER / f"{name}.svg").write_text(asyncio.run(picture(SCENES[scene], Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
