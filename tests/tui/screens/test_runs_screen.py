"""The runs screen, by keyboard only."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.runs import notes
from engine.runs.formats import REGISTRY, Content, ExportFormat, register, remove
from tests.conftest import facts, recipe, train
from tui.app.preferences import Preferences
from tui.keys.keymap import KeyTable

SIZES = [(160, 45), (80, 24)]


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Four runs, the newest last, where the app will look for them."""
    found = []
    for number, fields in enumerate(
        (
            {"dataset": "houses", "normalize": "none", "lr": 0.5, "name": "first"},
            {"dataset": "houses", "normalize": "zscore", "lr": 0.5, "name": "second", "steps": 300},
            {"dataset": "linear3", "lr": 0.1, "name": "third", "steps": 90, "batch_size": 10, "val": 0.2},
            {"dataset": "linear3", "lr": 0.01, "name": "fourth", "steps": 40, "seed": 7},
        )
    ):
        path = train(recipe(tmp_path, **fields)).snapshot().run
        assert path is not None
        told = facts(path) | {"created": 1.7e9 + 100 * number}
        (path / "run.json").write_text(json.dumps(told))
        found.append(path)
    return found


def live(folder: Path, name: str, losses: int = 20) -> Path:
    """A run of another process, as it seems from the disk."""
    run = folder / "runs" / name
    run.mkdir(parents=True)
    told = {"format": 1, "host": socket.gethostname(), "pid": os.getpid(), "state": "running", "created": 1.6e9}
    choices = {"dataset": "houses", "normalize": "robust", "lr": 0.25}
    (run / "recipe.toml").write_text('[normalization]\nnormalize = "robust"\n')
    np.linspace(9, 3, losses).tofile(run / "loss.f64")
    (run / "run.json").write_text(json.dumps(told | {"choices": choices}))
    return run


def names(driver: Any) -> list[str]:
    """The runs that are listed, from the top."""
    return [run.name for run in driver.app.screen.runs]


async def opened(driver: Any, count: int = 4) -> None:
    """Go to the screen and wait for the list, and for the run under the cursor."""
    await driver.press("r")
    await driver.until(lambda: driver.app.current_mode == "runs" and len(names(driver)) == count, "the list")
    await driver.until(lambda: driver.app.screen.kept is not None, "the run under the cursor")


