"""The text field that opens on a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class TextField(Input):
    """One line of text for one field. Enter takes it, Esc leaves it; the panel decides what is good."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False, system=True)]

    @dataclass
    class Typed(Message):
        """The text changed."""

        field: str
        text: str

    @dataclass
    class Done(Message):
        """Enter (the text) or Esc (None)."""

        field: str
        text: str | None

    def __init__(self, field: str, text: str, *, label: str = "", example: str = "", select: bool = True) -> None:
        super().__init__(text, placeholder=example, compact=True, select_on_focus=select)
        self.cursor_blink = False
        self.field, self.label = field, label
        self.problem = ""

    def mark(self, problem: str) -> None:
        """Show that the text cannot be taken, and why; nothing where it can."""
        self.problem = problem
        self.set_class(bool(problem), "bad")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Have every change looked at."""
        event.stop()
        self.post_message(self.Typed(self.field, self.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Done(self.field, self.value.strip()))

    def action_leave(self) -> None:
        """Esc."""
        self.post_message(self.Done(self.field, None))
