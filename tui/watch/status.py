"""The lines around the curves: which logs, how far they are read, what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.keys.keymap import named
from tui.look.numbers import volume
from tui.watch import sentences
from tui.watch.selection import MOST, Selection
from tui.widgets.cells import Cells, Span, clip, left, right

if TYPE_CHECKING:
    from tui.look.styles import Ink
    from tui.watch.reader import Reader

GROWING = sentences.GROWING()  # in the sentence about a file whose last record is not whole yet


class StatusLine(Cells):
    """One or more lines of text, set from outside."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.spans: list[list[Span]] = []

    def tell(self, spans: list[list[Span]]) -> None:
        """Show these lines."""
        if spans != self.spans:
            self.spans = spans
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """What was set."""
        return self.spans


def top_line(reader: Reader, selection: Selection, ink: Ink, width: int) -> list[Span]:
    """The folder, what is in it, and how far it is read."""
    now, runs, tags = reader.progress, len(reader.tree.runs), len(selection.tags)
    state = sentences.OPENING()
    if now is not None:
        size = volume(now.size)
        state = sentences.READING(share=now.share, size=size) if now.busy else sentences.LIVE(size=size)
    head = f"   {reader.tree.path}"
    facts = sentences.RUNS_AND_TAGS(runs=runs, tags=tags)
    room = max(4, width - 14 - len(facts) - len(state) - 2)
    spans: list[Span] = [(sentences.HEAD(), ink.accent), (left(clip(head, room), room), ink.text), (facts, ink.dim)]
    used = 13 + room + len(facts)
    return [*spans, (right(state, max(0, width - used - 1)), ink.good if reader.loaded else ink.text)]


def why_empty(reader: Reader, selection: Selection) -> str:
    """What the chart says where there is no curve."""
    if not reader.loaded:
        return sentences.READING_NOW()
    if not reader.tree.runs:
        return sentences.NO_LOGS(path=reader.tree.path)
    if not selection.tags:
        return sentences.NO_TAG() if selection.filters["tags"] else sentences.NO_CURVES(key=named("watch.view"))
    return sentences.ALL_HIDDEN(key=named("watch.toggle"))


def problems_of(reader: Reader, selection: Selection) -> list[str]:
    """What is wrong with the logs that are listed, and with the reading, in sentences."""
    runs = reader.tree.runs
    found = [sentences.OF_RUN(run=name, problem=text) for name in selection.runs for text in runs[name].problems]
    return [*found, *reader.tree.problems.values(), *[reader.problem] * bool(reader.problem)]


@dataclass(frozen=True)
class Word:
    """What is told in passing."""

    text: str = ""
    bad: bool = False


def word_of(told: Word, problems: list[str], selection: Selection) -> Word:
    """What the line below the panes says: what was told last, else the first problem, else what does not show."""
    if told.text:
        return told
    if problems:
        bad = [text for text in problems if GROWING not in text]
        first, more = (bad or problems)[0], len(problems) - 1
        if more:
            first = sentences.PROBLEM_AND_MORE(problem=first, key=named("watch.view"), more=more)
        return Word(first, bool(bad))
    if selection.left_out:
        return Word(
            sentences.TOO_MANY(
                shown=MOST, curves=MOST + selection.left_out, hide=named("watch.toggle"), filter=named("watch.filter")
            )
        )
    return Word(bad=told.bad)
