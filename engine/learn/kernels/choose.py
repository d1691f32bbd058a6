"""The kernel for a plan: the fastest that is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from engine.base.errors import InputError
from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.diagnosis import divergence_limit
from engine.learn.kernels import compiled, spectral
from engine.learn.kernels.contract import Kernel
from engine.learn.kernels.steering import Steered
from engine.learn.models import buffers, forward, init_parameters
from engine.learn.objective import mean_loss, unit
from engine.learn.plan import Backend, Plan
from engine.recipe import Recipe

Activity = Callable[[str], None]
SHARED = 1 << 26  # multiplications in a product from which on BLAS's threads pay

SPECTRAL = sentences.SPECTRAL()
COMPILED = sentences.COMPILED()


def choose(recipe: Recipe, plan: Plan, facts: LossSurfaceFacts) -> Plan:
    """The plan with its backend and the reason for it.

    Raises:
        InputError: the backend that was asked for cannot do the job.
    """
    chosen = recipe.device.backend
    backend, reason = _fastest(plan, facts) if chosen == "auto" else (chosen, sentences.AS_ASKED(backend=chosen))
    if plan.compile and backend != "autograd" and chosen == "auto":
        backend, reason = "autograd", sentences.AUTOGRAD_COMPILED()
    refusals = {"spectral": spectral.refusal(plan, facts), "compiled": compiled.refusal(plan), "autograd": None}
    if (why := refusals[backend]) is not None:
        raise InputError(sentences.BACKEND_REFUSES(backend=backend, why=why))
    threads = plan.threads
    if backend == "spectral" or (backend == "compiled" and recipe.device.threads == "auto" and not _shared(plan)):
        threads = 1
    return replace(plan, backend=backend, backend_reason=reason, threads=threads)


def _fastest(plan: Plan, facts: LossSurfaceFacts) -> tuple[Backend, str]:
    """The fastest backend that is right for a plan, and why."""
    if spectral.refusal(plan, facts) is None and not _laborious(plan):
        return "spectral", SPECTRAL
    why = compiled.refusal(plan)
    return ("compiled", COMPILED) if why is None else ("autograd", sentences.AUTOGRAD(why=why))


def _shared(plan: Plan) -> bool:
    """Whether a compiled step has a product large enough to be shared among threads; on smaller ones OpenBLAS with two
    threads takes a hundred times longer now and then."""
    widths = (plan.architecture.inputs, *plan.architecture.hidden, plan.architecture.outputs)
    return plan.batch * max(a * b for a, b in pairwise(widths)) >= SHARED


def _laborious(plan: Plan) -> bool:
    """Whether a step in the eigenbasis takes more than one on the rows: with a penalty it works on a full matrix."""
    return plan.l2 > 0 and plan.architecture.inputs + 1 > 2 * plan.rows


def open_kernel(plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, activity: Activity | None = None) -> Kernel:
    """The plan's kernel, with its data loaded, at the initial parameters.

    Args:
        activity: told what takes a while.
    """
    limit = divergence_limit(initial_loss(plan, prepared), facts)

    def make(backend: Backend) -> Kernel:
        if backend == "spectral":
            return spectral.Spectral(plan, prepared, limit)
        if backend == "compiled":
            return compiled.Compiled(plan, prepared, limit, activity)
        from engine.learn.kernels.autograd import Autograd

        if plan.compile and activity is not None:
            activity(sentences.COMPILING_MODEL())
        return Autograd(plan, prepared, limit)

    if plan.backend == "autograd":
        return make("autograd")
    # A spectral run whose optimizer or batch size is changed goes on in compiled loops.
    return Steered(plan.backend, "compiled", make)


def initial_loss(plan: Plan, prepared: Prepared) -> float:
    """The loss of all train rows at the initial parameters, in the target's own units; NaN for a person's module."""
    if plan.architecture.own:
        return float("nan")
    start = init_parameters(plan.architecture, plan.init, plan.seed)
    train = prepared.train
    with np.errstate(over="ignore", invalid="ignore"):
        output = forward(plan.architecture, start | buffers(plan.architecture), train.x)
        return mean_loss(plan.loss, output, train.y) * unit(plan.loss, prepared.target_scale.scale)
