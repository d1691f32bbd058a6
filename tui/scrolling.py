"""A pane of lines that scrolls where they are more than it is high."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.cells import Cells, Span
from tui.keys import bindings


class Scrolling(Cells, can_focus=True):
    """Lines, of which the lower border says how many are above and below."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    LAST = ""  # what stands behind the counts

    _first = _more = 0

    def told(self, width: int) -> list[list[Span]]:
        """Everything that is to be said, on lines of `width` cells."""
        raise NotImplementedError

    def action_move(self, lines: int) -> None:
        """Scroll."""
        self._first = max(0, min(self._first + lines, self._more))
        self.redraw()

    def action_choose(self) -> None:
        """Nothing to choose."""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The lines that fit."""
        lines = self.told(width)
        self._more = max(0, len(lines) - height)
        self._first = min(self._first, self._more)
        below = self._more - self._first
        parts = [f"↑ {self._first}"] * bool(self._first) + [f"↓ {below}"] * bool(below)
        text = " ".join([*parts, self.LAST]).rstrip()
        if (self.border_subtitle or "") != text:
            self.border_subtitle = text
        return lines[self._first :]
