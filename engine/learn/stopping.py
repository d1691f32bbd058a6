"""When a run ends before its last step, and which weights it keeps."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from engine.learn.curvature import Facts
from engine.recipe import Stopping

Reason = Literal["tol", "patience", "target"]


class Watch:
    """Takes in the evaluations of a run, which happen by step, and says when one of the wishes is met.

    Args:
        wishes: the recipe's.
        facts: of the loss surface, for the gap to the optimum.
        validates: whether there are validation rows; else everything goes by the train loss.
    """

    def __init__(self, wishes: Stopping, facts: Facts, validates: bool) -> None:
        self._wishes, self._facts, self._validates = wishes, facts, validates
        self.best: float = np.inf  # the least loss that is gone by
        self.best_step = 0
        self.improved = False  # at the newest evaluation
        self._mark: float = np.inf  # what patience measures the next loss against
        self._waited = 0
        self._before: float | None = None

    def state(self) -> dict[str, float | None]:
        """What the next decisions depend on; infinite losses as None."""
        known = {"best": self.best, "best_step": self.best_step, "mark": self._mark, "waited": self._waited}
        return {k: None if v == np.inf else v for k, v in known.items()} | {"before": self._before}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        if not state:
            return
        self.best = np.inf if state["best"] is None else float(state["best"])
        self._mark = np.inf if state["mark"] is None else float(state["mark"])
        self.best_step, self._waited = int(state["best_step"]), int(state["waited"])
        self._before = state["before"]

    @property
    def needs_train_loss(self) -> bool:
        """Whether evaluations must include the loss of all train rows."""
        return not self._validates or self._wishes.tol is not None

    def evaluated(self, step: int, train: float | None, validation: float | None) -> Reason | None:
        """Take in an evaluation; the reason to end, if there is one."""
        loss = validation if self._validates else train
        assert loss is not None
        self.improved = loss < self.best
        if self.improved:
            self.best, self.best_step = loss, step
        if loss < self._mark - self._wishes.min_delta:
            self._mark, self._waited = loss, 0
        else:
            self._waited += 1
        wishes = self._wishes
        if wishes.target_loss is not None and loss <= wishes.target_loss:
            return "target"
        if wishes.tol is not None and self._settled(train):
            return "tol"
        self._before = train
        if wishes.patience is not None and self._waited >= wishes.patience:
            return "patience"
        return None

    def _settled(self, train: float | None) -> bool:
        assert train is not None
        assert self._wishes.tol is not None
        gap = self._facts.gap(train)
        if gap is not None:
            return gap <= self._wishes.tol
        return self._before is not None and abs(self._before - train) <= self._wishes.tol * abs(self._before)


class Flatness:
    """Since which step the loss has been flat: within a share of its present value, over all of the stretch."""

    SHARE = 1e-4

    def __init__(self) -> None:
        self._since: int | None = None
        self._low: float = np.nan
        self._high: float = np.nan

    def take(self, start: int, low: float, high: float) -> None:
        """Take in the least and greatest loss of the steps from `start` on to the next call."""
        if not np.isfinite(low) or not np.isfinite(high):
            self._since = None
            return
        if self._since is not None:
            least, most = min(self._low, low), max(self._high, high)
            if most - least <= self.SHARE * abs(most):
                self._low, self._high = least, most
                return
        self._since, self._low, self._high = start, low, high

    def state(self) -> dict[str, float | None]:
        """What the next answers depend on."""
        if self._since is None:
            return {}
        return {"since": self._since, "low": self._low, "high": self._high}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        if state:
            self._since, self._low, self._high = int(state["since"]), float(state["low"]), float(state["high"])

    def since(self, step: int) -> int | None:
        """The step at which the flat stretch began that lasts until `step`; None if it is shorter than 50 steps."""
        if self._since is None or step - self._since < 50 or self._high - self._low > self.SHARE * abs(self._high):
            return None
        return self._since
