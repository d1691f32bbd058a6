"""The screen of `ravine watch`, driven by keys."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from engine.runs.tensorboard import EventFile
from tests.tui.conftest import Driver
from tests.tui.stage import make_alike
from tests.tui.test_snapshots import WATCHED, compared
from tui.main import main
from tui.watch import launch, reader
from tui.watch.app import WatchApp
from tui.watch.reader import Reader
from tui.watch.selection import natural

Watching: TypeAlias = Callable[..., Any]


def log(folder: Path, tag: str, values: list[float], steps: range | None = None) -> EventFile:
    """Log a curve."""
    folder.mkdir(parents=True, exist_ok=True)
    file = EventFile(folder, 1e9)
    add(file, tag, values, steps or range(len(values)))
    return file


def add(file: EventFile, tag: str, values: list[float], steps: range) -> None:
    """Log more."""
    at = np.asarray(steps, np.int64)
    file.scalars(tag, 1e9 + at.astype(np.float64), at, np.asarray(values, np.float64))


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watching:
    """Opens the screen on a folder: `async with watch(folder, size=(160, 45)) as driver`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reader, "PAUSE", 0.01)

    @asynccontextmanager
    async def opened(path: Path, size: tuple[int, int] = (160, 45)) -> AsyncIterator[Driver]:
        reader = Reader(path)
        app = WatchApp(reader)
        async with app.run_test(size=size) as pilot:
            reader.start()
            driver = Driver(app, pilot)  # type: ignore[arg-type]
            await driver.until(lambda: reader.loaded, "the reading")
            yield driver
        reader.close()

    return opened


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three runs, one of them by TensorBoard's own writer."""
    folder = tmp_path / "logs"
    one = log(folder / "lr=0.1", "loss/train", [8.0, 4.0, 2.0, 1.0, 0.5])
    add(one, "accuracy", [0.5, 0.6, 0.7], range(3))
    one.close()
    log(folder / "lr=0.01", "loss/train", [9.0, 7.0, float("nan"), 6.0, 5.5]).close()
    theirs(folder / "theirs")
    return folder


