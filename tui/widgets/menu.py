"""A few things to choose one from, over a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType

from tui.keys.table import bindings
from tui.widgets import sentences
from tui.widgets.cells import Cells, Span, clip, left
from tui.widgets.dialog import Dialog


@dataclass(frozen=True)
class Offer:
    """One thing to choose: its value, its name and what it means."""

    value: str
    name: str
    about: str = ""


class Menu(Cells, can_focus=True):
    """The offers, with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list")]

    def __init__(self, title: str, offers: Sequence[Offer], now: str) -> None:
        super().__init__(id="menu")
        self.border_title = title
        self.border_subtitle = sentences.KEYS_OF_MENU()
        self._offers, self._now = offers, now
        self.cursor = next((index for index, one in enumerate(offers) if one.value == now), 0)

    @property
    def wanted(self) -> int:
        """The width at which nothing is cut off."""
        names = max(cell_len(one.name) for one in self._offers)
        return names + max(cell_len(one.about) for one in self._offers) + 12

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(self.cursor + lines, len(self._offers) - 1))
        self.redraw()

    def action_choose(self) -> None:
        """Take what is under the cursor."""
        self.screen.dismiss(self._offers[self.cursor].value)

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A line for each."""
        ink = self.ink
        names = max(cell_len(one.name) for one in self._offers)
        first = max(0, self.cursor - height + 1)
        lines = []
        for index, one in list(enumerate(self._offers))[first : first + height]:
            here, chosen = index == self.cursor, one.value == self._now
            spans: list[Span] = [
                ("▸" if here else " ", ink.accent),
                ("(•) " if chosen else "( ) ", ink.accent if chosen else ink.faint),
                (left(one.name, names + 2), ink.strong if chosen else ink.text),
                (left(clip(one.about, max(0, width - names - 8)), max(0, width - names - 7)), ink.dim),
            ]
            lines.append([(text, ink.on_cursor(style)) for text, style in spans] if here else spans)
        return lines


class MenuScreen(Dialog[str]):
    """Gives the value that was chosen; None where Esc was pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", show=False, system=True)]

    def __init__(self, title: str, offers: Sequence[Offer], now: str = "") -> None:
        menu = Menu(title, offers, now)
        super().__init__(menu, menu.wanted, lambda width: len(offers))

    def action_leave(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)
