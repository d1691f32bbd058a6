"""What the snapshots of a run said of its weights, kept so that they can be drawn over the steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.base.loss_history import Series

if TYPE_CHECKING:
    from engine.training.snapshot import Snapshot

Floats = NDArray[np.float64]
MOST = 512  # points that are kept; beyond it every second one is forgotten
SINGLY = 64  # up to so many weights are followed one by one, more by their norms


class WeightHistory:
    """The weights of one run at the steps at which it was looked at; another run needs another trail."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[Floats] = []
        self.names: tuple[str, ...] = ()
        self.figures: dict[str, Series] = {}  # metrics of the train rows, as far as they have been looked at

    def __len__(self) -> int:
        return len(self.steps)

    def take(self, now: Snapshot) -> bool:
        """Note the weights of a snapshot; False where they are noted already."""
        if now.parameters is None:
            return False
        step = now.weights.step if now.weights is not None else now.step
        if self.steps and step <= self.steps[-1]:
            return False
        names, values = self._read(now)
        if names != self.names:
            self.steps, self.values, self.names = [], [], names
        self.steps.append(step)
        self.values.append(values)
        if len(self.steps) > MOST:
            del self.steps[1:-1:2], self.values[1:-1:2]
        return True

    @staticmethod
    def _read(now: Snapshot) -> tuple[tuple[str, ...], Floats]:
        weights = now.weights
        if weights is not None and weights.scaled.size <= SINGLY:
            single = len(weights.outputs) == 1
            names = [f if single else f"{f} → {o}" for f in weights.features for o in weights.outputs]
            names += ["bias"] if single else [f"bias → {o}" for o in weights.outputs]
            return tuple(names), np.concatenate([weights.scaled.ravel(), weights.bias_scaled])
        assert now.parameters is not None
        arrays: Mapping[str, Floats] = now.parameters.arrays
        kept = [name for name in arrays if not name.endswith((".mean", ".variance"))]
        with np.errstate(over="ignore", invalid="ignore"):
            return tuple(f"‖{name}‖" for name in kept), np.array([np.linalg.norm(arrays[name]) for name in kept])

    def figure(self, step: int, values: Mapping[str, float]) -> None:
        """Note metrics of the train rows. From a thread."""
        for name, value in values.items():
            series = self.figures.setdefault(name, Series())
            if not len(series) or series.points()[0][-1] < step:
                series.append(step, value)
