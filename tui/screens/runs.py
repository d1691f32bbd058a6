"""The runs screen: every run that was kept, and the curve of the one under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from tui.cells import Cells, Span, wrap
from tui.charts.loss import LossChart
from tui.keys import bindings
from tui.listing import Column, Listing
from tui.numbers import duration, figures, short
from tui.screens.room import Room

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.store import RunInfo
    from tui.kept import CheckpointRead, Kept, RunRead, RunsListed

COLUMNS = (
    Column("run", 34),
    Column("state", 11),
    Column("dataset", 12),
    Column("scale", 7),
    Column("lr", 8, number=True),
    Column("steps", 7, number=True),
    Column("loss", 10, number=True),
    Column("validation", 10, number=True),
    Column("age", 10, number=True),
)
FEWER = ("run", "state", "lr", "loss")


class RunFacts(Cells):
    """What is worth knowing of a run, in lines."""

    def __init__(self) -> None:
        super().__init__(id="run-facts", classes="pane")
        self.border_title = "run"
        self.kept: Kept | None = None
        self.problem = ""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """Its choices that are not the defaults, and its result."""
        ink = self.ink
        if self.problem:
            return [[(f" {line}", ink.bad)] for line in wrap(self.problem, width - 2, height)]
        if self.kept is None:
            return []
        kept, facts = self.kept, self.kept.facts
        result = facts.get("result") or {}
        pairs = [("folder", str(kept.path)), ("state", str(facts.get("state", "")))]
        pairs += [(name.replace("_", " "), str(value)) for name, value in kept.recipe.changed().items()]
        for name in ("train_loss", "val_loss", "optimum_loss", "gap", "condition_number", "lr_bound"):
            if result.get(name) is not None:
                pairs.append((name.replace("_", " "), figures(float(result[name]), 6)))
        if result.get("seconds"):
            pairs.append(("time", f"{duration(result['seconds'])} at {short(result['steps_per_second'] or 0)} steps/s"))
        pairs.append(("device", f"{facts.get('device', '')} {facts.get('precision', '')} {facts.get('backend', '')}"))
        lines: list[list[Span]] = []
        for name, value in pairs:
            texts = wrap(value, max(8, width - 19), 3) or [""]
            lines.append([(f" {name:<17}", ink.dim), (texts[0], ink.text)])
            lines += [[(" " * 18, ink.dim), (text, ink.text)] for text in texts[1:]]
        return lines


class RunsScreen(Room):
    """Newest first. Enter puts a run's choices into the panels and its curve on the train screen."""

    NAME = "runs"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("runs")]

    def panes(self) -> ComposeResult:
        """The list, the curve, the facts."""
        self.listing = Listing("runs", id="run-list", empty="looking…")
        self.chart = LossChart(id="run-chart")
        self.chart.can_focus = False
        self.facts = RunFacts()
        self.runs: tuple[RunInfo, ...] = ()
        self.kept: Kept | None = None
        self._phase = ""
        yield self.listing
        yield self.chart
        yield self.facts

    @property
    def has_rows(self) -> bool:
        """Whether there is a run."""
        return bool(self.runs)

    @property
    def run_path(self) -> Path | None:
        """The run under the cursor."""
        return self.runs[self.listing.cursor].path if self.runs else None

    def on_mount(self) -> None:
        """The cursor is in the list."""
        self.listing.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """The list above, curve and facts below."""
        places, between = self.body(width, height)
        tall = max(5, between.height // 2)
        side = min(56, between.width // 2)
        return {
            **places,
            "run-list": Region(0, between.y, width, tall),
            "run-chart": Region(0, between.y + tall, width - side, between.height - tall),
            "run-facts": Region(width - side, between.y + tall, side, between.height - tall),
        }

    def on_screen_resume(self) -> None:
        """Look at the folder again."""
        super().on_screen_resume()
        self._ask()

    def _ask(self) -> None:
        from tui.kept import ask_for_runs

        if self.ravine.desk is not None:
            ask_for_runs(self.ravine.desk.runs_folder, self.post_message)

    def on_runs_listed(self, message: RunsListed) -> None:
        """The list has come."""
        self.runs = message.runs
        folder = self.ravine.desk.runs_folder if self.ravine.desk is not None else ""
        self.listing.empty = message.problem or f"No runs in {folder} yet: train one with t, then space."
        self.listing.border_title = f"{len(self.runs):,} runs in {folder}" if self.runs else "runs"
        self._fill()
        self._read()
        self.show()

    def _fill(self) -> None:
        columns: tuple[Column, ...] = COLUMNS
        if self.size.width < sum(c.width + 2 for c in COLUMNS) + 3:
            columns = tuple(c for c in COLUMNS if c.heading in FEWER)
        names = [c.heading for c in columns]
        self.listing.fill(columns, len(self.runs), lambda line: self._line(self.runs[line], names))

    def _line(self, run: RunInfo, names: list[str]) -> list[Span]:
        ink = self.listing.ink
        word = run.ended if run.state == "ended" and run.ended != "limit" else run.state
        word = {"ended": "done"}.get(word, word)
        bad = word in ("diverged", "failed", "damaged")
        good = word in ("running", "paused")
        cells: dict[str, Span] = {
            "run": (run.name, ink.text),
            "state": (word, ink.bad if bad else ink.good if good else ink.dim),
            "dataset": (run.dataset.rpartition("/")[2], ink.text),
            "scale": (run.normalization, ink.dim),
            "lr": (figures(run.lr, 4) if run.lr is not None else "", ink.text),
            "steps": (short(run.steps) if run.steps else "", ink.text),
            "loss": (figures(run.train_loss, 5) if run.train_loss is not None else "", ink.strong),
            "validation": (figures(run.val_loss, 5) if run.val_loss is not None else "", ink.text),
            "age": (run.age, ink.dim),
        }
        return [cells[name] for name in names]

    def on_resize(self, event: object) -> None:
        """Other columns may fit."""
        super().on_resize(event)  # type: ignore[arg-type]
        self._fill()

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another run is under the cursor."""
        self._read()
        self.show()

    def _read(self) -> None:
        from tui.kept import ask_for_run

        if self.runs:
            ask_for_run(self.runs[self.listing.cursor].path, self.post_message)

    def on_run_read(self, message: RunRead) -> None:
        """The run under the cursor has been read."""
        if not self.runs or message.path != self.runs[self.listing.cursor].path:
            return
        self.kept = message.kept
        self.facts.kept, self.facts.problem = message.kept, message.problem
        self.chart.show(message.kept.snapshot if message.kept is not None else None)
        self.show()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Its choices into the panels, its curve onto the train screen."""
        if self.kept is not None and self.ravine.desk is not None:
            self.ravine.desk.show_kept(self.kept)
            self.ravine.action_go("train")

    def action_resume(self) -> None:
        """Go on with it where it stood."""
        from tui.kept import ask_to_resume

        if self.runs:
            ask_to_resume(self.runs[self.listing.cursor].path, self.post_message)

    def on_checkpoint_read(self, message: CheckpointRead) -> None:
        """The checkpoint has been read."""
        desk = self.ravine.desk
        if desk is None:
            return
        if message.recipe is None or message.origin is None:
            self.app.notify(message.problem, severity="error", timeout=8)
        else:
            desk.resume(message.recipe, message.origin)
            self.ravine.action_go("train")

    def action_predict(self) -> None:
        """Predict with it."""
        if self.runs:
            self.ravine.predict_with(self.runs[self.listing.cursor].path)

    def show(self) -> None:
        """The bars, the facts; the list anew when a run has begun or ended."""
        super().show()
        phase = self.ravine.desk.phase if self.ravine.desk is not None else ""
        if phase != self._phase and phase in ("training", "ended", "failed"):
            self._ask()
        self._phase = phase
        self.facts.redraw()
        if self.runs:
            self.messages.hint = (
                "Enter puts the choices of this run into the panels, its curve on the chart.",
                False,
            )
            self.messages.redraw()
