"""The loss chart: which run it shows, and how a person wants to see it. `picture` draws it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.binding import BindingType

from tui.cells import Cells, Span, wrap
from tui.keys import bindings

if TYPE_CHECKING:
    from engine.snapshot import Snapshot
    from tui.charts.curve import Curve
    from tui.charts.picture import Fitted, Look
    from tui.charts.window import Window

PATIENT = 20.0  # seconds: a run that will end within them gets its whole axis at once


class LossChart(Cells, can_focus=True):
    """The loss of every step, the validation loss, the optimum, and what was changed on the way."""

    KIND: ClassVar[str] = "chart"  # decides about the keys
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("chart")]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane chart")
        self.border_title = "loss"
        self.empty: list[str] = []  # what is said while there is no curve
        self.others: list[Curve] = []  # curves of kept runs, behind the one that is going on
        self._snapshot: Snapshot | None = None
        self._look: Look | None = None
        self._fitted: Fitted | None = None
        self._growing: bool | None = None  # whether the axis grows with the run; decided once
        self._noisy: bool | None = None  # whether a step sees only a batch of the rows; None while unknown
        self._smooth_chosen = False
        self._stamp: Any = None
        self._legend = ""

    @property
    def look(self) -> Look:
        """How the curves are to be seen."""
        if self._look is None:
            from tui.charts.picture import Look

            self._look = Look()
        return self._look

    def show(self, snapshot: Snapshot | None) -> None:
        """Take the newest state of a run, and draw it if anything that shows has changed."""
        before = self._snapshot.history if self._snapshot is not None else None
        if snapshot is not None and snapshot.history is not before:
            self._growing = None
            if self._look is not None:
                self._look = replace(self._look, window=None, limits=None)
            self._noisy = None
        self._snapshot = snapshot
        if snapshot is not None and snapshot.plan is not None and self._noisy is None:
            # Losses of single batches jump about: of those the average is shown first. `e` has the last word.
            self._noisy = not snapshot.plan.full_batch
            if not self._smooth_chosen:
                self._look = replace(self.look, smooth=self._noisy)
        if snapshot is not None and self._growing is None and snapshot.eta is not None:
            self._growing = snapshot.eta + snapshot.seconds > PATIENT
        self._redraw_if_new()

    def _redraw_if_new(self) -> None:
        now = self._snapshot
        stamp: Any = (self.size, self.empty, self._look)
        if now is not None:
            stamp += (now.phase, now.step, now.steps, len(now.marks), now.ending, now.error, now.activity)
            stamp += (len(now.history or ()), len(now.validation or ()))
        if stamp != self._stamp:
            self._stamp = stamp
            self.redraw()

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, left, right, up, down, in, out, reset."""
        look = self.look
        if what == "log_y":
            self._look = replace(look, log_y=not look.log_y, limits=None)
        elif what == "log_x":
            self._look = replace(look, log_x=not look.log_x, limits=None)
        elif what == "smooth":
            self._smooth_chosen = True
            self._look = replace(look, smooth=not look.smooth)
        elif what == "reset":
            self._look = replace(look, window=None, limits=None)
        elif what in ("up", "down") and self._fitted is not None:
            low, high = look.limits or (self._fitted.low, self._fitted.high)
            by = (high - low) / 5 * (1 if what == "up" else -1)
            self._look = replace(look, limits=(low + by, high + by))
        elif self._snapshot is not None and self._snapshot.history:
            self._look = replace(look, window=self._moved(what, self._snapshot))
        self._redraw_if_new()

    def _moved(self, what: str, now: Snapshot) -> Window | None:
        from tui.charts.picture import whole

        everything = whole(now, bool(self._growing))
        window = replace(self.look.window or everything, log=self.look.log_x)
        if what in ("left", "right"):
            return window.pan(-0.2 if what == "left" else 0.2)
        newest = min(1.0, max(0.0, float(window.place(float(now.step)))))
        moved = window.zoom(0.5 if what == "in" else 2.0, newest)
        return None if what == "out" and moved.stop - moved.start >= everything.stop else moved

    def action_large(self) -> None:
        """Show the chart alone, or all panes again."""
        self.app.action_large(self.id)  # type: ignore[attr-defined]

    # Drawing.

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The plot with its axes, or what to do to get one."""
        now = self._snapshot
        if now is None or not now.history:
            self._title([])
            return self._nothing(width, height, now)
        from tui.charts.picture import Fitted, Picture, whole

        look = self.look
        curves = self._curves(now)
        window = look.window or whole(now, bool(self._growing))
        picture = Picture(now, curves, look, window, self.ink, (width, height), self._fitted or Fitted())
        self._fitted = picture.fitted
        marks = [(curve.style, "──" if curve.marker == "braille" else curve.marker, curve.label) for curve in curves]
        if picture.optimum_shown:
            marks.append((self.ink.optimum, "┈┈", "optimum"))
        self._title(marks)
        return picture.draw().lines()

    def _curves(self, now: Snapshot) -> list[Curve]:
        from tui.charts.curve import Curve

        ink = self.ink
        curves = [*self.others, Curve("train", ink.train, history=now.history)]
        if now.validation is not None and len(now.validation):
            curves.append(Curve("validation", ink.validation, series=now.validation, marker="•"))
        return curves

    def _nothing(self, width: int, height: int, now: Snapshot | None) -> list[list[Span]]:
        ink = self.ink
        texts: list[tuple[str, Style]] = []
        if now is not None and now.live:
            texts = [(now.activity or "starting", ink.dim)]
        elif now is not None and now.error:
            texts = [(line, ink.bad) for line in wrap(now.error, width - 8, height)]
        else:
            for index, text in enumerate(self.empty):
                style = ink.text if index == 0 else ink.dim
                texts += [(line, style) for line in (wrap(text, width - 8, 3) if text else [""])]
        top = max(0, (height - len(texts)) // 2)
        lines: list[list[Span]] = [[] for _ in range(top)]
        for text, style in texts:
            lines.append([(" " * max(0, (width - cell_len(text)) // 2), ink.text), (text, style)])
        return lines

    def _title(self, marks: list[tuple[Style, str, str]]) -> None:
        """Title and legend on the border; set only when they change, for they redraw it."""
        title = "loss"
        if self._look is not None and marks:
            look = self._look
            modes = ["log y" if look.log_y else "linear y"] + ["log x"] * look.log_x
            modes += ["raw + smoothed"] * look.smooth + ["zoomed, 0 shows all"] * (look.window is not None)
            title = " · ".join(["loss", *modes])
        legend = "  ".join(f"[{_hex(style)}]{mark} {label}[/]" for style, mark, label in marks)
        if self.border_title != title:
            self.border_title = title
        if legend != self._legend:
            self._legend = legend
            self.border_subtitle = legend


def _hex(style: Style) -> str:
    return style.color.get_truecolor().hex if style.color is not None else "#c0c0c0"
