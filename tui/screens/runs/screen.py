"""The runs screen: every run that was kept, what it came to, and several of them over each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.timer import Timer

from engine.base.errors import InputError
from tui.keys.keymap import named
from tui.keys.table import bindings
from tui.model.race import snapshots
from tui.screens.runs.columns import FOREIGN, LIVE, View
from tui.screens.runs.edits import TOLD
from tui.screens.runs.facts import RunFacts
from tui.screens.runs.filter import Filter, parse, understood
from tui.screens.runs.marks import RunMarks
from tui.screens.runs.reading import RunsFolderRead
from tui.widgets.prompt import Ask, tall
from tui.widgets.table import Listing

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from engine.training.snapshot import Snapshot
    from tui.model.saved_run import CheckpointRead, Kept, RunRead

LOOKS = 1.0  # seconds between two looks at the folder and at live runs
NUMBERS = 0.5  # seconds between two looks at the figures of this program's own live runs


class RunsScreen(RunMarks):
    """Live ones first. Enter puts a run's choices into the panels and its curve on the train screen."""

    NAME = "runs"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("runs"), *bindings("curves")]

    def panes(self) -> ComposeResult:
        """The list, the curve or the curves, the facts, and the line to type on."""
        self.begin_edits()
        self.begin_marks()
        self.facts = RunFacts()
        self.kept: Kept | None = None
        self._phase = ""
        self._due = 0.0
        self._timer: Timer | None = None
        self._opening: Path | None = None  # it is shown on the train screen when it has been read
        self._wanted: Path | None = None  # the cursor goes there when the list has come
        yield self.listing
        yield self.chart
        yield self.curves
        yield self.facts
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
    def current(self) -> RunInfo | None:
        """The run under the cursor."""
        return self.listing.current

    @property
    def run_path(self) -> Path | None:
        """The run under the cursor."""
        run = self.listing.current
        return run.path if run is not None and run.state != FOREIGN else None

    @property
    def remembered(self) -> dict[str, Any]:
        """Columns and order, as plain data to be kept for the next time."""
        return self.listing.view.state()

    @remembered.setter
    def remembered(self, state: Any) -> None:
        self.listing.see(View.of(state))

    def on_mount(self) -> None:
        """The cursor is in the list."""
        self.listing.focus()
        if (kept := self.ravine.liking.get("runs")) is not None:
            self.remembered = kept
        self._timer = self.set_interval(LOOKS, self._tick)

    def places(self, width: int, height: int) -> dict[str, Region]:
        """The list above, curve and facts below."""
        places, between = self.body(width, height)
        if self.prompt.ask is not None:
            between = Region(0, between.y, width, between.height - tall(width))
            places["prompt"] = Region(0, between.bottom, width, tall(width))
        chart = "run-curves" if self.marked.slots else "run-chart"
        if self.large:
            return {**places, chart: between}
        above, side = max(5, between.height // 2), min(56, between.width // 2)
        y, below = between.y + above, between.height - above
        return {
            **places,
            "run-list": Region(0, between.y, width, above),
            chart: Region(0, y, width - side, below),
            "run-facts": Region(width - side, y, side, below),
        }

    def on_resize(self, event: events.Resize) -> None:
        """Other columns may fit."""
        super().on_resize(event)
        self.call_after_refresh(self.listing.refill)

    # Reading.

    def arrive(self) -> None:
        """Look at the folder again."""
        self._ask()
        if self._timer is not None:
            self._timer.resume()

    def on_screen_suspend(self) -> None:
        """Nobody sees it."""
        self._remember()
        if self._timer is not None:
            self._timer.pause()

    def _ask(self, *, anew: bool = True) -> None:
        if self.ravine.desk is not None:
            self.reading.list(self.ravine.desk.runs_folder, anew=anew)

    def _remember(self) -> None:
        self.ravine.liking = {**self.ravine.liking, "runs": self.remembered}

    def _tick(self) -> None:
        """What other programs do with runs shows by itself."""
        self._remember()
        self._ask(anew=False)
        run = self.listing.current
        if run is not None and run.state in LIVE and run.path not in self.listing.going:
            self.reading.run(run.path)
        live = {one.path for one in self.listing.all if one.state in LIVE} & set(self.marked.slots)
        if live and not self.reading.following:
            self.reading.tracks(tuple(live), dict(self.marked.tracks))

    def on_runs_folder_read(self, message: RunsFolderRead) -> None:
        """The list has come."""
        self.listing.folder = str(message.folder)
        keys = f"{named('go.train')}, then {named('run.toggle')}"
        self.listing.empty = message.problem or f"No runs in {message.folder} yet: train one with {keys}."
        before = self.listing.current
        self.listing.take(message.runs)
        if self._wanted is not None:
            self.listing.go_to(self._wanted)
            self._wanted = None
        now = self.listing.current
        if now is not None and (before is None or now != before or self.kept is None):
            self._read()
        self.show()

    def _read(self) -> None:
        """Read the run under the cursor."""
        run = self.listing.current
        self.facts.info, self.facts.problem = run, ""
        if run is None or run.state == FOREIGN:
            self._show_kept(None, run.problem if run is not None else "")
        elif self._own(run.path) is None or self.kept is None or self.kept.path != run.path:
            self.reading.run(run.path)

    def on_run_read(self, message: RunRead) -> None:
        """The run under the cursor has been read."""
        run = self.listing.current
        if run is not None and message.path == run.path:
            self._show_kept(message.kept, message.problem)
            self.show()
            if self._opening == message.path and message.kept is not None:
                self._show_alone(message.kept)
            self._opening = None

    def _show_kept(self, kept: Kept | None, problem: str) -> None:
        self.kept = kept
        self.facts.kept, self.facts.problem = kept, problem
        self.chart.show(kept.snapshot if kept is not None else None)

    def _own(self, path: Path) -> Snapshot | None:
        """This program's own live run of a path, as it is now."""
        desk = self.ravine.desk
        if desk is None or not desk.live:
            return None
        return next((now for now in snapshots(desk) if now.run == path and now.live), None)

    def moved(self, old: Path, new: Path | None) -> None:
        """A run has another path, or is gone: the list anew."""
        self.marked.moved(old, new)
        if new is not None and self.ravine.desk is not None:
            self.ravine.desk.moved(old, new)
        self._wanted = new
        self.marks_changed()
        self._ask()

    def settle(self) -> None:
        """RavineScreen for the line that is typed, or for the list again."""
        self.large = False
        self.lay_out()
        if self.prompt.ask is None:
            self.listing.focus()
        self.show()

    # Showing.

    def show(self) -> None:
        """The bars, the facts; the list anew when a run has begun or ended."""
        super().show()
        phase = self.ravine.desk.phase if self.ravine.desk is not None else ""
        if phase != self._phase and phase in ("training", "ended", "failed"):
            self._ask()
        if phase != self._phase or monotonic() >= self._due:
            self._due = monotonic() + NUMBERS
            self._follow()
        self._phase = phase
        self.facts.redraw()
        if self.listing.current is not None:
            self.messages.hint = ("Enter opens it: its choices into the panels, its curve on the chart.", False)
        else:
            self.messages.hint = ("", False)
        self.messages.redraw()

    def _follow(self) -> None:
        """The figures of this program's own live runs."""
        going = {}
        for run in self.listing.all:
            now = self._own(run.path) if run.state in LIVE else None
            if now is not None:
                going[run.path] = replace(
                    run, state=str(now.phase.value).replace("training", "running"), steps=now.step,
                    train_loss=now.loss, val_loss=now.validation_loss, seconds=now.seconds,
                )  # fmt: skip
        if going or self.listing.going:
            self.listing.going = going
            self.listing.redraw()
        path = self.kept.path if self.kept is not None else None
        mine = self._own(path) if path is not None and path == self.run_path else None
        if mine is not None:
            self.chart.show(mine)

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another run is under the cursor."""
        self._opening = None
        self._read()
        self.show()

    # Keys: what is listed.

    def action_filter(self) -> None:
        """Type a filter."""
        before = self.listing.filter

        def typed(text: str) -> None:
            self._filter(understood(text))

        self.open_line(
            Ask(
                "filter",
                before.text,
                "Such as lr<0.1 normalize=zscore,robust !diverged age<2d tag=good, or words of name, table, note and "
                f"tags. Every column has its name, which {named('runs.columns')} lists.",
                typed,
                check=_mistake,
                typed=typed,
                left=lambda: self._filter(Filter()),
                keys="Enter keeps it · Esc takes it away",
            )
        )

    def _filter(self, found: Filter) -> None:
        self.listing.filter = found
        self.listing.empty = (
            "No run passes the filter; / and then Esc take it away." if self.listing.all else self.listing.empty
        )
        self.listing.rearrange()
        self._read()
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
        view = self.listing.view
        self.listing.see(replace(view, differ=not view.differ))

    def action_choose_columns(self) -> None:
        """Show and hide columns."""
        from tui.screens.runs.column_picker import ColumnPicker

        def chosen(names: tuple[str, ...] | None) -> None:
            if names:
                self.listing.see(replace(self.listing.view, columns=names, differ=False))

        self.app.push_screen(ColumnPicker(self.listing.view.columns), chosen)

    # Keys: one run.

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Its choices into the panels, its curve onto the train screen, as soon as it has been read."""
        run = self.listing.current
        if run is None:
            return
        if self.kept is not None and self.kept.path == run.path:
            self._show_alone(self.kept)
        elif self.facts.problem and self.facts.info is run:
            self.app.notify(self.facts.problem, severity="error", timeout=TOLD)
        else:
            self._opening = run.path

    def _show_alone(self, kept: Kept) -> None:
        if self.ravine.desk is not None:
            self.ravine.desk.show_kept(kept)
            self.ravine.action_go("train")

    def action_resume(self) -> None:
        """Go on with it where it stood."""
        from tui.model.saved_run import ask_to_resume

        if self.run_path is not None:
            ask_to_resume(self.run_path, self.post_message)

    def on_checkpoint_read(self, message: CheckpointRead) -> None:
        """The checkpoint has been read."""
        desk = self.ravine.desk
        if desk is None:
            return
        if message.recipe is None or message.origin is None:
            self.app.notify(message.problem, severity="error", timeout=TOLD)
        else:
            desk.resume(message.recipe, message.origin)
            self.ravine.action_go("train")

    def action_predict(self) -> None:
        """Predict with it."""
        if self.run_path is not None:
            self.ravine.predict_with(self.run_path)


def _mistake(text: str) -> str:
    try:
        parse(text)
    except InputError as error:
        return str(error)
    return ""
