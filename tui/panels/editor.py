"""The text field that opens on a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from engine.recipe import Choice


class Editor(Input):
    """One line of text for one field. Enter takes it, Esc leaves it; the panel decides what is good."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False, system=True)]

    @dataclass
    class Typed(Message):
        """The text changed."""

        choice: Choice
        text: str

    @dataclass
    class Done(Message):
        """Enter (the text) or Esc (None)."""

        choice: Choice
        text: str | None

    def __init__(self, choice: Choice, text: str) -> None:
        super().__init__(text, placeholder=choice.example, compact=True, select_on_focus=True)
        self.cursor_blink = False
        self.choice = choice
        self.problem = ""

    def mark(self, problem: str) -> None:
        """Show that the text cannot be taken, and why; nothing where it can."""
        self.problem = problem
        self.set_class(bool(problem), "bad")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Have every change looked at."""
        event.stop()
        self.post_message(self.Typed(self.choice, self.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Done(self.choice, self.value.strip()))

    def action_leave(self) -> None:
        """Esc."""
        self.post_message(self.Done(self.choice, None))
