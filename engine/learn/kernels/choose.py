"""The kernel for a plan: the fastest that is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.data.prepare import Prepared
from engine.learn.curvature import Facts
from engine.learn.diagnosis import divergence_limit
from engine.learn.kernels.contract import Kernel
from engine.learn.models import buffers, forward, starting_point
from engine.learn.objective import mean_loss, unit
from engine.learn.plan import Plan
from engine.recipe import Recipe


def choose(recipe: Recipe, plan: Plan, facts: Facts) -> Plan:
    """The plan with its backend and the reason for it.

    Raises:
        InputError: the backend that was asked for cannot do the job.
    """
    return replace(plan, backend="autograd", backend_reason="autograd: PyTorch computes the gradient, on any device.")


def open_kernel(plan: Plan, prepared: Prepared, facts: Facts) -> Kernel:
    """The plan's kernel, with its data loaded, at the initial parameters."""
    from engine.learn.kernels.autograd import Autograd

    return Autograd(plan, prepared, divergence_limit(initial_loss(plan, prepared), facts))


def initial_loss(plan: Plan, prepared: Prepared) -> float:
    """The loss of all train rows at the initial parameters, in the target's own units; NaN for a person's module."""
    if plan.architecture.family == "module":
        return float("nan")
    start = starting_point(plan.architecture, plan.init, plan.seed)
    train = prepared.train
    with np.errstate(over="ignore", invalid="ignore"):
        output = forward(plan.architecture, start | buffers(plan.architecture), train.x)
        return mean_loss(plan.loss, output, train.y) * unit(plan.loss, prepared.target_scale.scale)
