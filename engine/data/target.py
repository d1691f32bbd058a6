"""Reading the column to be predicted: which task it is, its numbers or its classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import kinds, sentences
from engine.data.table import Column, Floats, Table, Task, show_number, shown

MOST_GUESSED_CLASSES = 10
_ROWS_PER_GUESSED_CLASS = 5


@dataclass(frozen=True, eq=False)
class Target:
    """The target of every row.

    Attributes:
        task: "regression", "binary" or "multiclass".
        y: float64 [rows]: the number itself, or the number of the class in `classes`; NaN where missing.
        classes: their names, in order, in the table's own letters; () for regression.
        why: half a sentence on how the task was found.
    """

    task: Task
    y: Floats
    classes: tuple[str, ...]
    why: str


def read(table: Table, column: Column, wanted: Literal["auto", "regression", "binary", "multiclass"]) -> Target:
    """The target in `column` for the task that is wanted, or for the one that its values suggest.

    Two different values make a binary target (whole numbers, texts); more texts, or whole numbers that count up from 0
    or 1 to at most 10 with five rows for each, a multiclass one; everything else is a regression.

    Raises:
        InputError: no values, infinite ones, only one value, more classes than rows can teach, or a task that the
            values do not allow.
    """
    kinds.check_strays(table, column, is_target=True)
    if not column.is_coded:
        infinite = np.flatnonzero(np.isinf(column.numbers))
        if infinite.size:
            raise InputError(sentences.TARGET_INFINITE(place=table.place(int(infinite[0])), column=column.name))
    if column.missing == table.rows:
        raise InputError(sentences.TARGET_EMPTY(column=column.name, table=table.label))
    task = wanted
    why = sentences.AS_CHOSEN()
    if task == "auto":
        task = (table.task if table.target == column.name else None) or _guess(column)
        why = (sentences.IS_A_NUMBER if task == "regression" else sentences.IS_A_CLASS)(column=column.name)
    return _regression(table, column, why) if task == "regression" else _classes(table, column, task, why)


def _guess(column: Column) -> Task:
    if column.is_coded:
        return "binary" if len(column.categories) <= 2 else "multiclass"
    if column.kind == "date":
        return "regression"
    values = column.numbers[~np.isnan(column.numbers)]
    if (values != np.floor(values)).any():
        return "regression"
    unique = np.unique(values)
    count = len(unique)
    if count == 2 and len(values) >= 4:
        return "binary"
    counts_up = unique[0] in (0, 1) and unique[-1] - unique[0] == count - 1
    enough = len(values) >= _ROWS_PER_GUESSED_CLASS * count
    return "multiclass" if 2 < count <= MOST_GUESSED_CLASSES and counts_up and enough else "regression"


def _regression(table: Table, column: Column, why: str) -> Target:
    numbers = kinds.as_numeric(column)
    if column.is_coded and column.kind != "boolean" and numbers.strays:
        row, text = numbers.strays[0]
        raise InputError(sentences.TARGET_NO_NUMBER(place=table.place(row), column=column.name, text=shown(text)))
    known = numbers.numbers[~np.isnan(numbers.numbers)]
    if known.min() == known.max() and table.rows > 1:
        raise InputError(
            sentences.TARGET_CONSTANT(column=column.name, value=show_number(float(known[0])), table=table.label)
        )
    return Target("regression", numbers.numbers, (), why)


def _classes(table: Table, column: Column, task: Task, why: str) -> Target:
    coded = column if column.kind in ("boolean", "categorical") else kinds.as_categorical(column)
    rows = table.rows - column.missing
    counts = np.bincount(coded.codes[coded.codes >= 0], minlength=len(coded.categories))
    names = tuple(text for text, count in zip(coded.categories, counts, strict=True) if count)
    if len(names) < len(counts):
        new = np.append(np.cumsum(counts > 0) - 1, -1).astype(np.int32)
        coded = Column(coded.name, coded.kind, new[coded.codes], names)
    if len(names) == 1:
        raise InputError(sentences.TARGET_CONSTANT(column=column.name, value=shown(names[0]), table=table.label))
    if task == "binary" and len(names) > 2:
        raise InputError(sentences.NOT_BINARY(column=column.name, values=len(names)))
    if len(names) >= rows or (len(names) > 20 and len(names) > rows / 2):
        refused = sentences.TOO_MANY_CLASSES if column.is_coded else sentences.TOO_MANY_NUMBERS
        raise InputError(refused(column=column.name, classes=len(names), rows=rows))
    y = np.append(np.arange(len(names), dtype=np.float64), np.nan)[coded.codes]
    return Target(task, y, _as_written(column, names), why)


def _as_written(column: Column, names: tuple[str, ...]) -> tuple[str, ...]:
    """Class names in the letters of the table, where its words for yes and no were read in lower case."""
    spelled = dict(column.spellings)
    return tuple(spelled.get(name, name) for name in names)


def class_weights(y: Floats, classes: int) -> Floats:
    """Balanced weights, float64 [classes]: n / (classes * rows of the class), 1 on average over the rows of y.

    King & Zeng, "Logistic Regression in Rare Events Data", 2001; scikit-learn's "balanced". A class without a row
    weighs 0.
    """
    counts = np.bincount(y.astype(np.int64), minlength=classes)
    weights: NDArray[np.float64] = np.zeros(classes)
    there = counts > 0
    weights[there] = len(y) / (int(there.sum()) * counts[there])
    return weights
