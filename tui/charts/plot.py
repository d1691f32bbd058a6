"""Curves and points as characters, drawn by plotext; of braille, whose many dots it is slow at, by `braille`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from tui.charts.axis import Tick
from tui.charts.braille import DOTS_X as DOTS_X
from tui.charts.braille import DOTS_Y as DOTS_Y
from tui.charts.braille import Canvas
from tui.charts.canvas import Sheet
from tui.look.styles import Ink

Floats = NDArray[np.float64]
_ESCAPES = re.compile("\x1b\\[[0-9;]*m")


@dataclass(frozen=True)
class Frame:
    """The area of a plot: `width` times `height` cells. x runs from 0 to 1, y between two values, edge to edge."""

    width: int
    height: int
    low: float
    high: float

    @property
    def dots(self) -> int:
        """Braille dots side by side."""
        return self.width * DOTS_X

    def column(self, x: float) -> int:
        """The column of cells at x, as plotext places it; may lie outside."""
        return floor(0.5 + x * (self.width * DOTS_X - 1)) // DOTS_X

    def row(self, y: float) -> int:
        """The row of cells at y, from the top, as plotext places it; may lie outside."""
        if not self.high > self.low:
            return self.height // 2
        place = (y - self.low) / (self.high - self.low)
        if not -10 < place < 10:
            return -1
        return self.height - 1 - self._dot(place) // DOTS_Y

    def _dot(self, place: float) -> int:
        return floor(0.5 + place * (self.height * DOTS_Y - 1))

    def dotted(self, y: float) -> str:
        """The character whose one dot lies exactly at y, in the row of y."""
        place = (y - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return chr(0x2800 + (0x40, 0x04, 0x02, 0x01)[self._dot(place) % DOTS_Y])


def draw(
    frame: Frame, xs: Sequence[float] | Floats, ys: Sequence[float] | Floats, *, marker: str = "braille",
    lines: bool = True,
) -> list[str]:  # fmt: skip
    """One curve, or points, on its own: `height` texts of `width` characters, blank where nothing is drawn.

    NaN in `ys` interrupts a curve. What lies outside the frame is cut off.
    """
    x, y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    if marker == "braille" and frame.high > frame.low:
        canvas = Canvas(frame.width, frame.height, frame.low, frame.high)
        for part in _stretches(x, y, frame) if lines else [_inside(x, y, frame, True)]:
            canvas.draw(*part, lines=lines)
        return canvas.rows()
    return by_plotext(frame, x, y, marker=marker, lines=lines)


def by_plotext(frame: Frame, x: Floats, y: Floats, *, marker: str, lines: bool) -> list[str]:
    """See `draw`."""
    import plotext as plt

    plt.clear_figure()
    plt.theme("clear")
    plt.limit_size(False, False)
    plt.plotsize(frame.width, frame.height)
    plt.frame(False)
    plt.xticks([])
    plt.yticks([])
    plt.xlim(0.0, 1.0)
    plt.ylim(frame.low, frame.high)
    drawn = False
    for part in _stretches(x, y, frame) if lines else [_inside(x, y, frame, marker == "braille")]:
        if len(part[0]):
            show = plt.plot if lines and len(part[0]) > 1 else plt.scatter
            show(part[0].tolist(), part[1].tolist(), marker=marker)
            drawn = True
    if not drawn:
        return [" " * frame.width] * frame.height
    rows = _ESCAPES.sub("", plt.build()).split("\n")
    return [row.ljust(frame.width)[: frame.width] for row in (rows + [""] * frame.height)[: frame.height]]


def _inside(x: Floats, y: Floats, frame: Frame, braille: bool) -> tuple[Floats, Floats]:
    """The points in the frame, each moved to the middle of the cell in which its braille dot would lie."""
    keep = np.isfinite(y) & (x >= 0) & (x <= 1) & (y >= frame.low) & (y <= frame.high)
    if braille:
        return x[keep], y[keep]
    columns = np.asarray([frame.column(value) for value in x[keep].tolist()], np.float64)
    rows = np.asarray([frame.row(value) for value in y[keep].tolist()], np.float64)
    places = (frame.height - 1 - rows) / max(1, frame.height - 1)
    return columns / max(1, frame.width - 1), frame.low + places * (frame.high - frame.low)


def _stretches(x: Floats, y: Floats, frame: Frame) -> list[tuple[Floats, Floats]]:
    """The stretches of a curve between its gaps. Values far outside are drawn at the edge: plotext cuts lines there."""
    height = frame.high - frame.low
    y = np.clip(y, frame.low - height, frame.high + height)
    gaps = np.flatnonzero(~np.isfinite(y))
    parts = []
    begin = 0
    for gap in [*gaps.tolist(), len(y)]:
        if gap > begin:
            parts.append((x[begin:gap], y[begin:gap]))
        begin = gap + 1
    return parts


def put_axes(sheet: Sheet, frame: Frame, margin: int, ticks: Sequence[Tick], ink: Ink, *, floor: bool) -> None:
    """The value axis with its ticks left of the canvas, and the line below it where there is a `floor`.

    Args:
        margin: cells left of the canvas.
    """
    for y in range(frame.height):
        sheet.put(margin - 1, y, "│", ink.faint)
    for tick in ticks:
        row = frame.row(tick.value)
        if 0 <= row < frame.height:
            sheet.put(margin - 2 - cell_len(tick.label), row, tick.label, ink.dim)
            sheet.put(margin - 1, row, "┤", ink.faint)
    if floor:
        sheet.put(margin - 1, frame.height, "└" + "─" * frame.width, ink.faint)


def put_ticks(
    sheet: Sheet, frame: Frame, margin: int, ticks: Sequence[Tick], places: Sequence[float], unit: str, below: int,
    ink: Ink, *, shifted: bool = False,
) -> None:  # fmt: skip
    """The labels below a canvas as far as they have room, and to the right what they count.

    Args:
        places: of the ticks, 0..1.
        below: lines there are: 2 with the ticks' signs, 1 without.
        shifted: move the last labels to the left until they have room, instead of leaving them out.
    """
    end = -1
    for tick, place in zip(ticks, places, strict=True):
        column, size = margin + frame.column(place), cell_len(tick.label)
        last = sheet.width - size - len(unit) - 1
        start = max(margin - 1, min(column - size // 2, last) if shifted else column - size // 2)
        if not margin <= column < sheet.width or start <= end + 1 or (start > last and not shifted):
            continue
        if below == 2:
            sheet.put(column, frame.height, "┬", ink.faint)
        sheet.put(start, frame.height + below - 1, tick.label, ink.dim)
        end = start + size
    sheet.put(sheet.width - len(unit), frame.height + below - 1, unit, ink.faint)
