"""Rows to be predicted, from a file, standard input, a built-in set or a person's own function.

One door for the command line and the app. Nothing is decided here by what stands in the cells; see `engine.data.cells`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.base.errors import InputError
from engine.base.sentence import Told
from engine.data import delimited, files, frames, functions, parquet, sentences, sources
from engine.data.delimited import Given
from engine.data.encode import Encoder
from engine.data.frames import How
from engine.data.panics import told
from engine.data.parallel import Progress, Stop, check
from engine.data.reading import Decimal
from engine.data.table import Column, Table, suggest

if TYPE_CHECKING:
    import polars as pl

STDIN = "-"
_ALSO_STDIN = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
Keep = Sequence[str] | Literal["all"]


@dataclass(frozen=True, eq=False)
class InputRows:
    """Rows to be predicted.

    Attributes:
        table: the columns that the model takes, texts still to be read; its notes say what was repaired.
        kept: the columns to be given back beside the predictions, in the order that was asked for; None for none.
    """

    table: Table
    kept: pl.DataFrame | None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns that are given back."""
        return () if self.kept is None else tuple(self.kept.columns)


def load(
    asked: str,
    encoder: Encoder,
    keep: Keep = (),
    *,
    stdin: bool = False,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> InputRows:
    """The rows that `asked` names: a path, a built-in set, or module:function.

    Args:
        keep: names of further columns to give back as they are, or "all".
        stdin: whether "-" is standard input, which in the app is the terminal.

    Raises:
        InputError: a column is not there, or the table cannot be read.
        Cancelled: as asked.
    """
    asked = asked.strip()
    if stdin and is_stdin(asked):
        with tempfile.TemporaryDirectory(prefix="ravine-") as folder:
            spooled = Path(folder) / "stdin"
            _spool(spooled, cancelled)
            found = _from_file(spooled, encoder, keep, progress, cancelled)
        return replace(found, table=replace(found.table, source="stdin"))
    from engine.recipe import Data

    data = Data(dataset=asked)
    if sources.module_of(data):
        return _of_table(functions.load(asked, progress, cancelled, _how(encoder)), encoder, keep)
    path = sources.file_of(data)
    if path is None:
        return _of_table(sources.load(data), encoder, keep)
    return _from_file(path, encoder, keep, progress, cancelled)


def of_mapping(row: Mapping[str, Any], encoder: Encoder, keep: Keep = ()) -> InputRows:
    """One row given by the names of its columns. Raises InputError naming the field, and where one is not known."""
    columns, notes = encoder.columns([row])
    kept = check_names("--values", encoder, keep, tuple(row))
    frame = None
    if kept:
        import polars as pl  # a tenth of a second

        frame = pl.DataFrame({name: [str(row[name])] for name in kept})
    return InputRows(Table("--values", "", tuple(columns), 1, notes=notes, origin="function"), frame)


def is_stdin(asked: str) -> bool:
    """Whether a name stands for standard input."""
    return asked == STDIN or asked in _ALSO_STDIN


def check_names(label: str, encoder: Encoder, keep: Keep, there: Sequence[str]) -> tuple[str, ...]:
    """The columns to be kept, each once. Raises InputError where one of them, or one that the model takes, is not
    there."""
    for wanted in encoder.inputs:
        if wanted.name not in there:
            raise InputError(sentences.NO_COLUMN(table=label, name=wanted.name, hint=suggest(wanted.name, there)))
    if keep == "all":
        return tuple(dict.fromkeys(there))
    for name in keep:
        if name not in there:
            raise InputError(sentences.NO_COLUMN_TO_KEEP(table=label, name=name, hint=suggest(name, there)))
    return tuple(dict.fromkeys(keep))


def _how(encoder: Encoder) -> How:
    return How(decide=False, missing=encoder.missing)


def _spool(path: Path, cancelled: Stop | None) -> None:
    """Put what comes on standard input into a file: how a table is laid out is seen before it is read."""
    if sys.stdin is None:
        raise InputError(sentences.STDIN_CLOSED())
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except OSError as error:
        raise InputError(sentences.STDIN_UNREADABLE(reason=error.strerror or error)) from None
    check(cancelled)


def _from_file(
    path: Path, encoder: Encoder, keep: Keep, progress: Progress | None, cancelled: Stop | None
) -> InputRows:
    kind = files.kind_of(path)
    if kind == "parquet":
        return _parquet(path, encoder, keep, progress, cancelled)
    if kind == "npz":
        return _of_table(files.npz(path, _how(encoder)), encoder, keep)
    kept: tuple[str, ...] = ()

    def given(there: Sequence[str]) -> Given:
        nonlocal kept
        kept = check_names(path.name, encoder, keep, there) if there else ()
        return Given(_names(encoder), _plain_numbers(encoder), frozenset(kept), encoder.missing)

    with told(sentences.CANNOT_BE_READ(file=path.name)):
        table, frame = delimited.read_given(path, given, progress, cancelled)
    return InputRows(table, frame.select(kept) if kept else None)


def _names(encoder: Encoder) -> tuple[str, ...]:
    return tuple(wanted.name for wanted in encoder.inputs)


def _plain_numbers(encoder: Encoder) -> dict[str, Decimal]:
    """The inputs whose cells are numbers and nothing else, with their decimal mark."""
    return {
        wanted.name: wanted.reading.decimal
        for wanted in encoder.inputs
        if wanted.kind == "numeric" and not wanted.truth and not wanted.reading.dates
    }


def _parquet(path: Path, encoder: Encoder, keep: Keep, progress: Progress | None, cancelled: Stop | None) -> InputRows:
    import polars as pl

    if progress:
        progress(sentences.READING(file=path.name), None)
    with parquet.opened(path) as file:
        there = {name.strip(): name for name in file.names} | {name: name for name in file.names}
        kept = check_names(path.name, encoder, keep, tuple(there))
        columns: list[Column] = []
        for number, wanted in enumerate(encoder.inputs):
            check(cancelled)
            columns.append(_column(file.column(there[wanted.name]).alias(wanted.name), encoder))
            if progress:
                progress(sentences.READING(file=path.name), (number + 1) / len(encoder.inputs))
        frame = pl.DataFrame([file.column(there[name]).alias(name) for name in kept])
    if not columns or not len(columns[0].data):
        raise InputError(sentences.NO_ROWS(file=path.name))
    return InputRows(
        Table(path.name.split(".")[0], str(path), tuple(columns), len(columns[0].data)),
        frame.select(kept) if kept else None,
    )


def _column(series: pl.Series, encoder: Encoder) -> Column:
    found = frames.from_series(series, _how(encoder))
    if isinstance(found, str):
        reason = found.fields["reason"] if isinstance(found, Told) else found
        raise InputError(sentences.COLUMN_UNREADABLE(column=series.name, reason=reason))
    return found


def _of_table(table: Table, encoder: Encoder, keep: Keep) -> InputRows:
    """Of a table that is in memory already."""
    import polars as pl

    kept = check_names(table.label, encoder, keep, table.names)
    return InputRows(table, pl.DataFrame([_series(table[name], table.rows) for name in kept]) if kept else None)


def _series(column: Column, rows: int) -> pl.Series:
    """A column of a table as a series: whole numbers stay whole, everything else that is no number is text."""
    import polars as pl

    if column.is_coded or column.kind == "date" or column.strays:
        return pl.Series(column.name, [text or None for text in column.show(0, rows)], dtype=pl.String)
    numbers = pl.Series(column.name, column.numbers).fill_nan(None)
    whole = np.isnan(column.numbers) | ((np.floor(column.numbers) == column.numbers) & (abs(column.numbers) < 2**53))
    return numbers.cast(pl.Int64) if bool(whole.all()) else numbers
