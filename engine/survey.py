"""What can be told of a recipe before it is run: the table, the split, the stiffness under every normalization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import get_args

import numpy as np

from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.errors import Cancelled
from engine.learn.curvature import Facts, least_squares, stiffness
from engine.learn.plan import Plan, make_plan
from engine.recipe import Data, Normalization, Recipe


@dataclass(frozen=True)
class Stiffness:
    """How a linear model on the train rows behaves under one normalization."""

    condition_number: float | None  # κ; None where it is infinite to rounding
    lr_bound: float | None  # the largest stable learning rate of full-batch descent


@dataclass(frozen=True)
class Survey:
    """The answers for one recipe."""

    recipe: Recipe
    table: Table
    prepared: Prepared
    facts: Facts
    plan: Plan
    modes: dict[str, Stiffness]  # for every normalization mode

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return self.table.rows

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the encoded features."""
        return self.prepared.features

    @property
    def task(self) -> str:
        """regression, binary or multiclass."""
        return self.prepared.task

    @property
    def target(self) -> str:
        """The column to predict."""
        return self.prepared.target

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out or repaired, and why."""
        return self.prepared.notes


class Surveyor:
    """Makes surveys, and keeps the last table so that a change of mode or rate does not read it again."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._table: Table | None = None
        self._lock = Lock()  # a new question waits until the old one has noticed that it was cancelled

    def survey(
        self,
        recipe: Recipe,
        *,
        progress: Callable[[str, float | None], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Survey:
        """Answer for a recipe. Takes as long as reading the table: call it in a thread.

        Raises:
            InputError: what is wrong with the recipe or the table.
            Cancelled: `cancelled` said so.
        """
        with self._lock:
            return self._survey(recipe, progress, cancelled)

    def _survey(
        self,
        recipe: Recipe,
        progress: Callable[[str, float | None], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> Survey:
        key = _table_key(recipe.data)
        if self._table is None or key != self._key:
            self._table = load(recipe.data, progress=progress, cancelled=cancelled)
            self._key = key
        table = self._table
        prepared = prepare(recipe.data, recipe.normalization, table, progress=progress, cancelled=cancelled)
        train = prepared.train
        facts = least_squares(train.x, np.asarray(train.y, np.float64), prepared.target_scale.scale)
        modes: dict[str, Stiffness] = {}
        for mode in get_args(Normalization.model_fields["normalize"].annotation):
            if cancelled is not None and cancelled():
                raise Cancelled
            if mode == recipe.normalization.normalize:
                modes[mode] = Stiffness(facts.condition_number, facts.lr_bound)
                continue
            trial = prepared.with_normalization(recipe.normalization.model_copy(update={"normalize": mode}))
            modes[mode] = Stiffness(*stiffness(trial.train.x))
        device = "cpu" if recipe.device.device == "auto" else recipe.device.device
        return Survey(recipe, table, prepared, facts, make_plan(recipe, prepared, facts, device), modes)


def _table_key(data: Data) -> tuple[object, ...]:
    """What the loaded table depends on; a file also on its size and time of change."""
    path = Path(data.dataset).expanduser()
    stamp: tuple[object, ...] = ()
    try:
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns)
    except OSError:
        pass  # not a file: a built-in set or a function
    return (data.dataset, tuple(sorted(data.types.items())), stamp)


_surveyor = Surveyor()


def survey(recipe: Recipe, *, cancelled: Callable[[], bool] | None = None) -> Survey:
    """See `Surveyor.survey`; one surveyor for the whole process."""
    return _surveyor.survey(recipe, cancelled=cancelled)
