"""From the columns that a text file holds to a table: blank lines dropped, kinds found, places kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import kinds, sentences
from engine.data.dialect import Dialect
from engine.data.table import MISSING, Column, Table


def table(path: Path, remark: str, layout: Dialect, columns: list[Column]) -> Table:
    """The table of a file.

    Args:
        remark: a note on how the file was read; "" for none.
        columns: of numbers, and of texts that are still to be typed.

    Raises:
        InputError: nothing but blank lines, or a NUL byte.
    """
    notes = [note for note in (remark, *layout.notes) if note]
    count = len(columns[0].data)
    lines = _lines(columns, layout.header_lines)
    filled = _not_blank(columns)
    if filled is not None:
        told = _skipped(path, filled)
        if told:
            notes += told
            lines = (np.arange(count) + layout.header_lines + 1 if lines is None else lines)[filled]
        columns = [_only(column, filled) for column in columns]
    rows = len(columns[0].data)
    if not rows:
        raise InputError(sentences.HEADER_ONLY(file=path.name))
    typed = tuple(kinds.decide(column) for column in columns)
    _refuse_nul(typed, path)
    return Table(
        path.name.split(".")[0],
        str(path),
        typed,
        rows,
        None,
        notes=tuple(notes),
        header_lines=layout.header_lines,
        lines=lines,
    )


def rows(
    path: Path,
    remark: str,
    layout: Dialect,
    columns: list[Column],
    filled: NDArray[np.int64],
    breaks: NDArray[np.int64],
) -> Table:
    """The table of a file that is read for a model: its columns as they are, without the empty lines.

    Args:
        filled: the rows that are no empty lines.
        breaks: for each row the line ends within its cells.

    Raises:
        InputError: nothing but empty lines, or a NUL byte.
    """
    notes = [note for note in (remark, *layout.notes) if note]
    lines = np.arange(len(breaks)) + layout.header_lines + 1 + np.concatenate(([0], np.cumsum(breaks)[:-1]))
    if len(filled) < len(breaks):
        notes += _skipped(path, filled)
        columns = [_only(column, filled) for column in columns]
    if not filled.size:
        raise InputError(sentences.HEADER_ONLY(file=path.name))
    _refuse_nul(columns, path)
    return Table(
        path.name.split(".")[0],
        str(path),
        tuple(columns),
        len(filled),
        notes=tuple(notes),
        header_lines=layout.header_lines,
        lines=lines[filled],
    )


def _skipped(path: Path, filled: NDArray[np.int64]) -> list[str]:
    """A sentence on empty lines above the last row."""
    blank = int(filled[-1]) + 1 - len(filled) if filled.size else 0
    if not blank:
        return []
    return [sentences.EMPTY_LINES(lines=blank, file=path.name)]


def _lines(columns: Sequence[Column], header_lines: int) -> NDArray[np.int64] | None:
    """The line each record begins on, where some cell has line ends of its own; None where none has."""
    inner: NDArray[np.int64] | None = None
    for column in columns:
        if column.is_coded and any("\n" in text for text in column.categories):
            breaks = np.array([*(text.count("\n") for text in column.categories), 0], dtype=np.int64)[column.codes]
            inner = breaks if inner is None else inner + breaks
    if inner is None:
        return None
    return np.arange(len(inner)) + header_lines + 1 + np.concatenate(([0], np.cumsum(inner)[:-1]))


def _not_blank(columns: Sequence[Column]) -> NDArray[np.int64] | None:
    """The rows with at least one cell; None where all have."""
    gone: NDArray[np.int64] | None = None
    for column in columns:
        data = column.data if gone is None else column.data[gone]
        gaps = np.flatnonzero(data == MISSING if column.is_coded else np.isnan(data))
        gone = gaps if gone is None else gone[gaps]
        stray = {row for row, _ in column.strays}
        if stray:
            gone = np.array([row for row in gone.tolist() if row not in stray], dtype=np.int64)
        if not gone.size:
            return None
    if gone is None:
        return None
    kept = np.ones(len(columns[0].data), dtype=np.bool_)
    kept[gone] = False
    return np.flatnonzero(kept)


def _only(column: Column, rows: NDArray[np.int64]) -> Column:
    new_place = {int(old): new for new, old in enumerate(rows.tolist())} if column.strays else {}
    strays = tuple((new_place[row], text) for row, text in column.strays)
    return replace(column, data=column.data[rows], strays=strays)


def _refuse_nul(columns: Sequence[Column], path: Path) -> None:
    for column in columns:
        for text in column.categories:
            if "\0" in text:
                raise InputError(sentences.NUL_IN_COLUMN(file=path.name, column=column.name))
