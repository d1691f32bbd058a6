"""The gradient of the loss by back-propagation in numpy: what a stored model's health is judged by, without torch.

Rumelhart, Hinton and Williams 1986; in float64, as at prediction (no dropout, batch norm by its running statistics).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.learn.metrics import probabilities
from engine.learn.models import (
    BATCH_NORM_EPSILON,
    Architecture,
    derivative,
    forward,
    hidden_layers,
    sigmoid,
)
from engine.learn.objective import HUBER, Loss

Floats = NDArray[np.float64]
ROWS = 1 << 15  # gone through at once


def gradient(
    architecture: Architecture,
    loss: Loss,
    arrays: Mapping[str, Floats],
    x: Floats,
    y: Floats,
    weight: Floats | None = None,
) -> dict[str, Floats]:
    """The gradient of the mean loss, without penalties, by parameter name. Not for a module of the person's own.

    Args:
        arrays: the parameters, and batch norm's running statistics.
        x: [n, d] normalized features, n >= 1.
        y: [n] scaled targets, or class numbers.
        weight: [n] row weights.
    """
    total = {name: np.zeros(shape) for name, shape in architecture.layout()}
    for start in range(0, len(x), ROWS):
        rows = slice(start, start + ROWS)
        part = _gradient(architecture, loss, arrays, x[rows], y[rows], None if weight is None else weight[rows])
        for name, values in part.items():
            total[name] += values / len(x)
    return total


def _gradient(
    architecture: Architecture,
    loss: Loss,
    arrays: Mapping[str, Floats],
    x: Floats,
    y: Floats,
    weight: Floats | None,
) -> dict[str, Floats]:
    """The gradient of the sum over some rows."""
    layers = list(hidden_layers(architecture, arrays, x))
    last = layers[-1].output if layers else x
    if architecture.linear:
        slope = _loss_slope(loss, forward(architecture, arrays, x), y)
    else:
        slope = _loss_slope(loss, last @ arrays["output.weight"] + arrays["output.bias"], y)
    if weight is not None:
        slope = slope * weight[:, None]
    if architecture.linear:
        return {"weight": x.T @ slope, "bias": slope.sum(axis=0)}
    found = {"output.weight": last.T @ slope, "output.bias": slope.sum(axis=0)}
    slope = slope @ arrays["output.weight"].T
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        slope = slope * derivative(architecture.activation, layer.total, layer.output)
        if layer.normal is not None:
            found[f"norm{number}.scale"] = np.sum(slope * layer.normal, axis=0)
            found[f"norm{number}.shift"] = slope.sum(axis=0)
            width = np.sqrt(arrays[f"norm{number}.variance"] + BATCH_NORM_EPSILON)
            slope = slope * (arrays[f"norm{number}.scale"] / width)
        found[f"hidden{number}.weight"] = layer.given.T @ slope
        found[f"hidden{number}.bias"] = slope.sum(axis=0)
        slope = slope @ arrays[f"hidden{number}.weight"].T
    return found


def _loss_slope(loss: Loss, outputs: Floats, y: Floats) -> Floats:
    """The derivative of each row's loss by its outputs [n, k]."""
    if loss == "cross-entropy":
        slope = probabilities(outputs)
        slope[np.arange(len(y)), y.astype(np.int64)] -= 1
        return slope
    error = outputs - y[:, None]
    if loss == "mse":
        return np.asarray(2 * error)
    if loss == "mae":
        return np.sign(error)
    if loss == "huber":
        return np.clip(error, -HUBER, HUBER)
    return np.asarray(sigmoid(outputs) - y[:, None])
