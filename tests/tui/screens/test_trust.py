"""Code that nobody asked for: the app runs none of it before a person says yes, and asks once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.modules import trust
from engine.recipe import build
from tests.conftest import ravine
from tui.app.preferences import Preferences
from tui.screens.trust import TrustScreen

MODULE = """
open("RAN", "a").write("x")
import numpy as np
from torch import nn

def load():
    x = np.linspace(-1, 1, 40)
    return {"a": x, "b": x * x, "y": 3 * x + 1}

class Net(nn.Linear):
    pass
"""


def _made(folder: Path, *words: str) -> Path:
    """A run that somebody else made, with what they keep of it in another place."""
    (folder / "foreign.py").write_text(MODULE)
    line = "train foreign:load --target y --steps 20 --checkpoint-every 10 --name theirs"
    done = ravine(line, *words, cwd=folder, XDG_STATE_HOME=str(folder / "theirs"))
    assert done.returncode == 0, done.stderr
    (folder / "RAN").unlink()
    shutil.rmtree(folder / "theirs")
    return folder


@pytest.fixture(scope="module")
def _line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("line"))


@pytest.fixture(scope="module")
def _class(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("class"), "--model", "foreign:Net")


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test confirms holds for it alone."""
    monkeypatch.delitem(sys.modules, "foreign", raising=False)
    with trust.scope():
        yield
    sys.modules.pop("foreign", None)


