"""What the runs screen does with several runs: marks, and their curves over each other."""

from __future__ import annotations

from tui.charts.loss_chart import LossChart
from tui.charts.multi_curve_pane import Curves
from tui.keys.keymap import named
from tui.screens.runs.edits import TOLD, RunEdits
from tui.screens.runs.list import RunList
from tui.screens.runs.marked_curves import MOST, Marked
from tui.screens.runs.reading import Reading, TracksRead


class RunMarks(RunEdits):
    """The part of the runs screen that shows the run under the cursor, or the marked ones, as curves."""

    def begin_marks(self) -> None:
        """Before anything else."""
        self.marked = Marked()
        self.listing = RunList(self.marked)
        self.chart = LossChart(id="run-chart")
        self.chart.can_focus = False
        self.curves = Curves(id="run-curves")
        self.curves.styles.position = "absolute"
        self.reading = Reading(self.post_message, self.ravine.lister)
        self.large = False

    def on_tracks_read(self, message: TracksRead) -> None:
        """Marked runs have been read."""
        self.marked.take(message.tracks, message.problems)
        for path, problem in message.problems.items():
            if path in self.marked.slots:
                self.marked.toggle(path)
                self.app.notify(problem, severity="error", timeout=TOLD)
        self.draw_curves()
        self.lay_out()
        self.listing.refill()

    def draw_curves(self) -> None:
        """Those that have been read."""
        self.curves.sight = self.marked.seen(self.curves.sight)
        self.curves.curves = self.marked.curves({run.path: run for run in self.listing.all}, self.curves.ink)
        self.curves.what = f"loss by {self.marked.axis.removesuffix('s')}"
        self.curves.empty = "reading…"
        self.curves.redraw()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away; the cursor goes on to the next."""
        path = self.run_path
        if path is None:
            return
        if not self.marked.toggle(path):
            self.app.notify(f"{MOST} runs can be told apart; {named('runs.unmark')} takes all marks away.", timeout=4)
            return
        if path in self.marked.slots:
            self.reading.tracks(tuple(self.marked.slots), dict(self.marked.tracks))
        self.marks_changed()
        self.listing.action_move(1)

    def action_unmark(self) -> None:
        """Take all marks away."""
        self.marked.clear()
        self.marks_changed()

    def marks_changed(self) -> None:
        """Draw them, in the list too."""
        self.draw_curves()
        self.lay_out()
        self.listing.refill()
        self.show()

    def action_axis(self) -> None:
        """By step, epoch or time."""
        if self.marked.slots:
            self.marked.turn_axis()
            self.draw_curves()
        else:
            self.app.notify(
                f"Mark runs with {named('runs.mark')} first; {named('runs.axis')} turns their common axis.", timeout=4
            )

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, in, out, reset."""
        if self.marked.slots:
            self.curves.sight = self.curves.steered(what)
            self.curves.redraw()
        else:
            self.chart.action_chart(what)

    def action_enlarge(self) -> None:
        """The chart alone, or all again."""
        self.large = not self.large
        self.lay_out()
        if not self.large:
            self.listing.focus()  # which was lost with the list
        self.show()
