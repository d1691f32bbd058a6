"""The rewind screen: the checkpoints of a run, and a new run branched from one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.geometry import Region
from textual.message import Message

from tui.charts.loss_chart import LossChart
from tui.look.numbers import error
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.tasks.background import in_background
from tui.widgets.cells import Span
from tui.widgets.table import Listing, TableColumn

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from engine.runs.origin import Origin
    from engine.training.snapshot import Snapshot
    from tui.model.saved_run import SavedRun

COLUMNS = (
    TableColumn("step", 14, number=True),
    TableColumn("checkpoint", 12),
    TableColumn(sentences.TRAIN_LOSS(), 12, number=True),
    TableColumn("validation", 12, number=True),
)


@dataclass(frozen=True)
class Point:
    """A checkpoint that can be gone back to."""

    step: int
    name: str  # kept, last, best
    path: Path
    loss: float | None
    validation: float | None


class CheckpointsScreen(RavineScreen):
    """Enter branches: the new run begins paused, so that something can be changed before it goes on."""

    NAME = "rewind"

    @dataclass
    class Listed(Message):
        """The checkpoints of a run, or why they cannot be read."""

        run: Path
        kept: SavedRun | None
        points: tuple[Point, ...]
        problem: str = ""

    @dataclass
    class CheckpointOpened(Message):
        """A checkpoint to branch from, or why it cannot be read."""

        recipe: Recipe | None
        origin: Origin | None
        problem: str = ""

    def panes(self) -> ComposeResult:
        """The checkpoints, and the curve with the one under the cursor marked."""
        self.listing = Listing("checkpoints", id="checkpoints", empty="looking…")
        self.chart = LossChart(id="rewind-chart")
        self.chart.can_focus = False
        self.points: tuple[Point, ...] = ()
        self.run: Path | None = None
        self._snapshot: Snapshot | None = None
        yield self.listing
        yield self.chart

    @property
    def has_rows(self) -> bool:
        """Whether there is a checkpoint."""
        return bool(self.points)

    def on_mount(self) -> None:
        """The cursor is in the list."""
        self.listing.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """The list to the left, or above where it is narrow."""
        places, body = self.body(width, height)
        if width >= 110:
            side = 62
            return {
                **places,
                "checkpoints": Region(0, body.y, side, body.height),
                "rewind-chart": Region(side, body.y, width - side, body.height),
            }
        tall = max(5, body.height // 2)
        return {
            **places,
            "checkpoints": Region(0, body.y, width, tall),
            "rewind-chart": Region(0, body.y + tall, width, body.height - tall),
        }

    def wish(self, run: Path | None) -> None:
        """Show the checkpoints of a run."""
        if run is None:
            return
        self.run, self.points = run, ()
        self.listing.cursor = 0
        self.listing.border_title = "checkpoints"
        self._fill()
        in_background(
            lambda: self._tell(_read(run)),
            "checkpoints",
            lambda words: self._tell(self.Listed(run, None, (), words)),
        )

    def _tell(self, message: Message) -> None:
        self.post_message(message)

    def on_checkpoints_screen_listed(self, message: Listed) -> None:
        """They have come."""
        if message.run != self.run:
            return
        self.points = message.points
        self._snapshot = message.kept.snapshot if message.kept is not None else None
        self.listing.border_title = sentences.CHECKPOINTS_OF(run=message.run.name)
        self.listing.empty = message.problem or (sentences.NO_CHECKPOINT_YET())
        self.listing.cursor = max(0, len(self.points) - 1)
        self._fill()
        self.show()

    def _fill(self) -> None:
        self.listing.fill(COLUMNS, len(self.points), lambda line: self._line(self.points[line]))
        self._mark()

    def _line(self, point: Point) -> list[Span]:
        ink = self.listing.ink
        size = self._snapshot.loss_size if self._snapshot is not None else None
        return [
            (f"{point.step:,}", ink.strong),
            (point.name, ink.dim),
            *(("" if loss is None else error(loss, 6, size), ink.text) for loss in (point.loss, point.validation)),
        ]

    def _mark(self) -> None:
        from engine.training.snapshot import Mark

        now = self._snapshot
        if now is None or not self.points:
            self.chart.show(None)
            return
        point = self.points[self.listing.cursor]
        mark = Mark(point.step, "change", sentences.BACK_TO(step=point.step))
        self.chart.show(replace(now, marks=(*(m for m in now.marks if m.step < point.step), mark), step=now.step))
        self.chart.redraw()

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another checkpoint is under the cursor."""
        self._mark()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Read it, then branch."""
        workspace = self.ravine.workspace
        if workspace is None or self.run is None:
            return
        point, run = self.points[message.line], self.run
        in_background(
            lambda: self._tell(_open(run, point)),
            "checkpoint",
            lambda words: self._tell(self.CheckpointOpened(None, None, words)),
        )

    def on_checkpoints_screen_checkpoint_opened(self, message: CheckpointOpened) -> None:
        """Begin the new run, paused, and go to it."""
        workspace = self.ravine.workspace
        if workspace is None:
            return
        if message.recipe is None or message.origin is None:
            self.app.notify(message.problem, severity="error")
        elif workspace.branch(message.recipe, message.origin):
            self.ravine.action_go("train")

    def show(self) -> None:
        """The bars."""
        hint = sentences.ENTER_BRANCHES()
        self.messages.hint = (hint if self.points else "", False)
        super().show()


def _read(run: Path) -> CheckpointsScreen.Listed:
    """The checkpoints of a run folder. In a thread."""
    from engine.base.errors import InputError
    from engine.runs import checkpoint
    from tui.model.saved_run import read_kept

    try:
        kept = read_kept(run)
        found = dict.fromkeys(checkpoint.kept(run).values(), "kept")
        found |= {run / "checkpoints" / f"{name}.safetensors": name for name in ("best", "last")}
        points = [_point(kept, path, name) for path, name in found.items() if path.exists()]
    except InputError as error:
        return CheckpointsScreen.Listed(run, None, (), str(error))
    return CheckpointsScreen.Listed(run, kept, tuple(sorted(points, key=lambda p: (p.step, p.name != "best"))))


def _point(kept: SavedRun, path: Path, name: str) -> Point:
    from engine.runs import checkpoint

    step = int(path.stem.removeprefix("step-")) if name == "kept" else int(checkpoint.load(path).facts["step"])
    now = kept.snapshot
    loss = validation = None
    if now.history is not None and step < len(now.history):
        loss = float(now.history.values(step, step + 1)[0])
    elif step == now.step == _kept_step(path.parent, step):
        loss = now.loss  # after the last update; the history has the losses before each
    if now.validation is not None:
        for at, value in zip(*now.validation.points(), strict=True):
            validation = float(value) if at <= step else validation
    return Point(step, name, path, loss, validation)


def _kept_step(checkpoints: Path, last: int) -> int | None:
    """The step of the weights that a run kept; None where it does not say so and they may be the best ones."""
    from engine.runs.facts import read_facts

    unsaid = None if (checkpoints / "best.safetensors").exists() else last
    step: int | None = read_facts(checkpoints.parent).get("kept_step", unsaid)
    return step


def _open(run: Path, point: Point) -> CheckpointsScreen.CheckpointOpened:
    """The recipe and the checkpoint of a new run. In a thread."""
    import json

    from engine.base.errors import InputError
    from engine.recipe import read_toml
    from engine.runs import checkpoint
    from engine.runs.origin import Origin

    try:
        state = checkpoint.load(point.path)
        recipe = read_toml(run)
    except InputError as error:
        return CheckpointsScreen.CheckpointOpened(None, None, str(error))
    if "run" not in state.facts:  # the best weights are kept without what the run itself remembers
        state = replace(state, facts=state.facts | {"run": json.dumps({"evaluated": point.step})})
    past = tuple(event for event in recipe.events if event.step < point.step)
    recording = replace(recipe.recording, name=None, runs=str(run.parent))
    recipe = replace(recipe, events=past, recording=recording)
    return CheckpointsScreen.CheckpointOpened(recipe, Origin(run, state, branch=True))
