"""How far a run is, in plain lines on stderr: one for each epoch, without escapes and without writing over a line.

For people who listen to their screen, for nohup and for logs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from engine.base.rounding import told
from engine.commands import sentences
from engine.commands.console import say

if TYPE_CHECKING:
    from engine.learn.plan import Plan
    from engine.training.snapshot import Snapshot

REPORTS = 20  # lines about a run whose epochs are single steps, at least as many as fit into twice that
EPOCHS = 1000  # epochs up to which each has a line


def looked_at() -> bool:
    """Whether somebody looks at stderr on a terminal with a screen."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "")


class Telling:
    """Tells of the epochs that have passed since it was asked last.

    Args:
        start: the steps that an earlier run had taken.
        write: takes the lines.
        by_step: tell of steps, for epochs have other numbers of them on the way.
    """

    def __init__(self, start: int = 0, write: Callable[[str], None] = say, *, by_step: bool = False) -> None:
        self._told, self._write, self._by_step = start, write, by_step

    def tell(self, now: Snapshot) -> None:
        """A line for everything that is due."""
        plan, history = now.plan, now.history
        if plan is None or history is None or not now.steps:
            return
        batches = 1 if self._by_step else plan.batches
        every = spacing(batches, now.steps)
        last = min(now.step, len(history)) // every * every
        first = (self._told // every + 1) * every
        for step in range(first, last + 1, every):
            self._write(_line(now, plan, step, epochs=batches > 1, newest=step == last))
        self._told = max(self._told, last)


def spacing(batches: int, steps: int) -> int:
    """Steps from one line to the next.

    Args:
        batches: steps in an epoch.
        steps: steps of the run.
    """
    if batches > 1:
        epochs = steps / batches
        return batches * (1 if epochs <= EPOCHS else _round(epochs / EPOCHS))
    return _round(steps / REPORTS)


def _round(value: float) -> int:
    """The greatest of 1, 2, 5, 10, 20, 50 … that is not above a value; at least 1."""
    if value <= 1:
        return 1
    power = int(10 ** floor(log10(value)))
    return next(mantissa * power for mantissa in (5, 2, 1) if mantissa * power <= value)


def _line(now: Snapshot, plan: Plan, step: int, *, epochs: bool, newest: bool) -> str:
    validation = ""
    if now.validation is not None and len(now.validation):
        steps, values = now.validation.points()
        seen = int(np.searchsorted(steps, step, side="right"))
        if seen:
            validation = told(float(values[seen - 1]), now.loss_size)
    seconds = round(now.eta) if newest and now.eta is not None and now.eta >= 2 else None
    if epochs:
        loss = told(_epoch_loss(now, plan, step), now.loss_size)
        epoch, of = step // plan.batches, now.steps / plan.batches
        return sentences.AFTER_EPOCH(epoch=epoch, epochs=of, loss=loss, validation=validation, seconds=seconds)
    assert now.history is not None
    loss = told(float(now.history.values(step - 1, step)[0]), now.loss_size)
    return sentences.AFTER_STEP(step=step, steps=now.steps, loss=loss, validation=validation, seconds=seconds)


def _epoch_loss(now: Snapshot, plan: Plan, step: int) -> float:
    """The mean loss of the epoch that ends with a step, weighted by the rows of its batches."""
    assert now.history is not None
    values = now.history.values(step - plan.batches, step)
    weights = np.full(plan.batches, float(plan.batch))
    weights[-1] = plan.rows - plan.batch * (plan.batches - 1)
    return float(np.average(values, weights=weights))
