"""Whether a state that was read from a file is one that a kernel of a plan can go back to.

A compiled loop checks no bounds: what it is given has to be looked at before.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learn import sentences
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
        return sentences.OTHER_BACKEND(backend=backend, wanted=plan.backend)
    if BACKENDS.index(backend) < BACKENDS.index(plan.backend):
        return sentences.OTHER_BACKEND(backend=backend, wanted=plan.backend)
    whole, numbers = OWN[backend]
    for name in (*WHOLE, *whole):
        if not _is_whole(facts.get(name)):
            return sentences.NO_WHOLE_NUMBER(name=name)
    for name in (*NUMBERS, *numbers):
        value = facts.get(name)
        if not isinstance(value, int | float) or not isfinite(value):
            return sentences.NO_NUMBER(name=name)
    batch, most = int(facts["batch"]), 2**53 if changed else plan.rows
    if not int(facts["row"]) < plan.rows or not 1 <= batch <= most:
        return sentences.OUTSIDE_ROWS(rows=plan.rows)
    optimizer = str(facts.get("optimizer"))
    if optimizer not in REGISTRY:
        return sentences.NO_OPTIMIZER(optimizer=optimizer[:40])
    rule = REGISTRY[optimizer]
    if not rule.compiles and backend != "autograd":
        return sentences.BACKEND_HAS_NO(backend=backend, optimizer=optimizer)
    wanted = ["left", "moved", "before"] if backend == "spectral" else []
    wanted += ["parameters", *(f"memory{i}" for i in range(len(rule.state)))]
    if backend == "autograd":
        wanted += ["generator", *(name for name in like.arrays if name.startswith("buffer:"))]
    for name in wanted:
        if name not in arrays:
            return sentences.ARRAY_MISSING(name=name)
    return _misshapen(arrays, like) or _bad_lbfgs(facts, arrays, len(like.arrays["parameters"]))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _misshapen(arrays: Mapping[str, NDArray[Any]], like: State) -> str:
    flat = like.arrays["parameters"]
    for name, array in arrays.items():
        known = like.arrays.get(name, flat if name.startswith("memory") else None)
        if name == "generator":
            if array.dtype != np.uint8 or array.ndim != 1:
                return sentences.NO_GENERATOR_STATE()
        elif (
            known is not None
            and not name.startswith("lbfgs:")
            and (array.shape != known.shape or array.dtype.kind != known.dtype.kind)
        ):
            return sentences.OTHER_ARRAY(
                name=name,
                dtype=array.dtype,
                shape=str(list(array.shape)),
                wanted=known.dtype,
                size=str(list(known.shape)),
            )
    return ""


def _bad_lbfgs(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], size: int) -> str:
    if not facts.get("lbfgs:n_iter"):
        return ""
    found = {name: arrays.get(f"lbfgs:{name}") for name in LBFGS_ARRAYS}
    for name, array in found.items():
        if array is None or array.dtype.kind != "f" or (name != "ro" and array.shape[-1:] != (size,)):
            return sentences.NO_LBFGS_ARRAY(name=name, size=size)
    lengths = {
        len(array) for name, array in found.items() if array is not None and name in ("old_dirs", "old_stps", "ro")
    }
    if len(lengths) != 1:
        return sentences.LBFGS_INCOMPLETE()
    return ""
