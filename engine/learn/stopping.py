"""When a run ends before its last step, and which weights it keeps."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from engine.base.loss_history import Bools, Floats, History
from engine.base.rounding import margin
from engine.learn.curvature import LossSurfaceFacts
from engine.recipe import Stopping

Reason = Literal["tol", "patience", "target"]


class EarlyStopping:
    """Takes in the evaluations of a run, which happen by step, and says when one of the rules is met.

    Of losses that differ by no more than rounding the earliest is the best one, and none is better than the other:
    last digits are not the same on every machine.

    Args:
        config: the recipe's section.
        facts: of the loss surface, for the gap to the optimum.
        validates: whether there are validation rows; else everything goes by the train loss.
        size: the train loss of outputs that are all 0; see `margin`. The best constant's where it is not given.
    """

    def __init__(self, config: Stopping, facts: LossSurfaceFacts, validates: bool, size: float = np.nan) -> None:
        self._config, self._facts, self._validates = config, facts, validates
        self._size = size if np.isfinite(size) else facts.baseline_loss
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
        return not self._validates or self._config.tol is not None

    def evaluated(self, step: int, train: float | None, validation: float | None) -> Reason | None:
        """Take in an evaluation; the reason to end, if there is one."""
        loss = validation if self._validates else train
        assert loss is not None
        self.improved = loss < self.best - margin(self.best, self._size)
        if self.improved:
            self.best, self.best_step = loss, step
        if loss < self._mark - max(self._config.min_delta, margin(self._mark, self._size)):
            self._mark, self._waited = loss, 0
        else:
            self._waited += 1
        config = self._config
        if config.target_loss is not None and loss <= config.target_loss:
            return "target"
        if config.tol is not None and self._settled(train):
            return "tol"
        self._before = train
        if config.patience is not None and self._waited >= config.patience:
            return "patience"
        return None

    def _settled(self, train: float | None) -> bool:
        assert train is not None
        assert self._config.tol is not None
        gap = self._facts.gap(train)
        if gap is not None:
            return gap <= self._config.tol
        return self._before is not None and abs(self._before - train) <= self._config.tol * abs(self._before)


FLAT = 1e-4  # the share of the loss within which a stretch of losses counts as flat
SHORTEST = 50  # steps of a flat stretch that is worth a word
COLUMN = 128  # steps whose least and greatest loss the history's pyramid knows exactly
COLUMNS = 1 << 16  # columns looked at at once


def flat_since(history: History, floor: float = 0.0) -> int | None:
    """The step from which on all losses to the end lie within a share FLAT of each other; None if that is no stretch.

    Losses that differ by no more than `floor` count as equal too.

    Read backwards from the end, column by column, and step by step only where the stretch begins. A loss that is not
    finite ends it.
    """
    steps = end = len(history)
    low, high = np.inf, -np.inf
    while end > 0:
        first = max(0, (end - 1) // COLUMN - COLUMNS + 1) * COLUMN
        edges = np.append(np.arange(first, end, COLUMN), end)
        columns = history.columns(edges)
        count, low, high = _stretch(columns.low, columns.high, columns.gap, low, high, floor)
        left = len(edges) - 1 - count
        end = int(edges[left])
        if left:
            losses = history.values(int(edges[left - 1]), end)
            end -= _stretch(losses, losses, ~np.isfinite(losses), low, high, floor)[0]
            break
    return end if steps - end >= SHORTEST else None


def _stretch(
    lows: Floats, highs: Floats, gaps: Bools, low: float, high: float, floor: float
) -> tuple[int, float, float]:
    """How many places at the end are flat together with what follows, and the least and greatest loss of all that.

    Args:
        lows, highs: [n] of the losses at each place.
        gaps: [n] whether one is not finite.
        low, high: of what follows.
        floor: a difference that is none.
    """
    least = np.minimum.accumulate(np.append(lows, low)[::-1])
    greatest = np.maximum.accumulate(np.append(highs, high)[::-1])
    broken = np.logical_or.accumulate(np.append(gaps, False)[::-1])
    with np.errstate(invalid="ignore"):
        flat = (greatest - least <= np.maximum(FLAT * np.abs(greatest), floor)) & ~broken
    flat[0] = True  # what follows is known to be
    count = len(flat) if flat.all() else int(flat.argmin())
    return count - 1, float(least[count - 1]), float(greatest[count - 1])
