"""Changing on the data screen what a table means, by keyboard only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SIZES = [(160, 45), (120, 36), (80, 24)]


def write_shop(folder: Path, stray: bool = False) -> None:
    """Twenty rows; one cell of `rooms` is a text that is no number."""
    rows = [f"{20 + 3 * i},{'many' if stray and i == 4 else 1 + i % 4},{i % 3},{100 + 7 * i}" for i in range(20)]
    (folder / "shop.csv").write_text("\n".join(["area,rooms,zone,price", *rows]), encoding="utf-8")


@pytest.mark.parametrize("size", SIZES)
async def test_a_column_gets_another_type(drive: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    write_shop(tmp_path)
    async with drive(size=size, values={"dataset": "shop.csv", "target": "price"}) as driver:
        await driver.press("d")
        await driver.see("4 columns of shop", "zone", pane="columns")
        await driver.press("down", "down", "enter")
        await driver.see("zone is", "automatic", "categorical", pane="menu")
        await driver.press("down", "down", "down", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.types == {"zone": "categorical"})
        await driver.see("categorical", pane="columns")
        assert "zone" in driver.text("findings")
        await driver.press("enter", "home", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.types == {})
        await driver.until(lambda: "categorical" not in driver.text("columns"))
        await driver.press("enter", "down", "escape")
        assert driver.app.workspace.recipe.data.types == {}
        assert driver.app.current_mode == "data"


async def test_target_features_and_mode_change_at_once(drive: Any, tmp_path: Path) -> None:
    write_shop(tmp_path)
    async with drive(values={"dataset": "shop.csv", "target": "price"}) as driver:
        workspace = driver.app.workspace
        await driver.press("d")
        await driver.see("4 columns of shop", pane="columns")
        await driver.press("down", "u")
        await driver.until(lambda: workspace.known and "rooms" not in workspace.known.features)
        await driver.see("left out", pane="columns")
        await driver.press("u")
        await driver.until(lambda: workspace.known and "rooms" in workspace.known.features)
        await driver.press("up", "y")
        await driver.until(
            lambda: workspace.known and workspace.known.target == "area" and "price" in workspace.known.features
        )
        await driver.press("m")
        await driver.until(lambda: workspace.known and workspace.known.prepared.normalization.normalize == "robust")
        await driver.press("M")
        await driver.until(lambda: workspace.known and workspace.known.prepared.normalization.normalize == "zscore")


async def test_what_is_left_out_is_told_once(drive: Any, tmp_path: Path) -> None:
    rows = [f"Mr {name} {i},,{i % 7},{100 + 7 * i}" for i, name in enumerate("abcdefghijklmnopqrst")]
    (tmp_path / "shop.csv").write_text("\n".join(["owner,gap,zone,price", *rows]), encoding="utf-8")
    async with drive(values={"dataset": "shop.csv", "target": "price"}) as driver:
        await driver.press("d", "down", "down")
        await driver.see("left out or repaired", "owner was left out", "gap was left out", pane="findings")
        told = " ".join(driver.text("findings").split())
        assert told.count("owner") == told.count("gap") == 1, told


@pytest.mark.parametrize("mend", ["type", "out"])
async def test_a_stray_text_is_found_and_mended(drive: Any, tmp_path: Path, mend: str) -> None:
    write_shop(tmp_path, stray=True)
    async with drive(values={"dataset": "shop.csv", "target": "price"}) as driver:
        workspace = driver.app.workspace
        await driver.press("d")
        await driver.see("rooms", "numeric !", pane="columns")
        await driver.see("line 6", "many", "is not a number", pane="findings")
        await driver.until(lambda: driver.app.screen.column.name == "rooms", "the cursor on what is to be mended")
        if mend == "type":
            await driver.press("enter", "down", "down", "down", "enter")
            await driver.until(lambda: workspace.known and "rooms=many" in " ".join(workspace.known.features))
        else:
            await driver.press("u")
            await driver.until(lambda: workspace.known and workspace.known.features == ("area", "zone"))
        assert not workspace.problem


async def test_a_type_does_not_read_the_file_again(drive: Any, tmp_path: Path) -> None:
    write_shop(tmp_path)
    async with drive(values={"dataset": "shop.csv", "target": "price"}) as driver:
        surveys = driver.app._surveys
        read = surveys._surveyor._read
        await driver.press("d")
        await driver.see("4 columns of shop", pane="columns")
        await driver.press("enter", "down", "down", "down", "enter")
        await driver.until(
            lambda: driver.app.workspace.known and "area" in driver.app.workspace.known.recipe.data.types
        )
        assert surveys._surveyor._read is read


@pytest.mark.parametrize("size", SIZES)
async def test_a_file_is_picked_by_walking_folders(drive: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "tables" / "old").mkdir(parents=True)
    write_shop(tmp_path / "tables")
    (tmp_path / "tables" / "notes.pdf").write_bytes(b"%PDF")
    async with drive(size=size) as driver:
        await driver.press("1", "home", "enter")
        await driver.see("tables/", pane="entries")
        await driver.press("enter")
        await driver.see("old/", "shop.csv", "notes.pdf", pane="entries")
        await driver.press("down", "enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.dataset == "tables/shop.csv")
        await driver.until(
            lambda: driver.app.workspace.table is not None and "price" in driver.app.workspace.table.names
        )


async def test_typing_filters_and_tab_completes(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    write_shop(tmp_path / "tables")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    async with drive() as driver:
        await driver.press("1", "home", "enter")
        await driver.see("tables/", "other.csv", pane="entries")
        await driver.type("ta")
        await driver.until(lambda: "other.csv" not in driver.text("entries"))
        await driver.press("tab")
        await driver.until(lambda: driver.app.screen.line.value == "tables/")
        await driver.see("shop.csv", pane="entries")
        await driver.type("s")
        await driver.press("enter")
        await driver.until(lambda: driver.app.workspace.recipe.data.dataset == "tables/shop.csv")
        await driver.until(lambda: driver.app.workspace.recent or driver.app.workspace.table is not None)
        await driver.press("home", "enter")
        await driver.until(lambda: len(driver.app.screen_stack) > 1)
        await driver.press("escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        assert driver.app.workspace.recipe.data.dataset == "tables/shop.csv"


async def test_a_folder_that_cannot_be_read_says_so(drive: Any) -> None:
    async with drive() as driver:
        await driver.press("1", "home", "enter")
        await driver.type("/nowhere/")
        await driver.see("cannot be read", pane="entries")
        await driver.type("x.csv")
        await driver.press("enter")
        await driver.see("There is no file /nowhere/x.csv", pane="messages")


@pytest.mark.parametrize("size", SIZES)
async def test_everything_that_was_found_can_be_reached(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size=size, values={"dataset": "digits"}) as driver:
        await driver.press("d")
        await driver.see("65 columns of digits", pane="columns")
        await driver.see("pixel_0_0", "n/a", pane="findings")  # a pixel that is never lit has no correlation
        assert "nan" not in driver.text()
        await driver.press("tab")
        seen = driver.text("findings")
        while "↓" in driver.text("findings"):
            await driver.press("down", "down", "down")
            seen += driver.text("findings")
        assert all(f"{name}: 1" in seen for name in range(10))


async def test_a_date_is_shown_as_a_date(drive: Any, tmp_path: Path) -> None:
    rows = [f"2024-03-{1 + i:02d},{i}" for i in range(20)]
    (tmp_path / "days.csv").write_text("\n".join(["when,price", *rows]), encoding="utf-8")
    async with drive(values={"dataset": "days.csv", "target": "price"}) as driver:
        await driver.press("d")
        await driver.see("date", "2024-03-01", "2024-03-20", pane="columns")
        await driver.see("mean 2024-03-1", "days", pane="findings")
