"""Which columns the list of runs shows: all of them, to be switched on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.keys.table import bindings
from tui.screens import sentences
from tui.screens.runs.columns import Field, fields
from tui.widgets.cells import Cells, Span, clip, left
from tui.widgets.dialog import Dialog
from tui.widgets.scroll import ScrollPosition

WIDEST = 96


class Switches(Cells, can_focus=True):
    """A line for each column. Enter switches it; it then comes last, or goes."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__(id="switches")
        self.border_title = "columns"
        self.shown = list(shown)
        known = [one for one in fields().values() if one.name != "run"]
        # Those that show come first, in their order.
        self.fields: list[Field] = [fields()[name] for name in shown]
        self.fields += [one for one in known if one.name not in shown]
        self.cursor = 0
        self.roll = ScrollPosition()

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(self.cursor + lines, len(self.fields) - 1))
        self.redraw()

    def action_choose(self) -> None:
        """Show the column or hide it."""
        name = self.fields[self.cursor].name
        if name not in self.shown:
            self.shown.append(name)
        elif len(self.shown) > 1:
            self.shown.remove(name)
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The columns around the cursor."""
        ink = self.ink
        lines: list[list[Span]] = []
        for index in self.roll.fit(len(self.fields), height, self.cursor):
            one, here = self.fields[index], index == self.cursor
            on = one.name in self.shown
            spans: list[Span] = [
                ("▸" if here else " ", ink.accent),
                ("[•] " if on else "[ ] ", ink.accent if on else ink.faint),
                (left(one.name, 18), ink.strong if on else ink.text),
                (left(clip(one.about, max(0, width - 24)), max(0, width - 23)), ink.dim),
            ]
            lines.append([(text, ink.on_cursor(style)) for text, style in spans] if here else spans)
        self.note(" · ".join(filter(None, (self.roll.told, sentences.KEYS_OF_COLUMNS()))))
        return lines


class ColumnPicker(Dialog[tuple[str, ...]]):
    """Gives the names of the columns that shall show, in their order."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,h,q", "leave", show=False, system=True)]

    def __init__(self, shown: Sequence[str]) -> None:
        self.switches = Switches(shown)
        super().__init__(self.switches, WIDEST, lambda width: len(self.switches.fields))

    def action_leave(self) -> None:
        """Done."""
        self.dismiss(tuple(self.switches.shown))
