"""The end of a run in full: why it ended, how good it is, what to try next, and the tensors that were multiplied."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from tui.screens import sentences
from tui.widgets.cells import Span, wrap
from tui.widgets.dialog import Dialog
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from tui.model.workspace import Workspace

WIDEST = 92


class RunSummary(Scrolling):
    """The words, which scroll where they are longer than the pane is high."""

    LAST = sentences.ESC_CLOSES()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.border_title = sentences.RUN_SUMMARY()
        self._workspace = workspace

    def action_choose(self) -> None:
        """Close."""
        self.screen.dismiss(False)

    def told(self, width: int) -> list[list[Span]]:
        """Everything that is to be said, on lines of `width` cells."""
        ink, now = self.ink, self._workspace.snapshot
        lines: list[list[Span]] = [[]]
        if now is None:
            return lines
        text = now.error or (now.ending.sentence if now.ending is not None else "")
        bad = bool(now.error) or (now.ending is not None and now.ending.reason == "diverged")
        for index, line in enumerate(wrap(text, width - 4, 60)):
            lines.append([(f"  {line}", ink.bad if bad and not index else ink.text)])
        if self._workspace.remedy and now.ending is not None:
            words = now.ending.remedy_text or sentences.TAKE_REMEDY()
            lines += [[], [("  f  ", ink.accent), (sentences.AND_START(remedy=words), ink.text)]]
        if now.decision is not None:
            lines += [[], [("  decisions", ink.strong)]]
            lines += [[(f"  {line}", ink.dim)] for line in wrap(now.decision.sentence, width - 4, 6)]
        if now.notes:
            lines += [[], [(sentences.THE_TABLE(), ink.strong)]]
            for note in now.notes:
                lines += [[(f"  {line}", ink.dim)] for line in wrap(note, width - 4, 8)]
        if now.run is not None:
            lines += [[], [(sentences.SAVED_TO(), ink.strong)]]
            lines += [[(f"  {line}", ink.dim)] for line in _folded(str(now.run), width - 4)]
        return lines


def _folded(text: str, width: int) -> list[str]:
    return [text[start : start + width] for start in range(0, len(text), width)]


class RunSummaryScreen(Dialog[bool]):
    """True: take the remedy."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,i,space,q", "answer(False)", show=False, system=True),
        Binding("f", "answer(True)", show=False, system=True),
    ]

    def __init__(self, workspace: Workspace) -> None:
        words = RunSummary(workspace)
        super().__init__(words, WIDEST, lambda width: len(words.told(width)) + 1)
        self._workspace = workspace

    def action_answer(self, remedy: bool) -> None:
        """Close; the remedy only where one is offered."""
        if not remedy or self._workspace.remedy:
            self.dismiss(remedy)
