"""The kernel for a plan: the fastest that is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.data.prepare import Prepared
from engine.errors import InputError
from engine.learn.curvature import Facts
from engine.learn.diagnosis import divergence_limit
from engine.learn.kernels import spectral
from engine.learn.kernels.contract import Kernel
from engine.learn.kernels.steering import Steered
from engine.learn.models import buffers, forward, starting_point
from engine.learn.objective import mean_loss, unit
from engine.learn.plan import Backend, Plan
from engine.recipe import Recipe

Activity = Callable[[str], None]

SPECTRAL = "spectral: the loss of every step at once, from the eigenvectors of the quadratic loss, in float64."
AUTOGRAD = "autograd: PyTorch computes the gradient, on any device."


def choose(recipe: Recipe, plan: Plan, facts: Facts) -> Plan:
    """The plan with its backend and the reason for it.

    Raises:
        InputError: the backend that was asked for cannot do the job.
    """
    wish = recipe.device.backend
    refusal = spectral.refusal(plan, facts)
    if wish == "spectral" and refusal is not None:
        raise InputError(f"The spectral backend {refusal}; or leave out --backend.")
    if wish in ("auto", "spectral") and refusal is None:
        return replace(plan, backend="spectral", threads=1, backend_reason=SPECTRAL)
    return replace(plan, backend="autograd", backend_reason=AUTOGRAD)


def open_kernel(plan: Plan, prepared: Prepared, facts: Facts, activity: Activity | None = None) -> Kernel:
    """The plan's kernel, with its data loaded, at the initial parameters.

    Args:
        activity: told what takes a while.
    """
    limit = divergence_limit(initial_loss(plan, prepared), facts)

    def make(backend: Backend) -> Kernel:
        if backend == "spectral":
            return spectral.Spectral(plan, prepared, limit)
        from engine.learn.kernels.autograd import Autograd

        return Autograd(plan, prepared, limit)

    return make("autograd") if plan.backend == "autograd" else Steered(plan.backend, "autograd", make)


def initial_loss(plan: Plan, prepared: Prepared) -> float:
    """The loss of all train rows at the initial parameters, in the target's own units; NaN for a person's module."""
    if plan.architecture.family == "module":
        return float("nan")
    start = starting_point(plan.architecture, plan.init, plan.seed)
    train = prepared.train
    with np.errstate(over="ignore", invalid="ignore"):
        output = forward(plan.architecture, start | buffers(plan.architecture), train.x)
        return mean_loss(plan.loss, output, train.y) * unit(plan.loss, prepared.target_scale.scale)
