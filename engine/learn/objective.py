"""The losses: mean over the rows, without penalties. numpy definitions that every kernel is held to."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Loss = Literal["mse", "huber", "mae", "bce", "cross-entropy"]
ROWS = 1 << 16  # that stand for all where only the size of a loss is asked for
HUBER = 1.0  # the error, in scaled units, from which on huber grows in a straight line


def row_losses(loss: Loss, outputs: Floats, y: Floats) -> Floats:
    """The loss of each row [n].

    mse (y - z)^2; mae |y - z|; huber (y - z)^2/2 up to an error of 1 and |y - z| - 1/2 beyond; bce the negative
    log-likelihood of y in {0, 1} under the logit z; cross-entropy that of class y under the logits z [n, k].

    Args:
        outputs: [n, k]; k = 1 but for cross-entropy.
        y: [n].
    """
    if outputs.ndim != 2 or y.ndim != 1 or len(outputs) != len(y):
        raise ValueError(f"outputs {outputs.shape} against targets {y.shape} would broadcast")
    if loss == "cross-entropy":
        top = outputs.max(axis=1)
        total = np.log(np.exp(outputs - top[:, None]).sum(axis=1)) + top
        return np.asarray(total - outputs[np.arange(len(y)), y.astype(np.int64)])
    if outputs.shape[1] != 1:
        raise ValueError(f"{loss} takes one output for a row, not {outputs.shape[1]}")
    z = outputs[:, 0]
    if loss == "bce":
        return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
    error = np.abs(y - z)
    if loss == "mse":
        return np.asarray(error**2)
    if loss == "mae":
        return error
    return np.where(error <= HUBER, error**2 / 2, HUBER * (error - HUBER / 2))


def mean_loss(loss: Loss, outputs: Floats, y: Floats, weight: Floats | None = None) -> float:
    """The mean of the row losses, each times its weight [n]; NaN without rows."""
    if not len(y):
        return float("nan")
    losses = row_losses(loss, outputs, y)
    return float(np.mean(losses if weight is None else losses * weight))


def unit(loss: Loss, scale: float) -> float:
    """What a loss of scaled targets is multiplied by to be in the target's own units.

    Squared units for mse, plain ones for mae; huber counts small errors squared and large ones plainly, and is left in
    scaled units.
    """
    with np.errstate(over="ignore"):
        return {"mse": float(np.square(scale)), "mae": scale}.get(loss, 1.0)


def of_nothing(loss: Loss, y: Floats, outputs: int) -> float:
    """The mean loss of outputs [n, outputs] that are all 0, of the first ROWS rows; NaN without any."""
    y = y[:ROWS]
    with np.errstate(over="ignore"):
        return mean_loss(loss, np.zeros((len(y), outputs)), y) if len(y) else float("nan")


def baseline(loss: Loss, y: Floats, classes: int, weight: Floats | None = None) -> float:
    """The least loss of a constant output: the mean predictor (median for mae), or the class shares."""
    if not len(y):
        return float("nan")
    weights = np.ones(len(y)) if weight is None else weight
    if loss in ("bce", "cross-entropy"):
        share = np.bincount(y.astype(np.int64), weights, minlength=max(classes, 2))
        share = share[share > 0] / weights.sum()
        return float(-np.sum(share * np.log(share)) * weights.sum() / len(y))
    centre = float(np.average(y, weights=weights)) if loss == "mse" else float(np.median(y))
    return mean_loss(loss, np.full((len(y), 1), centre), y, weight)
