"""Whether a state that was read from a file is one that a kernel of a plan can go back to.

A compiled loop checks no bounds: what it is given has to be looked at before.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learn.kernels.contract import State
from engine.learn.plan import Plan
from engine.registry.rules import REGISTRY

BACKENDS = ("spectral", "compiled", "autograd")  # a kernel gives way to later ones only
WHOLE = ("step", "epoch", "row", "batch", "count")
NUMBERS = ("lr", "factor", "momentum")
OWN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # further whole numbers and numbers of a backend
    "spectral": (("anchor", "back"), ()),
    "compiled": ((), ()),
    "autograd": (("unharmed",), ("scale",)),
}
LBFGS_ARRAYS = ("d", "old_dirs", "old_stps", "ro", "prev_flat_grad")


def unfit(state: State, plan: Plan, like: State, *, changed: bool = False) -> str:
    """Why a state is none of a run of this plan, as a phrase; empty where it is one.

    Args:
        like: the state of the plan's kernel at its beginning.
        changed: the table is another one, which may have fewer rows than the batch had.
    """
    arrays, facts = state.arrays, state.facts
    # A kernel that may give way to another says which of them it is.
    backend = str(facts.get("backend") or ("autograd" if "scale" in facts else "another"))[:40]
    if backend not in BACKENDS or ("backend" not in facts) != (plan.backend == "autograd"):
        return f"it is of the backend {backend}, and the run's is {plan.backend}"
    if BACKENDS.index(backend) < BACKENDS.index(plan.backend):
        return f"it is of the backend {backend}, and the run's is {plan.backend}"
    whole, numbers = OWN[backend]
    for name in (*WHOLE, *whole):
        if not _is_whole(facts.get(name)):
            return f"{name} is no whole number"
    for name in (*NUMBERS, *numbers):
        value = facts.get(name)
        if not isinstance(value, int | float) or not isfinite(value):
            return f"{name} is no number"
    batch, most = int(facts["batch"]), 2**53 if changed else plan.rows
    if not int(facts["row"]) < plan.rows or not 1 <= batch <= most:
        return f"it stands outside of the {plan.rows:,} train rows"
    optimizer = str(facts.get("optimizer"))
    if optimizer not in REGISTRY:
        return f"there is no optimizer {optimizer[:40]}"
    rule = REGISTRY[optimizer]
    if not rule.compiles and backend != "autograd":
        return f"the backend {backend} has no optimizer {optimizer}"
    wanted = ["left", "moved", "before"] if backend == "spectral" else []
    wanted += ["parameters", *(f"memory{i}" for i in range(len(rule.state)))]
    if backend == "autograd":
        wanted += ["generator", *(name for name in like.arrays if name.startswith("buffer:"))]
    for name in wanted:
        if name not in arrays:
            return f"the array {name} is missing"
    return _misshapen(arrays, like) or _bad_lbfgs(facts, arrays, len(like.arrays["parameters"]))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _misshapen(arrays: Mapping[str, NDArray[Any]], like: State) -> str:
    flat = like.arrays["parameters"]
    for name, array in arrays.items():
        known = like.arrays.get(name, flat if name.startswith("memory") else None)
        if name == "generator":
            if array.dtype != np.uint8 or array.ndim != 1:
                return "the generator's state is none"
        elif (
            known is not None
            and not name.startswith("lbfgs:")
            and (array.shape != known.shape or array.dtype.kind != known.dtype.kind)
        ):
            return f"the array {name} is {array.dtype} {list(array.shape)}, not {known.dtype} {list(known.shape)}"
    return ""


def _bad_lbfgs(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], size: int) -> str:
    if not facts.get("lbfgs:n_iter"):
        return ""
    found = {name: arrays.get(f"lbfgs:{name}") for name in LBFGS_ARRAYS}
    for name, array in found.items():
        if array is None or array.dtype.kind != "f" or (name != "ro" and array.shape[-1:] != (size,)):
            return f"the array lbfgs:{name} is missing, or none of {size:,} parameters"
    lengths = {
        len(array) for name, array in found.items() if array is not None and name in ("old_dirs", "old_stps", "ro")
    }
    if len(lengths) != 1:
        return "the memory of L-BFGS is not whole"
    return ""
