"""How far a run has come, beside its kernel, and how a checkpoint keeps both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.prepare import Prepared
from engine.learn.decision import Decision
from engine.learn.decision import of as decision_of
from engine.learn.kernels.contract import Parameters, State
from engine.learn.plan import Plan
from engine.learn.schedules import Plateau, factors_at
from engine.learn.stopping import EarlyStopping
from engine.learn.threshold import HALF, Tuned
from engine.recipe import Event, Recipe
from engine.training import sentences
from engine.training.snapshot import Ended, Mark
from engine.training.stopwatch import Stopwatch

BEST = "best:"  # what the arrays of the best weights are called in a checkpoint


@dataclass
class TrainingState:
    """Everything that a decision of the run depends on, or a word about it. Changed by the thread of the run alone."""

    stopping: EarlyStopping
    first_norm: float  # of the gradient before the first update
    lr: float  # as it was planned or changed; schedule and plateau multiply it
    clock: Stopwatch = field(default_factory=Stopwatch)
    plateau: Plateau = field(default_factory=Plateau)
    best: State | None = None  # of the kernel at the best evaluation
    evaluated: int = -1  # the step of the newest evaluation that counts
    rated: int = -1  # and of the newest one that lowered the rate
    before: float = 0.0  # seconds of training in earlier parts of the run
    marks: list[Mark] = field(default_factory=list)
    drops: list[Event] = field(default_factory=list)  # of a plateau's rate
    halt: Ended | None = None  # why the run ends before its last step
    bad_loss: float | None = None  # the loss at which it diverged
    tuned: Tuned | None = None  # the threshold that was chosen at the end

    def rates(self, plan: Plan, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the learning rates of the updates `steps` [n]."""
        return self.lr * self.plateau.factor * factors_at(plan.schedule, plan.warmup, plan.steps, steps)

    def rate(self, plan: Plan, step: int) -> float:
        """Return the learning rate of the update after `step`, after the last step that of the last update."""
        return float(self.rates(plan, np.array([min(step, plan.steps - 1)]))[0])

    def mark(self, step: int, field: str, value: Any) -> None:
        """Mark on the chart that a field of the recipe changed at a step."""
        self.marks.append(Mark.change(step, field, value))

    def decision(self, recipe: Recipe, prepared: Prepared) -> Decision | None:
        """Return how two classes are decided as of now; None where there are not two."""
        chosen = recipe.model.threshold
        if chosen != "auto":
            threshold, why = float(chosen), ""
        elif self.tuned is not None:
            threshold, why = self.tuned.threshold, self.tuned.why
        else:
            threshold, why = HALF, sentences.AUTO_AT_END()
        return decision_of(prepared.classes, prepared.positive, threshold, why)

    def added(self, state: State) -> State:
        """Return the state of a kernel with this beside it."""
        own = {
            "watch": self.stopping.state(),
            "plateau": self.plateau.state(),
            "seconds": self.clock.seconds,
            "evaluated": self.evaluated,
            "rated": self.rated,
            "first_norm": self.first_norm,
        }
        arrays, facts = dict(state.arrays), state.facts | {"run": json.dumps(own)}
        if self.best is not None:
            arrays |= {BEST + name: array for name, array in self.best.arrays.items()}
            facts["best"] = json.dumps(self.best.facts)
        return State(arrays, facts)

    def restore(self, state: State) -> None:
        """Take from a checkpoint what `added` put there, and the learning rate of its kernel."""
        kept = json.loads(str(state.facts.get("run", "{}")))
        kept = {name: value for name, value in kept.items() if value is not None}  # as if it were not there
        self.lr = float(state.facts.get("lr", self.lr))
        self.stopping.restore(kept.get("watch", {}))
        self.plateau.restore(kept.get("plateau", {}))
        self.before = float(kept.get("seconds", 0.0))
        self.clock.preset(self.before)
        self.evaluated = int(kept.get("evaluated", -1))
        self.rated = int(kept.get("rated", -1))
        self.first_norm = float(kept.get("first_norm", self.first_norm))
        self.best = best_of(state) or self.best


def best_of(state: State) -> State | None:
    """Return the state at the best evaluation, which a checkpoint holds beside its own; None where it holds none."""
    best = {name.removeprefix(BEST): array for name, array in state.arrays.items() if name.startswith(BEST)}
    return State(best, json.loads(str(state.facts.get("best", "{}")))) if best else None


def norm(parameters: Parameters) -> float:
    """Return the Euclidean norm of all parameters together."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(sum(float(np.sum(a**2)) for a in parameters.arrays.values())))
