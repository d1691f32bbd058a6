"""The loss chart: which run it shows, and how a person wants to see it. `picture` draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import BindingType

from tui.charts.sight import PATIENT, Sight
from tui.keys.table import bindings
from tui.look.styles import hue
from tui.widgets.cells import Cells, Span, apart, wrap

if TYPE_CHECKING:
    from engine.training.snapshot import Snapshot
    from tui.charts.curve import DrawnCurve
    from tui.charts.loss_drawing import Fitted, Picture
    from tui.charts.viewport import Viewport

ON_THE_STEPS = ("left", "right", "in", "out")  # what can be done once there are some
LIKED = ("log_y", "log_x", "smooth")  # what is remembered of a sight
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
        self.others: list[DrawnCurve] = []  # curves of kept runs, behind the one that is going on
        self._snapshot: Snapshot | None = None
        self._sight: Sight | None = None
        self._liked: Mapping[str, Any] = {}
        self._fitted: Fitted | None = None
        self._picture: Picture | None = None  # as it is on the screen
        self._growing: bool | None = None  # whether the axis grows with the run; decided once
        self._noisy: bool | None = None  # whether a step sees only a batch of the rows; None while unknown
        self._smooth_chosen = False
        self._stamp: Any = None
        self._held: tuple[int, int, Viewport, tuple[float, float]] | None = (
            None  # where a drag began, and what was seen
        )
        self._pointed = False  # the crosshair is the pointer's, and goes with it

    @property
    def sight(self) -> Sight:
        """How the curves are to be seen."""
        if self._sight is None:
            liked = {name: self._liked[name] for name in LIKED if isinstance(self._liked.get(name), bool)}
            self._sight = Sight(**{"log_y": True, **liked})
            self._smooth_chosen = "smooth" in liked
        return self._sight

    def like(self, liked: Mapping[str, Any]) -> None:
        """Show curves as a person liked them last time."""
        self._liked, self._sight = liked, None

    @property
    def liked(self) -> dict[str, bool]:
        """How a person likes to see curves: what was chosen, not what followed from a run."""
        chosen = {name: getattr(self.sight, name) for name in LIKED}
        return chosen if self._smooth_chosen else {name: chosen[name] for name in LIKED if name != "smooth"}

    def show(self, snapshot: Snapshot | None) -> None:
        """Take the newest state of a run, and draw it if anything that shows has changed."""
        before = self._snapshot.history if self._snapshot is not None else None
        if snapshot is not None and snapshot.history is not before:
            self._growing = None
            if self._sight is not None:
                self._sight = replace(self._sight, window=None, limits=None, cursor=None)
            self._noisy = None
        self._snapshot = snapshot
        if snapshot is not None and snapshot.plan is not None and self._noisy is None:
            # Losses of single batches jump about: of those the average is shown first. `e` has the last word.
            self._noisy = not snapshot.plan.full_batch
            if not self._smooth_chosen:
                self._sight = replace(self.sight, smooth=self._noisy)
        if snapshot is not None and self._growing is None and snapshot.eta is not None:
            self._growing = snapshot.eta + snapshot.seconds > PATIENT
        self._redraw_if_new()

    def _redraw_if_new(self) -> None:
        now = self._snapshot
        stamp: Any = (self.size, self.empty, self._sight)
        if now is not None:
            stamp += (now.phase, now.step, now.steps, len(now.marks), now.ending, now.error, now.activity)
            stamp += (len(now.history or ()), len(now.validation or ()))
        if stamp != self._stamp:
            self._stamp = stamp
            self.redraw()

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, left, right, up, down, in, out, before, after, reset."""
        sight, now = self.sight, self._snapshot
        if what in ("before", "after"):
            self._pointed = False
            self._sight = replace(sight, cursor=self._beside(-1 if what == "before" else 1))
        elif what in ("up", "down"):
            if self._fitted is not None:
                low, high = sight.limits or (self._fitted.low, self._fitted.high)
                by = (high - low) / 5 * (1 if what == "up" else -1)
                self._sight = replace(sight, limits=(low + by, high + by))
        elif what not in ON_THE_STEPS or (now is not None and now.history):
            self._smooth_chosen = self._smooth_chosen or what == "smooth"
            anchor = sight.cursor if sight.cursor is not None else 0.0 if now is None else float(now.step)
            self._sight = sight.steered(what, self._everything, bool(sight.log_y), anchor)
        self._redraw_if_new()

    @property
    def _everything(self) -> Viewport:
        """All steps of the run."""
        from tui.charts.loss_drawing import whole
        from tui.charts.viewport import Viewport

        return Viewport(0.0, 0.0) if self._snapshot is None else whole(self._snapshot, bool(self._growing))

    def _beside(self, direction: int) -> float | None:
        """The step that the crosshair goes to: the next one, or the next column where each holds many."""
        from tui.charts.crosshair import nearest

        if self._picture is None:
            return None
        window, curves = self._picture.window, self._picture.curves
        before = self.sight.cursor
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
        self._sight = replace(self.sight, cursor=None if place is None else self._picture.window.at(place))
        self._redraw_if_new()

    def on_leave(self) -> None:
        """The pointer is elsewhere: so is its crosshair."""
        if self._pointed:
            self._pointed = False
            self._sight = replace(self.sight, cursor=None)
            self._redraw_if_new()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag may begin."""
        at = event.get_content_offset(self)
        if at is not None and self._fitted is not None and self._snapshot is not None and self._snapshot.history:
            limits = self.sight.limits or (self._fitted.low, self._fitted.high)
            self._held = (at.x, at.y, self.sight.seen(self._everything), limits)
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        """It is over."""
        self._held = None
        self.release_mouse()

    def _drag(self, x: int, y: int) -> None:
        assert self._held is not None
        assert self._picture is not None
        from_x, from_y, window, (low, high) = self._held
        sight, frame = self.sight, self._picture.frame
        if x != from_x or sight.window is not None:
            sight = replace(sight, window=window.pan((from_x - x) / max(1, frame.width)))
        if abs(y - from_y) >= LOOSE or sight.limits is not None:
            by = (y - from_y) / max(1, frame.height) * (high - low)
            sight = replace(sight, limits=(low + by, high + by))
        self._sight = replace(sight, cursor=None)
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
            self._sight = self.sight.zoomed(factor, place, self._everything)
        else:  # over the loss axis: that one
            frame = self._picture.frame
            low, high = self.sight.limits or (self._fitted.low, self._fitted.high)
            middle = high - (high - low) * min(1.0, at.y / max(1, frame.height - 1))
            limits = (middle - (middle - low) * factor, middle + (high - middle) * factor)
            self._sight = replace(self.sight, limits=limits)
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
        from tui.charts.loss_drawing import CHECKPOINT, Fitted, Picture

        curves = self._curves(now)
        window = self.sight.seen(self._everything)
        picture = Picture(now, curves, self.sight, window, self.ink, (width, height), self._fitted or Fitted())
        self._fitted, self._picture = picture.fitted, picture
        marks = [(curve.style, "──" if curve.marker == "braille" else curve.marker, curve.label) for curve in curves]
        if picture.optimum_shown:
            marks.append((self.ink.optimum, "┈┈", "optimum"))
        if picture.checkpoint_shown:
            marks.append((self.ink.accent, CHECKPOINT, "checkpoint"))
        self._title(marks)
        return picture.draw().lines()

    def _curves(self, now: Snapshot) -> list[DrawnCurve]:
        from tui.charts.curve import DrawnCurve

        ink = self.ink
        curves = [*self.others, DrawnCurve("train", ink.train, history=now.history)]
        if now.validation is not None and len(now.validation):
            curves.append(DrawnCurve("validation", ink.validation, series=now.validation, marker="•"))
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
        told = self._sight.told(bool(self._sight.log_y)) if self._sight is not None and marks else []
        self.head(" · ".join(["loss", *told]))
        self.note(apart([(f"{mark} {label}", hue(style)) for style, mark, label in marks]))
