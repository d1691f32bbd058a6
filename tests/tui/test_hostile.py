"""No text of a file reaches the terminal as anything but visible characters, on any screen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.strip import Strip
from textual.widgets import Input, Static

from tests import hostile
from tests.hostile import HOSTILE, LINES, NAME, hidden
from tests.tui.conftest import Drive, Driver
from tui.app.base_app import BaseApp
from tui.watch.app import WatchApp
from tui.watch.reader import Reader
from tui.widgets.cells import Cells


def strips(app: App[None]) -> list[Strip]:
    """What the terminal is sent: every line of the screen, after all filters."""
    return list(app.screen._compositor.render_strips())


def look(app: App[None]) -> str:
    """What is on the screen. AssertionError where a terminal would obey or hide something of it, or a name acts."""
    text = "\n".join(strip.text for strip in strips(app))
    bad = {hex(ord(letter)) for letter in text if hidden(letter) and letter != "\n"}
    assert not bad, f"{bad} in {text!r}"
    for strip in strips(app):
        for _, style, control in strip:
            assert not control
            assert style is None or (not style.link and "app.quit" not in str(style.meta))
    return text


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, runs, logs, recipes and notes that are hostile."""
    folder = tmp_path_factory.mktemp("planted")
    data = hostile.table(folder / f"{NAME}.parquet")
    hostile.run(folder / "runs", data, name="one", val=0.2)
    hostile.run(folder / "runs", data, name="two", val=0.2, model="mlp", hidden="4")
    hostile.disguise(hostile.run(folder / "runs", data, name="three", val=0.2))
    hostile.logs(folder / "logs")
    return folder


@pytest.fixture
def here(planted: Path, tmp_path: Path) -> Path:
    """The same, in the folder in which the app is opened."""
    shutil.copytree(planted, tmp_path, dirs_exist_ok=True)
    return tmp_path


async def walk(driver: Driver, *keys: str) -> None:
    """Press keys, and look at the screen after each."""
    for key in keys:
        await driver.press(key)
        await driver.pilot.pause(0.1)
        look(driver.app)


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_every_screen_shows_hostile_names(size: tuple[int, int], drive: Drive, here: Path) -> None:
    chosen = {"dataset": str(here / f"{NAME}.parquet"), "target": "kind", "steps": 20, "val": 0.2}
    async with drive(size=size, values=chosen) as driver:
        assert "\\x1b]52" in look(driver.app)
        await driver.press("space")
        await driver.done()
        look(driver.app)
        await walk(driver, "1", "2", "3", "4", *["v"] * 12, "c")
        for screen in ("data", "runs", "predict", "evaluate", "code", "rewind", "log", "race", "finder", "help"):
            driver.app.action_go(screen)
            await driver.until(lambda screen=screen: driver.app.current_mode == screen, screen)
            await driver.pilot.pause(0.3)
            look(driver.app)
            await walk(driver, "down", "down", "enter", "escape")
        driver.app.action_go("runs")
        await driver.until(lambda: driver.app.current_mode == "runs", "runs")
        await driver.see("H\\x1b]52")
        for _ in range(4):
            await walk(driver, "down", "n", "escape", "y", "a", "escape")
            driver.app.action_go("runs")
            await driver.until(lambda: driver.app.current_mode == "runs", "runs")


async def test_what_is_told_is_no_markup_and_no_escape(drive: Drive, here: Path) -> None:
    async with drive(values={"dataset": "scales"}) as driver:
        driver.app.notify(f"one {LINES}", title=HOSTILE, severity="error")
        driver.app.action_go("log")
        await driver.until(lambda: driver.app.current_mode == "log", "log")
        await driver.see("\\x1b]52")
        look(driver.app)
        driver.app.copy(f"copied {HOSTILE}")
        assert not any(map(hidden, driver.app.clipboard))


async def test_the_palette_shows_hostile_recipes(drive: Drive, here: Path) -> None:
    recipes = here / "config" / "ravine" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / f"{NAME}.toml").write_text('lr = "x"\n')
    async with drive(values={"dataset": "scales"}) as driver:
        await driver.until(lambda: any(one.own for one in driver.app.workspace.presets or ()), "the recipe")
        await driver.press("ctrl+p")
        await driver.until(lambda: len(driver.app.screen_stack) > 1, "the palette")
        await driver.type("own")
        await driver.pilot.pause(0.5)
        assert "Own recipe" in look(driver.app)


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_logs_of_somebody_are_shown_and_not_obeyed(size: tuple[int, int], planted: Path) -> None:
    reader = Reader(planted / "logs")
    reader.start()
    app = WatchApp(reader)
    try:
        async with app.run_test(size=size) as pilot:
            while not reader.loaded:
                await pilot.pause(0.01)
            await pilot.pause(0.3)
            for key in ("tab", "down", "enter", *["v"] * 6, "tab", "down", "down", *["v"] * 6, "slash", "x", "enter"):
                await pilot.press(key)
                await pilot.pause(0.05)
                assert "x1b]52" in look(app)
    finally:
        reader.close()


async def test_a_new_screen_is_safe_whatever_it_shows() -> None:
    """Also one that knows nothing of all this, made of other widgets."""

    class New(BaseApp):
        def compose(self) -> ComposeResult:
            yield Static(Content(f"a {HOSTILE} b"))
            yield Static(f"\x1b[31m{HOSTILE.partition('[red]')[0]}")
            yield Input(HOSTILE)
            own = Cells()
            own.border_title, own.border_subtitle = HOSTILE, LINES
            own.draw = lambda width, height: [[(LINES, own.ink.text)]] * height  # type: ignore[method-assign]
            yield own

    app = New()
    async with app.run_test(size=(200, 40), notifications=True) as pilot:
        app.notify(f"told {LINES}", title=HOSTILE, severity="error")
        await pilot.pause(0.2)
        assert "H\\x1b]52" in look(app)
        assert app.screen.query("Toast")
        for strip in strips(app):
            assert strip.cell_length == 200
