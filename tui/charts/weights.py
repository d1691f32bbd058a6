"""The weights, on normalized features and in the features' own units, with their gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tui.cells import Cells, Span, left, right
from tui.keys import bindings
from tui.numbers import fixed

if TYPE_CHECKING:
    from engine.snapshot import Weights

NUMBER = 11  # cells of a number


class WeightsTable(Cells, can_focus=True):
    """One line for each feature and the bias."""

    KIND: ClassVar[str] = "weights"  # decides about the keys
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane weights")
        self.border_title = "weights"
        self.folded = False
        self._weights: Weights | None = None
        self._first = 0
        self._more = 0

    def show(self, weights: Weights | None) -> None:
        """Take the newest weights."""
        if weights is not self._weights:
            self._weights = weights
            self.redraw()

    def action_move(self, lines: int) -> None:
        """Scroll."""
        self._first = max(0, min(self._first + lines, self._more))
        self.redraw()

    def action_choose(self) -> None:
        """Show the table large, or small again."""
        self.app.action_large(self.id)  # type: ignore[attr-defined]

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """Names to the left, as many number columns as fit, numbers to the right."""
        ink, now = self.ink, self._weights
        if self.folded:
            return [[(" ▸ ", ink.accent), ("Weights", ink.dim)]]
        if now is None:
            return [[], [("  appear with the first step of a run", ink.faint)]]
        heads = ["scaled", "raw", "gradient"][: max(1, min(3, (width - 9) // NUMBER))]
        if len(heads) < 2 <= (width - 6) // 9:
            heads = ["scaled", "raw"]
        size = min(NUMBER, (width - 7) // len(heads))
        name = width - size * len(heads) - 1
        lines: list[list[Span]] = [
            [(left(" feature", name), ink.faint), *((right(head, size), ink.faint) for head in heads)]
        ]
        rows = []
        for k, output in enumerate(now.outputs):
            for index, feature in enumerate(now.features):
                label = feature if len(now.outputs) == 1 else f"{feature} → {output}"
                rows.append((label, now.scaled[index, k], now.raw[index, k], now.gradient[index, k]))
            label = "bias" if len(now.outputs) == 1 else f"bias → {output}"
            rows.append((label, now.bias_scaled[k], now.bias_raw[k], now.bias_gradient[k]))
        room = height - 1
        self._more = max(0, len(rows) - room)
        self._first = min(self._first, self._more)
        for label, *numbers in rows[self._first : self._first + room]:
            styles = [ink.text, ink.strong, ink.dim] if len(heads) == 3 else [ink.text, ink.strong]
            digits = 5 if size >= NUMBER else 4
            line: list[Span] = [(left(f" {label}", name), ink.dim)]
            line += [
                (right(fixed(float(n), digits), size), s) for n, s in zip(numbers[: len(heads)], styles, strict=True)
            ]
            lines.append(line)
        below = len(rows) - self._first - room
        text = " ".join([f"↑ {self._first}"] * bool(self._first) + [f"↓ {below}"] * (below > 0))
        if (self.border_subtitle or "") != text:
            self.border_subtitle = text
        return lines
