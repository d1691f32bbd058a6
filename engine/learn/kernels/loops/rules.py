"""The update rules on flat vectors; see `engine.learn.optimizers` for their constants and sources.

All seven are two loops, which keeps the code that has to be compiled small: one with a velocity, one with means.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.learn import optimizers as o
from engine.learn.kernels.loops.jit import part

Vector = NDArray[Any]

SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)
CODES = {
    "sgd": SGD,
    "momentum": MOMENTUM,
    "nesterov": NESTEROV,
    "adagrad": ADAGRAD,
    "rmsprop": RMSPROP,
    "adam": ADAM,
    "adamw": ADAMW,
}
# The rows of `memory` that hold what each rule remembers, in the order of the autograd kernel's.
ROWS = {SGD: (), MOMENTUM: (0,), NESTEROV: (0,), ADAGRAD: (1,), RMSPROP: (1,), ADAM: (0, 1), ADAMW: (0, 1)}
BETA1, BETA2, ADAM_EPSILON = o.BETA1, o.BETA2, o.ADAM_EPSILON
ADAGRAD_EPSILON, RMSPROP_DECAY, RMSPROP_EPSILON = o.ADAGRAD_EPSILON, o.RMSPROP_DECAY, o.RMSPROP_EPSILON


class Regime(NamedTuple):
    """What happens to a gradient on its way into the parameters."""

    rule: int  # one of CODES
    momentum: float
    decay: float  # AdamW's
    l1: float
    l2: float
    clip: float  # 0 for never


class Trained(NamedTuple):
    """What updates change.

    Attributes:
        p: T [p], the parameters.
        g: T [p], their gradient.
        memory: T [2, p]; see ROWS.
        previous: T [p], the parameters before the newest update.
        decayed: T [p], 1 for weights and 0 for biases, which no penalty touches.
    """

    p: Vector
    g: Vector
    memory: Any
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


@part
def update(to: Trained, count: int, lr: float, regime: Regime) -> None:
    """One update of the parameters by their gradient.

    Args:
        count: updates made with this memory, this one included (1 at first).
    """
    p, g, memory, previous = to.p, to.g, to.memory, to.previous
    T, rule = p.dtype.type, regime.rule
    if rule <= NESTEROV:
        kept = T(regime.momentum if rule != SGD else 0.0)
        own, carried = T(lr if rule != MOMENTUM else 0.0), T(lr * regime.momentum if rule == NESTEROV else lr)
        if rule == SGD:
            carried = T(0)
        for i in range(len(p)):
            previous[i] = p[i]
            memory[0, i] = kept * memory[0, i] + g[i]
            p[i] -= own * g[i] + carried * memory[0, i]
        return
    # A mean of the gradients and one of their squares; adagrad sums the squares and keeps no mean.
    kept1, new1, kept2, new2, shrink, length, width, tiny = 0.0, 1.0, 1.0, 1.0, 1.0, lr, 1.0, ADAGRAD_EPSILON
    if rule == RMSPROP:
        kept2, new2, tiny = RMSPROP_DECAY, 1 - RMSPROP_DECAY, RMSPROP_EPSILON
    elif rule != ADAGRAD:
        kept1, new1, kept2, new2, tiny = BETA1, 1 - BETA1, BETA2, 1 - BETA2, ADAM_EPSILON
        length, width = lr / (1 - BETA1**count), 1 / sqrt(1 - BETA2**count)
        if rule == ADAMW:
            shrink = 1 - lr * regime.decay
    a, b, c, d, e, f, h, u = T(kept1), T(new1), T(kept2), T(new2), T(shrink), T(length), T(width), T(tiny)
    for i in range(len(p)):
        previous[i] = p[i]
        memory[0, i] = a * memory[0, i] + b * g[i]
        memory[1, i] = c * memory[1, i] + d * g[i] * g[i]
        p[i] = e * p[i] - f * memory[0, i] / (sqrt(memory[1, i]) * h + u)
