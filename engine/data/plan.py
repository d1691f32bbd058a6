"""All that is decided before anything is scaled: columns, target, rows, split, encoding."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import dates, encode, inputs, kinds, positive, select, sentences, target, terms
from engine.data.encode import Encoder
from engine.data.inputs import Input
from engine.data.parallel import Progress, Stop, check
from engine.data.select import LeftOut
from engine.data.split import Split, split
from engine.data.table import Table, show_number, shown

if TYPE_CHECKING:
    from engine import recipe

DEFAULT_VALIDATION = 0.2


@dataclass(frozen=True, eq=False)
class DataPlan:
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
        doubts: those of the notes that tell how something was read that could be meant otherwise.
        positive: of two classes the number of the positive one; else None.
    """

    table: Table
    data: recipe.Data
    goal: target.Target
    name: str
    split: Split
    encoder: Encoder
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    positive: int | None = None


def make(
    data: recipe.Data,
    table: Table,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
    *,
    two_valued: bool = False,
) -> DataPlan:
    """Decide everything for a table.

    Args:
        two_valued: whether to find out which columns have two values even at degree 1.

    Raises:
        InputError: a column, share or value that cannot be used, with the remedy.
        Cancelled: as asked.
    """
    if progress:
        progress(sentences.READING_COLUMNS(), None)
    table = kinds.retype(table, data.types)
    if table.rows < 2:
        raise InputError(sentences.TOO_FEW_ROWS(table=table.label, rows=table.rows))
    column = select.target(table, data)
    names, left_out = select.features(table, data, column.name)
    goal = target.read(table, column, data.task)
    check(cancelled)
    notes = [*table.notes, *(sentences.LEFT_OUT(column=each.name, reason=each.reason) for each in left_out)]
    doubts = _either(table, (*names, column.name))
    notes += doubts
    kept = _kept(table, names, goal, data, notes)
    parts = _split(table, goal, kept, data, notes)
    counts = np.bincount(goal.y[parts.train].astype(np.int64), minlength=2).tolist() if goal.classes else ()
    which = positive.find(data.positive, goal.classes, counts, column.name)
    check(cancelled)
    given, base_notes = inputs.fit(table, names, parts.train, data.missing, two_valued or data.degree > 1, cancelled)
    notes += base_notes
    notes += _filled(table, given, kept)
    width = terms.count(inputs.bases(given), data.degree)
    _refuse_too_wide(width, len(kept), data, table)
    if data.degree > 1:
        notes.append(sentences.TERMS(degree=data.degree, columns=width))
    encoder = encode.with_degree(given, data.degree)
    return DataPlan(table, data, goal, column.name, parts, encoder, left_out, tuple(notes), tuple(doubts), which)


def _either(table: Table, names: Iterable[str]) -> list[str]:
    """A sentence for each column whose dates could have been read day first as well as month first."""
    notes = []
    for name in names:
        reading = table[name].reading
        if not reading.either:
            continue
        day = dates.reread(reading.either, reading.dates)
        assert day is not None
        known = dates.show(day[0]).partition(" ")[0]
        order = sentences.DAY() if reading.dates.startswith("%d") else sentences.MONTH()
        notes.append(sentences.DAY_OR_MONTH(column=name, order=order, text=shown(reading.either), date=known))
    return notes


def _kept(
    table: Table, names: Iterable[str], goal: target.Target, data: recipe.Data, notes: list[str]
) -> NDArray[np.int64]:
    """The rows that can be used: those with a target, and with `missing` "drop" those without a gap."""
    usable = ~np.isnan(goal.y)
    gone = table.rows - int(np.count_nonzero(usable))
    if gone:
        notes.append(sentences.NO_TARGET_ROWS(rows=gone))
    if data.missing == "drop":
        before = int(np.count_nonzero(usable))
        for name in names:
            column = table[name]
            if column.missing:
                usable &= (column.data >= 0) if column.is_coded else ~np.isnan(column.data)
        gone = before - int(np.count_nonzero(usable))
        if gone:
            notes.append(sentences.ROWS_WITH_GAPS(rows=gone))
    kept = np.flatnonzero(usable).astype(np.int64, copy=False)
    if len(kept) < 2:
        raise InputError(sentences.TOO_FEW_LEFT(table=table.label, rows=len(kept)))
    return kept


def _split(table: Table, goal: target.Target, kept: NDArray[np.int64], data: recipe.Data, notes: list[str]) -> Split:
    share = data.val
    if share is None:
        share = 0.0 if table.origin == "notes" else DEFAULT_VALIDATION
        room = len(kept) * (1 - data.test)
        if share and (round(len(kept) * share) < 1 or len(kept) * share + 1 > room):
            share = 0.0
            notes.append(sentences.NO_VALIDATION(rows=len(kept)))
    classes = goal.y[kept].astype(np.int64) if goal.classes else None
    whole = split(len(kept), share, data.test, shuffled=data.split == "shuffled", seed=data.split_seed, classes=classes)
    parts = Split(*(kept if len(p) == len(kept) else kept[p] for p in (whole.train, whole.validation, whole.test)))
    if goal.classes:
        _check_classes(table, goal, parts, share > 0 or data.test > 0, notes)
    elif len(parts.train) > 1 and goal.y[parts.train].min() == goal.y[parts.train].max():
        raise InputError(sentences.ONE_TARGET_IN_TRAIN(value=show_number(float(goal.y[parts.train[0]]))))
    return parts


def _check_classes(table: Table, goal: target.Target, parts: Split, held: bool, notes: list[str]) -> None:
    counts = np.bincount(goal.y[parts.train].astype(np.int64), minlength=len(goal.classes))
    if np.count_nonzero(counts) < 2:
        raise InputError(
            sentences.ONE_CLASS_IN_TRAIN(table=table.label, class_=shown(goal.classes[int(counts.argmax())]))
        )
    never = [shown(name) for name, count in zip(goal.classes, counts, strict=True) if not count]
    if never:
        notes.append(sentences.CLASSES_WITHOUT_ROWS(classes=never))
    everywhere = np.bincount(goal.y[~np.isnan(goal.y)].astype(np.int64), minlength=len(goal.classes))
    single = [shown(name) for name, count in zip(goal.classes, everywhere, strict=True) if count == 1]
    if single and held and not never:
        listed = ", ".join(single[:5]) + (" …" if len(single) > 5 else "")
        notes.append(sentences.CLASS_OF_ONE_ROW(classes=listed))


def _filled(table: Table, fitted: Iterable[Input], kept: NDArray[np.int64]) -> list[str]:
    """A sentence for each column whose gaps are filled."""
    notes = []
    for given in fitted:
        column = table[given.name]
        if not column.missing or column.is_coded != given.is_coded:
            continue
        cells = column.data[kept]
        count = int(np.count_nonzero(cells < 0 if column.is_coded else np.isnan(cells)))
        if count:
            mark = given.columns[-1] if given.marked else ""
            notes.append(
                sentences.FILLED_GAPS(
                    column=given.name,
                    cells=count,
                    value=shown(given.show(given.typical)),
                    mark=mark,
                )
            )
    return notes


def _refuse_too_wide(width: int, rows: int, data: recipe.Data, table: Table) -> None:
    room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    size = width * rows * 8
    if size > 0.7 * room:
        remedy = sentences.LOWER_DEGREE(degree=data.degree) if data.degree > 1 else sentences.DROP_COLUMNS()
        raise InputError(
            sentences.TOO_WIDE(
                table=table.label, columns=width, rows=rows, needed=size / 2**30, memory=room / 2**30, remedy=remedy
            )
        )
