"""What can be told of a recipe before it is run: the table, the split, the stiffness under every normalization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from engine import modules
from engine.base.errors import InputError
from engine.data.kinds import retype
from engine.data.normalize import under_every_mode
from engine.data.parallel import check
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.learn.curvature import LossSurfaceFacts, measurable, qr_factor, survey_loss, under
from engine.learn.kernels.threads import limited
from engine.learn.plan import Plan, make_architecture, make_plan, of_table
from engine.learn.recommend import planned
from engine.learn.resolved import resolved
from engine.recipe import ColumnKind, Data, Known, Recipe
from engine.runs.provenance import own_modules


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
    facts: LossSurfaceFacts
    plan: Plan
    modes: dict[str, Stiffness]  # for every normalization mode

    @property
    def known(self) -> Known:
        """The choices as a run in the app makes them definite."""
        return resolved(self.recipe, self.plan, self.prepared, screen=True)

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
    """Makes surveys, and keeps the last table so that a change of type, mode or rate does not read it again."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._read: Table | None = None  # as it was read, no column retyped
        self._table: Table | None = None  # with `_types`
        self._types: dict[str, ColumnKind] = {}
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
        modules.check(*own_modules(recipe))  # before anything is read, and before any of them is imported
        table = self._typed(recipe.data, progress, cancelled)
        prepared = prepare(recipe.data, recipe.normalization, table, progress=progress, cancelled=cancelled)
        train = prepared.train
        architecture, loss = make_architecture(recipe, prepared)
        root = None if train.weight is None else np.sqrt(train.weight)
        targets = np.asarray(train.y, np.float64)
        with limited(1):
            upper = qr_factor(train.x, targets, root) if measurable(loss, train.x) else None
            facts = survey_loss(
                loss,
                train.x,
                targets,
                classes=max(len(prepared.classes), 2),
                weight=train.weight,
                scale=prepared.target_scale.scale,
                l2=float(of_table(recipe, prepared)["l2"]),
                optimum=False,  # Newton's method takes its time, and the run will find it
                upper=upper,
            )
        check(cancelled)
        modes: dict[str, Stiffness] = {}
        if upper is not None:
            old = prepared.normalizer
            every = under_every_mode(train.x, old, recipe.normalization.std, cancelled=cancelled)
            # Modes are compared without a penalty.
            modes = {mode: Stiffness(*under(upper, loss, len(train), old, new)) for mode, new in every.items()}
        known = facts if architecture.linear else LossSurfaceFacts(baseline_loss=facts.baseline_loss)
        device = recipe.device.device
        # A device that was named is not asked whether it is there: that takes seconds, and the panel shows it anyway.
        plan = planned(recipe, prepared, known) if device == "auto" else make_plan(recipe, prepared, known, device)
        return Survey(recipe, table, prepared, facts, plan, modes)

    def _typed(
        self, data: Data, progress: Callable[[str, float | None], None] | None, cancelled: Callable[[], bool] | None
    ) -> Table:
        """The table with its columns as the person says. Read leniently: `prepare` complains of what it cannot use."""
        key = _table_key(data)
        if self._read is None or key != self._key:
            self._read = self._table = None
            plain = replace(data, types={})
            self._read = load(plain, progress=progress, cancelled=cancelled, lenient=True)
            self._key = key
        if self._table is None or self._types != data.types:
            self._table, self._types = retype(self._read, data.types), dict(data.types)
        return self._table

    def table(self, data: Data) -> Table | None:
        """The table of the last question, also where it cannot be trained on as it is; None where it cannot be read.

        A column that cannot be of the kind that `data.types` says keeps its own.
        """
        with self._lock:
            if self._read is None or self._key != _table_key(data):
                return None
            if self._table is not None and self._types == data.types:
                return self._table
            table = self._read
            for name, kind in data.types.items():
                try:
                    table = retype(table, {name: kind})
                except InputError:
                    continue
            return table


def _table_key(data: Data) -> tuple[object, ...]:
    """What the table that is read depends on; a file also on its size and time of change."""
    path = Path(data.dataset).expanduser()
    stamp: tuple[object, ...] = ()
    try:
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns)
    except OSError:
        pass  # not a file: a built-in set or a function
    return (data.dataset, stamp)


_surveyor = Surveyor()


def survey(recipe: Recipe, *, cancelled: Callable[[], bool] | None = None) -> Survey:
    """See `Surveyor.survey`; one surveyor for the whole process."""
    return _surveyor.survey(recipe, cancelled=cancelled)
