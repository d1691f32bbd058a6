"""A table of lines with a cursor. Only the lines that show are ever made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.message import Message

from tui.keys.table import bindings
from tui.widgets.cells import Cells, Span, left, right
from tui.widgets.scroll import ScrollPosition


@dataclass(frozen=True)
class TableColumn:
    """A column: its heading, its width in cells, and on which side its texts stand."""

    heading: str
    width: int
    number: bool = False
    chosen: bool = False  # what the lines are sorted by


class Listing(Cells, can_focus=True):
    """Lines under headings; arrows move, Enter chooses."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    @dataclass
    class Moved(Message):
        """The cursor is on another line."""

        listing: Listing
        line: int

    @dataclass
    class Chosen(Message):
        """Enter on a line."""

        listing: Listing
        line: int

    def __init__(self, title: str, *, id: str, empty: str = "") -> None:
        super().__init__(id=id, classes="pane")
        self.border_title = title
        self.empty = empty
        self.cursor = 0
        self.count = 0
        self.columns: Sequence[TableColumn] = ()
        self._line: Callable[[int], Sequence[Span]] = lambda _line: ()
        self.roll = ScrollPosition()

    def fill(self, columns: Sequence[TableColumn], count: int, line: Callable[[int], Sequence[Span]]) -> None:
        """Show `count` lines; `line` gives the cells of one, a text and a style for each column."""
        self.columns, self.count, self._line = columns, count, line
        self.cursor = max(0, min(self.cursor, count - 1))
        self.redraw()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        before = self.cursor
        self.cursor = max(0, min(self.cursor + lines, self.count - 1))
        if self.cursor != before:
            self.redraw()
            self.post_message(self.Moved(self, self.cursor))

    def action_choose(self) -> None:
        """Take the line under the cursor."""
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The headings, and the lines around the cursor."""
        ink = self.ink
        if not self.count:
            return [[], [("  " + self.empty, ink.faint)]]
        lines = [
            [(" ", ink.faint), *self._spans([(c.heading, ink.accent if c.chosen else ink.faint) for c in self.columns])]
        ]
        for index in self.roll.fit(self.count, height - 1, self.cursor):
            here = index == self.cursor and self.has_focus
            spans: list[Span] = [("▸" if here else " ", ink.accent), *self._spans(self._line(index))]
            if here:
                spans = [(text, ink.on_cursor(style)) for text, style in spans]
                spans.append((" " * width, ink.on_cursor(Style())))
            lines.append(spans)
        self.note(self.roll.told)
        return lines

    def _spans(self, cells: Sequence[Span]) -> list[Span]:
        return [
            ((right if column.number else left)(text, column.width) + "  ", style)
            for column, (text, style) in zip(self.columns, cells, strict=True)
        ]

    def on_focus(self) -> None:
        """Show the cursor."""
        self.redraw()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.redraw()
