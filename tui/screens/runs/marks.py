"""What the runs screen does with several runs: marks, and their curves over each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from tui.charts.multi_curve_pane import MultiCurvePane
from tui.keys.keymap import named
from tui.screens import sentences
from tui.screens.runs.list import RunList
from tui.screens.runs.marked_curves import MOST, Marked
from tui.screens.runs.reading import Reading, TracksRead

Tell = Callable[[str, bool], object]  # says something in passing: a text, and whether it is a problem


class RunMarks:
    """Marks runs of the list, has them read, and draws their curves.

    Args:
        listing: in which marks show.
        reading: answers with `TracksRead`, which `take` takes.
        tell: says what cannot be done.
        lay_out: called when there are curves to be seen, or none any more.
    """

    def __init__(self, listing: RunList, reading: Reading, tell: Tell, lay_out: Callable[[], object]) -> None:
        self._listing, self._reading, self._tell, self._lay_out = listing, reading, tell, lay_out
        self.curves = MultiCurvePane(id="run-curves")
        self.curves.styles.position = "absolute"

    @property
    def marked(self) -> Marked:
        """Which runs are marked."""
        return self._listing.marked

    def take(self, message: TracksRead) -> None:
        """Marked runs have been read."""
        self.marked.take(message.tracks, message.problems)
        for path, problem in message.problems.items():
            if path in self.marked.slots:
                self.marked.toggle(path)
                self._tell(problem, True)
        self.draw()

    def follow(self, live: Iterable[Path]) -> None:
        """Read on those of the marked runs that go on."""
        grown = set(live) & set(self.marked.slots)
        if grown and not self._reading.following:
            self._reading.tracks(tuple(grown), dict(self.marked.tracks))

    def draw(self) -> None:
        """The curves that have been read, and the marks in the list."""
        self._draw_curves()
        self._lay_out()
        self._listing.refill()

    def _draw_curves(self) -> None:
        self.curves.sight = self.marked.seen(self.curves.sight)
        self.curves.curves = self.marked.curves({run.path: run for run in self._listing.all}, self.curves.ink)
        self.curves.what = sentences.LOSS_BY(axis=self.marked.axis.removesuffix("s"))
        self.curves.empty = "reading…"
        self.curves.redraw()

    def toggle(self, path: Path) -> bool:
        """Mark a run, or take its mark away; False, and it is said, where no more can be told apart."""
        if not self.marked.toggle(path):
            self._tell(sentences.TOO_MANY_MARKS(most=MOST, key=named("runs.unmark")), False)
            return False
        if path in self.marked.slots:
            self._reading.tracks(tuple(self.marked.slots), dict(self.marked.tracks))
        self.draw()
        return True

    def clear(self) -> None:
        """Take all marks away."""
        self.marked.clear()
        self.draw()

    def moved(self, old: Path, new: Path | None) -> None:
        """A run has another path, or is gone."""
        self.marked.moved(old, new)
        self.draw()

    def turn_axis(self) -> None:
        """By step, epoch or time."""
        if self.marked.slots:
            self.marked.turn_axis()
            self._draw_curves()
        else:
            self._tell(sentences.MARK_FIRST(mark=named("runs.mark"), axis=named("runs.axis")), False)

    def steer(self, what: str) -> bool:
        """Change how the curves are seen: log_y, log_x, smooth, in, out, reset; False where there are none."""
        if not self.marked.slots:
            return False
        self.curves.sight = self.curves.steered(what)
        self.curves.redraw()
        return True
