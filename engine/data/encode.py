"""From typed columns to a matrix of numbers, the same way in training and in prediction.

    number, date        the number itself (a date: days since 1970-01-01)
    boolean, category   one column of 0 and 1 for each category but the first ("sex=male")
    missing cells       filled with a value fitted on the train rows, and one column that marks them where the train
                        rows have any ("age is missing")
    degree > 1          products of these columns (see `terms`)

Everything in an `Encoder` is fitted on train rows only: `fit` is given their numbers and looks at no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.data import dates, kinds, terms
from engine.data.parallel import BLOCK, Stop, blocks, each, spans
from engine.data.table import MISSING, Codes, Column, Floats, Table, show_number, shown, suggest
from engine.errors import InputError
from engine.recipe import ColumnKind

Fill = Literal["median", "mean", "mode", "drop"]

UNKNOWN = -2
"""The code of a category that the train rows do not have."""

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
        two_valued: whether the train rows have at most two different numbers.
    """

    name: str
    kind: ColumnKind
    low: float | None
    high: float | None
    categories: tuple[str, ...]
    typical: float | str
    marked: bool
    two_valued: bool = False

    @property
    def is_coded(self) -> bool:
        """Whether it takes categories."""
        return self.kind in ("boolean", "categorical")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its own encoded columns."""
        own = tuple(f"{self.name}={text}" for text in self.categories[1:]) if self.is_coded else (self.name,)
        return (*own, f"{self.name} is missing") if self.marked else own

    def show(self, value: float | str) -> str:
        """A value of this input as a person would write it."""
        if isinstance(value, str):
            return value
        return dates.show(value) if self.kind == "date" else show_number(value)


@dataclass(frozen=True, eq=False)
class _Source:
    """The cells of one input: float64 [rows], or int32 [rows] into `codes` of the encoder (last entry: missing)."""

    input: Input
    data: Floats | Codes
    codes: Codes


@dataclass(frozen=True, eq=False)
class Encoder:
    """Fitted on train rows; turns tables and typed values into float64 [n, d].

    Attributes:
        inputs: the raw columns, in order.
        degree: of the terms.
        chosen: the terms by base column number; () at degree 1, where they are the base columns themselves.
    """

    inputs: tuple[Input, ...]
    degree: int = 1
    chosen: tuple[terms.Term, ...] = ()

    @cached_property
    def base(self) -> tuple[str, ...]:
        """The names of the columns before terms are built."""
        return tuple(name for each_input in self.inputs for name in each_input.columns)

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the d encoded columns."""
        return tuple(terms.name(term, self.base) for term in self.chosen) if self.degree > 1 else self.base

    def encode(self, table: Table | Iterable[Column]) -> tuple[Floats, tuple[str, ...]]:
        """The matrix of another table, float64 [n, d], and what a person should know about it.

        Columns are found by name; others are ignored. Text that was a number in training, and the other way round, is
        read as what it was in training.

        Raises:
            InputError: a column is not there, or a cell cannot be read as what it was in training.
        """
        if not isinstance(table, Table):
            columns = tuple(table)
            table = Table("input", "input", columns, len(columns[0].data) if columns else 0)
        warnings: list[str] = []
        sources = [self._source(table, wanted, warnings) for wanted in self.inputs]
        return self._matrix(sources, table.rows), tuple(warnings)

    def encode_rows(self, rows: Sequence[Mapping[str, str | float | None]]) -> tuple[Floats, tuple[str, ...]]:
        """Like `encode`, for typed values: one mapping from input name to number, text or None (missing) for each row.

        Raises:
            InputError: naming the field that is not given, not known, or no number or date.
        """
        names = [wanted.name for wanted in self.inputs]
        for row in rows:
            for name in row:
                if name not in names:
                    raise InputError(f"There is no input {name!r}; {suggest(name, names)}.")
        return self.encode([_typed(wanted, rows) for wanted in self.inputs])

    def fill(
        self, table: Table, rows: NDArray[np.int64] | None, cancelled: Stop | None = None
    ) -> tuple[Floats, tuple[str, ...]]:
        """The matrix of some rows of a table that has every input, float64 [len(rows), d]; None for all of them.

        The texts say how many of their cells were unknown categories. Work is spread over the cores.
        """
        warnings: list[str] = []
        sources = [self._source(table, wanted, warnings, rows, reach=False) for wanted in self.inputs]
        return self._matrix(sources, table.rows, rows, cancelled), tuple(warnings)

    def _source(
        self,
        table: Table,
        wanted: Input,
        warnings: list[str],
        rows: NDArray[np.int64] | None = None,
        *,
        reach: bool = True,
    ) -> _Source:
        column = table[wanted.name]
        if not wanted.is_coded:
            if column.is_coded or column.kind != wanted.kind:
                column = kinds.as_kind(column, wanted.kind)
            kinds.check_strays(table, column)
            refuse_infinite(table, column)
            if reach:
                warnings += _outside(wanted, column) + _filled(wanted, column.missing)
            return _Source(wanted, column.data, np.empty(0, np.int32))
        if not column.is_coded:
            column = kinds.as_categorical(column)
        known = {text: code for code, text in enumerate(wanted.categories)}
        fallback = _spelled_otherwise(wanted)
        look_up = [known.get(text, fallback.get(text.lower(), UNKNOWN)) for text in column.categories]
        codes = np.array([*look_up, MISSING], dtype=np.int32)
        strange = [code for code, own in enumerate(look_up) if own == UNKNOWN]
        if strange:
            held = column.codes if rows is None else column.codes[rows]
            warnings += _unknown(wanted, column, held, strange)
        if reach:
            warnings += _filled(wanted, column.missing)
        return _Source(wanted, column.data, codes)

    def _matrix(
        self,
        sources: Sequence[_Source],
        count: int,
        rows: NDArray[np.int64] | None = None,
        cancelled: Stop | None = None,
    ) -> Floats:
        if rows is not None:
            count = len(rows)
        matrix = np.empty((count, len(self.features)))

        def part(span: slice) -> None:
            room = np.empty((BLOCK, len(self.base))) if self.degree > 1 else None
            for block in blocks(span.stop - span.start):
                here = slice(span.start + block.start, span.start + block.stop)
                taken = here if rows is None else rows[here]
                out = matrix[here]
                base = out if room is None else room[: len(out)]
                first = 0
                for source in sources:
                    width = len(source.input.columns)
                    _write(source, taken, base[:, first : first + width])
                    first += width
                if room is not None:
                    with np.errstate(over="ignore", under="ignore"):
                        terms.multiply(base, self.chosen, out)

        each(part, spans(count), work=matrix.nbytes, cancelled=cancelled)
        return matrix

    def to_json(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "inputs": [
                {
                    "name": i.name,
                    "kind": i.kind,
                    "low": i.low,
                    "high": i.high,
                    "categories": list(i.categories),
                    "typical": i.typical,
                    "marked": i.marked,
                    "two_valued": i.two_valued,
                }
                for i in self.inputs
            ],
            "degree": self.degree,
            "terms": [list(term) for term in self.chosen],
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Encoder:
        """What `to_json` gave."""
        inputs = tuple(Input(**{**i, "categories": tuple(i["categories"])}) for i in tree["inputs"])
        return cls(inputs, int(tree["degree"]), tuple(tuple(term) for term in tree["terms"]))


def fit(
    table: Table,
    names: Sequence[str],
    train: NDArray[np.int64],
    *,
    missing: Fill = "median",
    degree: int = 1,
    cancelled: Stop | None = None,
) -> tuple[Encoder, tuple[str, ...]]:
    """The encoder for some columns of a table, fitted on its `train` rows, and notes on what was left out.

    Raises:
        InputError: text or Inf in a column of numbers; nothing left to learn from.
    """
    inputs, notes = fit_inputs(table, names, train, missing, degree > 1, cancelled)
    return with_degree(inputs, degree), notes


def with_degree(inputs: tuple[Input, ...], degree: int) -> Encoder:
    """The encoder of fitted inputs, its terms up to `degree`."""
    return Encoder(inputs, degree, tuple(terms.terms(bases(inputs), degree)) if degree > 1 else ())


def fit_inputs(
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
        why = f": {notes[0]}" if notes else "."
        raise InputError(f"{table.label} has no column left to learn from{why}")
    return inputs, notes


def bases(inputs: Iterable[Input]) -> list[terms.Base]:
    """What the terms need to know of the encoded columns of some inputs."""
    found: list[terms.Base] = []
    for group, given in enumerate(inputs):
        found += [terms.Base(group, given.is_coded or given.two_valued or name != given.name) for name in given.columns]
    return found


def _fit_categories(column: Column, cells: Codes) -> Input | str:
    counts = np.bincount(cells[cells >= 0], minlength=len(column.categories))
    there = [text for text, count in zip(column.categories, counts, strict=True) if count]
    if not there:
        return f"{column.name} was left out: it has no values in the train rows."
    marked = bool((cells == MISSING).any())
    if len(there) == 1 and not marked:
        return f"{column.name} was left out: it is {shown(there[0])} in every train row."
    kind: ColumnKind = "boolean" if column.kind == "boolean" and len(there) == 2 else "categorical"
    typical = column.categories[int(counts.argmax())]
    return Input(column.name, kind, None, None, tuple(there), typical, marked)


def _fit_numbers(column: Column, cells: Floats, missing: Fill, *, two_valued: bool) -> Input | str:
    low = cells.min()
    marked = bool(np.isnan(low))
    if marked:
        cells = cells[~np.isnan(cells)]
        if not cells.size:
            return f"{column.name} was left out: it has no values in the train rows."
        low = cells.min()
    high = cells.max()
    few = two_valued and bool(((cells == low) | (cells == high)).all())
    typical = _typical(cells, missing, exact=marked)
    kind: ColumnKind = "date" if column.kind == "date" else "numeric"
    return Input(column.name, kind, float(low), float(high), (), typical, marked, few)


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
    return float(np.median(cells / 2) * 2) if largest > 1e307 else float(np.median(cells))


def _write(source: _Source, taken: slice | NDArray[np.int64], out: Floats) -> None:
    """Encode the taken cells of one input into out [rows, columns of the input]."""
    given, cells = source.input, source.data[taken]
    if not given.is_coded:
        gaps = np.isnan(cells)
        if gaps.any():
            cells = np.where(gaps, float(given.typical), cells)
        out[:, 0] = cells
        if given.marked:
            out[:, 1] = gaps
        return
    codes = source.codes[cells]
    gaps = codes == MISSING
    if given.marked:
        out[:, -1] = gaps
    codes = np.where(gaps, given.categories.index(str(given.typical)), codes)
    levels = len(given.categories) - 1
    out[:, :levels] = 0.0
    rows = np.flatnonzero(codes > 0)
    out[rows, codes[rows] - 1] = 1.0


def _typed(wanted: Input, rows: Sequence[Mapping[str, str | float | None]]) -> Column:
    cells: list[str | float | None] = []
    for row in rows:
        if wanted.name not in row:
            raise InputError(f"{wanted.name} is not given; leave it empty if it is not known.")
        cell = row[wanted.name]
        missing = cell is None or (isinstance(cell, str) and kinds.is_missing(cell)) or cell != cell
        cells.append(None if missing else cell)
    if wanted.is_coded:
        texts = [None if c is None else c if isinstance(c, str) else show_number(float(c)) for c in cells]
        return kinds.from_texts(wanted.name, texts)
    return Column(wanted.name, wanted.kind, np.array([_number(wanted, cell) for cell in cells], dtype=np.float64))


def _number(wanted: Input, cell: str | float | None) -> float:
    if cell is None:
        return float("nan")
    if isinstance(cell, str):
        number = dates.parse(cell) if wanted.kind == "date" else kinds.to_number(cell)
        if number is None:
            remedy = (
                "a date like 2026-03-31" if wanted.kind == "date" else f"a number like {wanted.show(wanted.typical)}"
            )
            raise InputError(
                f"{wanted.name}: “{shown(cell)}” is not {'a date' if wanted.kind == 'date' else 'a number'}; give {remedy}."
            )
        cell = number
    if np.isinf(cell):
        raise InputError(f"{wanted.name} is infinite; give a number like {wanted.show(wanted.typical)}.")
    return float(cell)


def _spelled_otherwise(wanted: Input) -> dict[str, int]:
    """Categories by their lower-case text, for true and True, where that is unambiguous."""
    lower = [text.lower() for text in wanted.categories]
    return {text: code for code, text in enumerate(lower) if lower.count(text) == 1} if len(lower) <= 100 else {}


def refuse_infinite(table: Table, column: Column) -> None:
    """Raise InputError, naming the place, where a column of numbers holds Inf."""
    if column.is_coded or not column.data.size:
        return
    # NaN wins over Inf in min and max, so they only tell for columns without missing cells.
    low, high = column.data.min(), column.data.max()
    if np.isfinite(low) and np.isfinite(high):
        return
    rows = np.flatnonzero(np.isinf(column.data))
    if rows.size:
        raise InputError(
            f"{table.place(int(rows[0]))}, column {column.name}: the number is infinite; correct it, leave the cell "
            f"empty, or leave the column out (--drop)."
        )


def _outside(wanted: Input, column: Column) -> list[str]:
    assert wanted.low is not None
    assert wanted.high is not None
    beyond = int(np.count_nonzero((column.data < wanted.low) | (column.data > wanted.high)))
    if not beyond:
        return []
    return [
        f"{wanted.name}: {_times(beyond, 'value lies', 'values lie')} outside {wanted.show(wanted.low)} to "
        f"{wanted.show(wanted.high)}, the range of the train rows."
    ]


def _filled(wanted: Input, missing: int) -> list[str]:
    if not missing:
        return []
    count = _times(missing, "missing value", "missing values")
    return [f"{wanted.name}: {count} filled with {shown(wanted.show(wanted.typical))}."]


def _unknown(wanted: Input, column: Column, held: Codes, strange: list[int]) -> list[str]:
    counts = np.bincount(held[held >= 0], minlength=len(column.categories))
    there = [code for code in strange if counts[code]]
    if not there:
        return []
    listed = ", ".join(shown(column.categories[code]) for code in there[:5]) + (" …" if len(there) > 5 else "")
    rows = int(counts[there].sum())
    return [
        f"{wanted.name}: {listed} ({_times(rows, 'row', 'rows')}) never occurs in the train rows and is encoded as "
        f"none of its categories, which the model reads like {shown(wanted.categories[0])}."
    ]


def _times(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
