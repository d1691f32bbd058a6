"""Reading a text table piece by piece into columns.

Columns that look like numbers are parsed as float64 straight away, all others are kept as text and typed at the end. A
piece in which that fails (a missing token, spaces, a stray word) is read once more as text and turned into numbers cell
by cell, so that no file is too odd and only odd pieces cost more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.base.errors import InputError
from engine.data import assemble, frames, kinds, ragged, sentences
from engine.data.dialect import Dialect, find
from engine.data.growing import GrowingFloats
from engine.data.parallel import Progress, Stop, check, cores, each
from engine.data.reading import Decimal, to_number
from engine.data.table import Column, Table
from engine.data.textfile import TextFile
from engine.devices.room import check_room

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

_MOST_RESTARTS = 3
_IN_FLIGHT = max(2, min(8, cores() // 2))


@dataclass(frozen=True)
class Given:
    """How to read a table for a model: every cell as it stands, nothing decided by its neighbours.

    Attributes:
        names: the columns that the model takes.
        numbers: those of them that hold nothing but numbers, with their decimal mark.
        kept: further columns to be read, and all cells of which are wanted as they are written.
        missing: the marks of a missing cell, in small letters.
    """

    names: tuple[str, ...]
    numbers: Mapping[str, Decimal]
    kept: frozenset[str]
    missing: tuple[str, ...]


class _AreText(Exception):
    """Columns that were taken for numbers hold text for the most part."""

    def __init__(self, columns: list[int]) -> None:
        self.columns = columns


class _NotUtf8(Exception):
    """A byte far down in the file is not UTF-8."""


def read(path: Path, progress: Progress | None = None, cancelled: Stop | None = None) -> Table:
    """The table in a text file with a header line: CSV, TSV or the like, plain, gzip or zstd.

    Raises:
        InputError: with the place and the remedy.
        Cancelled: as asked.
    """
    file = TextFile.open(path)
    layout = find(file)
    text = set(_text_columns(layout))
    for attempt in range(_MOST_RESTARTS + 2):
        reading = _Reading(file, layout, frozenset(text))
        try:
            reading.run(progress, cancelled)
            return assemble.table(path, file.note, layout, reading.columns(cancelled))
        except _AreText as found:
            text.update(found.columns)
            if attempt >= _MOST_RESTARTS:
                text = set(range(len(layout.names)))
        except (_NotUtf8, UnicodeDecodeError):
            if file.encoding == "cp1252":
                raise InputError(sentences.NO_ENCODING(file=path.name)) from None
            file = TextFile.open(path, "cp1252")
            layout = find(file)
    raise AssertionError("every column is text by now")


def read_given(
    path: Path, given: Callable[[Sequence[str]], Given], progress: Progress | None = None, cancelled: Stop | None = None
) -> tuple[Table, pl.DataFrame]:
    """A table for a model: the columns that it takes, texts as they stand, and the kept ones as a frame of texts.

    Args:
        given: says for the names of the columns there are what is to be read; may raise InputError.

    Raises:
        InputError: with the place and the remedy.
        Cancelled: as asked.
    """
    import polars as pl

    file = TextFile.open(path)
    while True:
        layout, wanted = _layout_for(file, given)
        text = {n for n, name in enumerate(layout.names) if wanted.numbers.get(name) != "." or name in wanted.kept}
        if len(layout.names) == 1:
            text = {0}  # polars reads a quoted empty number as it reads an empty line
        reading = _Reading(file, layout, frozenset(text), wanted)
        try:
            reading.run(progress, cancelled)
            break
        except (_NotUtf8, UnicodeDecodeError):
            if file.encoding == "cp1252":
                raise InputError(sentences.NO_ENCODING(file=path.name)) from None
            file = TextFile.open(path, "cp1252")
    kept = {layout.names[n]: pl.concat(parts) for n, parts in reading.kept.items()}
    columns = reading.columns(cancelled)
    filled = np.flatnonzero(~np.concatenate(reading.blank))
    table = assemble.rows(path, file.note, layout, columns, filled, np.concatenate(reading.breaks))
    frame = pl.DataFrame(kept)
    return table, frame[filled] if kept and len(filled) < reading.rows else frame


def _layout_for(file: TextFile, given: Callable[[Sequence[str]], Given]) -> tuple[Dialect, Given]:
    """The layout whose header has the columns that are taken."""
    layout = find(file, given(()).names)
    return layout, given(layout.names)


def _text_columns(layout: Dialect) -> list[int]:
    """Columns whose first cells are not numbers."""
    found = []
    for number, name in enumerate(layout.names):
        cells = [record[number] for record in layout.sample if number < len(record)]
        if layout.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        column = kinds.decide(kinds.from_texts(name, cells))
        if column.is_coded or column.kind == "date":
            found.append(number)
    return found


@dataclass(eq=False)
class _Reading:
    """One pass over a file."""

    file: TextFile
    layout: Dialect
    text: frozenset[int]
    given: Given | None = None
    rows: int = 0
    foreseen: int = 0  # rows that the memory has been asked for
    lines: int = 0
    numbers: dict[int, GrowingFloats] = field(default_factory=dict)
    texts: dict[int, list[pl.Series]] = field(default_factory=dict)
    strays: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    good: dict[int, int] = field(default_factory=dict)
    kept: dict[int, list[pl.Series]] = field(default_factory=dict)  # of `given`, as the three below
    blank: list[NDArray[np.bool_]] = field(default_factory=list)  # for each piece, which of its rows are empty lines
    breaks: list[NDArray[np.int64]] = field(default_factory=list)  # and the line ends within each of its rows
    emptied: NDArray[np.bool_] | None = None  # `blank` of a piece that was read as text

    def run(self, progress: Progress | None, cancelled: Stop | None) -> None:
        what = sentences.READING(file=self.file.path.name)
        for column, name in enumerate(self.layout.names):
            if self.given is not None and name in self.given.kept:
                self.kept[column] = []
            if self.given is not None and name not in self.given.names:
                continue
            if column in self.text and (self.given is None or name not in self.given.numbers):
                self.texts[column] = []
            else:
                self.numbers[column] = GrowingFloats()
        self.lines = self.layout.header_lines
        for piece, share, early in self._ahead():
            check(cancelled)
            frame = self._parsed(piece, early)
            if self.given is not None:
                self._look_for_gaps(frame, piece)
            self._take(frame, share)
            self.lines += frame.height if piece.find(b'"') < 0 else piece.count(b"\n")
            if progress:
                progress(what, share)
        check(cancelled)
        if not self.rows:
            raise InputError(sentences.HEADER_ONLY(file=self.file.path.name))
        odd = [c for c, cells in self.strays.items() if not _few(len(cells), self.good.get(c, 0))]
        if odd and self.given is None:
            raise _AreText(odd)

    def _look_for_gaps(self, frame: pl.DataFrame, piece: bytes) -> None:
        """Find the rows of a piece that are empty lines, and those that take several lines.

        A line of nothing but separators is empty; so is one of spaces. One with a missing mark in it is a row.
        """
        blank, self.emptied = self.emptied, None
        self.blank.append(_empty(frame) if blank is None else blank)
        breaks = np.zeros(frame.height, dtype=np.int64)
        if piece.find(b'"') >= 0:
            for number in self.text:
                breaks += frame.to_series(number).str.count_matches("\n", literal=True).fill_null(0).to_numpy()
        self.breaks.append(breaks)

    def _take(self, frame: pl.DataFrame, share: float | None) -> None:
        count = frame.height
        expected = int(1.02 * (self.rows + count) / share) + 1 if share else 0
        if expected > 2 * self.foreseen:
            self.foreseen = expected
            cells = expected * (8 * len(self.numbers) + 16 * (len(self.texts) + len(self.kept)))
            check_room(cells, partial(sentences.ROWS_NEED_MEMORY, file=self.file.path.name, rows=expected))

        def add(column: int) -> None:
            numbers = self.numbers[column]
            if not numbers.filled:
                numbers.reserve(expected)
            series = frame.to_series(column)
            numbers.add(frames.floats(self._to_numbers(column, series) if column in self.text else series))

        each(add, list(self.numbers), work=count * 8 * len(self.numbers))
        for columns in (self.texts, self.kept):
            for column, parts in columns.items():
                parts.append(frame.to_series(column))
        self.rows += count

    def _ahead(self) -> Iterator[tuple[bytes, float | None, Future[pl.DataFrame]]]:
        """The pieces in order, with the next ones being parsed already."""
        import polars as pl

        with ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="ravine-parse") as pool:
            waiting: deque[tuple[bytes, float | None, Future[pl.DataFrame]]] = deque()
            try:
                for piece, share in self.file.pieces(self.layout.header_lines):
                    waiting.append((piece, share, pool.submit(self._polars, piece, pl.Float64)))
                    del piece
                    if len(waiting) > _IN_FLIGHT:
                        yield waiting.popleft()
                while waiting:
                    yield waiting.popleft()
            finally:
                pool.shutdown(cancel_futures=True)

    def _parsed(self, piece: bytes, early: Future[pl.DataFrame]) -> pl.DataFrame:
        """A piece as a frame: Float64 where numbers are expected, String elsewhere."""
        import polars as pl

        try:
            frame = early.result()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            if "utf-8" in str(error):
                raise _NotUtf8 from None
            frame = self._slowly(piece)
        last = frame.to_series(frame.width - 1)
        if last.null_count() and frame.width > 1:
            ragged.refuse_short(piece, frame.height, self.layout, self.file.path.name, self.lines)
        return frame

    def _polars(self, piece: bytes, kind: type[pl.DataType]) -> pl.DataFrame:
        import polars as pl

        schema = {name: pl.String if number in self.text else kind for number, name in enumerate(self.layout.names)}
        return pl.read_csv(
            piece,
            has_header=False,
            separator=self.layout.separator,
            decimal_comma=self.layout.decimal_comma,
            schema=schema,
        )

    def _slowly(self, piece: bytes) -> pl.DataFrame:
        """Every cell as text first."""
        import polars as pl

        try:
            frame = self._polars(piece, pl.String)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            if "utf-8" in str(error):
                raise _NotUtf8 from None
            ragged.refuse(piece, self.layout, self.file.path.name, self.lines)
            raise InputError(
                sentences.NOT_A_TABLE_BELOW(
                    file=self.file.path.name, line=self.lines, reason=str(error).splitlines()[0].rstrip(".")
                )
            ) from None
        if self.given is not None:
            self.emptied = _empty(frame)
        made = []
        for number, series in enumerate(frame.get_columns()):
            made.append(series if number in self.text else self._to_numbers(number, series))
        return pl.DataFrame(made)

    def _to_numbers(self, number: int, series: pl.Series) -> pl.Series:
        import polars as pl

        texts = series.str.strip_chars()
        absent = texts.str.to_lowercase().is_in(list(self._missing))
        decimal = self.layout.reading.decimal
        if self.given is not None:
            decimal = self.given.numbers[self.layout.names[number]]
        plain = texts.str.replace(",", ".", literal=True) if decimal == "," else texts
        numbers = plain.cast(pl.Float64, strict=False)
        odd = (numbers.is_null() & ~absent).fill_null(False).arg_true()
        self.good[number] = self.good.get(number, 0) + len(series) - int(numbers.null_count())
        if not len(odd):
            return numbers
        meant = {text: to_number(text, decimal) for text in texts.gather(odd).unique().to_list()}
        values = np.array(numbers.to_numpy())
        found = self.strays.setdefault(number, [])
        for row, text in zip(odd.to_list(), texts.gather(odd).to_list(), strict=True):
            value = meant[text]
            if value is None:
                found.append((self.rows + row, text))
            else:
                values[row] = value
                self.good[number] += 1
        if self.given is None and len(found) > 1000 and not _few(len(found), self.rows + len(series)):
            raise _AreText([number])
        return pl.Series(series.name, values)

    @property
    def _missing(self) -> tuple[str, ...]:
        return kinds.MARKS if self.given is None else self.given.missing

    def columns(self, cancelled: Stop | None) -> list[Column]:
        """All that was read, the texts still to be typed. Gives up what it holds column by column."""
        import polars as pl

        found: list[Column] = []
        for number, name in enumerate(self.layout.names):
            check(cancelled)
            if number in self.numbers:
                strays = tuple(self.strays.get(number, ()))
                reading = self.layout.reading
                found.append(Column(name, "numeric", self.numbers.pop(number).taken(), strays=strays, reading=reading))
            elif number in self.texts:
                texts = frames.from_strings(pl.concat(self.texts.pop(number)).alias(name), self._missing)
                found.append(replace(texts, reading=self.layout.reading))
        return found


def _empty(frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Which rows have nothing written in any cell."""
    import polars as pl

    alone = frame.width == 1
    tests = []
    for name, kind in frame.schema.items():
        nothing = pl.col(name).is_null()
        if kind == pl.String:
            spaces = pl.col(name).str.strip_chars() == ""
            # Where there is one column "" is how a missing cell is written, for an empty line would be none.
            nothing |= spaces & (pl.col(name) != "") if alone else spaces
        tests.append(nothing)
    return frame.select(pl.all_horizontal(tests).alias("empty"))["empty"].to_numpy()


def _few(strange: int, good: int) -> bool:
    """Whether so few cells are no number that the column is one of numbers with slips."""
    return good >= 2 and strange < good and strange <= max(2, 0.1 * (good + strange))
