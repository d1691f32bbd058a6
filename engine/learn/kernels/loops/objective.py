"""Losses of rows and their slopes by the output; see `engine.learn.objective` for the definitions."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learn.kernels.loops.exponential import decay, log_one_plus
from engine.learn.kernels.loops.jit import part

_BEND = 1.0
MSE, MAE, HUBER, BCE, CROSS_ENTROPY = range(5)
CODES = {"mse": MSE, "mae": MAE, "huber": HUBER, "bce": BCE, "cross-entropy": CROSS_ENTROPY}

Vector = NDArray[Any]


@part
def slopes(loss: int, z: Vector, y: Vector, weight: Vector, first: int, count: int, row: Vector) -> float:
    """The sum of the losses of `count` rows; their slopes take the place of the outputs z.

    Args:
        loss: one of CODES but cross-entropy.
        z: [count or more] outputs.
        y: targets; those of the rows begin at `first`.
        weight: row weights likewise, or empty for ones.
        row: [count or more], takes each row's loss.
    """
    T = z.dtype.type
    zero, half, one, two, bend = T(0), T(0.5), T(1), T(2), T(_BEND)
    total, target = zero, y[first : first + count]
    if loss == MSE:
        for i in range(count):
            e = z[i] - target[i]
            total += e * e
            z[i] = two * e
        return float(total)  # amounts have no row weights
    if loss == BCE:
        for i in range(count):
            t = decay(abs(z[i]))
            row[i] = max(z[i], zero) - z[i] * target[i] + log_one_plus(t)
            z[i] = (1.0 if z[i] >= zero else t) / (1.0 + t) - target[i]
    else:
        for i in range(count):
            e = z[i] - target[i]
            size = abs(e)
            bent = loss == MAE or size > bend
            row[i] = (size if loss == MAE else bend * (size - half * bend)) if bent else half * e * e
            z[i] = (one if loss == MAE else bend) * np.sign(e) if bent else e
    if len(weight):
        share = weight[first : first + count]
        for i in range(count):
            row[i] *= share[i]
            z[i] *= share[i]
    for i in range(count):
        total += row[i]
    return float(total)


@part
def class_slopes(z: Vector, classes: int, label: NDArray[Any], weight: Vector, rows: int) -> float:
    """The sum of the cross-entropies of some rows; their slopes take the place of the logits z [rows, classes].

    Args:
        label: [rows or more] class numbers.
        weight: row weights likewise, or empty for ones.
    """
    T = z.dtype.type
    total, one = 0.0, T(1)
    for i in range(rows):
        out, w = z[i * classes : i * classes + classes], one
        if len(weight):
            w = weight[i]
        top = out[0]
        for c in range(1, classes):
            top = max(top, out[c])
        mass, own = T(0), out[label[i]] - top
        for c in range(classes):
            out[c] = decay(top - out[c])
            mass += out[c]
        total += (log(mass) - own) * w
        for c in range(classes):
            out[c] *= w / mass
        out[label[i]] -= w
    return total
