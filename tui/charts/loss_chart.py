"""The loss chart: which run it shows, and how a person wants to see it. `picture` draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import BindingType

from tui.keys.table import bindings
from tui.look.styles import hue
from tui.widgets.cells import Cells, Span, apart, wrap

if TYPE_CHECKING:
    from engine.training.snapshot import Snapshot
    from tui.charts.curve import Curve
    from tui.charts.loss_drawing import Fitted, Look, Picture
    from tui.charts.viewport import Window

LIKED = ("log_y", "log_x", "smooth")  # what is remembered of a look
PATIENT = 20.0  # seconds: a run that will end within them gets its whole axis at once
WHEEL = 0.8  # how much narrower a notch of the mouse wheel makes what is seen
LOOSE = 2  # rows that a drag may stray up or down before it moves the loss axis too


class LossChart(Cells, can_focus=True):
    """The loss of every step, the validation loss, the optimum, and what was changed on the way."""

    KIND = "chart"  # decides about the keys
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("chart")]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane chart")
        self.border_title = "loss"
        self.empty: list[str] = []  # what is said while there is no curve
        self.others: list[Curve] = []  # curves of kept runs, behind the one that is going on
        self._snapshot: Snapshot | None = None
        self._look: Look | None = None
        self._liked: Mapping[str, Any] = {}
        self._fitted: Fitted | None = None
        self._picture: Picture | None = None  # as it is on the screen
        self._growing: bool | None = None  # whether the axis grows with the run; decided once
        self._noisy: bool | None = None  # whether a step sees only a batch of the rows; None while unknown
        self._smooth_chosen = False
        self._stamp: Any = None
        self._held: tuple[int, int, Window, tuple[float, float]] | None = None  # where a drag began, and what was seen
        self._pointed = False  # the crosshair is the pointer's, and goes with it

    @property
    def look(self) -> Look:
        """How the curves are to be seen."""
        if self._look is None:
            from tui.charts.loss_drawing import Look

            liked = {name: self._liked[name] for name in LIKED if isinstance(self._liked.get(name), bool)}
            self._look = Look(**liked)
            self._smooth_chosen = "smooth" in liked
        return self._look

    def like(self, liked: Mapping[str, Any]) -> None:
        """Show curves as a person liked them last time."""
        self._liked, self._look = liked, None

    @property
    def liked(self) -> dict[str, bool]:
        """How a person likes to see curves: what was chosen, not what followed from a run."""
        chosen = {name: getattr(self.look, name) for name in LIKED}
        return chosen if self._smooth_chosen else {name: chosen[name] for name in LIKED if name != "smooth"}

    def show(self, snapshot: Snapshot | None) -> None:
        """Take the newest state of a run, and draw it if anything that shows has changed."""
        before = self._snapshot.history if self._snapshot is not None else None
        if snapshot is not None and snapshot.history is not before:
            self._growing = None
            if self._look is not None:
                self._look = replace(self._look, window=None, limits=None, cursor=None)
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
        """log_y, log_x, smooth, left, right, up, down, in, out, before, after, reset."""
        look = self.look
        if what == "log_y":
            self._look = replace(look, log_y=not look.log_y, limits=None)
        elif what == "log_x":
            self._look = replace(look, log_x=not look.log_x, limits=None)
        elif what == "smooth":
            self._smooth_chosen = True
            self._look = replace(look, smooth=not look.smooth)
        elif what == "reset":
            self._look = replace(look, window=None, limits=None, cursor=None)
        elif what in ("before", "after"):
            self._pointed = False
            self._look = replace(look, cursor=self._beside(-1 if what == "before" else 1))
        elif what in ("up", "down") and self._fitted is not None:
            low, high = look.limits or (self._fitted.low, self._fitted.high)
            by = (high - low) / 5 * (1 if what == "up" else -1)
            self._look = replace(look, limits=(low + by, high + by))
        elif self._snapshot is not None and self._snapshot.history:
            self._look = replace(look, window=self._moved(what, self._snapshot))
        self._redraw_if_new()

    @property
    def _window(self) -> Window:
        """What is seen of the steps."""
        from tui.charts.loss_drawing import whole

        assert self._snapshot is not None
        window = self.look.window or whole(self._snapshot, bool(self._growing))
        return replace(window, log=self.look.log_x)

    def _moved(self, what: str, now: Snapshot) -> Window | None:
        window = self._window
        if what in ("left", "right"):
            return window.pan(-0.2 if what == "left" else 0.2)
        at = self.look.cursor if self.look.cursor is not None else float(now.step)
        return self._zoomed(0.5 if what == "in" else 2.0, min(1.0, max(0.0, float(window.place(at)))))

    def _zoomed(self, factor: float, place: float) -> Window | None:
        """What is seen when the steps around a place 0..1 are spread or drawn together; None is everything."""
        from tui.charts.loss_drawing import whole

        assert self._snapshot is not None
        moved = self._window.zoom(factor, place)
        everything = whole(self._snapshot, bool(self._growing))
        return None if factor > 1 and moved.stop - moved.start >= everything.stop else moved

    def _beside(self, direction: int) -> float | None:
        """The step that the crosshair goes to: the next one, or the next column where each holds many."""
        from tui.charts.crosshair import nearest

        if self._picture is None:
            return None
        window, curves = self._picture.window, self._picture.curves
        before = self.look.cursor
        if before is None or not 0 <= float(window.place(before)) <= 1:
            return float(nearest(window.stop, curves))
        before = float(nearest(before, curves))
        beside = window.at(float(window.place(before)) + direction / max(1, self._picture.frame.width - 1))
        return float(nearest(max(beside, before + 1) if direction > 0 else min(beside, before - 1), curves))

    # The mouse, for those who have one.

    def _place(self, x: int) -> float | None:
        """Where a column of the pane lies along the steps, 0..1; None left of the axis."""
        if self._picture is None or x < self._picture.margin:
            return None
        return min(1.0, (x - self._picture.margin) / max(1, self._picture.frame.width - 1))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The crosshair goes with the pointer; with a button held, what is seen does."""
        if self._picture is None:
            return
        at = event.get_content_offset_capture(self)
        if self._held is not None:
            self._drag(at.x, at.y)
            return
        place = self._place(at.x)
        self._pointed = place is not None
        self._look = replace(self.look, cursor=None if place is None else self._picture.window.at(place))
        self._redraw_if_new()

    def on_leave(self) -> None:
        """The pointer is elsewhere: so is its crosshair."""
        if self._pointed:
            self._pointed = False
            self._look = replace(self.look, cursor=None)
            self._redraw_if_new()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag may begin."""
        at = event.get_content_offset(self)
        if at is not None and self._fitted is not None and self._snapshot is not None and self._snapshot.history:
            limits = self.look.limits or (self._fitted.low, self._fitted.high)
            self._held = (at.x, at.y, self._window, limits)
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        """It is over."""
        self._held = None
        self.release_mouse()

    def _drag(self, x: int, y: int) -> None:
        assert self._held is not None
        assert self._picture is not None
        from_x, from_y, window, (low, high) = self._held
        look, frame = self.look, self._picture.frame
        if x != from_x or look.window is not None:
            look = replace(look, window=window.pan((from_x - x) / max(1, frame.width)))
        if abs(y - from_y) >= LOOSE or look.limits is not None:
            by = (y - from_y) / max(1, frame.height) * (high - low)
            look = replace(look, limits=(low + by, high + by))
        self._look = replace(look, cursor=None)
        self._redraw_if_new()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Look closer at where the pointer is."""
        self._wheel(event, WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """See more around where the pointer is."""
        self._wheel(event, 1 / WHEEL)

    def _wheel(self, event: events.MouseScrollUp | events.MouseScrollDown, factor: float) -> None:
        at = event.get_content_offset(self)
        if at is None or self._picture is None or self._fitted is None:
            return
        event.stop()
        place = self._place(at.x)
        if place is not None:
            self._look = replace(self.look, window=self._zoomed(factor, place))
        else:  # over the loss axis: that one
            frame = self._picture.frame
            low, high = self.look.limits or (self._fitted.low, self._fitted.high)
            middle = high - (high - low) * min(1.0, at.y / max(1, frame.height - 1))
            limits = (middle - (middle - low) * factor, middle + (high - middle) * factor)
            self._look = replace(self.look, limits=limits)
        self._redraw_if_new()

    def on_click(self, event: events.Click) -> None:
        """Twice: everything again."""
        if event.chain == 2:
            self.action_chart("reset")

    def action_large(self) -> None:
        """Show the chart alone, or all panes again."""
        self.app.action_large(self.id)  # type: ignore[attr-defined]

    # Drawing.

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The plot with its axes, or what to do to get one."""
        now = self._snapshot
        if now is None or not now.history:
            self._picture = None
            self._title([])
            return self._nothing(width, height, now)
        from tui.charts.loss_drawing import CHECKPOINT, Fitted, Picture, whole

        look = self.look
        curves = self._curves(now)
        window = look.window or whole(now, bool(self._growing))
        picture = Picture(now, curves, look, window, self.ink, (width, height), self._fitted or Fitted())
        self._fitted, self._picture = picture.fitted, picture
        marks = [(curve.style, "──" if curve.marker == "braille" else curve.marker, curve.label) for curve in curves]
        if picture.optimum_shown:
            marks.append((self.ink.optimum, "┈┈", "optimum"))
        if picture.checkpoint_shown:
            marks.append((self.ink.accent, CHECKPOINT, "checkpoint"))
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
        """Title and legend on the border."""
        title = "loss"
        if self._look is not None and marks:
            look = self._look
            modes = ["log y" if look.log_y else "linear y"] + ["log x"] * look.log_x
            modes += ["raw + smoothed"] * look.smooth + ["zoomed, 0 shows all"] * (look.window is not None)
            title = " · ".join(["loss", *modes])
        self.head(title)
        self.note(apart([(f"{mark} {label}", hue(style)) for style, mark, label in marks]))
