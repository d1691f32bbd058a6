"""The kernel for a plan."""

from __future__ import annotations

from engine.data.prepare import Prepared
from engine.learn.kernels.contract import Kernel
from engine.learn.plan import Plan


def choose(plan: Plan, prepared: Prepared, limit: float) -> Kernel:
    """The kernel that the plan names, loaded with the data; see `Plan.backend_reason`.

    Args:
        limit: a loss above it, in the target's own units, counts as diverged.
    """
    from engine.learn.kernels.autograd import Autograd

    return Autograd(plan, prepared, limit)
