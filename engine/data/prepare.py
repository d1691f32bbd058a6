"""From a table to arrays that can be trained on, everything fitted on train rows only.

choose columns ─▶ read the target ─▶ leave out rows ─▶ split ─▶ fit Encoder ─▶ encode ─▶ fit Normalizer ─▶ transform
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import recipe
from engine.data import duplicates, encode, kinds, normalize, select, target, terms
from engine.data.encode import Encoder
from engine.data.normalize import Normalizer, TargetScale
from engine.data.parallel import Progress, Stop, check
from engine.data.select import LeftOut
from engine.data.split import Split, split
from engine.data.table import Floats, Table, Task, show_number, shown
from engine.errors import InputError

DEFAULT_VALIDATION = 0.2


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows, ready for a kernel.

    Attributes:
        x: float64 [n, d], C-contiguous, encoded and normalized.
        y: float64 [n]: the scaled target for regression, 0 or 1 for binary, the class number (a whole number as
            float64) for multiclass.
        weight: float64 [n], the class weights fitted on the train rows; None where all rows weigh the same.
        index: int64 [n], the rows' numbers in the table, ascending.
    """

    x: Floats
    y: Floats
    weight: Floats | None
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is decided before a normalization is: columns, rows, split, encoding.

    Attributes:
        table: with columns of the kinds that were chosen.
        data: the choices.
        goal: the target of every row of the table.
        name: of the target.
        split: row numbers in the table.
        encoder: fitted on the train rows.
        left_out: columns that are not learned from.
        notes: what was left out or repaired so far.
    """

    table: Table
    data: recipe.Data
    goal: target.Target
    name: str
    split: Split
    encoder: Encoder
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that training needs of the data.

    Attributes:
        task: what is learned.
        target: name of the column that is predicted.
        features: names of the d encoded columns.
        classes: names of the classes in the order of their numbers; () for regression.
        train, validation, test: the rows of each part; validation and test may be empty.
        encoder, normalizer, target_scale: fitted on the train rows.
        notes: everything that was left out or repaired and why, a sentence each.
        table_name, fingerprint: the table's short name, and sha256 of its content.
        normalization: the choice it was made with.
        plan: what another normalization starts from.
    """

    task: Task
    target: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    train: Rows
    validation: Rows
    test: Rows
    encoder: Encoder
    normalizer: Normalizer
    target_scale: TargetScale
    notes: tuple[str, ...]
    table_name: str
    fingerprint: str
    normalization: recipe.Normalization
    plan: Plan

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Columns that are not learned from, with the reason."""
        return self.plan.left_out

    def with_normalization(
        self, normalization: recipe.Normalization, *, progress: Progress | None = None, cancelled: Stop | None = None
    ) -> Prepared:
        """The same rows and encoding under another normalization: the very numbers that `prepare` would give.

        The matrix is encoded anew from the table, which costs less than keeping a raw copy of it.
        """
        return self if normalization == self.normalization else _build(self.plan, normalization, progress, cancelled)

    def raw_train(self, *, cancelled: Stop | None = None) -> Floats:
        """The encoded train rows before normalization, float64 [n, d], as a new array."""
        return self.plan.encoder.fill(self.plan.table, self.train.index, cancelled)[0]


def prepare(
    data: recipe.Data,
    normalization: recipe.Normalization,
    table: Table,
    *,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> Prepared:
    """Arrays for training from a table.

    Rows keep the order of the table within each part. `data.types` are applied to the table once more, so that a table
    loaded under other choices can be used.

    Raises:
        InputError: a column, share or value that cannot be used, with the remedy.
        Cancelled: when `cancelled` says so.
    """
    plan = _plan(data, table, progress, cancelled)
    return _build(plan, normalization, progress, cancelled)


def columns_planned(data: recipe.Data, table: Table) -> int:
    """How many encoded columns `prepare` would make, degree terms included, without making them."""
    plan = _plan(data.model_copy(update={"degree": 1}), table, None, None, two_valued=True)
    return terms.count(encode.bases(plan.encoder.inputs), data.degree)


def _plan(
    data: recipe.Data, table: Table, progress: Progress | None, cancelled: Stop | None, *, two_valued: bool = False
) -> Plan:
    if progress:
        progress("reading the columns", None)
    table = kinds.retype(table, data.types)
    if table.rows < 2:
        raise InputError(f"{table.label} has {table.rows} row{'s' * (table.rows != 1)}; learning needs at least two.")
    column = select.target(table, data)
    names, left_out = select.features(table, data, column.name)
    goal = target.read(table, column, data.task)
    check(cancelled)
    notes = [*table.notes, *(f"{each.name} was left out: {each.reason}." for each in left_out)]
    kept = _kept(table, names, goal, data, notes)
    parts = _split(table, goal, kept, data, notes)
    check(cancelled)
    inputs, base_notes = encode.fit_inputs(
        table, names, parts.train, data.missing, two_valued or data.degree > 1, cancelled
    )
    notes += base_notes
    notes += _filled(table, inputs, kept)
    width = terms.count(encode.bases(inputs), data.degree)
    _refuse_too_wide(width, len(kept), data, table)
    if data.degree > 1:
        notes.append(f"Terms up to degree {data.degree} make {width:,} columns.")
    encoder = encode.with_degree(inputs, data.degree)
    return Plan(table, data, goal, column.name, parts, encoder, left_out, tuple(notes))


def _kept(
    table: Table, names: Iterable[str], goal: target.Target, data: recipe.Data, notes: list[str]
) -> NDArray[np.int64]:
    """The rows that can be used: those with a target, and with `missing` "drop" those without a gap."""
    usable = ~np.isnan(goal.y)
    gone = table.rows - int(np.count_nonzero(usable))
    if gone:
        notes.append(f"{_rows(gone)} without a target {'was' if gone == 1 else 'were'} left out.")
    if data.missing == "drop":
        before = int(np.count_nonzero(usable))
        for name in names:
            column = table[name]
            if column.missing:
                usable &= (column.data >= 0) if column.is_coded else ~np.isnan(column.data)
        gone = before - int(np.count_nonzero(usable))
        if gone:
            notes.append(f"{_rows(gone)} with missing values {'was' if gone == 1 else 'were'} left out.")
    kept = np.flatnonzero(usable).astype(np.int64, copy=False)
    if len(kept) < 2:
        raise InputError(
            f"{table.label} has {_rows(len(kept))} left once those with missing values are gone, and learning needs at "
            "least two; fill them instead (--missing median), or leave out the columns with gaps (--drop)."
        )
    return kept


def _split(table: Table, goal: target.Target, kept: NDArray[np.int64], data: recipe.Data, notes: list[str]) -> Split:
    share = data.val
    if share is None:
        share = 0.0 if table.origin == "notes" else DEFAULT_VALIDATION
        room = len(kept) * (1 - data.test)
        if share and (round(len(kept) * share) < 1 or len(kept) * share + 1 > room):
            share = 0.0
            notes.append(f"No validation rows were held out, since there are only {len(kept)} rows.")
    classes = goal.y[kept].astype(np.int64) if goal.classes else None
    whole = split(len(kept), share, data.test, shuffled=data.split == "shuffled", seed=data.split_seed, classes=classes)
    parts = Split(*(kept if len(p) == len(kept) else kept[p] for p in (whole.train, whole.validation, whole.test)))
    if goal.classes:
        _check_classes(table, goal, parts, share > 0 or data.test > 0, notes)
    elif len(parts.train) > 1 and goal.y[parts.train].min() == goal.y[parts.train].max():
        raise InputError(
            f"The target is {show_number(float(goal.y[parts.train[0]]))} in every train row: there is nothing to "
            "learn; use --split shuffled, or choose another target (--target)."
        )
    return parts


def _check_classes(table: Table, goal: target.Target, parts: Split, held: bool, notes: list[str]) -> None:
    counts = np.bincount(goal.y[parts.train].astype(np.int64), minlength=len(goal.classes))
    if np.count_nonzero(counts) < 2:
        raise InputError(
            f"The train rows of {table.label} are all of class {shown(goal.classes[int(counts.argmax())])}: there is nothing "
            "to learn; use --split shuffled."
        )
    never = [shown(name) for name, count in zip(goal.classes, counts, strict=True) if not count]
    if never:
        notes.append(f"No train row is of class {', '.join(never)}, so it cannot be learned.")
    everywhere = np.bincount(goal.y[~np.isnan(goal.y)].astype(np.int64), minlength=len(goal.classes))
    single = [shown(name) for name, count in zip(goal.classes, everywhere, strict=True) if count == 1]
    if single and held and not never:
        listed = ", ".join(single[:5]) + (" …" if len(single) > 5 else "")
        notes.append(f"Class {listed} has only one row, which trains: held-out rows cannot test it.")


def _filled(table: Table, inputs: Iterable[encode.Input], kept: NDArray[np.int64]) -> list[str]:
    """A sentence for each column whose gaps are filled."""
    notes = []
    for given in inputs:
        column = table[given.name]
        if not column.missing or column.is_coded != given.is_coded:
            continue
        cells = column.data[kept]
        count = int(np.count_nonzero(cells < 0 if column.is_coded else np.isnan(cells)))
        if count:
            marked = f", and {given.columns[-1]!r} marks them" if given.marked else ""
            notes.append(
                f"{given.name}: {count:,} missing value{'s' * (count != 1)} filled with {shown(given.show(given.typical))}, "
                f"found on the train rows{marked}."
            )
    return notes


def _refuse_too_wide(width: int, rows: int, data: recipe.Data, table: Table) -> None:
    room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    size = width * rows * 8
    if size > 0.7 * room:
        remedy = f"lower --degree (now {data.degree})" if data.degree > 1 else "leave columns out (--drop)"
        raise InputError(
            f"{table.label} would make {width:,} columns of {rows:,} rows, {size / 2**30:,.1f} GiB, and this machine "
            f"has {room / 2**30:,.1f} GiB; {remedy}, or choose fewer --features."
        )


def _build(
    plan: Plan, normalization: recipe.Normalization, progress: Progress | None, cancelled: Stop | None
) -> Prepared:
    def tell(what: str, share: float | None) -> None:
        if progress:
            progress(what, share)
        check(cancelled)

    tell("encoding", 0.0)
    notes = list(plan.notes)
    features = plan.encoder.features
    indices = (plan.split.train, plan.split.validation, plan.split.test)
    matrices: list[Floats] = []
    for part, index in zip(("train", "validation", "test"), indices, strict=True):
        matrix, warnings = plan.encoder.fill(plan.table, index, cancelled)
        matrices.append(matrix)
        notes += [f"Among the {part} rows, {warning}" for warning in warnings]
    tell("normalizing", 0.5)
    normalizer = normalize.fit(
        matrices[0], normalization.normalize, normalization.std, names=features, cancelled=cancelled
    )
    for matrix in matrices:
        normalizer.transform_in_place(matrix, cancelled)
    notes += _constants(features, normalizer)
    goal = plan.goal
    scale = TargetScale()
    if normalization.normalize_target and goal.task == "regression":
        scale = normalize.fit_target(
            goal.y[plan.split.train], normalization.normalize, normalization.std, name=plan.name
        )
    elif normalization.normalize_target:
        notes.append("The target is a class, so it was not normalized.")
    targets = [scale.transform(goal.y[index]) if scale != TargetScale() else goal.y[index] for index in indices]
    tell("looking for duplicates", 0.9)
    notes += _duplicates(matrices, targets)
    weights = _weights(plan, targets, notes)
    parts = [Rows(*each) for each in zip(matrices, targets, weights, indices, strict=True)]
    return Prepared(
        goal.task,
        plan.name,
        features,
        goal.classes,
        parts[0],
        parts[1],
        parts[2],
        plan.encoder,
        normalizer,
        scale,
        tuple(notes),
        plan.table.name,
        plan.table.fingerprint,
        normalization,
        plan,
    )


def _weights(plan: Plan, targets: Sequence[Floats], notes: list[str]) -> list[Floats | None]:
    if plan.data.class_weight == "none":
        return [None, None, None]
    if not plan.goal.classes:
        notes.append("The target is a number, so classes were not weighed.")
        return [None, None, None]
    by_class = target.class_weights(targets[0], len(plan.goal.classes))
    return [by_class[y.astype(np.int64)] for y in targets]


def _constants(features: Sequence[str], normalizer: Normalizer) -> list[str]:
    where = np.flatnonzero(normalizer.constant)
    if not where.size:
        return []
    listed = ", ".join(features[i] for i in where[:5]) + (" …" if where.size > 5 else "")
    return [f"{listed} {'is' if where.size == 1 else 'are'} the same in every train row and can teach nothing."]


def _duplicates(matrices: Sequence[Floats], targets: Sequence[Floats]) -> list[str]:
    notes = []
    for name, x, y in (("validation", matrices[1], targets[1]), ("test", matrices[2], targets[2])):
        count = duplicates.shared(matrices[0], targets[0], x, y)
        if count:
            notes.append(
                f"{count:,} of {len(y):,} {name} rows {'is a copy' if count == 1 else 'are copies'} of train rows "
                f"(same features, same target), so the {name} loss looks better than it is."
            )
    return notes


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"
