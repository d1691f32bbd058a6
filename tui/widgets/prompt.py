"""A line to be typed at the foot of a screen: a filter, a note, a name, a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len

from tui.widgets import sentences
from tui.widgets.cells import Cells, Span, clip
from tui.widgets.text_field import TextField


def tall(width: int) -> int:
    """Lines that the pane takes: one more where a sentence needs two."""
    return 4 if width >= 120 else 5


def _fine(_text: str) -> str:
    return ""


def _nothing(_text: str) -> None:
    pass


@dataclass(frozen=True)
class Ask:
    """What is asked for."""

    title: str
    text: str  # what stands there at first
    hint: str  # what can be typed, in a sentence
    taken: Callable[[str], str | None]  # Enter: a sentence keeps the line open, None closes it
    check: Callable[[str], str] = _fine  # what is wrong with a text, in a sentence; empty where nothing is
    typed: Callable[[str], None] = _nothing  # after every change
    left: Callable[[], None] = lambda: None  # Esc
    keys: str = sentences.KEYS_OF_PROMPT()
    select: bool = False


class Prompt(Cells):
    """The pane. It is shown while something is asked.

    Args:
        closed: called when nothing is asked any more.
    """

    def __init__(self, closed: Callable[[], object]) -> None:
        super().__init__(id="prompt", classes="pane")
        self._when_closed = closed
        self.styles.position = "absolute"
        self.ask: Ask | None = None
        self.editor: TextField | None = None
        self._said = ""  # what Enter met with

    def open(self, ask: Ask) -> None:
        """Ask. The screen is laid out anew afterwards by whoever asks."""
        self.close()
        self.ask, self._said = ask, ""
        self.border_title, self.border_subtitle = ask.title, ask.keys
        self.editor = TextField("prompt", ask.text, select=ask.select)
        self.mount(self.editor)
        self._place()
        self.editor.focus()
        self._look(ask.text)

    def close(self) -> None:
        """Ask no more."""
        if self.editor is not None:
            self.editor.remove()
        self.ask = self.editor = None

    def _place(self) -> None:
        if self.editor is not None and self.size.width:
            self.editor.styles.offset = (1, 0)
            self.editor.styles.width = max(8, self.size.width - 2)

    def redraw(self) -> None:
        """The line lies in the pane as wide as it is."""
        self._place()
        super().redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """What is wrong, else what can be typed, under the line."""
        if self.ask is None:
            return []
        problem = self.editor.problem if self.editor is not None else ""
        text, style = (problem, self.ink.bad) if problem else (self._said, self.ink.accent)
        if not text:
            text, style = self.ask.hint, self.ink.dim
        lines: list[list[Span]] = [[]]
        while text and len(lines) < height:
            line = text if cell_len(text) <= width - 2 or len(lines) == height - 1 else _first(text, width - 2)
            lines.append([(f" {clip(line, width - 2)}", style)])
            text = text[len(line) :].lstrip()
        return lines

    def _look(self, text: str) -> bool:
        """Mark what is wrong; whether nothing is."""
        if self.ask is None or self.editor is None:
            return False
        self.editor.mark(self.ask.check(text))
        return not self.editor.problem

    def on_text_field_typed(self, message: TextField.Typed) -> None:
        """Another text."""
        message.stop()
        self._said = ""
        if self.ask is not None and self.editor is not None:
            self._look(self.editor.value)
            self.ask.typed(self.editor.value)
        self.redraw()

    def on_text_field_done(self, message: TextField.Done) -> None:
        """Enter or Esc."""
        message.stop()
        ask = self.ask
        if ask is None:
            return
        if message.text is None:
            self._end()
            ask.left()
        elif self._look(message.text):
            said = ask.taken(message.text)
            if said is None:
                if self.ask is ask:
                    self._end()
            else:
                self._said = said
        self.redraw()

    def say(self, text: str) -> None:
        """Keep the line open with a word about it."""
        self._said = text
        self.redraw()

    def _end(self) -> None:
        self.close()
        self._when_closed()


def _first(text: str, width: int) -> str:
    """As many words as fit into a line."""
    line = ""
    for word in text.split():
        if line and cell_len(line) + 1 + cell_len(word) > width:
            break
        line += (" " if line else "") + word
    return line
