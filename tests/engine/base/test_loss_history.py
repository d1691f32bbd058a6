"""History: exact losses on disk, spikes and gaps in every window."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.base.loss_history import History, Series


def filled(values: np.ndarray, chunk: int, path: Path | None = None) -> History:
    history = History(path)
    for start in range(0, len(values), chunk):
        history.append(values[start : start + chunk])
    return history


@pytest.mark.parametrize("chunk", [1, 31, 32, 33, 1000, 100_000])
def test_every_loss_is_kept_exactly(chunk: int, tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal(5_003)
    history = filled(values, chunk, tmp_path / "loss.f64")
    assert np.array_equal(history.values(), values)
    assert np.array_equal(np.fromfile(tmp_path / "loss.f64", "<f8"), values)
    assert np.array_equal(history.values(17, 40), values[17:40])
    assert history.last == values[-1]


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 30_000),
    start=st.integers(0, 30_000),
    span=st.integers(1, 40_000),
    columns=st.integers(1, 300),
    seed=st.integers(0, 2**32),
)
def test_a_column_never_misses_a_loss_and_never_strays_far(
    length: int, start: int, span: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    values = random.standard_normal(length) ** 3
    values[random.integers(0, length, 3)] = [np.nan, np.inf, -np.inf]
    history = filled(values, 777)
    edges = np.linspace(start, start + span, columns + 1).astype(np.int64)
    cut = history.columns(edges)
    for i in range(columns):
        a, b = int(edges[i]), min(int(edges[i + 1]), length)
        inside = values[a:b]
        margin = (int(edges[i + 1]) - a) // 4
        near = values[max(0, a - margin) : b + margin]
        finite, close = inside[np.isfinite(inside)], near[np.isfinite(near)]
        if len(finite):
            assert cut.low[i] <= finite.min()
            assert cut.high[i] >= finite.max()
        if len(inside):
            assert cut.gap[i] >= (not np.isfinite(inside).all())
        if not np.isnan(cut.low[i]):
            assert close.min() <= cut.low[i] <= cut.high[i] <= close.max()
            assert close.min() <= cut.mean[i] <= close.max() or np.isclose(cut.mean[i], close.mean())
        if len(finite) and edges[i + 1] - edges[i] < 128:
            assert np.isclose(cut.mean[i], finite.mean())
        if cut.gap[i]:
            assert not np.isfinite(near).all()


@pytest.mark.parametrize("width", [50, 128, 512, 8192, 40_000])
def test_the_mean_of_a_column_is_that_of_its_losses(width: int) -> None:
    values = np.random.default_rng(0).standard_exponential(30_003)  # few of them are near the middle of their range
    cut = filled(values, 777).columns(np.arange(0, len(values) + width, width))
    means = [values[start : start + width].mean() for start in range(0, len(values), width)]
    assert np.allclose(cut.mean[: len(means)], means, rtol=1e-12)
    assert np.isnan(cut.mean[len(means) :]).all()


def test_a_spike_of_one_step_in_ten_million_is_seen_at_every_width() -> None:
    values = np.ones(10_000_000)
    values[6_543_210] = 7.0
    values[1_234_567] = np.nan
    history = filled(values, 1_000_000)
    for columns in (1, 20, 80, 240):
        cut = history.columns(np.linspace(0, len(values), columns + 1).astype(np.int64))
        assert np.nanmax(cut.high) == 7.0
        assert cut.gap.any()


def test_reopening_takes_up_where_it_stood_and_can_cut_off_what_came_after_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "loss.f64"
    values = np.arange(1000.0)
    filled(values, 100, path).close()
    again = History(path, keep=250)
    again.append(np.array([-1.0]))
    assert np.array_equal(again.values(), np.append(values[:250], -1.0))
    assert len(History.open(path)) == 251


def test_a_reader_in_another_process_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "loss.f64"
    writer = History(path)
    writer.append(np.array([3.0, 2.0]))
    reader = History.open(path)
    writer.append(np.array([1.0]))
    assert len(reader) == 2
    reader.refresh()
    assert reader.values().tolist() == [3.0, 2.0, 1.0]


def test_half_a_number_at_the_end_of_the_file_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "loss.f64"
    path.write_bytes(np.array([3.0, 2.0]).tobytes() + b"abc")
    history = History(path)
    history.append(np.array([1.0]))
    assert np.fromfile(path, "<f8").tolist() == [3.0, 2.0, 1.0]


def test_a_series_grows() -> None:
    series = Series()
    for i in range(1000):
        series.append(i * 10, i / 2)
    steps, values = series.points()
    assert steps.tolist() == list(range(0, 10_000, 10))
    assert values[-1] == series.last == 499.5


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty")
def test_whoever_reads_while_steps_are_appended_sees_a_whole_history() -> None:
    history, dice, done = History(), np.random.default_rng(0), threading.Event()
    counts = {0}  # how many there were at any time

    def look() -> None:
        edges = np.linspace(0, len(history) + 30_000, 80).astype(np.int64)
        found = history.columns(edges)
        # The loss is the number of the step, and columns may reach a quarter beyond their edges.
        low, high, quarter = edges[:-1], edges[1:] - 1, np.diff(edges) / 4
        filled = np.isfinite(found.high)
        count = int(np.nanmax(found.high, initial=-1)) + 1
        assert count in counts or count >= edges[-1]
        assert (filled >= (low < count)).all()
        assert (filled <= (low - quarter < count)).all()
        assert (found.low <= low)[filled & (low < count)].all()
        assert (found.low >= low - quarter - 1)[filled].all()
        assert (found.high >= np.minimum(high, count - 1))[filled].all()
        assert (found.high <= high + quarter + 1)[filled].all()
        assert not found.gap.any()

    def read() -> None:
        while not done.is_set():
            look()

    with ThreadPoolExecutor(2) as readers:
        reading = [readers.submit(read) for _ in range(2)]
        while len(history) < 2_000_000 and not any(one.done() for one in reading):
            end = len(history) + int(dice.integers(1, 20_000))
            counts.add(end)
            history.append(np.arange(len(history), end, dtype=np.float64))
        done.set()
        for one in reading:
            one.result()
    look()
