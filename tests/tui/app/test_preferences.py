"""What is remembered from one time to the next."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.base.errors import InputError
from engine.cli import preset
from engine.recipe import Recipe
from tui.app.preferences import Preferences


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(path: Path, *words: str, fresh: bool = False) -> tuple[Recipe, str]:
    """The recipe to begin with, and what is said of it."""
    memory = Preferences(path, fresh=fresh)
    return memory.begin(words, preset), memory.told


def test_the_first_time_is_the_defaults_and_says_nothing(folder: Path) -> None:
    assert begin(folder / "last.json") == (Recipe(), "")


def test_the_choices_come_back_and_flags_lie_over_them(folder: Path) -> None:
    path = folder / "deep" / "last.json"
    chosen = Recipe().replace(
        {"dataset": "linear3", "lr": "0.25", "normalize": "max", "normalize_target": True, "features": "x1, x3"}
    )
    Preferences(path).keep(recipe=chosen)
    found, told = begin(path)
    assert found == chosen
    assert "those of last time" in told
    found, _ = begin(path, "--lr", "0.5", "--no-normalize-target")
    assert found == chosen.replace({"lr": "0.5", "normalize_target": False})


@pytest.mark.parametrize(
    "words", [("scales", "--lr", "0.5"), ("--dataset", "scales", "--lr", "0.5"), ("--lr=0.5", "--dataset=scales")]
)
def test_a_command_line_with_a_table_says_everything(folder: Path, words: tuple[str, ...]) -> None:
    path = folder / "last.json"
    Preferences(path).keep(recipe=Recipe().replace({"normalize": "max", "optimizer": "adam"}))
    assert begin(path, *words) == (Recipe().replace({"dataset": "scales", "lr": "0.5"}), "")


def test_fresh_begins_with_the_defaults_and_keeps_the_rest(folder: Path) -> None:
    path = folder / "last.json"
    Preferences(path).keep(recipe=Recipe().replace({"normalize": "max"}), theme="nord")
    assert begin(path, fresh=True) == (Recipe(), "")
    assert Preferences(path, fresh=True).theme == "nord"


def test_steps_are_not_in_the_way_of_epochs(folder: Path) -> None:
    path = folder / "last.json"
    Preferences(path).keep(recipe=Recipe().replace({"steps": 500}))
    found, _ = begin(path, "--epochs", "3")
    assert (found.stopping.epochs, found.stopping.steps) == (3, None)


def test_a_file_is_found_from_another_folder_and_told_of_when_it_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, table = folder / "last.json", folder / "shop.csv"
    table.write_text("a,b\n1,2\n")
    Preferences(path).keep(recipe=Recipe().replace({"dataset": "shop.csv", "target": "b", "lr": "0.3"}))
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    found, _ = begin(path)
    assert (found.data.dataset, found.data.target) == (str(table), "b")
    table.unlink()
    assert begin(path) == (Recipe(), "shop.csv of last time is not here any more; the choices are the defaults.")


def test_a_function_of_ones_own_is_only_offered_where_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "last.json"
    Preferences(path).keep(recipe=Recipe().replace({"dataset": "mine:rows"}))
    assert begin(path)[0].data.dataset == "mine:rows"
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert begin(path)[0] == Recipe()


def test_where_runs_are_kept_and_their_names_are_not_remembered(folder: Path) -> None:
    path = folder / "last.json"
    Preferences(path).keep(recipe=Recipe().replace({"runs": "/elsewhere", "name": "first", "pace": "30"}))
    assert begin(path)[0] == Recipe().replace({"pace": "30"})


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[1, 2]", b"null", b'"x"', b'{"theme": ' + b"[" * 500]
)
def test_a_damaged_file_is_a_fresh_start_with_one_sentence(folder: Path, content: bytes) -> None:
    path = folder / "last.json"
    path.write_bytes(content)
    found, told = begin(path)
    assert found == Recipe()
    assert told.startswith("What was remembered of last time cannot be read")
    Preferences(path).keep(theme="nord")
    assert Preferences(path).theme == "nord"


@pytest.mark.parametrize(
    "content",
    [
        {"theme": 3, "layout": [1], "choices": "lr"},
        {"choices": ["--lr", "-5"]},
        {"choices": ["--no-such-flag", "1"]},
        {"choices": [1, None]},
        {"choices": ["--dataset"]},
    ],
)
def test_parts_that_cannot_be_taken_are_left_out(folder: Path, content: dict[str, Any]) -> None:
    path = folder / "last.json"
    path.write_text(json.dumps(content))
    memory = Preferences(path)
    assert memory.begin((), preset) == Recipe()
    assert (memory.theme, memory.layout) == ("", {})


def test_what_is_wrong_on_the_command_line_is_told_as_ever(folder: Path) -> None:
    path = folder / "last.json"
    Preferences(path).keep(recipe=Recipe().replace({"normalize": "max"}))
    with pytest.raises(InputError, match="above 0"):
        begin(path, "--lr", "-1")


def test_apps_that_write_at_once_leave_a_whole_file(folder: Path) -> None:
    path = folder / "last.json"
    threads = [
        threading.Thread(
            target=lambda n=n: [Preferences(path).keep(theme=f"theme{n}", layout={"n": n}) for _ in range(20)]
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert Preferences(path).told == ""
    found = json.loads(path.read_text())
    assert found["theme"] in {f"theme{n}" for n in range(4)}
    assert list(path.parent.glob(".last*")) == []


def test_one_app_leaves_what_the_other_wrote(folder: Path) -> None:
    path = folder / "last.json"
    first, second = Preferences(path), Preferences(path)
    first.keep(theme="nord")
    second.keep(layout={"log_x": True})
    assert (Preferences(path).theme, Preferences(path).layout) == ("nord", {"log_x": True})


def test_a_place_that_cannot_be_written_is_no_matter(folder: Path) -> None:
    (folder / "file").write_text("")
    Preferences(folder / "file" / "last.json").keep(theme="nord")


# In the app.


async def test_charts_and_colours_are_as_they_were_left(drive: Any, folder: Path) -> None:
    path = folder / "last.json"
    async with drive(memory=Preferences(path)) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("l", "L", "v", "v")
        driver.app.theme = "high-contrast"
        await driver.until(lambda: Preferences(path).theme == "high-contrast", "the theme on disk")
        view = driver.app.screen.fit.view.record.name
        driver.app.keep_all()
    memory = Preferences(path)
    async with drive(memory=memory, theme=memory.theme) as driver:
        assert driver.app.current_theme.name == "high-contrast"
        await driver.press("space")
        await driver.done()
        await driver.see("linear y", "log x", pane="chart")
        await driver.until(lambda: driver.app.screen.fit.view.record.name == view)


async def test_a_run_that_begins_is_remembered_at_once(drive: Any, folder: Path) -> None:
    path = folder / "last.json"
    async with drive(memory=Preferences(path), values={"dataset": "scales", "lr": "0.25"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.until(lambda: begin(path)[0].data.dataset == "scales", "the choices on disk")


async def test_the_defaults_are_one_key_away_and_so_is_the_way_back(drive: Any) -> None:
    async with drive(values={"normalize": "max", "lr": "0.25"}) as driver:
        await driver.press("D")
        await driver.until(lambda: driver.app.workspace.recipe.normalization.normalize == "zscore")
        await driver.press("D")
        await driver.until(lambda: driver.app.workspace.recipe.normalization.normalize == "max")
        assert driver.app.workspace.recipe.optimizer.lr == 0.25
