"""How the learning rate moves during a run: a factor for every step, a function of the step alone.

`plateau` is the exception: it depends on the evaluations, so whoever evaluates lowers the rate (see `Plateau`).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Schedule = Literal["constant", "step", "cosine", "onecycle", "plateau"]

DROP = 0.1  # `step` multiplies by it after each third of the run, `plateau` after PATIENCE evaluations without gain
PATIENCE = 10
RISE, START, END = 0.3, 25.0, 1e4  # one-cycle: share of the rise, first rate = peak/START, last = first/END


def factors(schedule: Schedule, warmup: int, steps: int, start: int, count: int) -> NDArray[np.float64]:
    """`factors_at` the steps start <= k < start + count: float64 [count]."""
    return factors_at(schedule, warmup, steps, np.arange(start, start + count))


def factors_at(schedule: Schedule, warmup: int, steps: int, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the learning rate is multiplied by at some steps: float64 [n].

    Warm-up rises in a straight line over its steps and the schedule proper takes the rest. One-cycle (Smith and Topin
    2018) follows torch's OneCycleLR with its defaults and cosine annealing.

    Args:
        warmup: steps of warm-up, 0 for none.
        steps: steps of the whole run.
        at: int64 [n], 0 <= at.
    """
    rest = max(steps - warmup, 1)
    k = at.astype(np.float64)
    if warmup:
        k -= warmup
        np.clip(k, 0, rest, out=k)
    else:
        np.minimum(k, rest, out=k)
    if schedule == "step":
        factor = DROP ** np.floor(np.minimum(k, rest - 1) / max(-(-rest // 3), 1))
    elif schedule == "cosine":
        factor = _half_wave(k, rest)
    elif schedule == "onecycle":
        factor = _one_cycle(k, rest)
    else:
        factor = np.ones(len(k))
    if warmup:
        peak = float(_one_cycle(np.zeros(1), rest)[0]) if schedule == "onecycle" else 1.0
        factor = np.where(at < warmup, (at + 1) / warmup * peak, factor)
    return factor


def _half_wave(k: NDArray[np.float64], rest: int) -> NDArray[np.float64]:
    """(1 + cos(π k / rest)) / 2, in the memory of k: a whole run's rates are many."""
    k *= np.pi
    k /= rest
    np.cos(k, out=k)
    k += 1
    k /= 2
    return k


def _one_cycle(at: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    peak, last = RISE * steps - 1, steps - 1.0
    low, least = 1 / START, 1 / START / END

    def between(a: float, b: float, share: NDArray[np.float64]) -> NDArray[np.float64]:
        return b + (a - b) / 2 * (1 + np.cos(np.pi * share))

    rising = between(low, 1.0, np.clip(at / peak, 0, 1)) if peak > 0 else np.ones(len(at))
    falling = between(1.0, least, np.clip((at - peak) / (last - peak), 0, 1)) if last > peak else np.ones(len(at))
    return np.where(at <= peak, rising, falling)


class Plateau:
    """Lowers the rate when the evaluated loss has stopped falling.

    Like torch's ReduceLROnPlateau with its defaults: a loss counts as better when it is 1e-4 (relative) under the
    best; after more than PATIENCE evaluations without that the factor is multiplied by DROP.
    """

    def __init__(self) -> None:
        self.factor = 1.0
        self.best = np.inf
        self.waited = 0

    def state(self) -> dict[str, float | None]:
        """What the next decisions depend on; no loss so far as None."""
        return {"factor": self.factor, "best": None if self.best == np.inf else self.best, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        if state:
            self.factor, self.waited = float(state["factor"]), int(state["waited"])
            self.best = np.inf if state["best"] is None else float(state["best"])

    def evaluated(self, loss: float) -> bool:
        """Take in an evaluation; whether the factor changed."""
        if loss < self.best * (1 - 1e-4):
            self.best, self.waited = loss, 0
            return False
        self.waited += 1
        if self.waited <= PATIENCE:
            return False
        self.waited = 0
        self.factor *= DROP
        return True
