"""What a run works with once it is open. None of it is replaced before the end."""

from __future__ import annotations

from dataclasses import dataclass

from engine.data.prepare import Prepared
from engine.data.table import Table
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.decision import Decision
from engine.learn.kernels.contract import Kernel
from engine.learn.plan import Plan
from engine.learn.resolved import resolved
from engine.recipe import Known, Recipe
from engine.runs.recorder import Recorder
from engine.runs.worktree import WorkTree
from engine.training.saving import Saver
from engine.training.state import TrainingState


@dataclass(frozen=True)
class Setup:
    """The parts of an open run."""

    recipe: Recipe  # as it was when the run was opened
    screen: bool  # whether that was in the app
    table: Table
    prepared: Prepared
    facts: LossSurfaceFacts
    plan: Plan
    kernel: Kernel
    state: TrainingState
    saver: Saver
    recorder: Recorder
    worktree: WorkTree | None  # None where an earlier part of the run has kept it already

    @property
    def decision(self) -> Decision | None:
        """How two classes are decided as of now; None where there are not two."""
        return self.state.decision(self.recipe, self.prepared)

    def known(self, recipe: Recipe) -> Known:
        """The choices of the recipe, with its changes up to now, each made definite as far as that has been settled."""
        settled = recipe.model.threshold != "auto" or self.state.tuned is not None
        return resolved(
            recipe, self.plan, self.prepared, screen=self.screen, decision=self.decision if settled else None
        )

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return self.state.rate(self.plan, self.kernel.step)
