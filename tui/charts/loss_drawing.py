"""The picture of a loss chart: what is drawn where. Loaded with the first curve, for it needs numpy and plotext."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.style import Style

from tui.charts import crosshair, plot, sentences
from tui.charts.axis import along_ticks, linear_ticks, log_ticks, round_ends, scaled
from tui.charts.canvas import Sheet
from tui.charts.curve import ROUNDING, Cut, DrawnCurve
from tui.charts.sight import Sight
from tui.charts.viewport import Viewport, grown
from tui.keys.keymap import named
from tui.look.numbers import error
from tui.look.styles import Ink
from tui.widgets.cells import clip, wrap

if TYPE_CHECKING:
    from engine.training.snapshot import Snapshot

Floats = NDArray[np.float64]
CHECKPOINT = "◆"  # on the axis, where a checkpoint of the run was written
SHOWN_BELOW = 4.0  # decades below the curve at which the optimum still belongs into the picture


@dataclass(frozen=True)
class Fitted:
    """The y axis of the last picture, so that the axis of a growing curve does not jump about."""

    key: Any = None
    low: float = 0.0
    high: float = 1.0


def whole(now: Snapshot, growing: bool) -> Viewport:
    """All steps of a run: of one that is going on the planned ones, or as many as the growing axis has room for."""
    newest = max(now.step, len(now.history or ()), 1)
    if not now.live:
        stop = newest
    elif growing:
        stop = grown(newest, now.steps)
    else:
        stop = max(now.steps, newest)
    return Viewport(0.0, float(max(stop - 1, 4)))


class Picture:
    """One drawing of the losses of a run, `width` times `height` cells."""

    def __init__(
        self, now: Snapshot, curves: list[DrawnCurve], sight: Sight, window: Viewport, ink: Ink, size: tuple[int, int],
        before: Fitted,
    ) -> None:  # fmt: skip
        self.now, self.curves, self.sight, self.ink = now, curves, sight, ink
        self.window = replace(window, log=sight.log_x)
        width, height = size
        self.below = 2 if height >= 10 else 1
        tall = max(1, height - self.below)
        # The width of the labels depends on the range, and the columns on their width.
        columns = max(8, width - 7) * plot.DOTS_X
        cuts = [curve.cut(self.window, columns) for curve in curves]
        self.fitted = self._limits(cuts, before)
        low, high = sight.limits or (self.fitted.low, self.fitted.high)
        most = max(2, tall // 3)
        self.ticks = log_ticks(low, high, most) if sight.log_y else linear_ticks(low, high, most)
        self.margin = max(5, max((cell_len(t.label) for t in self.ticks), default=0)) + 2
        self.frame = plot.Frame(max(4, width - self.margin), tall, low, high)
        fits = self.frame.dots == columns
        self._cuts = cuts if fits else [curve.cut(self.window, self.frame.dots) for curve in curves]
        self.sheet = Sheet(width, height)

    def draw(self) -> Sheet:
        """Everything, from back to front."""
        self._axes()
        self._rules()
        for curve, cut in zip(self.curves, self._cuts, strict=True):
            self._curve(curve, cut)
        for index, (curve, cut) in enumerate(zip(self.curves, self._cuts, strict=True)):
            self._signs(index, curve, cut)
        self._labels()
        self._banner()
        self._told()
        return self.sheet

    @property
    def optimum(self) -> float | None:
        """Where the least possible loss lies on the y axis; None where it is unknown or has no place there."""
        best = self.now.facts.optimum_loss if self.now.facts is not None else None
        if best is None or (self.sight.log_y and best <= ROUNDING * (self.now.loss_size or 0.0)):
            return None
        return log10(best) if self.sight.log_y else best

    @property
    def checkpoint_shown(self) -> bool:
        """Whether a checkpoint is in the picture."""
        places = [float(self.window.place(float(m.step))) for m in self.now.marks if m.kind == "checkpoint"]
        return self.below == 2 and any(0 <= place <= 1 for place in places)

    @property
    def optimum_shown(self) -> bool:
        """Whether the optimum is in the picture."""
        return self.optimum is not None and 0 <= self.frame.row(self.optimum) < self.frame.height

    def _scale(self, values: Floats) -> Floats:
        """Values as they lie along the y axis."""
        return scaled(values, bool(self.sight.log_y))

    def _limits(self, cuts: list[Cut], before: Fitted) -> Fitted:
        values = np.concatenate([self._scale(part) for cut in cuts for part in (cut.low, cut.high)])
        values = values[np.isfinite(values)]
        log = self.sight.log_y
        if not len(values):
            return Fitted(None, -1.0, 1.0) if log else Fitted()
        low, high = float(values.min()), float(values.max())
        best = self.optimum
        if best is not None and (not log or low - best < SHOWN_BELOW):
            low = min(low, best)
        span = max(high - low, 1e-9 if log else max(abs(high), 1e-300) * 1e-9)
        low, high = round_ends(low, high, span)
        key = (id(self.now.history), replace(self.sight, cursor=None), self.now.live, self.window.stop)
        if before.key == key:
            low, high = min(low, before.low), max(high, before.high)
        return Fitted(key, low, high)

    def _axes(self) -> None:
        sheet, frame, ink, margin = self.sheet, self.frame, self.ink, self.margin
        plot.put_axes(sheet, frame, margin, self.ticks, ink, floor=self.below == 2)
        ticks = along_ticks(self.window, self.sight.axis, self.sight.unit, max(2, frame.width // 12))
        places = [float(self.window.place(tick.value)) for tick in ticks]
        plot.put_ticks(sheet, frame, margin, ticks, places, self.sight.axis, self.below, ink)

    def _rules(self) -> None:
        """The optimum and the changes of the learning rate, behind the curves."""
        best, frame = self.optimum, self.frame
        if best is not None and self.optimum_shown:
            self.sheet.put(self.margin, frame.row(best), frame.dotted(best) * frame.width, self.ink.optimum)
        for mark in self.now.marks:
            place = float(self.window.place(float(mark.step)))
            if mark.kind == "change" and 0 <= place <= 1:
                for y in range(frame.height):
                    self.sheet.put(self.margin + frame.column(place), y, "┆", self.ink.mark)
            if mark.kind == "checkpoint" and 0 <= place <= 1 and self.below == 2:
                self.sheet.put(self.margin + frame.column(place), frame.height, CHECKPOINT, self.ink.accent)
        if self.sight.cursor is not None:
            place = float(self.window.place(float(crosshair.nearest(self.sight.cursor, self.curves))))
            if 0 <= place <= 1:
                for y in range(frame.height):
                    self.sheet.put(self.margin + frame.column(place), y, "│", self.ink.dim)

    def _curve(self, curve: DrawnCurve, cut: Cut) -> None:
        sheet, frame, margin = self.sheet, self.frame, self.margin
        average = self._scale(cut.smoothed()) if self.sight.smooth and curve.history is not None else None
        drawn = cut.scaled(bool(self.sight.log_y))
        if curve.series is not None:
            dots = plot.draw(frame, drawn.place, drawn.high, marker=curve.marker, lines=False)
            sheet.lay(margin, 0, dots, curve.style)
            return
        for middle in drawn.place[drawn.gap & ~np.isfinite(drawn.high)].tolist():
            for y in range(frame.height):
                sheet.put(margin + frame.column(middle), y, "░", self.ink.bad)
        places, values = drawn.outline()
        sheet.lay(margin, 0, plot.draw(frame, places, values), curve.style if average is None else self.ink.band)
        if average is not None:
            sheet.lay(margin, 0, plot.draw(frame, drawn.place, average), curve.style)

    def _signs(self, index: int, curve: DrawnCurve, cut: Cut) -> None:
        """The own sign of a curve of every step on a few of its columns, other ones than those of its neighbours."""
        if curve.history is None or curve.marker == "braille":
            return
        values = self._scale(cut.smoothed() if self.sight.smooth else cut.high)
        spread = max(2, self.frame.width // 14)
        wanted = (np.arange(spread) + (index + 0.5) / len(self.curves)) / spread
        seen = np.flatnonzero(np.isfinite(values))
        if len(seen):
            near = np.unique(np.searchsorted(cut.place[seen], wanted).clip(0, len(seen) - 1))
            dots = plot.draw(self.frame, cut.place[seen][near], values[seen][near], marker=curve.marker, lines=False)
            self.sheet.lay(self.margin, 0, dots, curve.style)

    def _told(self) -> None:
        """The values at the crosshair, in front of everything."""
        if self.sight.cursor is None:
            return
        step = crosshair.nearest(self.sight.cursor, self.curves)
        place = float(self.window.place(float(step)))
        if 0 <= place <= 1:
            lines = crosshair.told(step, self.curves, self.window, self.frame, self.ink, self.now.loss_size)
            column = self.margin + self.frame.column(place)
            crosshair.put(self.sheet, column, self.margin, lines[: self.frame.height], self.ink)

    def _labels(self) -> None:
        """The words on the rules, in front of the curves but never over them."""
        best, sheet, frame, margin = self.optimum, self.sheet, self.frame, self.margin
        if best is not None and self.optimum_shown and self.now.facts is not None:
            text = sentences.OPTIMUM(loss=error(self.now.facts.optimum_loss or 0.0, 5, self.now.loss_size))
            row = frame.row(best)
            end = margin + frame.width - len(text)
            places = [(end - frame.width // 8, row), (margin + 2, row), (end, row), (end, row - 1), (end, row + 1)]
            for x, y in places:
                if 0 <= y < frame.height and sheet.plain(x, y, len(text), frame.dotted(best) + " ┆"):
                    sheet.put(x, y, text, self.ink.optimum)
                    break
        last = sheet.width
        for mark in reversed(self.now.marks):
            place = float(self.window.place(float(mark.step)))
            start = margin + frame.column(place) + 1
            if mark.kind == "change" and 0 <= place <= 1 and start + len(mark.text) < last:
                if sheet.plain(start, 0, len(mark.text), " "):
                    sheet.put(start, 0, mark.text, self.ink.accent)
                last = start - 1

    def _banner(self) -> None:
        """Why the run diverged, and what would have worked."""
        ending, sheet = self.now.ending, self.sheet
        if ending is None or ending.reason != "diverged":
            return
        room = min(sheet.width - self.margin - 6, 76)
        ground = Style(bgcolor=self.ink.cursor)
        body = [(line, self.ink.text) for line in wrap(ending.sentence, room, max(1, sheet.height - 5))]
        body[0] = (body[0][0], self.ink.bad + Style(bold=True))
        if ending.remedy:
            body.append(
                (
                    sentences.REMEDY(
                        key=named("run.remedy"), remedy=ending.remedy_text or sentences.APPLY_THE_REMEDY()
                    ),
                    self.ink.accent,
                )
            )
        width = max(cell_len(line) for line, _ in body) + 4
        x = max(self.margin, (sheet.width - width) // 2)
        y = max(0, min(2, sheet.height - len(body) - 3))
        for index, (line, style) in enumerate(body):
            sheet.put(x, y + index, "▌ ", self.ink.bad + ground)
            text = clip(line, width - 2)
            sheet.put(x + 2, y + index, text + " " * (width - 2 - cell_len(text)), style + ground)
