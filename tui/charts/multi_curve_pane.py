"""A pane with curves over each other, and how a person steers what is seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from tui.charts import sentences
from tui.charts.multi_curve import Drawn, MultiCurve, whole
from tui.charts.sight import Sight
from tui.charts.viewport import Viewport
from tui.look.styles import hue
from tui.widgets.cells import Cells, Span, Words, apart, clip, wrap

LEVEL = "┄┄ optimum"  # the level that is marked, in the legend


class MultiCurvePane(Cells):
    """The chart."""

    def __init__(self, *, id: str = "curves") -> None:
        super().__init__(id=id, classes="pane")
        self.curves: Sequence[Drawn] = ()
        self.sight = Sight()
        self.everything: Viewport | None = None  # what shows where nobody zooms; all there is without it
        self.empty = ""
        self.what = "curves"
        self.log_y = False  # as it was drawn last

    @property
    def whole(self) -> Viewport:
        """The steps that show where nobody zooms."""
        return self.everything or whole(self.curves)

    @property
    def window(self) -> Viewport:
        """The steps that show."""
        return self.sight.seen(self.whole)

    def steered(self, what: str) -> Sight:
        """How it is seen after a key: log_y, log_x, smooth, in, out, reset, left, right, before, after."""
        sight, window = self.sight, self.window
        if not self.curves:
            return sight
        if what not in ("before", "after"):
            anchor = window.stop if sight.cursor is None else sight.cursor
            return sight.steered(what, self.whole, self.log_y, anchor)
        by = 1 / max(8, self.size.width - 8) * (-1 if what == "before" else 1)
        place = 1.0 if sight.cursor is None else float(window.place(sight.cursor)) + by
        step = round(window.at(min(1.0, max(0.0, place))))
        if sight.cursor is not None and step == sight.cursor:
            step += -1 if what == "before" else 1
        return replace(sight, cursor=float(max(0, min(step, round(window.stop)))))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The curves, or why there are none."""
        if not self.curves:
            self._title(["curves"], "")
            texts = wrap(self.empty, width - 8, height)
            return [[] for _ in range(max(0, (height - len(texts)) // 2))] + [
                [(text.center(width), self.ink.dim)] for text in texts
            ]
        overlay = MultiCurve(self.curves, self.sight, self.window, self.ink, (width, height))
        sheet = overlay.draw()
        self.log_y = overlay.log_y
        told = self.sight.told(overlay.log_y, *[sentences.NO_PLACE()] * overlay.hidden)
        self._title([self.what, *told], self._marks(width - 4))
        return sheet.lines()

    def _marks(self, room: int) -> Words:
        """The legend: signs and names, shortened until they fit; what the line that is marked all along is."""
        level = ((f"  {LEVEL}", hue(self.ink.optimum)),) if self.sight.level is not None else ()
        room -= cell_len(LEVEL) + 2 if level else 0
        size = max(3, room // len(self.curves) - 4)
        parts = [(f"{curve.marker} {clip(curve.label, size)}", hue(curve.style)) for curve in self.curves]
        return (*apart(parts), *level)

    def _title(self, words: list[str], legend: Words) -> None:
        self.head(" · ".join(words))
        self.note(legend)
