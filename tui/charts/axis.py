"""Axes: where values lie on them, which get a tick, and how a person would write them."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui.look.numbers import duration, figures, short

if TYPE_CHECKING:
    from tui.charts.sight import Along
    from tui.charts.viewport import Viewport

Floats = NDArray[np.float64]
PAD = 0.02  # share of what is shown that stays free at each end of an axis


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    value: float
    label: str


def nice_step(span: float, most: int) -> float:
    """The least of 1, 2, 5 times a power of ten that cuts `span` into at most `most` parts."""
    rough = span / max(1, most)
    power = 10.0 ** floor(log10(rough))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough * (1 - 1e-9))


def scaled(values: Floats, log: bool) -> Floats:
    """Values as they lie along an axis: on a logarithmic one their logarithms to base 10, NaN where they have none."""
    if not log:
        return values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log10(np.where(values > 0, values, 1.0)), np.nan)


def round_ends(low: float, high: float, span: float, pad: float = PAD) -> tuple[float, float]:
    """Round ends of an axis on which low..high, which span so much, leave a share of it free at each end."""
    grain = nice_step(span, 8)
    low, high = low - pad * span, high + pad * span
    return floor(low / grain + 1e-9) * grain, ceil(high / grain - 1e-9) * grain


def along_ticks(window: Viewport, axis: Along, unit: float, most: int) -> list[Tick]:
    """Ticks below curves over steps, epochs or time; their values are places on the window's axis.

    Args:
        unit: such places for one epoch or second.
    """
    timed = axis == "time"
    if not window.log:
        if axis == "steps":
            return step_ticks(window.start, window.stop, most)
        make = time_ticks if timed else linear_ticks
        return [Tick(tick.value * unit, tick.label) for tick in make(window.start / unit, window.stop / unit, most)]
    found = log_ticks(log10(max(1.0, window.start) / unit), log10(max(2.0, window.stop) / unit), most)
    first = [Tick(0.0, "0")] if window.start < 1 else []
    values = [10.0**tick.value for tick in found]
    labels = [time_label(value) if timed else tick.label for value, tick in zip(values, found, strict=True)]
    return first + [Tick(value * unit, label) for value, label in zip(values, labels, strict=True)]


def linear_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Ticks at round values of low..high."""
    if not high > low:
        return [Tick(low, figures(low))]
    step = nice_step(high - low, most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    values = [index * step for index in range(first, last + 1)]
    digits = max(1, ceil(log10(max(abs(low), abs(high)) / step)) + 1) if values else 3
    return [Tick(value, _label(value, digits)) for value in values]


def log_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Ticks at powers of ten between 10^low and 10^high, with 2 and 5 between where there is room; values are logs."""
    first, last = ceil(low - 1e-9), floor(high + 1e-9)
    decades = list(range(first, last + 1))
    if len(decades) >= 2:
        rough = len(decades) / max(2, most)
        step = next((s for s in (1, 2, 3, 5) if s >= rough), ceil(rough / 10) * 10)
        ticks = [Tick(float(d), power(d)) for d in decades if d % step == 0]
        if len(decades) * 3 <= most:
            ticks += [
                Tick(d + log10(f), short(f * 10.0**d))
                for d in range(first - 1, last + 1)
                for f in (2, 5)
                if low <= d + log10(f) <= high
            ]
        return sorted(ticks, key=lambda tick: tick.value)
    found = [
        Tick(log10(tick.value), tick.label) for tick in linear_ticks(10.0**low, 10.0**high, most) if tick.value > 0
    ]
    return [tick for tick in found if low <= tick.value <= high] or [Tick(low, figures(10.0**low))]


def power(exponent: int) -> str:
    """A power of ten: 1e-6, 0.01, 100, 10k, 1M, 1e9."""
    if -3 <= exponent < 3:
        return f"{10.0**exponent:g}"
    return short(10.0**exponent) if 3 <= exponent < 9 else f"1e{exponent}"


def step_ticks(start: float, stop: float, most: int) -> list[Tick]:
    """Ticks at round steps; never between two whole steps."""
    if not stop > start:
        return [Tick(start, short(start))]
    step = max(1.0, nice_step(stop - start, most))
    first, last = ceil(start / step - 1e-9), floor(stop / step + 1e-9)
    return [Tick(index * step, _count(index * step)) for index in range(first, last + 1)]


def _count(value: float) -> str:
    text = short(value)
    # 12,345,678 near 12,345,700 would both be 12.35M.
    return text if _value(text) == value else f"{value:,.0f}"


def _value(text: str) -> float:
    sizes = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
    return round(float(text[:-1]) * sizes[text[-1]]) if text and text[-1] in sizes else float(text.replace(",", ""))


def _label(value: float, digits: int) -> str:
    if abs(value) >= 10_000 and float(value).is_integer():
        return _count(value)
    return figures(value, min(12, max(3, digits)))


TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200)  # seconds that are round


def time_ticks(start: float, stop: float, most: int) -> list[Tick]:
    """Ticks at round times of a clock that shows seconds."""
    if not stop > start:
        return [Tick(start, time_label(start))]
    span = stop - start
    days = nice_step(span / 86_400, most) * 86_400
    step = nice_step(span, most) if span / most < 1 else next((t for t in TIMES if span / t <= most), days)
    first, last = ceil(start / step - 1e-9), floor(stop / step + 1e-9)
    return [Tick(index * step, time_label(index * step)) for index in range(first, last + 1)]


def time_label(seconds: float) -> str:
    """A time as short as it can be: 0, 2 ms, 0.5 s, 30 s, 2:30, 1:05:00, 3 d."""
    if seconds < 60:
        return "0" if seconds == 0 else f"{seconds * 1000:.3g} ms" if seconds < 0.0999 else f"{seconds:.3g} s"
    return duration(seconds) if seconds < 86_400 else f"{seconds / 86_400:.3g} d"
