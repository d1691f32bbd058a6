"""What a run works with once it is open. None of it is replaced before the end."""

from __future__ import annotations

from dataclasses import dataclass

from engine.data.prepare import Prepared
from engine.data.table import Table
from engine.learn.curvature import Facts
from engine.learn.decision import Decision
from engine.learn.kernels.contract import Kernel
from engine.learn.plan import Plan
from engine.recipe import Recipe
from engine.runs.recorder import Recorder
from engine.runs.worktree import WorkTree
from engine.training.saving import Saver
from engine.training.state import TrainingState


@dataclass(frozen=True)
class Setup:
    """The parts of an open run."""

    recipe: Recipe  # as it was when the run was opened
    table: Table
    prepared: Prepared
    facts: Facts
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

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return self.state.rate(self.plan, self.kernel.step)
