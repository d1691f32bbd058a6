"""The lines around the curves: which logs, how far they are read, what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.keys.keymap import named
from tui.look.numbers import volume
from tui.watch.selection import MOST, Selection
from tui.widgets.cells import Cells, Span, clip, left, right

if TYPE_CHECKING:
    from tui.look.styles import Ink
    from tui.watch.reader import Reader

GROWING = "is being written"  # in the sentence about a file whose last record is not whole yet


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
    state = "opening"
    if now is not None:
        share = f"{now.share:.0%} of {volume(now.size)}"
        state = f"◌ reading {share}" if now.busy else f"● live   {volume(now.size)}"
    head = f"   {reader.tree.path}"
    facts = f"   {runs:,} run{'s' * (runs != 1)} · {tags:,} tag{'s' * (tags != 1)}"
    room = max(4, width - 14 - len(facts) - len(state) - 2)
    spans: list[Span] = [(" ravine watch", ink.accent), (left(clip(head, room), room), ink.text), (facts, ink.dim)]
    used = 13 + room + len(facts)
    return [*spans, (right(state, max(0, width - used - 1)), ink.good if reader.loaded else ink.text)]


def why_empty(reader: Reader, selection: Selection) -> str:
    """What the chart says where there is no curve."""
    if not reader.loaded:
        return "reading…"
    if not reader.tree.runs:
        return (
            f"There are no logs in {reader.tree.path} yet; TensorBoard's event files have tfevents in their "
            "names. New ones show by themselves."
        )
    if not selection.tags:
        return (
            "No tag is called so."
            if selection.filters["tags"]
            else f"These logs have no curves; {named('watch.view')} shows the rest."
        )
    return f"Every run is hidden: {named('watch.toggle')} shows the one under the cursor."


def problems_of(reader: Reader, selection: Selection) -> list[str]:
    """What is wrong with the logs that are listed, and with the reading, in sentences."""
    runs = reader.tree.runs
    found = [f"{name}: {text}" for name in selection.runs for text in runs[name].problems]
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
        more = f" {named('watch.view')} shows {len(problems) - 1} more." if len(problems) > 1 else ""
        return Word((bad or problems)[0] + more, bool(bad))
    if selection.left_out:
        return Word(
            f"{MOST} of {MOST + selection.left_out} curves show: {named('watch.toggle')} hides a run, "
            f"{named('watch.filter')} filters the list."
        )
    return Word(bad=told.bad)
