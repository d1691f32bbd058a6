"""The loss chart."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, log10
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.style import Style

from tui.cells import Cells, Span, clip, wrap
from tui.charts import plot
from tui.charts.axis import Tick, linear_ticks, log_ticks, nice_step, step_ticks
from tui.charts.curve import Curve, Cut
from tui.charts.sheet import Sheet
from tui.charts.window import Window, grown
from tui.keys import bindings
from tui.numbers import figures

if TYPE_CHECKING:
    from engine.snapshot import Snapshot

Floats = NDArray[np.float64]
PATIENT = 20.0  # seconds: a run that will end within them gets its whole axis at once
SHOWN_BELOW = 4.0  # decades below the curve at which the optimum still belongs into the picture


class LossChart(Cells, can_focus=True):
    """The loss of every step, the validation loss, the optimum, and what was changed on the way."""

    BINDINGS = [*bindings("chart")]  # noqa: RUF012 - Textual's own way

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane chart")
        self.border_title = "loss"
        self.log_y, self.log_x, self.smooth = True, False, False
        self.empty: list[str] = []  # what is said while there is no curve
        self.others: list[Curve] = []  # curves of kept runs, behind the one that is going on
        self._snapshot: Snapshot | None = None
        self._window: Window | None = None  # a person's own; none follows the run
        self._range: tuple[float, float] | None = None  # a person's own, in logs where the axis is logarithmic
        self._fitted: tuple[Any, float, float] = (None, 0.0, 0.0)
        self._growing: bool | None = None  # whether the axis grows with the run; decided once
        self._stamp: Any = None

    def show(self, snapshot: Snapshot | None) -> None:
        """Take the newest state of a run, and draw it if anything that shows has changed."""
        if snapshot is None or self._snapshot is None or snapshot.history is not self._snapshot.history:
            self._growing = None
            self._window = self._range = None
        self._snapshot = snapshot
        if snapshot is not None and self._growing is None and snapshot.eta is not None:
            self._growing = snapshot.eta + snapshot.seconds > PATIENT
        self._redraw_if_new()

    def _redraw_if_new(self) -> None:
        now = self._snapshot
        stamp: Any = (self.size, self.empty, self.log_y, self.log_x, self.smooth, self._window, self._range)
        if now is not None:
            stamp += (now.phase, now.step, now.steps, len(now.marks), now.ending, now.error)
            stamp += (len(now.history or ()), len(now.validation or ()))
        if stamp != self._stamp:
            self._stamp = stamp
            self.redraw()

    # Keys.

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, left, right, up, down, in, out, reset."""
        if what in ("log_y", "log_x", "smooth"):
            setattr(self, what, not getattr(self, what))
            self._range = None
        elif what == "reset":
            self._window = self._range = None
        elif what in ("up", "down"):
            low, high = self._range or self._fitted[1:]
            by = (high - low) / 5 * (1 if what == "up" else -1)
            self._range = (low + by, high + by)
        elif self._snapshot is not None:
            window = self._window or self._whole(self._snapshot)
            if what in ("left", "right"):
                self._window = window.pan(-0.2 if what == "left" else 0.2)
            else:
                newest = float(np.clip(window.place(float(self._snapshot.step)), 0.0, 1.0))
                self._window = window.zoom(0.5 if what == "in" else 2.0, newest)
                if what == "out" and self._window.stop - self._window.start >= self._whole(self._snapshot).stop:
                    self._window = None
        self._redraw_if_new()

    def _whole(self, now: Snapshot) -> Window:
        newest = max(now.step, len(now.history or ()), 1)
        if not now.live:
            stop = newest
        elif self._growing:
            stop = grown(newest, now.steps)
        else:
            stop = max(now.steps, newest)
        return Window(0.0, float(max(stop - 1, 4)))

    # Drawing.

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The plot with its axes, or what to do to get one."""
        now = self._snapshot
        if now is None or not now.history:
            self._legend([])
            return self._nothing(width, height, now)
        window = replace(self._window or self._whole(now), log=self.log_x)
        curves = self._curves(now)
        below = 2 if height >= 10 else 1
        tall = max(1, height - below)
        # The width of the labels depends on the range, and the columns on their width.
        cuts = [(curve, curve.cut(window, max(8, width - 7) * plot.DOTS_X)) for curve in curves]
        low, high = self._limits(now, cuts, window)
        ticks = self._y_ticks(low, high, tall)
        margin = max(5, max((cell_len(t.label) for t in ticks), default=0)) + 2
        wide = max(4, width - margin)
        frame = plot.Frame(wide, tall, low, high)
        cuts = [(curve, curve.cut(window, frame.dots)) for curve in curves]
        sheet = Sheet(width, height)
        self._axes(sheet, frame, window, ticks, margin, below)
        self._rules(sheet, frame, window, now, margin)
        for curve, cut in cuts:
            self._curve(sheet, frame, curve, cut, margin)
        self._labels(sheet, frame, now, margin)
        self._banner(sheet, now)
        self._legend(curves)
        return sheet.lines()

    def _curves(self, now: Snapshot) -> list[Curve]:
        ink = self.ink
        curves = [*self.others, Curve("train", ink.train, history=now.history)]
        if now.validation is not None and len(now.validation):
            curves.append(Curve("validation", ink.validation, series=now.validation, marker="•"))
        return curves

    def _scale(self, values: Floats) -> Floats:
        """Values as they lie along the y axis."""
        if not self.log_y:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, np.log10(np.where(values > 0, values, 1.0)), np.nan)

    def _optimum(self, now: Snapshot) -> float | None:
        best = now.facts.optimum_loss if now.facts is not None else None
        if best is None or (self.log_y and best <= 0):
            return None
        return log10(best) if self.log_y else best

    def _limits(self, now: Snapshot, cuts: list[tuple[Curve, Cut]], window: Window) -> tuple[float, float]:
        if self._range is not None:
            return self._range
        values = np.concatenate([self._scale(part) for _, cut in cuts for part in (cut.low, cut.high)])
        values = values[np.isfinite(values)]
        if not len(values):
            return (-1.0, 1.0) if self.log_y else (0.0, 1.0)
        low, high = float(values.min()), float(values.max())
        best = self._optimum(now)
        if best is not None and (not self.log_y or low - best < SHOWN_BELOW):
            low = min(low, best)
        span = max(high - low, 1e-9 if self.log_y else max(abs(high), 1e-300) * 1e-9)
        grain = nice_step(span, 8)
        low, high = low - 0.02 * span, high + 0.02 * span
        low, high = np.floor(low / grain + 1e-9) * grain, np.ceil(high / grain - 1e-9) * grain
        # A growing curve only ever widens the axis, so that it does not jump about.
        key = (id(now.history), self.log_y, self.log_x, self._window, now.live, window.stop)
        if self._fitted[0] == key:
            low, high = min(low, self._fitted[1]), max(high, self._fitted[2])
        self._fitted = (key, float(low), float(high))
        return float(low), float(high)

    def _y_ticks(self, low: float, high: float, tall: int) -> list[Tick]:
        most = max(2, tall // 3)
        return log_ticks(low, high, most) if self.log_y else linear_ticks(low, high, most)

    def _axes(
        self, sheet: Sheet, frame: plot.Frame, window: Window, ticks: list[Tick], margin: int, below: int
    ) -> None:  # fmt: skip
        ink = self.ink
        for y in range(frame.height):
            sheet.put(margin - 1, y, "│", ink.faint)
        for tick in ticks:
            row = frame.row(tick.value)
            if 0 <= row < frame.height:
                sheet.put(margin - 2 - cell_len(tick.label), row, tick.label, ink.dim)
                sheet.put(margin - 1, row, "┤", ink.faint)
        base = frame.height
        if below == 2:
            sheet.put(margin - 1, base, "└" + "─" * frame.width, ink.faint)
        most = max(2, frame.width // 12)
        if self.log_x:
            found = log_ticks(log10(max(1.0, window.start)), log10(max(2.0, window.stop)), most)
            marks = [Tick(10.0**t.value, t.label) for t in found]
        else:
            marks = step_ticks(window.start, window.stop, most)
        end = -1
        unit = " steps"
        for tick in marks:
            column = margin + frame.column(float(window.place(tick.value)))
            size = cell_len(tick.label)
            start = max(margin - 1, min(column - size // 2, sheet.width - size - len(unit)))
            if not margin <= column < sheet.width or start <= end + 1:
                continue
            if below == 2:
                sheet.put(column, base, "┬", ink.faint)
            sheet.put(start, base + below - 1, tick.label, ink.dim)
            end = start + size
        sheet.put(sheet.width - len(unit) + 1, base + below - 1, unit[1:], ink.faint)

    def _rules(self, sheet: Sheet, frame: plot.Frame, window: Window, now: Snapshot, margin: int) -> None:
        """The optimum and the changes of the learning rate, behind the curves."""
        best = self._optimum(now)
        if best is not None and 0 <= (row := frame.row(best)) < frame.height:
            sheet.put(margin, row, "┄" * frame.width, self.ink.optimum)
        for mark in now.marks:
            place = float(window.place(float(mark.step)))
            if mark.kind == "change" and 0 <= place <= 1:
                for y in range(frame.height):
                    sheet.put(margin + frame.column(place), y, "┆", self.ink.mark)

    def _labels(self, sheet: Sheet, frame: plot.Frame, now: Snapshot, margin: int) -> None:
        """The words on the rules, before the curves."""
        best = self._optimum(now)
        if best is not None and now.facts is not None and 0 <= (row := frame.row(best)) < frame.height:
            text = f" optimum {figures(now.facts.optimum_loss, 5)} "
            for start in (margin + (frame.width - len(text)) * 3 // 4, margin + 2, margin + frame.width - len(text)):
                if sheet.plain(start, row, len(text), "┄ ┆"):
                    sheet.put(start, row, text, self.ink.optimum)
                    break
            else:
                above = row - 1 if row else row + 1
                start = margin + frame.width - len(text)
                if sheet.plain(start, above, len(text), " ┆"):
                    sheet.put(start, above, text, self.ink.optimum)
        window = replace(self._window or self._whole(now), log=self.log_x)
        end = sheet.width
        for mark in reversed(now.marks):
            place = float(window.place(float(mark.step)))
            start = margin + frame.column(place) + 1
            if mark.kind == "change" and 0 <= place <= 1 and start + len(mark.text) < end:
                if sheet.plain(start, 0, len(mark.text), " "):
                    sheet.put(start, 0, mark.text, self.ink.accent)
                end = start - 1

    def _curve(self, sheet: Sheet, frame: plot.Frame, curve: Curve, cut: Cut, margin: int) -> None:
        average = self._scale(cut.smoothed()) if self.smooth and curve.history is not None else None
        cut = Cut(cut.place, self._scale(cut.low), self._scale(cut.high), cut.gap)
        if self.log_y:
            # Where only the lower end of a column has no logarithm, its upper end stands for both.
            cut = replace(cut, low=np.where(np.isnan(cut.low), cut.high, cut.low))
        for middle in cut.place[cut.gap & ~np.isfinite(cut.high)].tolist() if curve.history is not None else []:
            for y in range(frame.height):
                sheet.put(margin + frame.column(middle), y, "░", self.ink.bad)
        if curve.series is not None:
            dots = plot.draw(frame, cut.place, cut.high, marker=curve.marker, lines=False)
            sheet.lay(margin, 0, dots, curve.style)
            return
        places, values = cut.outline()
        sheet.lay(margin, 0, plot.draw(frame, places, values), curve.style if average is None else self.ink.band)
        if average is not None:
            sheet.lay(margin, 0, plot.draw(frame, cut.place, average), curve.style)

    def _banner(self, sheet: Sheet, now: Snapshot) -> None:
        ending = now.ending
        if ending is None or ending.reason != "diverged":
            return
        title = f"diverged at step {now.step:,}"
        room = min(sheet.width - 8, 76)
        lines = [title, *wrap(ending.sentence, room, max(1, sheet.height - 5))]
        offer = f"f  {ending.remedy_text or 'apply the remedy'}, and start again" if ending.remedy else ""
        ground = Style(bgcolor=self.ink.cursor)
        width = max(cell_len(line) for line in [*lines, offer]) + 4
        x, y = max(0, (sheet.width - width) // 2), max(0, min(2, sheet.height - len(lines) - 3))
        body = [(line, self.ink.text) for line in lines]
        body[0] = (title, self.ink.bad + Style(bold=True))
        if offer:
            body.append((offer, self.ink.accent))
        for index, (line, style) in enumerate(body):
            edge = self.ink.bad + ground
            sheet.put(x, y + index, "▌ ", edge)
            sheet.put(x + 2, y + index, clip(line, width - 2).ljust(width - 2), style + ground)

    def _nothing(self, width: int, height: int, now: Snapshot | None) -> list[list[Span]]:
        ink = self.ink
        if now is not None and now.live:
            texts: list[tuple[str, Style]] = [(now.activity or "starting", ink.dim)]
        elif now is not None and now.error:
            texts = [(line, ink.bad) for line in wrap(now.error, width - 8, height)]
        else:
            texts = [
                (line, ink.text if index == 0 else ink.dim)
                for index, text in enumerate(self.empty)
                for line in (wrap(text, width - 8, 3) if text else [""])
            ]
        top = max(0, (height - len(texts)) // 2)
        lines: list[list[Span]] = [[] for _ in range(top)]
        for text, style in texts:
            lines.append([(" " * max(0, (width - cell_len(text)) // 2), ink.text), (text, style)])
        return lines

    def _legend(self, curves: list[Curve]) -> None:
        """Title and legend on the border; set only when they change, for they redraw it."""
        modes = ["loss", "log y" if self.log_y else "linear y"]
        modes += ["log x"] * self.log_x + ["raw + smoothed"] * self.smooth
        if self._window is not None:
            modes.append("zoomed, 0 shows all")
        title = " · ".join(modes)
        marks = {"braille": "──"}
        keys = [f"[{_hex(c.style)}]{marks.get(c.marker, c.marker)} {c.label}[/]" for c in curves]
        now = self._snapshot
        if now is not None and curves and self._optimum(now) is not None:
            keys.append(f"[{_hex(self.ink.optimum)}]┄┄ optimum[/]")
        legend = "  ".join(keys)
        if self.border_title != title:
            self.border_title = title
        if legend != self._legend_text:
            self._legend_text = legend
            self.border_subtitle = legend

    _legend_text = ""


def _hex(style: Style) -> str:
    return style.color.get_truecolor().hex if style.color is not None else "#c0c0c0"


def finite(value: float | None) -> bool:
    """Whether a value is there and finite."""
    return value is not None and isfinite(value)
