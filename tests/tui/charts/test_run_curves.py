"""Runs over each other by step, epoch and time: what is cut from them, and which ticks the axes get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.style import Style

from engine.base.errors import InputError
from engine.base.loss_history import History
from engine.learn.passes import EpochCounter
from tests.conftest import recipe, train
from tui.charts.axis import time_label, time_ticks
from tui.charts.multi_curve import MultiCurve, whole
from tui.charts.run_curves import RunCurve, Track, follow, read_track, unit
from tui.charts.sight import Along, Sight
from tui.charts.viewport import Viewport
from tui.look.styles import RAVINE, ink


def track(losses: list[float] | np.ndarray, batches: int = 1, seconds: float = 0.0) -> Track:
    """A track whose steps take equally long."""
    history = History()
    history.append(np.asarray(losses, np.float64))
    if not seconds:
        return Track(history, EpochCounter([(0, batches)]))
    stamped = np.linspace(0, len(history), 11)
    return Track(history, EpochCounter([(0, batches)]), stamped, stamped / len(history) * seconds)


def trace(one: Track, axis: Along = "steps", of: float | None = None) -> RunCurve:
    return RunCurve("a", Style(color="#ffffff"), "•", one, axis, unit([one], axis) if of is None else of)


def test_a_spike_of_one_step_in_ten_million_shows_on_every_axis() -> None:
    losses = np.full(10_000_000, 1.0)
    losses[7_654_321] = 50.0
    one = track(losses, batches=100, seconds=30.0)
    for axis in ("steps", "epochs", "time"):
        curve = trace(one, axis)
        cut = curve.cut(whole([curve]), 240)
        assert len(cut.place) <= 241
        assert np.nanmax(cut.high) == 50.0
        assert cut.place[int(np.nanargmax(cut.high))] == pytest.approx(0.7654321, abs=0.01)


def test_few_losses_are_each_at_their_place() -> None:
    one = track([8.0, 4.0, float("nan"), 1.0, 0.5], batches=2, seconds=10.0)
    steps = trace(one).cut(Viewport(0, 4), 100)
    assert steps.place.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert steps.gap.tolist() == [False, False, True, False, False]
    epochs = trace(one, "epochs")
    assert epochs.extent == (0.0, 4.0)  # two epochs of two batches
    found = epochs.cut(Viewport(0, 2 * unit([one], "epochs")), 100)
    assert found.place.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    timed = trace(one, "time", 1.0)
    assert timed.extent == (0.0, 8.0)
    assert timed.cut(Viewport(0, 8), 100).place.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_of_two_runs_the_one_with_longer_epochs_is_stretched_less_by_step_than_by_epoch() -> None:
    long, short = track([1.0] * 40, batches=10), track([1.0] * 40, batches=1)
    both = unit([long, short], "epochs")
    window = whole([trace(long, "epochs", both), trace(short, "epochs", both)])
    assert trace(short, "epochs", both).cut(window, 100).place[-1] == pytest.approx(1.0)
    assert trace(long, "epochs", both).cut(window, 100).place[-1] == pytest.approx(0.1)


@pytest.mark.parametrize("axis", ["steps", "epochs", "time"])
@pytest.mark.parametrize("log_x", [False, True])
def test_the_picture_has_labelled_ticks_the_level_and_the_name_of_its_axis(axis: Along, log_x: bool) -> None:
    one = track(np.geomspace(1000, 1, 5000), batches=50, seconds=100.0)
    of = unit([one], axis)
    curves = [trace(one, axis, of)]
    sight = Sight(axis=axis, unit=of, log_x=log_x, level=0.5, ceiling=200.0)
    sheet = MultiCurve(curves, sight, whole(curves), ink(RAVINE), (100, 20)).draw()
    lines = ["".join(text for text, _ in line) for line in sheet.lines()]
    assert lines[-1].rstrip().endswith(axis)
    assert len(lines[-1].split()) >= 4
    assert "┄┄┄" in "".join(lines)
    assert not any("1000" in line or "1k" in line for line in lines[:-1])  # above the ceiling


def test_times_are_written_as_a_person_would() -> None:
    assert [time_label(t) for t in (0, 0.002, 0.5, 30, 150, 3900, 3 * 86_400)] == [
        "0", "2 ms", "0.5 s", "30 s", "2:30", "1:05:00", "3 d",
    ]  # fmt: skip
    for stop in (0.004, 0.7, 8.0, 75.0, 900.0, 20_000.0, 400_000.0):
        ticks = time_ticks(0.0, stop, 6)
        assert 2 <= len(ticks) <= 8
        assert len({tick.label for tick in ticks}) == len(ticks)


def test_a_kept_run_is_read_with_its_epochs_and_its_clock_and_followed(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, dataset="linear3", batch_size=10, steps=95)).snapshot().run
    assert run is not None
    one = read_track(run)
    assert (len(one.history), one.passes.longest) == (95, 10)
    assert one.seconds is not None
    assert one.stamped is not None
    assert one.duration > 0
    assert (np.diff(one.stamped) > 0).all()
    with (run / "loss.f64").open("ab") as file:
        file.write(np.array([0.25]).tobytes())
    assert len(follow(run, one).history) == 96


def test_a_pause_is_no_time_of_the_run(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, dataset="linear3", steps=40)).snapshot().run
    assert run is not None
    steps = np.arange(0, 41, 4, dtype=np.float64)
    walls = 1e9 + steps / 4
    walls[5:] += 86_400  # a day later
    np.stack([steps, walls], axis=1).tofile(run / "stamps.f64")
    assert read_track(run).duration == pytest.approx(10.0)


def test_a_run_without_losses_is_told_in_a_sentence(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, dataset="linear3", steps=4)).snapshot().run
    assert run is not None
    (run / "loss.f64").write_bytes(b"")
    with pytest.raises(InputError, match="has no losses yet"):
        read_track(run)
    (run / "loss.f64").unlink()
    with pytest.raises(InputError, match=r"loss\.f64 cannot be read"):
        read_track(run)