def theirs(folder: Path) -> None:
    """A run with a curve, a text and a histogram, by TensorBoard's own writer."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary
    from tensorboard.plugins.text.summary_v2 import text_pb  # type: ignore[attr-defined]
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for step in range(5):
        value = Summary.Value(tag="loss/train", simple_value=3.0 - 0.5 * step)
        writer.add_event(Event(wall_time=1e9 + step, step=step, summary=Summary(value=[value])))
    bins = HistogramProto(
        min=-1, max=1, num=4, sum=0, sum_squares=1, bucket_limit=[-0.5, 0.0, 0.5, 1.0], bucket=[1, 0, 2, 1]
    )
    histogram = Summary.Value(tag="weights/first", histo=bins)
    writer.add_event(Event(wall_time=1e9, step=4, summary=Summary(value=[histogram])))
    writer.add_event(Event(wall_time=1e9, step=0, summary=text_pb("notes", "wide and [shallow]")))
    writer.close()


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_all_runs_of_a_tag_are_on_one_chart_each_with_its_sign(
    watch: Watching, logs: Path, size: tuple[int, int]
) -> None:
    async with watch(logs, size) as driver:
        await driver.see("lr=0.01", "lr=0.1", "theirs", pane="run-names")
        await driver.see("loss/train", "steps", "• ", "× ", "+ ", pane="curves")
        await driver.see("0.5", "5.5", "1", pane="details")
        await driver.see("q quit")
        driver.app.save_screenshot(path=str(logs), filename="screen.svg")


async def test_the_screen_looks_as_it_was_kept(
    watch: Watching, logs: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_alike(monkeypatch)
    async with watch(Path(logs.name)) as driver:
        await driver.see("theirs", pane="run-names")
        await driver.see("live", pane="top")
        update = request.config.getoption("--update-snapshots")
        differing = await compared(driver, *WATCHED, tmp_path, update=update)
    assert not differing, "\n\n".join(differing)


async def test_another_tag_shows_as_the_cursor_goes_to_it_and_one_that_is_pinned_stays(
    watch: Watching, logs: Path
) -> None:
    async with watch(logs) as driver:
        await driver.see("loss/train", pane="curves")
        await driver.press("k")
        await driver.see("accuracy · linear y", "lr=0.1", pane="curves")
        await driver.press("x", "j")
        await driver.see("2 tags", "lr=0.1 accuracy", "theirs loss/train", pane="curves")
        await driver.press("k", "enter", "j")
        await driver.see("loss/train · ", pane="curves")


async def test_a_run_is_hidden_and_shown(watch: Watching, logs: Path) -> None:
    async with watch(logs) as driver:
        await driver.see("• lr=0.01", pane="curves")
        await driver.press("tab", "x")
        await driver.until(lambda: "lr=0.01" not in driver.text("curves"))
        assert "lr=0.1" in driver.text("curves")
        await driver.press("enter")
        await driver.see("• lr=0.01", pane="curves")


async def test_the_lists_are_filtered_while_one_types(watch: Watching, logs: Path) -> None:
    async with watch(logs) as driver:
        await driver.see("theirs", pane="curves")
        await driver.press("tab", "slash")
        await driver.type("lr")
        await driver.see("2 runs · /lr", pane="run-names")
        assert "theirs" not in driver.text("curves")
        await driver.press("enter")
        await driver.see("2 runs · /lr", pane="run-names")
        await driver.press("slash", "escape")
        await driver.see("3 runs", "theirs", pane="run-names")


async def test_the_axes_the_smoothing_and_the_window_change_by_key(watch: Watching, logs: Path) -> None:
    async with watch(logs) as driver:
        await driver.see("linear y", pane="curves")
        await driver.press("l", "L", "e", "plus")
        await driver.see("log y", "log x", "raw + smoothed", "zoomed", pane="curves")
        await driver.press("minus", "0", "l", "L", "e")
        await driver.see("loss/train · linear y", pane="curves")
        assert "zoomed" not in driver.text("curves")


async def test_the_exact_value_under_the_cursor_is_told(watch: Watching, logs: Path) -> None:
    async with watch(logs) as driver:
        await driver.see("loss/train", pane="curves")
        await driver.press("less_than_sign")
        await driver.see("at 4", pane="details")
        await driver.press("less_than_sign")
        await driver.see("at 3", "6", "1.5", pane="details")


async def test_texts_and_histograms_of_the_run_under_the_cursor(watch: Watching, logs: Path) -> None:
    async with watch(logs) as driver:
        await driver.see("theirs", pane="run-names")
        await driver.press("tab", "end", "v")
        await driver.see("wide and [shallow]", pane="details")
        await driver.press("v")
        await driver.see("weights/first", "█", pane="details")


async def test_files_are_followed_and_new_ones_found(watch: Watching, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    file = log(folder / "a", "loss", [3.0, 2.0])
    async with watch(folder) as driver:
        await driver.see("1 run", "1 tag")
        add(file, "loss", [1.25], range(2, 3))
        await driver.see("1.25", pane="details")
        log(folder / "b", "loss", [5.0, 4.5]).close()
        await driver.see("4.5", pane="details")
        await driver.see("b", pane="run-names")
    file.close()


async def test_a_damaged_file_is_told_of_and_shown_as_far_as_it_goes(watch: Watching, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    file = log(folder / "a", "loss", [float(10 - step) for step in range(10)])
    file.close()
    content = bytearray(file.path.read_bytes())
    content[-20] ^= 0xFF
    file.path.write_bytes(content)
    async with watch(folder) as driver:
        await driver.see("is damaged at byte", pane="messages")
        await driver.see("greatest", "10", pane="details")
        await driver.press("v")
        await driver.see("a: ", "checksum", pane="details")


async def test_an_empty_folder_says_so_in_a_sentence_and_fills_itself(watch: Watching, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    async with watch(folder) as driver:
        await driver.see("There are no logs in", pane="curves")
        log(folder, "loss", [2.0, 1.0]).close()
        await driver.see("loss", pane="tag-names")


async def test_the_curves_that_show_are_written_as_csv_and_nothing_is_written_over(
    watch: Watching, logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "lr=0.1_accuracy.csv").write_text("mine")
    async with watch(logs) as driver:
        await driver.see("loss/train", pane="curves")
        await driver.press("k")
        await driver.see("accuracy", "lr=0.1", pane="curves")
        await driver.press("w")
        await driver.see("Written: lr=0.1_accuracy-2.csv", pane="messages")
    assert (tmp_path / "lr=0.1_accuracy.csv").read_text() == "mine"
    lines = (tmp_path / "lr=0.1_accuracy-2.csv").read_text().splitlines()
    assert lines[0] == "Wall time,Step,Value"
    assert lines[1].split(",")[1] == "0"
    assert len(lines) == 4


async def test_every_key_of_the_screen_is_in_the_help_and_q_quits(watch: Watching, logs: Path) -> None:
    async with watch(logs) as driver:
        await driver.see("loss/train", pane="curves")
        await driver.press("question_mark")
        await driver.see("Logs (ravine watch)", "Value axis logarithmic", pane="key-list")
        assert "learning rate" not in driver.text("key-list").lower()
        await driver.press("escape")
        await driver.see("loss/train", pane="curves")
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running)


def test_a_folder_that_is_missing_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["watch", str(tmp_path / "nowhere")]) == 2
    monkeypatch.setattr(launch, "headless", lambda _words: False)
    assert main(["watch", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("There is no log folder") == 2


def test_without_a_terminal_the_text_comes(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", str(logs)]) == 0
    assert "accuracy" in capsys.readouterr().out
    assert main(["watch", str(logs), "--json"]) == 0
    assert '"theirs"' in capsys.readouterr().out


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    assert sorted(["run_10", "run_2", "lr=0.1", "lr=0.01"], key=natural) == ["lr=0.01", "lr=0.1", "run_2", "run_10"]


def test_the_screen_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys; import tui.watch.app, tui.watch.reader, engine.watch.tree; "
        "print([n for n in ('torch', 'tensorboard', 'numba', 'pydantic', 'sklearn', 'plotext') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert found.stdout.strip() == "[]"


async def test_the_colours_are_chosen_by_a_key(watch: Watching, tmp_path: Path) -> None:
    log(tmp_path / "a", "loss/train", [3.0, 2.0, 1.0])
    async with watch(tmp_path) as driver:
        await driver.see("loss/train")
        await driver.press("T")
        await driver.until(lambda: len(driver.app.screen_stack) > 1, "the themes")
        await driver.type("high")
        await driver.until(
            lambda: "high-contrast" in str(driver.app.screen.query("CommandList").first().get_option_at_index(0).prompt)
        )
        await driver.press("enter")
        await driver.until(lambda: driver.app.current_theme.name == "high-contrast")
        await driver.see("loss/train")
