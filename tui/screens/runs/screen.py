"""The runs screen: every run that was kept, what it came to, and several of them over each other."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.timer import Timer

from tui.keys.table import bindings
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.screens.runs.column_picker import ColumnPicker
from tui.screens.runs.columns import FOREIGN, LIVE, ColumnView
from tui.screens.runs.edits import TOLD, RunEdits
from tui.screens.runs.filter import Filter
from tui.screens.runs.filter_line import filter_line
from tui.screens.runs.layout import arrange
from tui.screens.runs.list import RunList
from tui.screens.runs.marked_curves import Marked
from tui.screens.runs.marks import RunMarks
from tui.screens.runs.opening import RunOpening
from tui.screens.runs.own_runs import as_now, own_run
from tui.screens.runs.reading import Reading, RunsFolderRead, TracksRead
from tui.screens.runs.run_shown import RunShown
from tui.widgets.prompt import Ask, Prompt, tall
from tui.widgets.table import Listing

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from tui.model.saved_run import CheckpointRead, RunRead, SavedRun
    from tui.screens.runs.actions import Acted
    from tui.tasks.export import Exported

LOOKS = 1.0  # seconds between two looks at the folder and at live runs
NUMBERS = 0.5  # seconds between two looks at the figures of this program's own live runs
SHORT = 4.0  # seconds that a word in passing stays


class RunsScreen(RavineScreen):
    """Live ones first. Enter puts a run's choices into the panels and its curve on the train screen."""

    NAME = "runs"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("runs"), *bindings("curves")]

    def panes(self) -> ComposeResult:
        """The list, the curve or the curves, the facts, and the line to type on."""
        self.marked = Marked()
        self.listing = RunList(self.marked)
        self.prompt = Prompt(self._settle)
        self._reading = Reading(self.post_message, self.ravine.lister)
        self._shown = RunShown(self.listing, self._reading, lambda path: own_run(self.ravine.workspace, path))
        self._marks = RunMarks(self.listing, self._reading, self._tell, self.lay_out)
        self._edits = RunEdits(
            self.app, lambda: self._real, self._open_line, self.ravine.trusting.ask, self.post_message
        )
        self._opening = RunOpening(
            self.ravine, self._shown, lambda text: self._tell(text, True), self._open_line, self.post_message
        )
        self.chart, self.curves = self._shown.chart, self._marks.curves
        self._large = False  # the chart alone
        self._phase = ""
        self._due = 0.0
        self._timer: Timer | None = None
        yield self.listing
        yield self.chart
        yield self.curves
        yield self._shown.facts
        yield self.prompt

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """The runs that are listed."""
        return self.listing.shown

    @property
    def has_rows(self) -> bool:
        """Whether there is a run."""
        return bool(self.listing.all)

    @property
    def _real(self) -> RunInfo | None:
        """The run under the cursor; None of a folder that is no run."""
        run = self.listing.current
        return run if run is not None and run.state != FOREIGN else None

    @property
    def run_path(self) -> Path | None:
        """The run under the cursor."""
        return self._real.path if self._real is not None else None

    @property
    def kept(self) -> SavedRun | None:
        """The run under the cursor, once it has been read."""
        return self._shown.kept

    @property
    def remembered(self) -> dict[str, Any]:
        """Columns and order, as plain data to be kept for the next time."""
        return self.listing.view.state()

    @remembered.setter
    def remembered(self, state: Any) -> None:
        self.listing.see(ColumnView.of(state))

    def on_mount(self) -> None:
        """The cursor is in the list."""
        self.listing.focus()
        if (kept := self.ravine.liking.get("runs")) is not None:
            self.remembered = kept
        self._timer = self.set_interval(LOOKS, self._tick)

    def on_unmount(self) -> None:
        """A file that is being written is given up."""
        self._edits.close()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """The list above, curve and facts below."""
        places, between = self.body(width, height)
        line = tall(width) if self.prompt.ask is not None else 0
        return {**places, **arrange(between, line=line, several=bool(self.marked.slots), large=self._large)}

    def on_resize(self, event: events.Resize) -> None:
        """Other columns may fit."""
        super().on_resize(event)
        self.call_after_refresh(self.listing.refill)

    # Reading.

    def arrive(self) -> None:
        """Look at the folder again."""
        self._look()
        if self._timer is not None:
            self._timer.resume()

    def on_screen_suspend(self) -> None:
        """Nobody sees it."""
        self._remember()
        if self._timer is not None:
            self._timer.pause()

    def _look(self, *, anew: bool = True) -> None:
        if self.ravine.workspace is not None:
            self._reading.list(self.ravine.workspace.runs_folder, anew=anew)

    def _remember(self) -> None:
        self.ravine.liking = {**self.ravine.liking, "runs": self.remembered}

    def _tick(self) -> None:
        """What other programs do with runs shows by itself."""
        self._remember()
        self._look(anew=False)
        run = self.listing.current
        if run is not None and run.state in LIVE and run.path not in self.listing.going:
            self._reading.run(run.path)
        self._marks.follow(one.path for one in self.listing.all if one.state in LIVE)

    def on_runs_folder_read(self, message: RunsFolderRead) -> None:
        """The list has come."""
        before = self.listing.current
        self.listing.take(message)
        now = self.listing.current
        if now is not None and (before is None or now != before or self.kept is None):
            self._shown.read()
        self.show()

    def on_run_read(self, message: RunRead) -> None:
        """The run under the cursor has been read."""
        if self._shown.take(message):
            self.show()
            self._opening.read(message)

    def on_tracks_read(self, message: TracksRead) -> None:
        """Marked runs have been read."""
        self._marks.take(message)

    # Showing.

    def show(self) -> None:
        """The bars, the facts; the list anew when a run has begun or ended."""
        super().show()
        phase = self.ravine.workspace.phase if self.ravine.workspace is not None else ""
        if phase != self._phase and phase in ("training", "ended", "failed"):
            self._look()
        if phase != self._phase or monotonic() >= self._due:
            self._due = monotonic() + NUMBERS
            self._follow()
        self._phase = phase
        self._shown.facts.redraw()
        hint = sentences.ENTER_OPENS()
        self.messages.hint = (hint if self.listing.current is not None else "", False)
        self.messages.redraw()

    def _follow(self) -> None:
        """The figures of this program's own live runs."""
        going = as_now(self.ravine.workspace, self.listing.all)
        if going or self.listing.going:
            self.listing.going = going
            self.listing.redraw()
        self._shown.follow()

    def _tell(self, text: str, bad: bool) -> None:
        self.app.notify(text, severity="error" if bad else "information", timeout=TOLD if bad else SHORT)

    def _open_line(self, ask: Ask) -> None:
        """Ask for something on the line below."""
        self.prompt.open(ask)
        self._settle()

    def _settle(self) -> None:
        """Room for the line that is typed, or for the list again."""
        self._large = False
        self.lay_out()
        if self.prompt.ask is None:
            self.listing.focus()
        self.show()

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another run is under the cursor."""
        self._opening.forget()
        self._shown.read()
        self.show()

    # Keys: what is listed.

    def action_filter(self) -> None:
        """Type a filter."""
        self._open_line(filter_line(self.listing.filter, self._filter))

    def _filter(self, found: Filter) -> None:
        self.listing.take_filter(found)
        self._shown.read()
        self.show()

    def action_sort(self) -> None:
        """By the next column."""
        self.listing.sort_next()

    def action_turn(self) -> None:
        """The other way round."""
        self.listing.turn()

    def action_shift(self, by: int) -> None:
        """Other columns."""
        self.listing.shift(by)

    def action_differ(self) -> None:
        """Only what differs, or what was chosen."""
        self.listing.turn_differ()

    def action_choose_columns(self) -> None:
        """Show and hide columns."""
        self.app.push_screen(ColumnPicker(self.listing.view.columns), self.listing.choose_columns)

    # Keys: several runs.

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away; the cursor goes on to the next."""
        if self.run_path is not None and self._marks.toggle(self.run_path):
            self.show()
            self.listing.action_move(1)

    def action_unmark(self) -> None:
        """Take all marks away."""
        self._marks.clear()
        self.show()

    def action_axis(self) -> None:
        """By step, epoch or time."""
        self._marks.turn_axis()

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, in, out, reset."""
        if not self._marks.steer(what):
            self.chart.action_chart(what)

    def action_enlarge(self) -> None:
        """The chart alone, or all again."""
        self._large = not self._large
        self.lay_out()
        if not self._large:
            self.listing.focus()  # which was lost with the list
        self.show()

    # Keys: what is done to one run.

    def action_note(self) -> None:
        """Write a note."""
        self._edits.note()

    def action_tags(self) -> None:
        """Tag the run."""
        self._edits.tags()

    def action_rename(self) -> None:
        """Another name."""
        self._edits.rename()

    def action_delete(self) -> None:
        """Into the trash."""
        self._edits.delete()

    def action_undo(self) -> None:
        """Take the last of these back."""
        self._edits.undo()

    def action_export(self) -> None:
        """Write it for other programs."""
        self._edits.export()

    def action_copy_path(self) -> None:
        """Copy where it lies."""
        self._edits.copy_path()

    def on_acted(self, message: Acted) -> None:
        """It has been done, or could not be: the list anew."""
        if not self._edits.acted(message):
            return
        if message.now is not None and self.ravine.workspace is not None:
            self.ravine.workspace.moved(message.run, message.now)
        self.listing.wanted = message.now
        self._marks.moved(message.run, message.now)
        self.show()
        self._look()

    def on_exported(self, message: Exported) -> None:
        """How it goes."""
        self._edits.exported(message)

    # Keys: go on with one run.

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Its choices into the panels, its curve onto the train screen."""
        if self.listing.current is not None:
            self._opening.open(self.listing.current)

    def action_resume(self) -> None:
        """Go on with it where it stood."""
        if self.run_path is not None:
            self._opening.resume(self.run_path)

    def on_checkpoint_read(self, message: CheckpointRead) -> None:
        """The checkpoint has been read."""
        self._opening.resumed(message)

    def action_predict(self) -> None:
        """Predict with it."""
        if self.run_path is not None:
            self._opening.predict(self.run_path)
