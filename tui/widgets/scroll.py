"""Panes of more lines than they are high."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui.keys.table import bindings
from tui.widgets.cells import Cells, Span

LINES = 99  # that a text in a pane which scrolls may take


class ScrollPosition:
    """Which lines of many show: `room` of `count`, from `first` on."""

    def __init__(self) -> None:
        self.first = self.count = self.room = 0

    def fit(self, count: int, room: int, cursor: int | None = None) -> range:
        """The lines that show now, the one under the cursor among them where there is one."""
        self.count, self.room = count, max(1, room)
        if cursor is not None:
            self.first = max(min(self.first, cursor), cursor - self.room + 1)
        self.first = max(0, min(self.first, count - self.room))
        return range(self.first, min(count, self.first + self.room))

    def move(self, lines: int) -> None:
        """Scroll, no further than there are lines."""
        self.first = max(0, min(self.first + lines, self.count - self.room))

    @property
    def below(self) -> int:
        """How many lines are below those that show."""
        return max(0, self.count - self.room - self.first)

    @property
    def told(self) -> str:
        """How many lines are above and below: "↑ 3 ↓ 1,200"; empty where all of them show."""
        return " ".join([f"↑ {self.first:,}"] * bool(self.first) + [f"↓ {self.below:,}"] * bool(self.below))


class Scrolling(Cells, can_focus=True):
    """Lines, of which the lower border says how many are above and below."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]
    LAST = ""  # what stands behind the counts

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.roll = ScrollPosition()

    def told(self, width: int) -> list[list[Span]]:
        """Everything that is to be said, on lines of `width` cells."""
        raise NotImplementedError

    def action_move(self, lines: int) -> None:
        """Scroll."""
        self.roll.move(lines)
        self.redraw()

    def action_choose(self) -> None:
        """Nothing to choose."""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The lines that fit."""
        lines = self.told(width)
        seen = self.roll.fit(len(lines), height)
        self.note(f"{self.roll.told} {self.LAST}".strip())
        return [lines[index] for index in seen]
