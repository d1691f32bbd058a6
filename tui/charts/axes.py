"""A sheet with two axes to draw curves and points on. What every chart but the loss chart is drawn with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.cells import cell_len
from rich.style import Style

from tui.charts import plot
from tui.charts.axis import PAD, Tick, linear_ticks, log_ticks, round_ends, scaled, step_ticks
from tui.charts.canvas import Sheet
from tui.look.styles import Ink

Floats = NDArray[np.float64]
TINY = 1e-290  # numbers below it are 0 here


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`; where `log` is set both are logarithms to base 10, and what is drawn has to be above 0."""

    low: float
    high: float
    log: bool = False
    steps: bool = False  # whole numbers
    name: str = ""

    @classmethod
    def around(cls, *values: ArrayLike, log: bool = False, name: str = "", pad: float = PAD) -> Axis:
        """An axis on which all finite values lie, with round ends."""
        every = np.concatenate([np.ravel(np.asarray(part, np.float64)) for part in values])
        every = every[np.isfinite(every) & ((every > 0) | (not log))]
        if not len(every):
            return cls(0.0, 1.0, log, name=name)
        low, high = float(every.min()), float(every.max())
        if log:
            low, high = float(np.log10(low)), float(np.log10(high))
        span = high - low
        if span < 1e-9 * max(abs(low), abs(high)) or span < TINY:  # a single value, but for rounding
            span = 0.5 if log else abs(high) if abs(high) > TINY else 1.0
        least = 0.0 if low >= 0 and not log else -inf  # what is never negative gets no room below 0
        low, high = round_ends(low, high, span, pad)
        return cls(max(low, least), high, log, name=name)

    def scale(self, values: ArrayLike) -> Floats:
        """Values as they lie along the axis; NaN where they have no place on it."""
        return scaled(np.asarray(values, np.float64), self.log)

    def share(self, values: ArrayLike) -> Floats:
        """Where values lie, 0 at the low end and 1 at the high one."""
        return (self.scale(values) - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self, most: int) -> list[Tick]:
        """At most about so many ticks; their values as they lie along the axis."""
        if self.log:
            return log_ticks(self.low, self.high, most)
        make = step_ticks if self.steps else linear_ticks
        return make(self.low, self.high, most)


class Axes:
    """Two axes on `size` (width, height) cells, at least 4 high, ready to be drawn on."""

    def __init__(self, ink: Ink, size: tuple[int, int], x: Axis, y: Axis) -> None:
        width, height = size
        self.ink, self.x, self.y = ink, x, y
        ticks = y.ticks(max(2, (height - 2) // 3))
        self.margin = max((cell_len(t.label) for t in ticks), default=0) + 2
        self.frame = plot.Frame(max(4, width - self.margin - 1), max(1, height - 2), y.low, y.high)
        self.sheet = Sheet(width, height)
        self._left(ticks)
        self._below()

    def _left(self, ticks: Iterable[Tick]) -> None:
        ink, frame = self.ink, self.frame
        for row in range(frame.height):
            self.sheet.put(self.margin - 1, row, "│", ink.faint)
        for tick in ticks:
            row = frame.row(tick.value)
            if 0 <= row < frame.height:
                self.sheet.put(self.margin - 2 - cell_len(tick.label), row, tick.label, ink.dim)
                self.sheet.put(self.margin - 1, row, "┤", ink.faint)

    def _below(self) -> None:
        ink, frame, margin, sheet = self.ink, self.frame, self.margin, self.sheet
        base = frame.height
        sheet.put(margin - 1, base, "└" + "─" * frame.width, ink.faint)
        room = cell_len(self.x.name) + 1 if self.x.name and frame.width > 30 else 0
        end = -1
        for tick in self.x.ticks(max(2, frame.width // 10)):
            column = margin + frame.column((tick.value - self.x.low) / ((self.x.high - self.x.low) or 1.0))
            size = cell_len(tick.label)
            start = max(0, min(column - size // 2, sheet.width - size))
            if start > end and column < sheet.width and start + size <= sheet.width - room:
                sheet.put(column, base, "┬", ink.faint)
                sheet.put(start, base + 1, tick.label, ink.dim)
                end = start + size
        if room:
            sheet.put(sheet.width - room + 1, base + 1, self.x.name, ink.faint)

    # Drawing. Later things lie over earlier ones.

    def line(self, xs: ArrayLike, ys: ArrayLike, style: Style) -> None:
        """A curve; NaN interrupts it."""
        drawn = plot.draw(self.frame, self.x.share(xs), self.y.scale(ys))
        self.sheet.lay(self.margin, 0, drawn, style)

    def dots(self, xs: ArrayLike, ys: ArrayLike, style: Style, marker: str = "braille") -> None:
        """Points: braille dots, or one character each."""
        across, up = self.x.share(xs), self.y.scale(ys)
        if marker == "braille":
            self.sheet.lay(self.margin, 0, plot.draw(self.frame, across, up, lines=False), style)
            return
        for column, row in self.cells(across, up):
            self.sheet.put(self.margin + column, row, marker, style)

    def cells(self, across: Floats, up: Floats) -> list[tuple[int, int]]:
        """The cells, (column, row) each once, in which points lie: `across` in shares 0..1, `up` along the y axis."""
        frame = self.frame
        height = (frame.high - frame.low) or 1.0
        rise = (up - frame.low) / height
        inside = (across >= 0) & (across <= 1) & (rise >= 0) & (rise <= 1)
        columns = np.floor(0.5 + across[inside] * (frame.width * plot.DOTS_X - 1)).astype(np.int64) // plot.DOTS_X
        rows = np.floor(0.5 + rise[inside] * (frame.height * plot.DOTS_Y - 1)).astype(np.int64) // plot.DOTS_Y
        found = np.unique(np.stack([columns, frame.height - 1 - rows], axis=1), axis=0)
        return [(int(column), int(row)) for column, row in found]

    def rule(self, y: float, style: Style) -> None:
        """A dotted line across."""
        place = float(self.y.scale(y))
        row = self.frame.row(place)
        if 0 <= row < self.frame.height:
            self.sheet.put(self.margin, row, self.frame.dotted(place) * self.frame.width, style)

    def post(self, x: float, style: Style) -> None:
        """A dotted line from top to bottom."""
        share = float(self.x.share(x))
        if 0 <= share <= 1:
            for row in range(self.frame.height):
                self.sheet.put(self.margin + self.frame.column(share), row, "┆", style)

    def label(self, x: float, text: str, style: Style) -> None:
        """A word beside a line from top to bottom, in the first row near the top where there is room for it."""
        column = self.margin + self.frame.column(float(self.x.share(x)))
        for row in range(min(4, self.frame.height)):
            for start in (column + 2, column - 1 - len(text)):
                if self.sheet.plain(start, row, len(text), " ┆"):
                    self.sheet.put(start, row, text, style)
                    return
