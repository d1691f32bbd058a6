"""Losses, outputs and gradients of all rows of a split, in numpy: for kernels that keep the rows in another form."""

from __future__ import annotations

import numpy as np

from engine.data.prepare import Prepared, Rows
from engine.learn.kernels.contract import Floats, Parameters, Split
from engine.learn.models import activate, derivative, forward, sigmoid
from engine.learn.objective import HUBER, Loss, mean_loss, unit
from engine.learn.plan import Plan

SLICE = 1 << 14  # rows at once, so that what is between the layers of a network stays small


def rows_of(prepared: Prepared, split: Split) -> Rows:
    """The rows of a split."""
    return {"train": prepared.train, "validation": prepared.validation, "test": prepared.test}[split]


def outputs(plan: Plan, parameters: Parameters, x: Floats) -> Floats:
    """What the model gives for features [n, d]: float64 [n, k]."""
    found = np.empty((len(x), plan.architecture.outputs))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(x), SLICE):
            part = slice(start, start + SLICE)
            found[part] = forward(plan.architecture, parameters.arrays, x[part])
    return found


def evaluate(plan: Plan, prepared: Prepared, parameters: Parameters, split: Split) -> float:
    """The mean loss of a split's rows, in the target's own units; NaN without rows."""
    rows = rows_of(prepared, split)
    if not len(rows.y):
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):
        loss = mean_loss(plan.loss, outputs(plan, parameters, rows.x), rows.y, rows.weight)
    return loss * unit(plan.loss, prepared.target_scale.scale)


def gradient(plan: Plan, prepared: Prepared, parameters: Parameters) -> Parameters:
    """The gradient of the train loss, all rows, in scaled units and without penalties, by parameter name."""
    train, arrays = prepared.train, parameters.arrays
    total = {name: np.zeros_like(array) for name, array in arrays.items()}
    names = [f"hidden{i}." for i in range(len(plan.architecture.hidden))]
    names.append("" if plan.architecture.linear else "output.")
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(train.y), SLICE):
            part = slice(start, start + SLICE)
            values, sums = [train.x[part]], []
            for name in names:
                sums.append(values[-1] @ arrays[f"{name}weight"] + arrays[f"{name}bias"])
                values.append(activate(plan.architecture.activation, sums[-1]) if name != names[-1] else sums[-1])
            slope = slopes(plan.loss, values.pop(), train.y[part]) / len(train.y)
            if train.weight is not None:
                slope = slope * train.weight[part, None]
            for i in range(len(names) - 1, -1, -1):
                total[f"{names[i]}weight"] += values[i].T @ slope
                total[f"{names[i]}bias"] += slope.sum(axis=0)
                if i:
                    back = slope @ arrays[f"{names[i]}weight"].T
                    slope = back * derivative(plan.architecture.activation, sums[i - 1], values[i])
    return Parameters(total)


def slopes(loss: Loss, z: Floats, y: Floats) -> Floats:
    """The derivative of each row's loss by its outputs z [n, k]."""
    if loss == "cross-entropy":
        share = np.exp(z - z.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        share[np.arange(len(y)), y.astype(np.int64)] -= 1
        return np.asarray(share)
    if loss == "bce":
        return sigmoid(z) - y[:, None]
    error: Floats = z - y[:, None]
    if loss == "mse":
        return 2 * error
    return np.asarray(np.sign(error) if loss == "mae" else np.clip(error, -HUBER, HUBER))
