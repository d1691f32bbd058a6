"""Losses, outputs and gradients of all rows of a split, in numpy: for kernels that keep the rows in another form."""

from __future__ import annotations

import numpy as np

from engine.data.prepare import Prepared, Rows
from engine.learn import backward
from engine.learn.kernels.contract import Floats, Parameters, Split
from engine.learn.models import forward
from engine.learn.objective import mean_loss, unit
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
    train = prepared.train
    return Parameters(
        backward.gradient(plan.architecture, plan.loss, parameters.arrays, train.x, train.y, train.weight)
    )
