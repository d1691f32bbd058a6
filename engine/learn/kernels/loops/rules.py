"""What updates change and by what rule, and what happens to a gradient before: penalties and clipping."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.learn.kernels.loops.jit import part

Vector = NDArray[Any]


class Regime(NamedTuple):
    """What happens to a gradient on its way into the parameters."""

    rule: int  # its code in `source.rules`
    momentum: float
    weight_decay: float
    l1: float
    l2: float
    clip: float  # 0 for never


class Trained(NamedTuple):
    """What updates change.

    Attributes:
        p: T [p], the parameters.
        g: T [p], their gradient.
        state: T [height, p], what the rules keep; see `source.rules.StateLayout`.
        previous: T [p], the parameters before the newest update.
        decayed: T [p], 1 for weights and 0 for biases, which no penalty touches.
    """

    p: Vector
    g: Vector
    state: Any
    previous: Vector
    decayed: Vector


@part
def penalise(to: Trained, regime: Regime) -> None:
    """Add the penalties' gradient to the gradient, then shorten it to the length `clip`."""
    p, g, decayed = to.p, to.g, to.decayed
    T = p.dtype.type
    if regime.l1 > 0 or regime.l2 > 0:
        a, b = T(regime.l1), T(regime.l2)
        for i in range(len(p)):
            g[i] += (b * p[i] + a * np.sign(p[i])) * decayed[i]
    if regime.clip > 0:
        square = T(0)
        for i in range(len(p)):
            square += g[i] * g[i]
        factor = regime.clip / (sqrt(square) + 1e-6)
        if factor < 1:
            a = T(factor)
            for i in range(len(p)):
                g[i] *= a
