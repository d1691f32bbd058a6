"""Quitting during a run: asked once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.widgets.cells import Cells, Span


class Question(Cells):
    """The words of the dialog."""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A question and its two answers."""
        ink = self.ink
        return [
            [],
            [("  A run is going on.", ink.strong)],
            [],
            [("  Enter", ink.accent), ("  save it and quit", ink.text)],
            [("  Esc  ", ink.accent), ("  go on training", ink.text)],
        ]


class QuitScreen(ModalScreen[bool]):
    """True: save and quit. False: go on. A second q or Ctrl+C means it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y,q", "answer(True)", show=False, system=True),
        Binding("escape,n,space", "answer(False)", show=False, system=True),
    ]

    def compose(self) -> ComposeResult:
        """The question in the middle."""
        question = Question(classes="pane dialog")
        question.border_title = "quit"
        yield question

    def action_answer(self, leave: bool) -> None:
        """Close with the answer."""
        self.dismiss(leave)