@pytest.mark.parametrize("size", SIZES)
async def test_the_order_goes_by_any_column_and_the_cursor_stays_on_its_run(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        assert names(driver) == ["fourth", "third", "second", "first"]
        await driver.see("fourth", "folder", pane="run-facts")
        await driver.press("o")
        await driver.see("tags ▴", pane="run-list")
        await driver.press("o")
        await driver.see("run ▴", pane="run-list")
        assert names(driver) == ["first", "fourth", "second", "third"]
        assert driver.app.screen.run_path.name == "fourth"
        await driver.press("O")
        await driver.see("run ▾", pane="run-list")
        assert names(driver) == ["third", "second", "fourth", "first"]
        for _ in range(3):
            await driver.press("o")
        await driver.see("lr ▾", pane="run-list")
        assert names(driver) == ["second", "first", "third", "fourth"]
        for _ in range(6):  # past the right edge of a small screen
            await driver.press("o")
        await driver.see("age ▾", pane="run-list")
        assert names(driver) == ["fourth", "third", "second", "first"]


async def test_the_order_is_remembered(drive: Any, runs: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "last.json"
    async with drive(memory=Preferences(path)) as driver:
        await opened(driver)
        await driver.press("o", "o")
        await driver.see("run ▴", pane="run-list")
        await driver.press("t")
        await driver.until(lambda: driver.app.current_mode == "train")
        driver.app.keep_all()
    async with drive(memory=Preferences(path)) as driver:
        await opened(driver)
        await driver.see("run ▴", pane="run-list")
        assert names(driver) == ["first", "fourth", "second", "third"]


@pytest.mark.parametrize("size", SIZES)
async def test_the_filter_follows_what_is_typed_and_says_what_is_wrong(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        await driver.press("slash")
        await driver.see("lr<0.1 normalize=zscore", pane="prompt")
        await driver.type("lr")
        await driver.press("less_than_sign")
        await driver.see("After lr< the value is missing.", pane="prompt")
        await driver.type("0.3")
        await driver.until(lambda: names(driver) == ["fourth", "third"])
        await driver.type(" speeed")
        await driver.press("equals_sign")
        await driver.see("There is no column speeed; did you mean speed?", pane="prompt")
        assert names(driver) == ["fourth", "third"]
        await driver.press("enter")  # not taken
        await driver.see("There is no column", pane="prompt")
        for _ in range(7):
            await driver.press("backspace")
        await driver.press("enter")
        await driver.until(lambda: driver.app.screen.prompt.ask is None)
        await driver.see("2 of 4 runs in runs · /lr<0.3", pane="run-list")
        await driver.press("j")
        await driver.see("third", pane="run-facts")
        await driver.press("slash")
        await driver.until(lambda: driver.app.screen.prompt.ask is not None)
        await driver.press("escape")
        await driver.until(lambda: len(names(driver)) == 4)
        await driver.press("slash")
        await driver.until(lambda: driver.app.screen.prompt.ask is not None)
        await driver.type("nothing like it")
        await driver.see("No run passes the filter", pane="run-list")


@pytest.mark.parametrize("size", SIZES)
async def test_columns_are_shown_and_hidden_and_those_that_differ_stand_alone(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        await driver.see("state", "scale", pane="run-list")
        await driver.press("h")
        await driver.see("Enter shows or hides", pane="switches")
        await driver.press("enter", "j", "enter", "end", "escape")
        await driver.until(lambda: len(driver.app.screen_stack) == 1)
        await driver.until(lambda: "scale" not in driver.text("run-list"))
        assert "state" not in driver.text("run-list")
        await driver.see("lr", "loss", pane="run-list")
        await driver.press("right", "right")
        if size == SIZES[1]:
            await driver.see("← 2", pane="run-list")
        await driver.press("left", "left")
        await driver.press("slash")
        await driver.until(lambda: driver.app.screen.prompt.ask is not None)
        await driver.type("linear3")
        await driver.press("enter", "v")
        await driver.see("only what differs", pane="run-list")
        await driver.see("lr", pane="run-list")
        headings = set()
        for _ in range(10):
            headings |= {column.heading for column in driver.app.screen.listing.columns}
            await driver.press("right")
        assert {"lr", "batch size", "seed", "validation share", "loss"} <= headings
        assert not {"dataset", "optimizer", "normalize", "init"} & headings
        for _ in range(10):
            await driver.press("left")
        await driver.press("v")
        await driver.until(lambda: "only what differs" not in driver.text("run-list"))
        kept = driver.app.screen.remembered
        assert "state" not in kept["columns"]
        driver.app.screen.remembered = {"columns": ["lr"], "sort": "lr", "down": False}
        await driver.see("lr ▴", pane="run-list")


@pytest.mark.parametrize("size", SIZES)
async def test_marked_runs_lie_over_each_other_by_step_epoch_and_time(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        await driver.press("m")
        await driver.see("1 marked", pane="run-list")
        await driver.press("m")  # the cursor has gone on to the next
        await driver.see("2 marked", pane="run-list")
        await driver.see("loss by step", "• lr 0.01", "× lr 0.1", "steps", pane="run-curves")
        await driver.press("X")
        await driver.see("loss by epoch", "epochs", pane="run-curves")
        await driver.press("X")
        await driver.see("loss by time", "time", pane="run-curves")
        await driver.press("X", "l", "L", "e")
        await driver.see("loss by step", "log x", "raw + smoothed", pane="run-curves")
        await driver.press("plus")
        await driver.see("zoomed", pane="run-curves")
        await driver.press("0", "g")
        await driver.until(lambda: not driver.app.screen.listing.display)
        await driver.press("g")
        await driver.until(lambda: driver.app.screen.listing.display)
        await driver.press("k", "m")  # off again
        await driver.see("1 marked", pane="run-list")
        await driver.press("M")
        await driver.until(lambda: driver.app.screen.chart.display and not driver.app.screen.curves.display)


async def test_a_run_without_losses_is_not_drawn_and_says_so(drive: Any, runs: list[Path]) -> None:
    (runs[3] / "loss.f64").unlink()
    async with drive() as driver:
        await opened(driver)
        await driver.press("m")
        await driver.until(lambda: any("cannot be read" in str(n.message) for n in driver.app._notifications))
        await driver.until(lambda: not driver.app.screen.marked.slots)


@pytest.mark.parametrize("size", SIZES)
async def test_a_note_tags_and_a_name_are_given_and_taken_back(
    drive: Any, runs: list[Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        await driver.press("n")
        await driver.see("note on fourth", pane="prompt")
        assert "as it was" not in driver.text("keys")  # of a filter Esc leaves nothing
        await driver.type("too slow")
        await driver.press("enter")
        await driver.until(lambda: notes.read(runs[3]).note == "too slow")
        await driver.see("too slow", pane="run-facts")
        await driver.press("T")
        await driver.see("tags of fourth", pane="prompt")
        await driver.type("good, paper")
        await driver.press("enter")
        await driver.until(lambda: notes.read(runs[3]).tags == ("good", "paper"))
        await driver.see("good, paper", pane="run-facts")
        await driver.press("N")
        await driver.see("name of fourth", pane="prompt")
        await driver.type("/x")
        await driver.see("use letters, digits, spaces", pane="prompt")
        await driver.press("backspace", "backspace")
        await driver.type("-best")
        await driver.press("enter")
        await driver.until(lambda: (tmp_path / "runs" / "fourth-best" / "run.json").exists())
        await driver.until(lambda: "fourth-best" in names(driver))
        assert driver.app.screen.run_path.name == "fourth-best"
        await driver.press("u")
        await driver.until(lambda: "fourth" in names(driver))
        await driver.press("u")
        await driver.until(lambda: notes.read(runs[3]).tags == ())
        await driver.press("u")
        await driver.until(lambda: notes.read(runs[3]).note == "")
        await driver.press("u")
        await driver.until(lambda: any("nothing to undo" in str(n.message) for n in driver.app._notifications))


async def test_the_cursor_is_drawn_on_a_run_that_goes_elsewhere_in_the_list_with_its_new_name(
    drive: Any, runs: list[Path]
) -> None:
    async with drive() as driver:
        await opened(driver)
        await driver.press("o", "o", "home")
        await driver.until(lambda: names(driver) == ["first", "fourth", "second", "third"])
        await driver.press("N")
        await driver.see("name of first", pane="prompt")
        await driver.type("z")
        await driver.press("home")
        await driver.type("z")
        await driver.press("enter")
        await driver.until(lambda: names(driver)[-1] == "zfirstz")

        def pointed() -> list[str]:
            return [line for line in driver.text("run-list").splitlines() if line.startswith("▸")]

        await driver.until(lambda: ["zfirstz" in line for line in pointed()] == [True], "the cursor on the run")


async def test_what_could_not_be_taken_back_can_be_tried_again(drive: Any, runs: list[Path], tmp_path: Path) -> None:
    async with drive() as driver:
        await opened(driver)
        await driver.press("N")
        await driver.see("name of fourth", pane="prompt")
        await driver.type("-best")
        await driver.press("enter")
        await driver.until(lambda: "fourth-best" in names(driver))
        runs[3].mkdir()  # somebody else takes the old name
        await driver.press("u")
        await driver.until(lambda: any("There is already a run" in str(n.message) for n in driver.app._notifications))
        runs[3].rmdir()
        await driver.press("u")
        await driver.until(lambda: (runs[3] / "run.json").exists())


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_goes_into_the_trash_and_comes_back_with_its_mark_gone(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        await driver.press("j", "m", "k", "D")
        await driver.until(lambda: names(driver) == ["fourth", "second", "first"])
        assert not runs[2].exists()
        assert not driver.app.screen.marked.slots
        await driver.press("u")
        await driver.until(lambda: names(driver) == ["fourth", "third", "second", "first"])
        assert driver.app.screen.run_path.name == "third"
        assert (runs[2] / "run.json").exists()


async def test_a_live_run_of_another_process_comes_first_grows_and_stays(drive: Any, runs: list[Path]) -> None:
    folder = runs[0].parents[1]
    run = live(folder, "elsewhere")
    async with drive() as driver:
        await opened(driver, 5)
        assert names(driver)[0] == "elsewhere"
        await driver.see("running", pane="run-list")
        for key, words in (("D", "still running"), ("N", "still running")):
            await driver.press("home", key)
            if key == "N":
                await driver.see("name of elsewhere", pane="prompt")
                await driver.type("x")
                await driver.press("enter")
            await driver.until(lambda words=words: any(words in str(n.message) for n in driver.app._notifications))
            driver.app._notifications.clear()
            assert run.exists()
        await driver.press("home", "m")
        await driver.see("1 marked", "20", pane="run-list")
        with (run / "loss.f64").open("ab") as file:
            np.linspace(3, 1, 57).tofile(file)
        await driver.see("77", pane="run-list")
        path, tracks = driver.app.screen.runs[0].path, driver.app.screen.marked.tracks
        await driver.until(lambda: path in tracks and len(tracks[path].history) == 77, "the curve that grows")
        told = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps(told | {"state": "ended", "result": {"ended": "tol", "steps": 77}}))
        await driver.until(lambda: names(driver)[-1] == "elsewhere")


async def test_new_runs_show_by_themselves_and_those_of_this_program_as_they_are_now(
    drive: Any, runs: list[Path], tmp_path: Path
) -> None:
    async with drive(values={"pace": "600"}) as driver:
        await opened(driver)
        train(recipe(tmp_path, dataset="linear3", steps=5, name="fifth"))
        await driver.until(lambda: "fifth" in names(driver))
        await driver.press("space")
        await driver.until(lambda: names(driver)[0].endswith("_houses_zscore"))
        await driver.press("home")
        await driver.see("running", pane="run-list")
        await driver.press("space")
        await driver.see("paused", pane="run-list")
        await driver.press("x")
        await driver.done()
        await driver.see("stopped", pane="run-list")


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_is_exported_to_a_path_that_can_be_changed_and_nothing_is_written_over_unasked(
    drive: Any, runs: list[Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    (tmp_path / "fourth.csv").write_text("mine")
    async with drive(size) as driver:
        await opened(driver)
        await driver.press("E")
        await driver.see("csv", "onnx", "report", pane="menu")
        await driver.press("enter")
        await driver.see("export fourth as csv to", pane="prompt")
        assert driver.app.focused.value == "fourth.csv"
        await driver.press("enter")
        await driver.see("There is already a file fourth.csv. Enter writes over it", pane="prompt")
        assert (tmp_path / "fourth.csv").read_text() == "mine"
        await driver.press("home")
        await driver.type("new/")
        await driver.press("enter")
        await driver.until(lambda: (tmp_path / "new" / "fourth.csv").exists())
        assert (tmp_path / "new" / "fourth.csv").read_text().startswith("Wall time,Step,Value")
        await driver.until(lambda: any("Wrote new/fourth.csv" in str(n.message) for n in driver.app._notifications))
        await driver.press("E")
        await driver.see("csv", pane="menu")
        await driver.press("enter")
        await driver.see("export fourth as csv to", pane="prompt")
        await driver.press("enter")
        await driver.see("Enter writes over it", pane="prompt")
        await driver.press("enter")
        await driver.until(lambda: (tmp_path / "fourth.csv").read_text() != "mine")


@pytest.mark.parametrize("format", REGISTRY.names)
async def test_every_format_is_written(drive: Any, runs: list[Path], tmp_path: Path, format: str) -> None:
    at = REGISTRY.names.index(format)
    async with drive() as driver:
        await opened(driver)
        await driver.press("E")
        await driver.see("csv", "onnx", pane="menu")
        await driver.press(*["j"] * at, "enter")
        await driver.see(f"as {format} to", pane="prompt")
        await driver.press("enter")
        await driver.until(lambda: (tmp_path / f"fourth{REGISTRY[format].ending}").exists())


async def test_a_format_that_is_registered_is_offered_and_written(drive: Any, runs: list[Path], tmp_path: Path) -> None:
    register(
        ExportFormat("haiku", "haiku", "three lines on the run", ".txt", lambda run, path, tag: Content([run.name]))
    )
    try:
        async with drive() as driver:
            await opened(driver)
            await driver.press("E")
            await driver.see("haiku", "three lines on the run", pane="menu")
            await driver.press(*["j"] * REGISTRY.names.index("haiku"), "enter")
            await driver.see("as haiku to", pane="prompt")
            await driver.press("enter")
            await driver.until(lambda: (tmp_path / "fourth.txt").exists())
            assert (tmp_path / "fourth.txt").read_text() == "fourth"
            assert any("haiku" in sentence for _, keys in KeyTable().help() for _, sentence in keys)
    finally:
        remove("haiku")


async def test_the_path_is_copied(drive: Any, runs: list[Path]) -> None:
    async with drive() as driver:
        await opened(driver)
        await driver.press("y")
        await driver.until(lambda: driver.app.clipboard == str(runs[3]))


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_no_run_or_half_of_one_is_told_in_its_sentence(
    drive: Any, runs: list[Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    for name, content in (("newer", '{"format": 99}'), ("strange", '{"name": "somebody"}'), ("cut", '{"format": 1,')):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "run.json").write_text(content)
    (tmp_path / "runs" / "half").mkdir()
    (tmp_path / "runs" / "half" / "recipe.toml").write_text("")
    (tmp_path / "runs" / "notes of mine").mkdir()
    async with drive(size) as driver:
        await opened(driver, 9)
        assert names(driver)[-1] == "notes of mine"
        said = {
            "strange": "is not what ravine writes",
            "newer": "install a newer",
            "half": "has no run.json",
            "cut": "cannot be read",
            "notes of mine": "is not a run folder",
        }
        await driver.press("home")
        seen = 0
        for name in names(driver):
            if name in said:
                await driver.until(
                    lambda name=name: said[name] in " ".join(driver.text("run-facts").split()), f"{name} told"
                )
                seen += 1
            await driver.press("j")
        assert seen == len(said)
        await driver.press("end", "D", "N", "n", "E", "m", "enter")
        assert (tmp_path / "runs" / "notes of mine").is_dir()
        assert driver.app.current_mode == "runs"


@pytest.mark.parametrize("size", SIZES)
async def test_enter_puts_its_choices_into_the_panels_and_space_starts_it_again(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train")
        await driver.until(
            lambda: driver.app.workspace.known is not None and driver.app.workspace.recipe.get("seed") == 7
        )
        await driver.press("space")
        await driver.done()
        again = driver.app.workspace.snapshot.run
        assert np.array_equal(np.fromfile(again / "loss.f64"), np.fromfile(runs[3] / "loss.f64"))


async def test_the_run_of_the_train_screen_is_found_under_the_name_that_it_was_given(drive: Any) -> None:
    async with drive(values={"epochs": 30, "pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await opened(driver, 1)
        await driver.press("N")
        await driver.until(lambda: driver.app.screen.prompt.editor is not None)
        driver.app.screen.prompt.editor.value = "renamed"
        await driver.press("enter")
        await driver.until(lambda: names(driver) == ["renamed"])
        for keys, text in (
            ("ta", "beats the baseline (mean)"),
            ("tw", "checkpoints of renamed"),
            ("tG", "renamed"),
        ):
            await driver.press(*keys)
            await driver.see(text)
        await driver.press("t", "r", "u")
        await driver.until(lambda: names(driver) != ["renamed"])
        await driver.press("t", "a")
        await driver.see("beats the baseline (mean)")
        await driver.press("t", "space")  # another run, of which the names of the one before tell nothing
        await driver.done()
        assert driver.app.workspace.snapshot.run.is_dir()


async def test_a_racer_is_opened_under_the_name_that_it_was_given(drive: Any) -> None:
    async with drive(values={"steps": 400, "pace": "600"}) as driver:
        await driver.press("N")
        await driver.see("5 of 5 racing", pane="messages")
        await driver.press("x")
        await driver.done()
        run = driver.app.screen.run_path
        await opened(driver, 5)
        while driver.app.screen.run_path != run:
            await driver.press("down")
        await driver.press("N")
        await driver.until(lambda: driver.app.screen.prompt.editor is not None)
        driver.app.screen.prompt.editor.value = "renamed"
        await driver.press("enter")
        await driver.until(lambda: "renamed" in names(driver))
        await driver.app.switch_mode("race")
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train")
        assert driver.app.workspace.snapshot.run.name == "renamed"


@pytest.mark.parametrize("size", SIZES)
async def test_the_run_under_the_cursor_is_assessed_and_predicted_with_each_time(
    drive: Any, runs: list[Path], size: tuple[int, int]
) -> None:
    async with drive(size) as driver:
        await opened(driver)
        for name in ("third", "second", "first"):
            await driver.press("down", "a")
            await driver.see(f"metrics · {name}", pane="figures")
            await driver.press("r", "P")
            await driver.see(f"values for {name}", pane="form")
            await driver.press("r")


async def test_thousands_of_runs_are_listed_and_filtered(drive: Any, tmp_path: Path) -> None:
    from tests.benchmarks.store import make

    make(tmp_path / "runs", 3000)
    async with drive() as driver:
        await driver.press("r")
        await driver.see("3,000 runs in runs", pane="run-list")
        await driver.press("end")
        await driver.press("slash")
        await driver.until(lambda: driver.app.screen.prompt.ask is not None)
        await driver.type("steps")
        await driver.press("greater_than_sign")
        await driver.type("3990")
        await driver.see("9 of 3,000 runs", pane="run-list")


async def test_enter_right_after_a_move_opens_the_run_that_the_cursor_is_on(drive: Any, runs: list[Path]) -> None:
    async with drive() as driver:
        await opened(driver)
        await driver.pilot.press("j", "j", "enter")
        await driver.until(lambda: driver.app.current_mode == "train")
        assert driver.app.workspace.snapshot.run.name == "second"


async def test_an_empty_folder_says_so_also_when_the_answer_comes_late(
    drive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import Event

    from tui.screens.runs.reading import Reading

    late, look = Event(), Reading._look

    def waiting(self: Reading, folder: Path, anew: bool) -> None:
        late.wait(60)
        look(self, folder, anew)

    monkeypatch.setattr(Reading, "_look", waiting)
    async with drive() as driver:
        await driver.press("r")
        await driver.see("looking…", pane="run-list")
        late.set()
        await driver.see("No runs in runs yet", pane="run-list")


async def test_a_run_whose_process_was_killed_is_interrupted_in_both_panes(drive: Any, tmp_path: Path) -> None:
    run = live(tmp_path, "killed")
    told = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(told | {"pid": 2**22 + 1}))  # more than any process has
    async with drive() as driver:
        await opened(driver, 1)
        await driver.see("killed", "interrupted", pane="run-facts")
        assert "running" not in driver.text("run-facts")


async def test_a_run_that_is_live_elsewhere_is_told_to_be_so_and_left_alone(drive: Any, tmp_path: Path) -> None:
    live(tmp_path, "here")
    async with drive() as driver:
        await opened(driver, 1)
        await driver.see("here", "running", pane="run-list")
        await driver.see(f"running, pid {os.getpid()}", pane="run-facts")
        await driver.press("D")
        await driver.until(lambda: any("still running" in str(n.message) for n in driver.app._notifications))
        await driver.press("R")
        await driver.until(lambda: len([n for n in driver.app._notifications if "still running" in str(n.message)]) > 1)
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train", "the train screen")
        await driver.see("● running", pane="top")
        await driver.press("i")
        await driver.see(f"The run is running (pid {os.getpid()})", "up to step 20")
    assert (tmp_path / "runs" / "here" / "run.json").exists()


async def test_a_run_of_a_host_that_cannot_be_asked_is_unknown(drive: Any, tmp_path: Path) -> None:
    run = live(tmp_path, "far")
    told = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(told | {"host": "gpu7"}))
    async with drive() as driver:
        await opened(driver, 1)
        await driver.see("far", "unknown", pane="run-list")
        await driver.see("unknown (gpu7)", pane="run-facts")
        for count, key in enumerate("DR", 1):
            await driver.press(key)
            await driver.until(
                lambda count=count: (
                    len([n for n in driver.app._notifications if "--take-over" in str(n.message)]) == count
                )
            )
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train", "the train screen")
        await driver.see("? unknown (gpu7)", pane="top")
    assert (run / "run.json").exists()


async def test_a_killed_run_that_is_opened_says_at_which_step(drive: Any, tmp_path: Path) -> None:
    run = live(tmp_path, "killed")
    told = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(told | {"pid": 2**22 + 1}))
    async with drive() as driver:
        await opened(driver, 1)
        await driver.see("interrupted at step 20", pane="run-facts")
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_mode == "train", "the train screen")
        await driver.see("interrupted", pane="top")
        await driver.press("i")
        await driver.see("Interrupted at step 20")
