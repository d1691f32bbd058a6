"""What the model says of the rows it knows. `scatter` draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tui.cells import Cells, Span
from tui.keys import bindings

if TYPE_CHECKING:
    from engine.data.prepare import Prepared
    from engine.snapshot import Weights


class FitChart(Cells, can_focus=True):
    """Points of the train and validation rows, and the line on which a perfect model would put them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane fit")
        self.border_title = "fit"
        self.folded = False
        self._prepared: Prepared | None = None
        self._weights: Weights | None = None

    def show(self, prepared: Prepared | None, weights: Weights | None) -> None:
        """Take the rows of the run and its newest weights."""
        if weights is not self._weights or prepared is not self._prepared:
            self._prepared, self._weights = prepared, weights
            self.redraw()

    def action_move(self, lines: int) -> None:
        """Nothing to scroll."""

    def action_choose(self) -> None:
        """Show it large, or small again."""
        self.app.action_large(self.id)  # type: ignore[attr-defined]

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The points over their axes."""
        ink, prepared, weights = self.ink, self._prepared, self._weights
        if self.folded:
            return [[(" ▸ ", ink.accent), ("Fit", ink.dim)]]
        if prepared is None or weights is None or height < 4:
            return [[], [("  predicted against actual, once a run has weights", ink.faint)]]
        if prepared.task != "regression":
            from tui.charts.confusion import confusion, heading

            if self.border_title != heading(prepared):
                self.border_title = heading(prepared)
            return confusion(prepared, weights, ink, width, height)
        from tui.charts.scatter import scatter, title

        text = title(prepared, weights)
        if self.border_title != text:
            self.border_title = text
        sheet = scatter(prepared, weights, ink, width, height)
        return sheet.lines() if sheet is not None else [[], [("  the predictions are not finite", ink.bad)]]
