"""From typed columns to a matrix of numbers, the same way in training and in prediction.

    number, date        the number itself (a date: days since 1970-01-01)
    boolean, category   one column of 0 and 1 for each category but the first ("sex=male")
    missing cells       filled with a value fitted on the train rows, and one column that marks them where the train
                        rows have any ("age is missing")
    degree > 1          products of these columns (see `terms`)

Everything in an `Encoder` is fitted on train rows only: `fit` is given their numbers and looks at no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import cells, inputs, remarks, sentences, terms, typed
from engine.data.cells import UNKNOWN
from engine.data.inputs import Fill, Input
from engine.data.kinds import MARKS
from engine.data.parallel import BLOCK, Stop, blocks, each, spans
from engine.data.reading import CellFormat
from engine.data.table import MISSING, Codes, Column, Floats, Table, suggest

__all__ = ["UNKNOWN", "Encoder", "Fill", "Input", "fit", "with_degree"]


@dataclass(frozen=True, eq=False)
class _Source:
    """The cells of one input.

    Attributes:
        data: float64 [rows], or int32 [rows] codes of the table.
        codes: the encoder's code for each of the table's, the last one for missing cells; empty for numbers.
        gaps: whether any of the numbers is missing.
    """

    input: Input
    data: Floats | Codes
    codes: Codes
    gaps: bool = True


@dataclass(frozen=True, eq=False)
class Encoder:
    """Fitted on train rows; turns tables and typed values into float64 [n, d].

    Attributes:
        inputs: the raw columns, in order.
        degree: of the terms.
        chosen: the terms by base column number; () at degree 1, where they are the base columns themselves.
        missing: the marks of a missing cell, in small letters.
    """

    inputs: tuple[Input, ...]
    degree: int = 1
    chosen: tuple[terms.Term, ...] = ()
    missing: tuple[str, ...] = MARKS

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

        Columns are found by name; others are ignored. Every cell is read by itself as the cells of its column were in
        training, so that it means the same whatever stands beside it.

        Raises:
            InputError: a column is not there, or a cell cannot be read as what it was in training.
        """
        if not isinstance(table, Table):
            columns = tuple(table)
            table = Table("input", "input", columns, len(columns[0].data) if columns else 0)
        warnings: list[str] = []
        sources = [self._source(table, wanted, warnings) for wanted in self.inputs]
        return self._matrix(sources, table.rows), tuple(warnings)

    def batches(self, table: Table, size: int) -> tuple[Iterator[Floats], tuple[str, ...]]:
        """Like `encode`, the matrix in parts of `size` rows, each made when it is asked for.

        Raises InputError at once.
        """
        warnings: list[str] = []
        sources = [self._source(table, wanted, warnings) for wanted in self.inputs]

        def parts() -> Iterator[Floats]:
            for start in range(0, table.rows, size):
                yield self._matrix(sources, table.rows, np.arange(start, min(start + size, table.rows)))

        return parts(), tuple(warnings)

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, tuple[str, ...]]:
        """Like `encode`, for typed values: one mapping from input name to number, text or None (missing) for each row.

        Raises:
            InputError: naming the field that is not given, not known, or no number or date.
        """
        columns, doubts = self.columns(rows)
        matrix, warnings = self.encode(columns)
        return matrix, (*doubts, *warnings)

    def columns(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[Column], tuple[str, ...]]:
        """Typed values as columns that `encode` takes, and what is doubtful about them. Raises as `encode_rows`."""
        names = [wanted.name for wanted in self.inputs]
        for row in rows:
            for name in row:
                if name not in names:
                    raise InputError(sentences.NO_INPUT(name=name, hint=suggest(name, names)))
        found = [typed.column(wanted, rows, self.missing) for wanted in self.inputs]
        return [column for column, _ in found], tuple(text for _, doubts in found for text in doubts)

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
            if not reach:  # `fit` has looked at this very table
                return _Source(wanted, column.data, np.empty(0, np.int32), column.missing > 0)
            found, unsure = cells.numbers(wanted, column, table)
            gaps = int(np.count_nonzero(np.isnan(found)))
            warnings += cells.unsure(wanted, unsure) + remarks.outside(wanted, found) + remarks.filled(wanted, gaps)
            return _Source(wanted, found, np.empty(0, np.int32), gaps > 0)
        own, codes, texts = cells.codes(wanted, column)
        strange = [code for code, known in enumerate(codes[:-1].tolist()) if known == UNKNOWN]
        if strange:
            warnings += remarks.unknown(wanted, texts, own if rows is None else own[rows], strange)
        if reach:
            warnings += remarks.filled(wanted, int(np.count_nonzero(own == MISSING)))
        return _Source(wanted, own, codes)

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
                    "truth": i.truth,
                    "reading": asdict(i.reading),
                }
                for i in self.inputs
            ],
            "degree": self.degree,
            "terms": [list(term) for term in self.chosen],
            "missing": list(self.missing),
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Encoder:
        """What `to_json` gave. A model of before the reading was recorded takes what it can: see `_input`."""
        inputs = tuple(_input(each_input) for each_input in tree["inputs"])
        chosen = tuple(tuple(term) for term in tree["terms"])
        return cls(inputs, int(tree["degree"]), chosen, tuple(tree.get("missing") or MARKS))


def _input(tree: Mapping[str, Any]) -> Input:
    """An input from plain values. Of an old model any column from 0 to 1 may be given as yes and no."""
    reading = _known(CellFormat, tree.get("reading") or {})
    reading["words"] = tuple(reading.get("words", ()))
    truth = tree.get("truth")
    if truth is None:
        truth = (tree["kind"], tree["low"], tree["high"]) == ("numeric", 0, 1)
    own = {"categories": tuple(tree["categories"]), "truth": truth, "reading": CellFormat(**reading)}
    return Input(**_known(Input, tree) | own)


_ENDS = ("low", "high")  # of categories they are null


def _known(kind: type, tree: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a dataclass has fields for, without null; a newer ravine may have added others."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in tree.items() if name in names and (value is not None or name in _ENDS)}


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
    found, notes = inputs.fit(table, names, train, missing, degree > 1, cancelled)
    return with_degree(found, degree), notes


def with_degree(fitted: tuple[Input, ...], degree: int) -> Encoder:
    """The encoder of fitted inputs, its terms up to `degree`."""
    return Encoder(fitted, degree, tuple(terms.terms(inputs.bases(fitted), degree)) if degree > 1 else ())


def _write(source: _Source, taken: slice | NDArray[np.int64], out: Floats) -> None:
    """Encode the taken cells of one input into out [rows, columns of the input]."""
    given, cells = source.input, source.data[taken]
    if not given.is_coded:
        if source.gaps:
            gaps = np.isnan(cells)
            cells = np.where(gaps, float(given.typical), cells)
        out[:, 0] = cells
        if given.marked:
            out[:, 1] = gaps if source.gaps else 0.0
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
