"""The losses in numpy, which every kernel is held to: mean over the rows, without penalties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.registry.losses import REGISTRY, Loss

Floats = NDArray[np.float64]
ROWS = 1 << 16  # that stand for all where only the size of a loss is asked for


def row_losses(loss: str, outputs: Floats, y: Floats) -> Floats:
    """The loss of each row [n].

    Args:
        outputs: [n, k]; k = 1 but for a loss of classes by a logit each.
        y: [n] scaled targets, or class numbers.
    """
    one = REGISTRY[loss]
    return np.asarray(one.numpy(np, *_taken(one, outputs, y)))


def output_gradients(loss: str, outputs: Floats, y: Floats) -> Floats:
    """The derivative of each row's loss by its outputs, [n, k]; arguments as for `row_losses`."""
    one = REGISTRY[loss]
    return np.asarray(one.gradient(np, *_taken(one, outputs, y))).reshape(outputs.shape)


def _taken(one: Loss, outputs: Floats, y: Floats) -> tuple[Any, Any]:
    """Outputs and targets as a record takes them."""
    if outputs.ndim != 2 or y.ndim != 1 or len(outputs) != len(y):
        raise ValueError(f"outputs {outputs.shape} against targets {y.shape} would broadcast")
    if one.classes:
        return outputs, y.astype(np.int64)
    if outputs.shape[1] != 1:
        raise ValueError(f"{one.name} takes one output for a row, not {outputs.shape[1]}")
    return outputs[:, 0], y


def mean_loss(loss: str, outputs: Floats, y: Floats, weight: Floats | None = None) -> float:
    """The mean of the row losses, each times its weight [n]; NaN without rows."""
    if not len(y):
        return float("nan")
    losses = row_losses(loss, outputs, y)
    return float(np.mean(losses if weight is None else losses * weight))


def unit(loss: str, scale: float) -> float:
    """What a loss of scaled targets is multiplied by to be in the target's own units, by its degree.

    Squared units for squared errors, plain ones for plain errors. A loss that has no unit, such as one that counts
    small errors squared and large ones plainly, is left in scaled units.
    """
    with np.errstate(over="ignore"):
        return (1.0, scale, float(np.square(scale)))[REGISTRY[loss].degree]


def of_nothing(loss: str, y: Floats, outputs: int) -> float:
    """The mean loss of outputs [n, outputs] that are all 0, of the first ROWS rows; NaN without any."""
    y = y[:ROWS]
    with np.errstate(over="ignore"):
        return mean_loss(loss, np.zeros((len(y), outputs)), y) if len(y) else float("nan")


def baseline(loss: str, y: Floats, classes: int, weight: Floats | None = None) -> float:
    """The least loss of a constant output, such as the mean predictor's or the class shares'."""
    if not len(y):
        return float("nan")
    one, weights = REGISTRY[loss], np.ones(len(y)) if weight is None else weight
    if one.constant is None:
        share = np.bincount(y.astype(np.int64), weights, minlength=max(classes, 2))
        share = share[share > 0] / weights.sum()
        return float(-np.sum(share * np.log(share)) * weights.sum() / len(y))
    outputs = max(classes, 2) if one.classes else 1
    return mean_loss(loss, np.full((len(y), outputs), one.constant(np, y, weights)), y, weight)
