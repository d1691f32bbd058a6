"""The run under the cursor of the runs screen: what is worth knowing of it, and its curve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.charts.loss_chart import LossChart
from tui.screens.runs.columns import FOREIGN
from tui.screens.runs.facts import RunFacts
from tui.screens.runs.list import RunList
from tui.screens.runs.reading import Reading

if TYPE_CHECKING:
    from engine.training.snapshot import Snapshot
    from tui.model.saved_run import RunRead, SavedRun


class RunShown:
    """Has the run under the cursor read, and shows it in two panes.

    Args:
        listing: in which the cursor is.
        reading: answers with `RunRead`, which `take` takes.
        own: this program's live run in a folder.
    """

    def __init__(self, listing: RunList, reading: Reading, own: Callable[[Path], Snapshot | None]) -> None:
        self._listing, self._reading, self._own = listing, reading, own
        self.facts = RunFacts()
        self.chart = LossChart(id="run-chart")
        self.chart.can_focus = False
        self.kept: SavedRun | None = None

    @property
    def path(self) -> Path | None:
        """The folder of the run that is shown."""
        return self.kept.path if self.kept is not None else None

    @property
    def problem(self) -> str:
        """Why the run under the cursor cannot be shown; empty where it can, or is not read yet."""
        return self.facts.problem if self.facts.info is self._listing.current else ""

    def read(self) -> None:
        """Read the run under the cursor."""
        run = self._listing.current
        self.facts.info, self.facts.problem = run, ""
        if run is None or run.state == FOREIGN:
            self._show(None, run.problem if run is not None else "")
        elif self._own(run.path) is None or self.path != run.path:
            self._reading.run(run.path)

    def take(self, message: RunRead) -> bool:
        """A run has been read; whether it is the one under the cursor."""
        run = self._listing.current
        if run is None or message.path != run.path:
            return False
        self._show(message.kept, message.problem)
        return True

    def _show(self, kept: SavedRun | None, problem: str) -> None:
        self.kept = kept
        self.facts.kept, self.facts.problem = kept, problem
        self.chart.show(kept.snapshot if kept is not None else None)

    def follow(self) -> None:
        """The curve as it is now, of a run that goes on in this program."""
        run, path = self._listing.current, self.path
        mine = self._own(path) if path is not None and run is not None and path == run.path else None
        if mine is not None:
            self.chart.show(mine)
