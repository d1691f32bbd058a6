"""Code that a recipe or a run names and that this person has not run before: asked about once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType

from engine.base.printable import printable
from engine.modules import trust
from tui.screens import sentences
from tui.widgets.cells import Span, wrap
from tui.widgets.dialog import Dialog
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.base.errors import Untrusted

WIDEST = 88


class TrustQuestion(Scrolling):
    """What would run, from where, and what that means."""

    def __init__(self, error: Untrusted) -> None:
        super().__init__()
        self.border_title = sentences.RUN_THIS_CODE()
        self._error = error

    def action_choose(self) -> None:
        """Enter: do not run it."""
        self.screen.dismiss(False)

    def told(self, width: int) -> list[list[Span]]:
        """Everything that is to be said, on lines of `width` cells."""
        ink, error = self.ink, self._error
        changed = " and ".join(map(printable, error.changed))
        lines: list[list[Span]] = [[]]

        def say(text: str, style: Style) -> None:
            lines.extend([(f"  {line}", style)] for line in wrap(text, width - 4, 60))

        say(sentences.CODE_ASKED_FOR(), ink.text)
        lines.append([])
        for name in error.names:
            say(printable(name), ink.strong)
        for file in error.files:
            text = _place(file)
            lines += [[(f"    {text[at : at + width - 6]}", ink.strong)] for at in range(0, len(text), width - 6)]
        lines.append([])
        if error.changed:
            say(sentences.CHANGED_SINCE(files=changed, count=len(error.changed)), ink.bad)
        elif all(trust.known(*mark) for mark in error.grants if not mark[2]):
            say(sentences.KNOWN_BUT_OTHER(), ink.text)
        else:
            say(sentences.NEITHER_RUN(), ink.text)
        does = (
            sentences.IMPORTS_AND_CALLS(names=[_called(name) for name in error.names])
            if error.names
            else sentences.IMPORTS()
        )
        say(
            sentences.IF_ALLOWED(does=does),
            ink.text,
        )
        lines += [
            [],
            [("  y    ", ink.accent), (sentences.ALLOW(), ink.text)],
            [("  Esc  ", ink.accent), (sentences.DO_NOT_RUN(), ink.text)],
        ]
        return lines


def _place(file: str) -> str:
    """Where a file lies, from where one stands."""
    if not file:
        return sentences.OF_PYTHON()
    path, here = Path(file), Path.cwd()
    if path.is_relative_to(here):
        inside = path.relative_to(here)
        where = sentences.IN_THIS_FOLDER if inside.parent == Path() else sentences.BELOW_THIS_FOLDER
        return where(file=printable(str(inside)))
    return printable(file)


def _called(name: str) -> str:
    """The function or class of module:name."""
    return printable(name.rpartition(":")[2])


def refusal(error: Untrusted, again: str) -> str:
    """Why something cannot be done now, in a sentence for a pane. `again`: how it is asked again."""
    code = error.names or error.changed or error.files
    return sentences.NOT_ALLOWED(code=code, count=len(code), again=again)


class TrustScreen(Dialog[bool]):
    """True: run it. Enter does not say so: it may have been meant for what was there before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False, system=True),
        Binding("escape,n,q,enter,space", "answer(False)", show=False, system=True),
    ]

    def __init__(self, error: Untrusted) -> None:
        words = TrustQuestion(error)
        super().__init__(words, WIDEST, lambda width: len(words.told(width)) + 1)

    def action_answer(self, allow: bool) -> None:
        """Close with the answer."""
        self.dismiss(allow)
