"""Axes, windows, curves, pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from engine.base.loss_history import History, Series
from engine.learn.curvature import LossSurfaceFacts
from engine.training.snapshot import Ending, Mark, Phase, Snapshot
from tui.charts import plot
from tui.charts.axis import linear_ticks, log_ticks, power, step_ticks
from tui.charts.curve import Cut, DrawnCurve
from tui.charts.loss_drawing import Fitted, Picture, whole
from tui.charts.sight import Sight
from tui.charts.viewport import Viewport, grown
from tui.look.styles import RAVINE, ink

INK = ink(RAVINE)
LOSS = Sight(log_y=True)


def history(values: list[float] | np.ndarray) -> History:
    made = History()
    made.append(np.asarray(values, np.float64))
    return made


def picture(now: Snapshot, sight: Sight | None = None, size: tuple[int, int] = (80, 20), before: Fitted | None = None):  # type: ignore[no-untyped-def]
    sight = sight or LOSS
    curves = [DrawnCurve("train", INK.train, history=now.history)]
    if now.validation is not None:
        curves.append(DrawnCurve("validation", INK.validation, series=now.validation, marker="•"))
    return Picture(now, curves, sight, sight.seen(whole(now, False)), INK, size, before or Fitted())


def text(drawn: Picture) -> list[str]:
    return ["".join(span[0] for span in line) for line in drawn.draw().lines()]


def test_ticks_are_what_a_person_would_write() -> None:
    assert [t.label for t in log_ticks(-2, 5, 8)] == ["0.01", "0.1", "1", "10", "100", "1k", "10k", "100k"]
    assert [t.label for t in step_ticks(0, 2.5e6, 5)] == ["0", "500k", "1M", "1.5M", "2M", "2.5M"]
    assert [t.label for t in linear_ticks(0, 163, 4)] == ["0", "50", "100", "150"]
    assert (power(-6), power(0), power(4), power(7), power(12)) == ("1e-6", "1", "10k", "10M", "1e12")


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12), st.integers(2, 12))
def test_linear_ticks_rise_inside_and_are_told_apart(low: float, span: float, most: int) -> None:
    high = low + span
    if not span > 1e-9 * abs(low):
        return
    ticks = linear_ticks(low, high, most)
    values = [tick.value for tick in ticks]
    assert values == sorted(set(values))
    assert all(low - span * 1e-6 <= value <= high + span * 1e-6 for value in values)
    assert len({tick.label for tick in ticks}) == len(ticks)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_growing_axis_holds_the_curve_and_moves_seldom(step: int, planned: int) -> None:
    end = grown(step, planned)
    assert end >= step
    if planned >= step > 64:
        assert end <= 2 * step + 2 or end <= 64
    assert grown(end, planned) == end


@given(st.integers(1, 10**7), st.integers(10, 300))
def test_columns_hold_the_same_steps_however_long_the_curve(stop: int, columns: int) -> None:
    edges = Viewport(0, stop).edges(columns)
    assert edges[0] == 0
    assert edges[-1] >= stop
    assert len(edges) <= columns + 2
    assert len(set(np.diff(edges).tolist())) == 1


def test_zoom_and_pan_stay_at_or_above_step_0() -> None:
    window = Viewport(0, 1000).zoom(0.5, 0.2)
    assert (window.start, window.stop) == (100, 600)
    assert window.pan(-10).start == 0


def test_what_is_drawn_lies_where_the_frame_says() -> None:
    random = np.random.default_rng(1)
    for height in (5, 12, 31):
        frame = plot.Frame(40, height, -3.0, 4.0)
        for x, y in zip(random.uniform(0, 1, 25), random.uniform(-3, 4, 25), strict=True):
            for marker in ("braille", "•"):
                rows = plot.draw(frame, [x], [y], marker=marker, lines=False)
                (row,) = [i for i, line in enumerate(rows) if line.strip(" \u2800")]
                assert row == frame.row(y)
                assert rows[row].index(rows[row].strip(" \u2800")) == frame.column(x)


def test_a_spike_of_one_step_in_three_million_shows() -> None:
    values = np.ones(3_000_000)
    values[1_234_567] = 1000.0
    now = Snapshot(Phase.ENDED, step=len(values), steps=len(values), history=history(values))
    drawn = picture(now)
    rows = text(drawn)
    column = drawn.margin + drawn.frame.column(1_234_567 / len(values))
    top = rows[drawn.frame.row(2.99)]
    assert any(c not in " \u2800│┤" for c in top[column - 1 : column + 2])


@pytest.mark.parametrize("values", [[1.0, 0.0, -1.0, 2.0], [np.nan] * 4, [1.0, np.inf, 2.0, np.nan, 3.0], [0.0], [5.0]])
@pytest.mark.parametrize("sight", [LOSS, Sight(log_y=False), Sight(log_y=True, log_x=True, smooth=True)])
def test_no_value_breaks_the_picture(values: list[float], sight: Sight) -> None:
    now = Snapshot(Phase.ENDED, step=len(values), steps=len(values), history=history(values))
    rows = text(picture(now, sight))
    assert len(rows) == 20
    assert {len(row) for row in rows} == {80}
    if np.isinf(values).any():
        assert any("░" in row for row in rows)


def test_old_parts_of_a_growing_curve_stay_still() -> None:
    values = np.exp(-np.linspace(0, 6, 1000)) * 100
    short = Snapshot(Phase.TRAINING, step=400, steps=1000, history=history(values[:400]))
    drawn = picture(short)
    first = text(drawn)
    longer = Snapshot(Phase.TRAINING, step=500, steps=1000, history=short.history)
    assert short.history is not None
    short.history.append(values[400:500])
    second = text(picture(longer, before=drawn.fitted))
    end = drawn.margin + drawn.frame.column(0.39) - 1
    changed = [y for y in range(16) if first[y][drawn.margin : end] != second[y][drawn.margin : end]]
    assert len(changed) == 0 or drawn.fitted != picture(longer, before=drawn.fitted).fitted


def test_optimum_marks_validation_and_banner_are_in_the_picture() -> None:
    facts = LossSurfaceFacts(0.7, 4.57, 6.1, 1000.0, None, None, None)
    validation = Series()
    for step in range(0, 100, 10):
        validation.append(step, 50.0)
    now = Snapshot(
        Phase.ENDED, step=100, steps=100, history=history(np.geomspace(1e4, 6.1, 100)), validation=validation,
        facts=facts, marks=(Mark(40, "change", "lr 0.4"),),
        ending=Ending("diverged", "Diverged at step 100: too fast.", {"lr": "0.3"}, "learning rate 0.3"),
    )  # fmt: skip
    whole_text = "\n".join(text(picture(now, size=(100, 30))))
    assert "optimum 6.1" in whole_text
    assert "•" in whole_text
    assert "┆" in whole_text
    assert "f  learning rate 0.3, and start again" in whole_text


def test_smoothing_takes_out_its_start() -> None:
    same = np.full(5, 3.0)
    assert np.allclose(Cut(np.arange(5.0), same, same, same, np.zeros(5, np.bool_)).smoothed(), 3.0)
    some = np.array([1.0, np.nan, 3.0])
    assert np.isnan(Cut(np.arange(3.0), some, some, some, np.array([False, True, False])).smoothed()[1])


@pytest.mark.parametrize("window", [Viewport(0, 100_000), Viewport(0, 100_000, log=True), Viewport(40_000, 41_000)])
def test_smoothed_losses_stand_where_their_mean_is(window: Viewport) -> None:
    noisy = np.random.default_rng(0).standard_exponential(100_000)  # of mean 1, with values up to 12
    history = History()
    history.append(noisy)
    smoothed = DrawnCurve("train", Style(), history=history).cut(window, 200).smoothed()
    assert abs(smoothed[-100:].mean() - 1) < 0.1
