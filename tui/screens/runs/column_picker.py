"""Which columns the list of runs shows: all of them, to be switched on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.keys.table import bindings
from tui.screens.runs.columns import Field, fields
from tui.widgets.cells import Cells, Span, clip, left
from tui.widgets.menu import GROUND
from tui.widgets.scroll import Roll


class Switches(Cells, can_focus=True):
    """A line for each column. Enter switches it; it then comes last, or goes."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__(id="switches", classes="pane")
        self.border_title = "columns"
        self.shown = list(shown)
        known = [one for one in fields().values() if one.name != "run"]
        # Those that show come first, in their order.
        self.fields: list[Field] = [fields()[name] for name in shown]
        self.fields += [one for one in known if one.name not in shown]
        self.cursor = 0
        self.roll = Roll()

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
        self.note(" · ".join(filter(None, (self.roll.told, "Enter shows or hides · Esc goes back"))))
        return lines


class ShownScreen(ModalScreen[tuple[str, ...]]):
    """Gives the names of the columns that shall show, in their order."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,h,q", "leave", show=False, system=True)]

    def __init__(self, shown: Sequence[str]) -> None:
        super().__init__()
        self.switches = Switches(shown)

    def compose(self) -> ComposeResult:
        """The list in the middle."""
        self.styles.background = GROUND
        self.styles.align = ("center", "middle")
        yield self.switches

    def on_mount(self) -> None:
        """As large as there is room."""
        self._fit()
        self.switches.focus()

    def on_resize(self) -> None:
        """The terminal has another size."""
        self._fit()

    def _fit(self) -> None:
        self.switches.styles.width = min(self.app.size.width - 4, 96)
        self.switches.styles.height = min(self.app.size.height - 2, len(self.switches.fields) + 2)

    def action_leave(self) -> None:
        """Done."""
        self.dismiss(tuple(self.switches.shown))
