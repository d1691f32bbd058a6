"""Passes over the rows (epochs), also where the batch size was changed on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.registry.rules import REGISTRY

if TYPE_CHECKING:
    from engine.learn.plan import Plan
    from engine.recipe import Event

Floats = NDArray[np.float64]


class EpochCounter:
    """How many passes so many updates make, and the other way round.

    Args:
        updates: in a pass, rising sections of them: (the update from which on a pass has so many, how many).
    """

    def __init__(self, updates: Iterable[tuple[int, int]]) -> None:
        found = dict(updates)  # of two changes before one update the later holds
        self._first = np.array(sorted(found), np.float64)
        self._updates = np.array([found[int(first)] for first in self._first], np.float64)
        whole = np.diff(self._first) / self._updates[:-1]
        self._passes = np.append(0.0, np.cumsum(whole))

    @property
    def longest(self) -> float:
        """Updates in the longest of the passes."""
        return float(self._updates.max())

    def after(self, updates: Floats) -> Floats:
        """Passes after so many updates [n]."""
        at = np.searchsorted(self._first, updates, side="right").clip(1) - 1
        return np.asarray(self._passes[at] + (updates - self._first[at]) / self._updates[at])

    def updates(self, passes: Floats) -> Floats:
        """Updates, whole or not, after so many passes [n]."""
        at = np.searchsorted(self._passes, passes, side="right").clip(1) - 1
        return np.asarray(self._first[at] + (passes - self._passes[at]) * self._updates[at])


def of_plan(plan: Plan, events: Iterable[Event]) -> EpochCounter:
    """The passes of a run with the changes of its batch size."""
    sizes = [(event.step, event.value) for event in events if event.field == "batch_size"]
    if not plan.rule.takes("batch_size"):
        sizes = []
    return EpochCounter([(0, plan.batches), *((step, _updates(plan.rows, size)) for step, size in sizes)])


def of_facts(facts: Mapping[str, Any], events: Iterable[Event]) -> EpochCounter:
    """The same of a run's run.json; a pass for every update where that does not tell."""
    choices, data = facts.get("choices") or {}, facts.get("data") or {}
    try:
        rows, size = int(data["rows"]["train"]), int(choices["batch_size"])
        rule = REGISTRY.get(str(choices.get("optimizer")))
        if (rule is not None and not rule.takes("batch_size")) or rows < 1 or size < 1:
            return EpochCounter([(0, 1)])
    except (KeyError, TypeError, ValueError):
        return EpochCounter([(0, 1)])
    sizes = [(event.step, event.value) for event in events if event.field == "batch_size"]
    return EpochCounter([(0, _updates(rows, size)), *((step, _updates(rows, size)) for step, size in sizes)])


def _updates(rows: int, size: float | int | str) -> int:
    """Updates in a pass with batches of a size, or "full"."""
    return 1 if size == "full" else max(1, -(-rows // int(size)))
