"""The weights of a linear model, as a screen shows them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.training import result as outcomes
from engine.training.setup import Setup
from engine.training.snapshot import Weights

LOOKED_AT = 1 << 20  # numbers from which the size of the features is estimated


class WeightView:
    """Looks at the weights of one run."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._reach: NDArray[np.float64] | None = None  # [d] root mean square of each normalized feature

    def now(self) -> Weights | None:
        """The parameters now, in scaled and raw units, with their gradient; None for a model that is not linear."""
        prepared, kernel = self._setup.prepared, self._setup.kernel
        if not self._setup.plan.architecture.linear:
            return None
        now, gradient = kernel.parameters(), kernel.gradient()
        raw, raw_bias = outcomes.fold(prepared, now.weight, now.bias)
        if self._reach is None:
            self._reach = _reach(prepared.train.x)
        normalizer = prepared.normalizer
        return Weights(
            step=kernel.step,
            features=prepared.features,
            outputs=prepared.classes if now.weight.shape[1] > 1 else (prepared.target,),
            scaled=now.weight,
            raw=raw,
            gradient=gradient.weight,
            bias_scaled=now.bias,
            bias_raw=raw_bias,
            bias_gradient=gradient.bias,
            reach=self._reach,
            raw_reach=np.abs(normalizer.offset) + np.abs(normalizer.scale) * self._reach,
        )


def _reach(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root mean square [d] of each column of x [n, d], of so many rows that a look at them takes no time."""
    part = x[: max(1, LOOKED_AT // max(1, x.shape[1]))]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(np.einsum("ij,ij->j", part, part) / max(1, len(part))))
