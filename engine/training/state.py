"""What a run knows of its way so far beside its kernel, and how a checkpoint keeps both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from engine.learn.kernels.contract import State
from engine.learn.schedules import Plateau
from engine.learn.stopping import Watch

BEST = "best:"  # what the arrays of the best weights are called in a checkpoint


@dataclass
class Progress:
    """Everything that a decision of the run depends on, or a word about it."""

    watch: Watch
    first_norm: float  # of the gradient before the first update
    plateau: Plateau = field(default_factory=Plateau)
    best: State | None = None  # of the kernel at the best evaluation
    evaluated: int = -1  # the step of the newest evaluation that counts
    rated: int = -1  # and of the newest one that lowered the rate
    before: float = 0.0  # seconds of training in earlier parts of the run

    def added(self, state: State, seconds: float) -> State:
        """The state of a kernel with this beside it.

        Args:
            seconds: of training so far.
        """
        own = {
            "watch": self.watch.state(),
            "plateau": self.plateau.state(),
            "seconds": seconds,
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
        """Take from a checkpoint what `added` put there."""
        kept = json.loads(str(state.facts.get("run", "{}")))
        kept = {name: value for name, value in kept.items() if value is not None}  # as if it were not there
        self.watch.restore(kept.get("watch", {}))
        self.plateau.restore(kept.get("plateau", {}))
        self.before = float(kept.get("seconds", 0.0))
        self.evaluated = int(kept.get("evaluated", -1))
        self.rated = int(kept.get("rated", -1))
        self.first_norm = float(kept.get("first_norm", self.first_norm))
        self.best = best_of(state) or self.best


def best_of(state: State) -> State | None:
    """The state at the best evaluation, which a checkpoint holds beside its own; None where it holds none."""
    best = {name.removeprefix(BEST): array for name, array in state.arrays.items() if name.startswith(BEST)}
    return State(best, json.loads(str(state.facts.get("best", "{}")))) if best else None
