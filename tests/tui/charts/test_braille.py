"""Braille curves are those of plotext, dot for dot."""

from __future__ import annotations

import numpy as np
import pytest

from tui.charts import plot


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("lines", [True, False])
def test_a_curve_is_drawn_as_plotext_draws_it(seed: int, lines: bool) -> None:
    dice = np.random.default_rng(seed)
    frame = plot.Frame(int(dice.integers(5, 70)), int(dice.integers(2, 25)), -1.0, 2.0)
    x = np.sort(dice.random(50)) if seed % 2 else np.linspace(0, 1, frame.dots)
    y = dice.uniform(-1.5, 2.5, len(x)) if seed % 3 else np.sin(9 * x)
    inside = np.clip(y, -0.99, 1.99)
    wanted = plot.by_plotext(frame, x, inside, marker="braille", lines=lines)
    assert plot.draw(frame, x, inside, lines=lines) == wanted


@pytest.mark.parametrize("seed", range(6))
def test_what_lies_outside_is_cut_off_as_plotext_does(seed: int) -> None:
    dice = np.random.default_rng(seed)
    frame = plot.Frame(40, 12, 0.0, 1.0)
    x, y = np.sort(dice.random(30)), dice.uniform(-0.8, 1.8, 30)
    assert plot.draw(frame, x, y) == plot.by_plotext(frame, x, y, marker="braille", lines=True)


def test_a_gap_interrupts_a_curve() -> None:
    frame = plot.Frame(20, 5, 0.0, 1.0)
    x, y = np.linspace(0, 1, 40), np.full(40, 0.5)
    y[16:24] = np.nan
    (row,) = [row for row in plot.draw(frame, x, y) if row.strip()]
    assert not row[9:11].strip()
    assert row[:8].strip()
    assert row[12:].strip()
