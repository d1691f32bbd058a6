"""The data, runs, predict and help screens, by keyboard only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tui.tasks.survey import PresetsFound, Surveyed, Surveying

SIZES = [(160, 45), (120, 36), (80, 24)]
CHINESE = "面积,房龄,城市,价格\n10,3,北京,60\n20,3,上海,85\n25,,北京,100\n28,2.5,广州,120\n30,2,上海,140\n"


@pytest.mark.parametrize("size", SIZES)
async def test_predict_shows_the_way_from_raw_to_prediction(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size, values={"dataset": "scales", "lr": 0.5, "init": "ones", "pace": "max"}) as driver:
        await driver.press("p")
        await driver.see("There is no trained run yet", pane="way")
        await driver.press("t", "space")
        await driver.done()
        await driver.press("p")
        await driver.see("x1", "x2", pane="form")
        await driver.press("3")
        await driver.see("raw", "normalized", "adds", "bias", pane="way")
        await driver.press("enter", "down")
        await driver.type("2500")
        await driver.press("enter")
        await driver.see("y", "36", pane="way")
        await driver.press("enter")
        await driver.type("99999")
        await driver.see("outside", pane="way")
        await driver.press("enter")
        await driver.press("enter")
        await driver.type("abc")
        await driver.see("abc", pane="messages")
        assert driver.app.focused.has_class("bad")


async def test_runs_are_listed_and_opened(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("r")
        await driver.see("No runs in", pane="run-list")
        await driver.press("t", "space")
        await driver.done()
        await driver.press("2", "up", "up", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.normalization.normalize == "max")
        await driver.ready()
        await driver.press("space")
        await driver.until(lambda: driver.app.workspace.live or "max" in str(driver.app.workspace.snapshot.run))
        await driver.done()
        await driver.press("r")
        await driver.see("2 runs in", "_houses_max", "_houses_zscore", pane="run-list")
        await driver.see("train loss", pane="run-facts")
        await driver.press("down")
        await driver.see("_houses_zscore", pane="run-facts")
        await driver.see("optimum", pane="run-chart")
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train")
        assert driver.app.workspace.recipe.normalization.normalize == "zscore"
        await driver.see("1,000 steps", pane="top")


async def test_a_run_is_predicted_with_from_the_list(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("r")
        await driver.see("1 run in", pane="run-list")
        await driver.press("P")
        await driver.see("size", "age", pane="form")


@pytest.mark.parametrize("size", SIZES)
async def test_the_data_screen_tells_columns_rows_and_repairs(
    drive: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    (tmp_path / "shop.csv").write_text(CHINESE, encoding="utf-8")
    async with drive(size=size, values={"dataset": "shop.csv", "target": "价格"}) as driver:
        await driver.press("d")
        await driver.see("4 columns of shop", "面积", "categorical", "target", pane="columns")
        await driver.see("5 rows", "北京", pane="rows")
        await driver.see("numeric", pane="findings")
        await driver.press("down")
        await driver.see("房龄", pane="findings")
        await driver.press("escape")
        await driver.until(lambda: driver.app.current_mode == "train")


async def test_the_data_screen_shows_a_table_whose_target_is_not_known(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "shop.csv").write_text(CHINESE, encoding="utf-8")
    async with drive(values={"dataset": "shop.csv"}) as driver:
        await driver.press("d")
        await driver.see("面积", "价格", pane="columns")
        await driver.see("Choose which column", pane="findings")


@pytest.mark.parametrize("size", SIZES)
async def test_help_has_every_key(drive: Any, size: tuple[int, int]) -> None:
    from tui.keys.table import KEYS

    async with drive(size=size) as driver:
        await driver.press("question_mark")
        await driver.until(lambda: driver.app.current_mode == "help")
        seen = page = ""
        while page != (page := driver.text("key-list")):
            seen += page
            await driver.press("pagedown")
        words = " ".join(seen.split())
        for key in KEYS:
            assert key.help.split(";")[0].split(",")[0].split(":")[0][:20] in words, key.id


async def test_the_palette_finds_what_can_be_done(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("ctrl+p")
        await driver.until(lambda: len(driver.app.screen_stack) > 1)
        await driver.type("runs")
        await driver.pilot.pause(0.3)
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "runs")


async def test_a_run_that_was_cut_short_goes_on_where_it_stood(drive: Any) -> None:
    async with drive(values={"pace": "60"}) as driver:
        await driver.press("space")
        await driver.until(lambda: driver.app.workspace.snapshot and driver.app.workspace.snapshot.step > 3)
        await driver.press("x")
        await driver.done()
        stopped, run = driver.app.workspace.snapshot.step, driver.app.workspace.snapshot.run
        await driver.press("r")
        await driver.see("1 run in", "stopped", pane="run-list")
        await driver.press("R")
        await driver.until(lambda: driver.app.current_mode == "train")
        await driver.until(lambda: driver.app.workspace.snapshot.step > stopped)
        assert driver.app.workspace.snapshot.run == run
        for _ in range(7):
            await driver.press("greater_than_sign")
        await driver.done()
        assert driver.app.workspace.snapshot.step == 1000
        await driver.press("r")
        await driver.press("R")
        await driver.until(lambda: any("has taken all its" in str(n.message) for n in driver.app._notifications))


async def test_a_run_of_another_folder_goes_on_and_new_runs_stay_where_they_were_kept(
    drive: Any, tmp_path: Path
) -> None:
    async with drive(values={"pace": "60", "name": "named"}) as driver:
        await driver.press("space")
        await driver.until(lambda: driver.app.workspace.snapshot and driver.app.workspace.snapshot.step > 3)
        await driver.press("x")
        await driver.done()
    folder = (tmp_path / "runs").rename(tmp_path / "kept")
    async with drive(values={"runs": str(folder)}) as driver:
        await driver.press("r")
        await driver.see("1 run in", "stopped", pane="run-list")
        await driver.press("R")
        await driver.until(lambda: driver.app.current_mode == "train")
        assert driver.app.workspace.runs_folder == folder
        assert driver.app.workspace.recipe.recording.name is None
        await driver.press("x")
        await driver.done()
        assert driver.app.workspace.snapshot.run == folder / "named"
        assert not (tmp_path / "runs").exists()


async def test_tensorboard_is_started_once_and_ended_with_the_app(
    drive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from urllib.request import urlopen

    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.7 2222")
    async with drive() as driver:
        (tmp_path / "runs").mkdir()
        await driver.press("b")
        await driver.until(lambda: driver.app.clipboard.startswith("http://localhost:"), "the address")
        address = driver.app.clipboard
        port = address.rstrip("/").rpartition(":")[2]
        (told,) = [str(n.message) for n in driver.app._notifications if address in str(n.message)]
        assert f"ssh -N -L {port}:127.0.0.1:{port} -p 2222 " in told  # what to type on one's own machine, as it is
        assert told.endswith("@192.0.2.7")

        def answers() -> bool:
            with urlopen(address, timeout=10) as page:
                return bool(page.status == 200)

        import asyncio

        assert await asyncio.to_thread(answers)


async def test_a_change_while_a_screen_is_being_made_is_harmless(drive: Any) -> None:
    async with drive() as driver:
        for mode in ("data", "runs", "predict", "log", "race"):
            driver.app.action_go(mode)
            driver.app.workspace.set({"lr": "0.1" if driver.app.workspace.recipe.optimizer.lr != 0.1 else "0.2"})
            await driver.until(lambda mode=mode: driver.app.current_mode == mode and driver.app.screen.is_mounted)


async def test_what_is_found_out_while_the_app_closes_is_harmless(drive: Any) -> None:
    async with drive() as driver:
        app, workspace = driver.app, driver.app.workspace
    assert not app.screen_stack
    app.on_surveyed(Surveyed(workspace.recipe, workspace.survey, workspace.table, ""))
    app.on_presets_found(PresetsFound(workspace.presets))
    app.on_surveying(Surveying("reading"))
