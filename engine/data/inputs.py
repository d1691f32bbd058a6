"""What goes into a model: the raw columns, as the train rows show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import dates, kinds, sentences, terms
from engine.data.parallel import Stop, each
from engine.data.reading import PLAIN, CellFormat
from engine.data.table import MISSING, Codes, Column, Floats, Table, show_number, shown

if TYPE_CHECKING:
    from engine.recipe import ColumnKind

Fill = Literal["median", "mean", "mode", "drop"]

_SAMPLE = 65_536


@dataclass(frozen=True)
class Input:
    """One raw column, as a person gives it for a prediction.

    Attributes:
        name: of the raw column.
        kind: "numeric", "date", "boolean" or "categorical".
        low, high: smallest and largest value in the train rows (days for dates); None for categories.
        categories: those of the train rows, in order; the first is the one that all-zero columns stand for.
        typical: what a missing cell is filled with: a number, or a category.
        marked: whether a column of its own says that the cell was missing.
        two_valued: whether the train rows have at most two different numbers; found only where terms need it.
        truth: whether the train rows hold no number but 0 and 1, so that yes and no can be read as these.
        reading: how the texts of the column were read.
    """

    name: str
    kind: ColumnKind
    low: float | None
    high: float | None
    categories: tuple[str, ...]
    typical: float | str
    marked: bool
    two_valued: bool = False
    truth: bool = False
    reading: CellFormat = PLAIN

    @property
    def is_coded(self) -> bool:
        """Whether it takes categories."""
        return self.kind in ("boolean", "categorical")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its own encoded columns."""
        own = tuple(f"{self.name}={text}" for text in self.categories[1:]) if self.is_coded else (self.name,)
        return (*own, sentences.IS_MISSING(column=self.name)) if self.marked else own

    def show(self, value: float | str) -> str:
        """A value of this input as a person would write it."""
        if isinstance(value, str):
            return value
        return dates.show(value) if self.kind == "date" else show_number(value)

    @property
    def choices(self) -> tuple[str, ...]:
        """The categories as the table writes them."""
        return self.reading.words if len(self.reading.words) == len(self.categories) else self.categories

    def write(self, value: float | str) -> str:
        """A value of this input as the table writes it: a date in the format of its dates, a boolean in its words."""
        if isinstance(value, str):
            return self.choices[self.categories.index(value)] if value in self.categories else value
        if self.kind == "date":
            return dates.write(value, self.reading.dates)
        shown = show_number(value)
        return shown.replace(".", ",") if self.reading.decimal == "," else shown


def fit(
    table: Table,
    names: Sequence[str],
    train: NDArray[np.int64],
    missing: Fill,
    two_valued: bool,
    cancelled: Stop | None = None,
) -> tuple[tuple[Input, ...], tuple[str, ...]]:
    """The inputs of an encoder, and notes on columns that the train rows say nothing of.

    Args:
        two_valued: whether to find out which columns have two values, which only terms need.
    """
    everything = len(train) == table.rows

    def one(name: str) -> Input | str:
        column = table[name]
        kinds.check_strays(table, column)
        refuse_infinite(table, column)
        if column.is_coded:
            return _fit_categories(column, column.codes if everything else column.codes[train])
        cells = column.numbers if everything else column.numbers[train]
        return _fit_numbers(column, cells, missing, two_valued=two_valued)

    work = sum(table[name].data.nbytes for name in names)
    found = each(one, names, work=work, cancelled=cancelled)
    inputs = tuple(f for f in found if isinstance(f, Input))
    notes = tuple(f for f in found if isinstance(f, str))
    if not inputs:
        if notes:
            raise InputError(sentences.NO_COLUMN_LEFT_WHY(table=table.label, why=notes[0]))
        raise InputError(sentences.NO_COLUMN_LEFT(table=table.label))
    return inputs, notes


def bases(inputs: Iterable[Input]) -> list[terms.Base]:
    """What the terms need to know of the encoded columns of some inputs."""
    found: list[terms.Base] = []
    for group, given in enumerate(inputs):
        found += [terms.Base(group, given.is_coded or given.two_valued or name != given.name) for name in given.columns]
    return found


def refuse_infinite(table: Table, column: Column) -> None:
    """Raise InputError, naming the place, where a column of numbers holds Inf."""
    # NaN wins over Inf in the ends, so they only tell for columns without missing cells.
    if column.is_coded or np.isfinite(column.ends).all():
        return
    rows = np.flatnonzero(np.isinf(column.data))
    if rows.size:
        raise InputError(sentences.INFINITE(place=table.place(int(rows[0])), column=column.name))


def _fit_categories(column: Column, cells: Codes) -> Input | str:
    counts = np.bincount(cells[cells >= 0], minlength=len(column.categories))
    there = [text for text, count in zip(column.categories, counts, strict=True) if count]
    if not there:
        return sentences.LEFT_OUT(column=column.name, reason=sentences.NO_TRAIN_VALUES())
    marked = bool((cells == MISSING).any())
    if len(there) == 1 and not marked:
        return sentences.LEFT_OUT(column=column.name, reason=sentences.ONE_VALUE(value=shown(there[0])))
    kind: ColumnKind = "boolean" if column.kind == "boolean" and len(there) == 2 else "categorical"
    typical = column.categories[int(counts.argmax())]
    return Input(column.name, kind, None, None, tuple(there), typical, marked, reading=column.reading)


def _fit_numbers(column: Column, cells: Floats, missing: Fill, *, two_valued: bool) -> Input | str:
    low = cells.min()
    marked = bool(np.isnan(low))
    if marked:
        cells = cells[~np.isnan(cells)]
        if not cells.size:
            return sentences.LEFT_OUT(column=column.name, reason=sentences.NO_TRAIN_VALUES())
        low = cells.min()
    high = cells.max()
    few = two_valued and bool(((cells == low) | (cells == high)).all())
    typical = _typical(cells, missing, exact=marked)
    kind: ColumnKind = "date" if column.kind == "date" else "numeric"
    truth = {float(low), float(high)} <= {0.0, 1.0} and bool(((cells == 0.0) | (cells == 1.0)).all())
    return Input(column.name, kind, float(low), float(high), (), typical, marked, few, truth, column.reading)


def _typical(cells: Floats, missing: Fill, *, exact: bool) -> float:
    """What a missing number is filled with.

    Where the train rows miss none the value only serves predictions, and evenly spaced rows are enough to find it.
    """
    if not exact and len(cells) > _SAMPLE:
        cells = cells[:: -(-len(cells) // _SAMPLE)]
    largest = float(np.abs(cells).max()) or 1.0
    if missing == "mean":
        return float((cells / largest).mean() * largest)
    if missing == "mode":
        values, counts = np.unique(cells, return_counts=True)
        return float(values[counts.argmax()])
    return _median(cells / 2) * 2 if largest > 1e307 else _median(cells)


def _median(cells: Floats) -> float:
    """np.median of finite numbers, without the module for masked ones, which numpy loads with the first."""
    half = len(cells) // 2
    if len(cells) % 2:
        return float(np.partition(cells, half)[half])
    middle = np.partition(cells, (half - 1, half))[half - 1 : half + 1]
    return float(middle.mean())
