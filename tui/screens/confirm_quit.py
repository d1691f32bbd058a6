"""Quitting during a run: asked once."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.screens import sentences
from tui.widgets.cells import Cells, Span
from tui.widgets.dialog import Dialog

WIDEST, LINES = 34, 6


class QuitQuestion(Cells):
    """The words of the dialog."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "quit"

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A question and its two answers."""
        ink = self.ink
        return [
            [],
            [(sentences.RUN_GOING_ON(), ink.strong)],
            [],
            [("  Enter", ink.accent), (sentences.SAVE_AND_QUIT(), ink.text)],
            [("  Esc  ", ink.accent), (sentences.GO_ON(), ink.text)],
        ]


class ConfirmQuitScreen(Dialog[bool]):
    """True: save and quit. False: go on. A second q or Ctrl+C means it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y,q", "answer(True)", show=False, system=True),
        Binding("escape,n,space", "answer(False)", show=False, system=True),
    ]

    def __init__(self) -> None:
        super().__init__(QuitQuestion(), WIDEST, lambda width: LINES)

    def action_answer(self, leave: bool) -> None:
        """Close with the answer."""
        self.dismiss(leave)
