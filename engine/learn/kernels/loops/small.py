"""Updates by all rows at once where the rows are few numbers: the squared error seen through its triangular factor.

A step is then some dozens of multiplications. What would cost most is what surrounds loops made for long rows, so these
sums are taken one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learn.kernels.loops import generated
from engine.learn.kernels.loops.jit import jit_in_order
from engine.learn.kernels.loops.rules import Regime, Trained, penalise
from engine.learn.kernels.loops.source import rules, version
from engine.learn.kernels.loops.tiles import BACK, COUNT, EPOCH

Vector = NDArray[Any]

VERSION = version()  # of the records in it
PLAIN = rules.plain()
_update = generated.module().update

LARGEST = 12  # features, with the bias: beyond it the loops for long rows are as fast


@jit_in_order
def run(
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    limit: float,
    unit: float,
    at: NDArray[np.int64],
    x: Vector,
    y: Vector,
    floor: float,
    to: Trained,
    regime: Regime,
    error: Vector,
) -> int:
    """Take a step for each rate; how many were taken. Arguments as in `single.run`.

    Args:
        x: T [p * p], row after row.
        y: T [p].
        floor: added to the mean of the squared errors.
        error: T [p], to work in.
    """
    p, g, previous, n = to.p, to.g, to.previous, len(y)
    plain = regime.rule == PLAIN and regime.l1 == 0 and regime.l2 == 0 and regime.clip == 0
    for step in range(len(rates)):
        value = 0.0
        for i in range(n):
            e = -y[i]
            for j in range(n):
                e += x[i * n + j] * p[j]
            error[i] = e
            value += e * e
        value = (value / n + floor) * unit
        losses[step] = value
        if not value <= limit:
            at[BACK] = 1
            for j in range(n):
                p[j] = previous[j]
            at[COUNT] += step
            at[EPOCH] += step
            return step
        for j in range(n):
            slope = 0.0
            for i in range(n):
                slope += x[i * n + j] * error[i]
            g[j] = slope * 2 / n
            if plain:
                previous[j] = p[j]
                p[j] -= rates[step] * g[j]
        if not plain:
            penalise(to, regime)
            _update(to, at[COUNT] + step + 1, rates[step], regime)
    at[COUNT] += len(rates)
    at[EPOCH] += len(rates)
    return len(rates)
