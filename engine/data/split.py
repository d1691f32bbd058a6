"""Which rows train, which validate, which test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.base.random_streams import stream
from engine.data import sentences

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of each part, int64, ascending; together every row once."""

    train: Rows
    validation: Rows
    test: Rows


def split(
    rows: int,
    validation: float,
    test: float,
    *,
    shuffled: bool,
    seed: int,
    classes: NDArray[np.int64] | None = None,
) -> Split:
    """Divide rows 0..rows.

    Shares are of all rows, rounded to the nearest whole row. Shuffled rows are drawn from the stream "split" of `seed`,
    so the parts stay the same whatever else is chosen. Ordered: train rows come first, then validation, then test.

    Args:
        classes: int64 [rows] class numbers; a shuffled split then gives every part the same mix of classes (largest
            remainders), and every class at least one train row.

    Raises:
        InputError: a share that leaves a part empty which was asked for, or no train row.
    """
    wanted = {"validation": validation, "test": test}
    sizes = {part: int(np.floor(rows * share + 0.5)) for part, share in wanted.items()}
    for part, share in wanted.items():
        if share > 0 and sizes[part] == 0:
            flag = "--val" if part == "validation" else "--test"
            least = np.ceil(50 / rows) / 100
            raise InputError(sentences.EMPTY_PART(part=part, share=share, rows=rows, flag=flag, least=least))
    if sizes["validation"] + sizes["test"] >= rows:
        raise InputError(sentences.NO_TRAIN_ROWS(validation=validation, test=test, rows=rows))
    if not shuffled:
        numbers = np.arange(rows, dtype=np.int64)
        begin = rows - sizes["test"]
        middle = begin - sizes["validation"]
        return Split(numbers[:middle], numbers[middle:begin], numbers[begin:])
    if not sizes["validation"] + sizes["test"]:
        none = np.empty(0, dtype=np.int64)
        return Split(np.arange(rows, dtype=np.int64), none, none)
    part_of = np.zeros(rows, dtype=np.int8)
    order = stream(seed, "split").permutation(rows)
    if classes is None:
        part_of[order[: sizes["test"]]] = 2
        part_of[order[sizes["test"] : sizes["test"] + sizes["validation"]]] = 1
    else:
        _stratify(part_of, order, classes, sizes["validation"], sizes["test"])
    return Split(*(np.flatnonzero(part_of == part).astype(np.int64, copy=False) for part in range(3)))


def _stratify(part_of: NDArray[np.int8], order: Rows, classes: Rows, validation: int, test: int) -> None:
    """Mark validation (1) and test (2) rows class by class, in the drawn order."""
    counts = np.bincount(classes)
    free = np.maximum(counts - 1, 0)  # every class keeps a train row
    for_test = _allot(test, counts, free)
    for_validation = _allot(validation, counts, free - for_test)
    by_class = order[np.argsort(classes[order], kind="stable")]
    starts = np.concatenate(([0], np.cumsum(counts)))
    for number, start in enumerate(starts[:-1]):
        middle = start + for_test[number]
        part_of[by_class[start:middle]] = 2
        part_of[by_class[middle : middle + for_validation[number]]] = 1


def _allot(total: int, counts: Rows, free: Rows) -> Rows:
    """How many of `total` rows each class gives: in proportion, by largest remainders, never more than `free`."""
    exact = counts * (total / max(int(counts.sum()), 1))
    given: Rows = np.minimum(np.floor(exact).astype(np.int64), free)
    while (short := total - int(given.sum())) > 0:
        open_ = np.flatnonzero(given < free)
        if not open_.size:
            break  # fewer free rows than asked: some class is down to its one train row
        nearest = open_[np.argsort(given[open_] - exact[open_], kind="stable")]
        given[nearest[:short]] += 1
    return given
