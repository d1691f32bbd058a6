"""Curves over each other, of somebody's logs or of our runs: one picture, told apart by colour and marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log10
from typing import TYPE_CHECKING, Protocol

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from engine.base.rounding import raised
from tui.charts import plot
from tui.charts.axis import along_ticks, linear_ticks, log_ticks, round_ends, scaled
from tui.charts.canvas import Sheet
from tui.charts.curve import Cut, Floats
from tui.charts.sight import Sight
from tui.charts.viewport import Viewport
from tui.look.styles import Ink

if TYPE_CHECKING:
    from engine.watch.curve import LoggedCurve

DECADES = 1.7  # spanned by positive values, from which on the axis begins logarithmic


class Drawn(Protocol):
    """A curve of the picture. It tells what it shows of a window, and from where to where it goes."""

    @property
    def label(self) -> str: ...
    @property
    def style(self) -> Style: ...
    @property
    def marker(self) -> str: ...
    @property
    def extent(self) -> tuple[float, float] | None: ...
    def cut(self, window: Viewport, columns: int) -> Cut: ...


@dataclass(frozen=True)
class Logged:
    """One curve of a log, and how it looks."""

    label: str
    style: Style
    marker: str
    points: LoggedCurve

    @property
    def extent(self) -> tuple[float, float] | None:
        """The first step and the last; None without points."""
        steps, _, _ = self.points.points()
        return (float(steps[0]), float(steps[-1])) if len(steps) else None

    def cut(self, window: Viewport, columns: int) -> Cut:
        """The values that show in a window: every point where there are few, else the extremes of each column."""
        steps, _, values = self.points.points()
        first = max(0, int(np.searchsorted(steps, window.start)) - 1)  # one beyond each edge: lines lead out
        last = int(np.searchsorted(steps, window.stop, side="right")) + 1
        if last - first <= 2 * columns:
            places, some = window.place(steps[first:last].astype(np.float64)), values[first:last].astype(np.float64)
            finite = raised(np.where(np.isfinite(some), some, np.nan), self.points.first)
            return Cut(places, finite, finite, finite, ~np.isfinite(some))
        found = self.points.columns(window.edges(columns))
        kept = np.isfinite(found.low) | found.gap
        middle = (found.edges[:-1] + np.maximum(found.edges[1:] - 1, found.edges[:-1])) / 2
        low, high, mean = (
            raised(values[kept].astype(np.float64), self.points.first) for values in (found.low, found.high, found.mean)
        )
        return Cut(window.place(middle)[kept], low, high, mean, found.gap[kept])


def whole(curves: Sequence[Drawn]) -> Viewport:
    """All steps of some curves; from 0 on unless they begin late."""
    ends = [curve.extent for curve in curves]
    known = [end for end in ends if end is not None]
    start, stop = min((first for first, _ in known), default=0.0), max([4.0, *(last for _, last in known)])
    return Viewport(start if start < 0 or start > stop / 2 else 0.0, stop)


class MultiCurve:
    """One drawing, `size` (width, height) in cells."""

    def __init__(
        self, curves: Sequence[Drawn], sight: Sight, window: Viewport, ink: Ink, size: tuple[int, int]
    ) -> None:
        self.curves, self.sight, self.ink = curves, sight, ink
        self.window = replace(window, log=sight.log_x)
        width, height = size
        self.below = 2 if height >= 10 else 1
        tall = max(1, height - self.below)
        columns = max(4, width - 7) * plot.DOTS_X
        cuts = [curve.cut(self.window, columns) for curve in curves]
        values = np.concatenate([part for cut in cuts for part in (cut.low, cut.high)]) if cuts else np.empty(0)
        values = values[np.isfinite(values)]
        if sight.ceiling is not None:
            values = np.minimum(values, sight.ceiling)
        if sight.level is not None and len(values):
            values = np.append(values, sight.level)
        above = values[values > 0]
        wide = len(above) == len(values) > 0 and log10(values.max()) - log10(values.min()) > DECADES
        self.log_y = bool(wide) if sight.log_y is None else sight.log_y
        self.hidden = self.log_y and len(above) < len(values)  # values that a logarithmic axis has no place for
        low, high = self._limits(above if self.log_y else values)
        most = max(2, tall // 3)
        self.ticks = log_ticks(low, high, most) if self.log_y else linear_ticks(low, high, most)
        self.margin = max(5, max((cell_len(tick.label) for tick in self.ticks), default=0)) + 2
        self.frame = plot.Frame(max(4, width - self.margin), tall, low, high)
        self.sheet = Sheet(width, height)
        if self.frame.dots != columns:  # wide labels
            cuts = [curve.cut(self.window, self.frame.dots) for curve in curves]
        self.cuts = cuts

    def draw(self) -> Sheet:
        """Everything, from back to front; the curve that comes first lies on top."""
        self._axes()
        self._level()
        cursor = self.sight.cursor
        if cursor is not None and 0 <= float(self.window.place(cursor)) <= 1:
            for y in range(self.frame.height):
                self.sheet.put(self.margin + self.frame.column(float(self.window.place(cursor))), y, "┆", self.ink.mark)
        cuts = self.cuts
        for curve, cut in reversed(list(zip(self.curves, cuts, strict=True))):
            self._curve(curve, cut)
        for index, (curve, cut) in reversed(list(enumerate(zip(self.curves, cuts, strict=True)))):
            self._markers(index, curve, cut)
        return self.sheet

    def _level(self) -> None:
        level = self.sight.level
        if level is None or (self.log_y and level <= 0):
            return
        y = float(log10(level)) if self.log_y else level
        row = self.frame.row(y)
        if 0 <= row < self.frame.height:
            self.sheet.put(self.margin, row, "┄" * self.frame.width, self.ink.optimum)

    def _scale(self, values: Floats) -> Floats:
        return scaled(values, self.log_y)

    def _limits(self, values: Floats) -> tuple[float, float]:
        if not len(values):
            return (-1.0, 1.0)
        along = self._scale(values)
        low, high = float(along.min()), float(along.max())
        span = max(high - low, 1e-9 if self.log_y else max(abs(high), abs(low), 1e-300) * 1e-9)
        low, high = round_ends(low, high, span)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def _axes(self) -> None:
        sheet, frame, ink, margin = self.sheet, self.frame, self.ink, self.margin
        plot.put_axes(sheet, frame, margin, self.ticks, ink, floor=self.below == 2)
        ticks = along_ticks(self.window, self.sight.axis, self.sight.unit, max(2, frame.width // 12))
        places = [float(self.window.place(tick.value)) for tick in ticks]
        plot.put_ticks(sheet, frame, margin, ticks, places, self.sight.axis, self.below, ink, shifted=True)

    def _curve(self, curve: Drawn, cut: Cut) -> None:
        sheet, frame, margin = self.sheet, self.frame, self.margin
        drawn = cut.scaled(self.log_y)
        for place in drawn.place[drawn.gap & ~np.isfinite(cut.high)].tolist():
            if 0 <= place <= 1:
                for y in range(frame.height):
                    sheet.put(margin + frame.column(place), y, "░", self.ink.bad)
        style = Style(color=self.ink.tint(curve.style, 0.42)) if self.sight.smooth else curve.style
        sheet.lay(margin, 0, plot.draw(frame, *drawn.outline()), style)
        if self.sight.smooth:
            sheet.lay(margin, 0, plot.draw(frame, drawn.place, self._scale(cut.smoothed())), curve.style)

    def _markers(self, index: int, curve: Drawn, cut: Cut) -> None:
        """The curve's own sign on a few of its points, at other places than those of the next curve."""
        values = self._scale(cut.smoothed() if self.sight.smooth else cut.high)
        seen = np.flatnonzero(np.isfinite(values) & (cut.place >= 0) & (cut.place <= 1))
        if not len(seen):
            return
        many = len(self.curves)
        if many == 1 and len(seen) > self.frame.width // 4:
            return  # a single dense curve needs no sign
        spread = max(2, self.frame.width // 14)
        wanted = (np.arange(spread) + (index + 0.5) / many) / spread
        near = np.searchsorted(cut.place[seen], wanted).clip(0, len(seen) - 1)
        few = seen if len(seen) <= spread else seen[np.unique(near)]
        for at in few.tolist():
            x, y = self.frame.column(float(cut.place[at])), self.frame.row(float(values[at]))
            if 0 <= x < self.frame.width:
                self.sheet.put(self.margin + x, y, curve.marker, curve.style)
