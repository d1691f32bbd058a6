"""What a view of a run is: which runs it makes sense for, what it looks up in a thread, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from engine.runs.predictor import Predictor
from tui.look.styles import Ink
from tui.registry.views import REGISTRY, ChartView
from tui.widgets.cells import Span

if TYPE_CHECKING:
    from engine.data.prepare import Prepared
    from engine.learn.decision import Decision
    from engine.learn.plan import Plan
    from engine.recipe import Recipe
    from engine.training.snapshot import Snapshot
    from tui.charts.views.weight_history import WeightHistory
    from tui.model.workspace import Workspace

Floats = NDArray[np.float64]
Size = tuple[int, int]  # cells: width, height
SPLITS = ("validation", "train", "test")  # in the order in which they are offered
BLOCK = 1 << 14  # rows that the model is asked about at once


@dataclass(frozen=True, eq=False)
class Subject:
    """A run as of its newest snapshot, with what is known beside it.

    Attributes:
        prepared: its rows; None while they are not known.
        plan: its recipe made definite; of a kept run as it would be made today.
        recipe: of the run, with what was changed on the way.
        trail: what earlier snapshots said of the weights.
    """

    snapshot: Snapshot
    prepared: Prepared | None
    plan: Plan | None
    recipe: Recipe
    trail: WeightHistory

    @cached_property
    def model(self) -> Predictor | None:
        """The model as it is now; None while rows or parameters are not known."""
        prepared, plan, parameters = self.prepared, self.plan, self.snapshot.parameters
        if prepared is None or plan is None or parameters is None:
            return None
        if not plan.architecture.own and not all(
            name in parameters.arrays and parameters.arrays[name].shape == shape
            for name, shape in plan.architecture.layout()
        ):
            return None  # the panels are ahead of the run that is shown
        return Predictor(
            path=self.snapshot.run or Path(),
            parameters=parameters,
            architecture=plan.architecture,
            encoder=prepared.encoder,
            normalizer=prepared.normalizer,
            target_scale=prepared.target_scale,
            target=prepared.target,
            features=prepared.features,
            classes=prepared.classes,
            task=prepared.task,
            table_name=prepared.table_name,
            decision=self.decision,
        )

    @property
    def decision(self) -> Decision | None:
        """How two classes are decided; None where there are not two."""
        from engine.learn import decision

        if self.snapshot.decision is not None or self.prepared is None:
            return self.snapshot.decision
        return decision.of(self.prepared.classes, self.prepared.positive, 0.5)

    @property
    def splits(self) -> tuple[str, ...]:
        """The parts of the table that have rows."""
        return tuple(split for split in SPLITS if self.prepared is not None and len(getattr(self.prepared, split).y))


def subject_of(workspace: Workspace, trail: WeightHistory) -> Subject | None:
    """The run that a workspace shows; None without one."""
    now = workspace.snapshot
    if now is None or now.history is None:
        return None
    recipe = workspace.shown_recipe
    survey = workspace.survey_of(recipe)
    prepared = workspace.trained_on or (survey.prepared if survey is not None else None)
    plan = now.plan or (survey.plan if survey is not None else None)
    return Subject(now, prepared, plan, recipe, trail)


def outputs(model: Predictor, x: Floats) -> Floats:
    """What a model gives for normalized rows [n, d], block by block: float64 [n, k]."""
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [model.forward(x[start : start + BLOCK]) for start in range(0, max(len(x), 1), BLOCK)]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Drawing:
    """What a view shows: its cells, a few words about them, and what the colours and markers are."""

    lines: list[list[Span]]
    about: str = ""
    legend: list[tuple[Style, str, str]] = field(default_factory=list)  # (style, marker, label)


class RunView:
    """One way to look at a run. Stateless."""

    def __init__(self, record: ChartView) -> None:
        self.record = record  # what it is called

    sized = False  # whether what is looked up depends on the size of the pane

    def fits(self, subject: Subject) -> bool:
        """Whether it makes sense for a run."""
        raise NotImplementedError

    def turns(self, subject: Subject) -> tuple[str, ...]:
        """What the arrows go through: splits, metrics, classes; () for nothing."""
        return ()

    def look(self, subject: Subject, turn: str, size: Size) -> Any:
        """What is looked up in a thread before it is drawn; None where the snapshot says everything."""
        return None

    def key(self, subject: Subject) -> Any:
        """What `look` depends on; a view that looks nothing up gives None."""
        return None

    def draw(self, subject: Subject, found: Any, turn: str, ink: Ink, size: Size) -> Drawing:
        """The picture. `found` is what `look` gave."""
        raise NotImplementedError


class ModelView(RunView):
    """A view of what the model says of the rows."""

    def fits(self, subject: Subject) -> bool:
        """Where there is a model and rows for it."""
        return subject.model is not None

    def key(self, subject: Subject) -> Any:
        """The parameters."""
        return subject.snapshot.parameters


@cache
def drawn_by(record: ChartView) -> RunView:
    """What draws the view of a record; imported the first time."""
    make: Any = record.view
    if isinstance(make, str):
        module, _, name = make.partition(":")
        make = getattr(import_module(module), name)
    found: RunView = make(record)
    return found


def available(subject: Subject) -> list[RunView]:
    """The views that make sense for a run, in their order."""
    return [view for view in map(drawn_by, REGISTRY) if view.fits(subject)]