@pytest.fixture
def folder(tmp_path: Path, _line: Path) -> Path:
    """Where somebody else's run lies, with the module that it names."""
    return Path(shutil.copytree(_line, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def classy(tmp_path: Path, _class: Path) -> Path:
    """The same with a model of their own."""
    return Path(shutil.copytree(_class, tmp_path, dirs_exist_ok=True))


async def asked(driver: Any) -> None:
    """Wait for the question; nothing has run."""
    await driver.until(lambda: isinstance(driver.app.screen, TrustScreen), "the question")
    await driver.see("foreign.py, in the folder where you stand", "neither run nor confirmed")
    assert not Path("RAN").exists()


def cut_short(folder: Path) -> None:
    """Their run has steps left to take."""
    recipe, run = folder / "runs/theirs/recipe.toml", folder / "runs/theirs/run.json"
    recipe.write_text(recipe.read_text().replace("steps = 20", "steps = 40"))
    facts = json.loads(run.read_text())
    facts["choices"]["steps"], facts["state"] = 40, "interrupted"
    run.write_text(json.dumps(facts))


async def opened(driver: Any) -> None:
    """Enter on their run in the list."""
    await driver.press("r")
    await driver.see("theirs")
    await driver.press("enter")


async def test_enter_asks_and_esc_runs_nothing_and_y_asks_no_more(drive: Any, folder: Path) -> None:
    async with drive() as driver:
        await opened(driver)
        await asked(driver)
        assert "foreign:load" in driver.text()
        await driver.press("escape")
        await driver.see("foreign:load is not allowed to run yet")
        assert driver.app.current_mode == "train"
        assert len(driver.app.screen_stack) == 1
        await driver.press("space")
        await asked(driver)
        await driver.press("enter")  # was meant for something else
        await driver.until(lambda: not isinstance(driver.app.screen, TrustScreen))
        assert not Path("RAN").exists()
        assert driver.app.workspace.phase != "training"
        await driver.press("space")
        await asked(driver)
        await driver.press("y")
        await driver.until(lambda: driver.app.workspace.known is not None, "the survey")
        assert Path("RAN").read_text() == "x"
        await driver.press("space")
        await driver.done()
        assert driver.app.workspace.phase == "ended"
    trust._asked.clear()
    async with drive() as driver:  # another day: it was confirmed
        await opened(driver)
        await driver.until(lambda: driver.app.workspace.known is not None and driver.app.current_mode == "train")
        assert not isinstance(driver.app.screen, TrustScreen)


async def test_a_file_that_has_changed_is_asked_about(drive: Any, folder: Path) -> None:
    cut_short(folder)
    async with drive() as driver:
        await opened(driver)
        await asked(driver)
        await driver.press("y")
        await driver.until(lambda: driver.app.workspace.known is not None, "the survey")
    trust._asked.clear()
    sys.modules.pop("foreign", None)
    Path("foreign.py").write_text(MODULE + "# another line\n")
    async with drive() as driver:
        await driver.press("r")
        await driver.see("theirs")
        await driver.press("R")
        await driver.until(lambda: isinstance(driver.app.screen, TrustScreen), "the question")
        await driver.see("foreign.py has changed since the run was made with it")


@pytest.mark.parametrize("keys", [("F",), ("N",), ("o",), ("d",)])
async def test_no_screen_runs_what_was_refused(keys: tuple[str, ...], drive: Any, folder: Path) -> None:
    async with drive() as driver:
        await opened(driver)
        await asked(driver)
        await driver.press("escape")
        await driver.press(*keys)
        await driver.pilot.pause(0.3)
        assert not Path("RAN").exists()


async def test_an_evaluation_asks_and_goes_on(drive: Any, classy: Path) -> None:
    async with drive() as driver:
        await driver.press("r")
        await driver.see("theirs")
        await driver.press("a")
        await asked(driver)
        assert "foreign:Net" in driver.text()
        await driver.press("n")
        await driver.see("not allowed to run yet", pane="figures")
        await driver.press("r")
        await driver.press("a")
        await asked(driver)
        await driver.press("y")
        await driver.until(lambda: driver.app.screen.evaluation is not None, "the evaluation")
        assert Path("RAN").exists()


async def test_predicting_asks_and_goes_on(drive: Any, classy: Path) -> None:
    async with drive() as driver:
        await driver.press("p")
        await asked(driver)
        await driver.press("escape")
        await driver.see("not allowed to run yet")
        await driver.press("t", "p")
        await asked(driver)
        await driver.press("y")
        await driver.until(lambda: driver.app.screen.way.explanation is not None, "the prediction")
        assert Path("RAN").exists()


async def test_resuming_asks_once_and_goes_on(drive: Any, folder: Path) -> None:
    cut_short(folder)
    async with drive() as driver:
        await driver.press("r")
        await driver.see("theirs")
        await driver.press("R")
        await driver.until(lambda: isinstance(driver.app.screen, TrustScreen), "the question")
        await driver.until(lambda: driver.app.workspace.phase == "failed" or not driver.app.workspace.live)
        await driver.press("y")
        await driver.done()
        assert not isinstance(driver.app.screen, TrustScreen)
        assert driver.app.workspace.phase == "ended", driver.app.workspace.snapshot.error


async def test_a_branch_asks_and_begins(drive: Any, folder: Path) -> None:
    async with drive() as driver:
        await driver.press("r")
        await driver.see("theirs")
        await driver.press("w")
        await driver.see("10", "last", pane="checkpoints")
        await driver.press("home", "enter")
        await asked(driver)
        await driver.press("y")
        await driver.until(lambda: driver.app.workspace.phase == "paused", "the branch")
        assert driver.app.workspace.snapshot.step == 10


async def test_an_export_asks_and_writes(drive: Any, folder: Path) -> None:
    async with drive() as driver:
        await driver.press("r")
        await driver.see("theirs")
        await driver.press("E")
        await driver.see("a PyTorch script that repeats the run")
        await driver.press(*["down"] * 4, "enter")
        await driver.see("export theirs as code to")
        await driver.press("enter")
        await asked(driver)
        await driver.press("y")
        await driver.until(lambda: Path("theirs.py").exists(), "the script")


def test_words_of_last_time_ask_for_nothing(folder: Path) -> None:
    from engine.cli import preset

    Preferences(folder / "last.json").keep(recipe=build({"dataset": "foreign:load", "target": "y"}))
    recipe = Preferences(folder / "last.json").begin((), preset)
    assert recipe.data.dataset == "foreign:load"
    assert not trust.asked("foreign:load")
    Preferences(folder / "last.json").begin(("--model", "foreign:Net"), preset)
    assert trust.asked("foreign:Net")
    assert not trust.asked("foreign:load")


async def test_choices_that_come_from_elsewhere_are_asked_about(drive: Any, folder: Path) -> None:
    async with drive(values={"dataset": "foreign:load", "target": "y"}) as driver:
        await asked(driver)
        await driver.press("escape")
        await driver.see("foreign:load is not allowed to run yet")


async def test_what_a_person_types_is_not_asked_about(drive: Any, folder: Path) -> None:
    async with drive() as driver:
        assert driver.app.workspace.set({"dataset": "foreign:load", "target": "y"})
        await driver.until(lambda: driver.app.workspace.known is not None, "the survey")
        assert Path("RAN").exists()
        assert not isinstance(driver.app.screen, TrustScreen)


@pytest.mark.parametrize("named", ["os:abort", "sys:exit", "foreign:wipe"])
async def test_what_their_run_names_may_be_anything(named: str, drive: Any, folder: Path) -> None:
    recipe = folder / "runs/theirs/recipe.toml"
    recipe.write_text(recipe.read_text().replace("foreign:load", named))
    async with drive() as driver:
        await opened(driver)
        await driver.until(lambda: isinstance(driver.app.screen, TrustScreen), "the question")
        await driver.see(named)
        await driver.press("escape")
        await driver.see("is not allowed to run yet")
        if named != "os:abort":
            await driver.press("space")
            await driver.until(lambda: isinstance(driver.app.screen, TrustScreen), "the question")
            await driver.press("y")
            await driver.until(
                lambda: "not allowed" not in driver.app.workspace.problem and driver.app.workspace.problem, "why not"
            )
