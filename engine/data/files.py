"""Tables in files: which reader reads which."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from engine.base.errors import InputError
from engine.base.files import open_regular, unreadable
from engine.data import archive, delimited, frames, parquet, sentences
from engine.data.frames import DECIDED, How
from engine.data.panics import told
from engine.data.parallel import Progress, Stop, check
from engine.data.table import Column, Table

_NAMES_OF_TARGET = ("y", "target", "label", "labels")


def read(path: Path, progress: Progress | None = None, cancelled: Stop | None = None) -> Table:
    """The table in a file: Parquet and NPZ by their first bytes, everything else as delimited text.

    Raises:
        InputError: with the place and the remedy.
        Cancelled: as asked.
    """
    kind = kind_of(path)
    if kind == "parquet":
        return _parquet(path, progress, cancelled)
    if kind == "npz":
        return npz(path)
    with told(sentences.CANNOT_BE_READ(file=path.name)):
        return delimited.read(path, progress, cancelled)


def kind_of(path: Path) -> Literal["parquet", "npz", "text"]:
    """Which reader reads a file. Raises InputError where there is none, or no plain one."""
    try:
        with open_regular(path, remedy=sentences.SAVE_FIRST()) as file:
            first = file.read(4)
    except FileNotFoundError:
        raise InputError(sentences.NO_FILE(path=path)) from None
    except OSError as error:
        raise unreadable(path, error) from None
    suffix = path.suffix.lower()
    if first == b"PAR1" or (suffix in (".parquet", ".pq") and first):
        return "parquet"
    return "npz" if suffix == ".npz" and first else "text"


def _parquet(path: Path, progress: Progress | None, cancelled: Stop | None) -> Table:
    if progress:
        progress(sentences.READING(file=path.name), None)
    columns: list[Column] = []
    notes: list[str] = []
    with parquet.opened(path) as file:
        for number, name in enumerate(file.names):
            check(cancelled)
            found = frames.from_series(file.column(name))
            if isinstance(found, Column):
                columns.append(found)
            else:
                notes.append(found)
            if progress:
                progress(sentences.READING(file=path.name), (number + 1) / len(file.names))
    return _table(path, columns, notes)


def npz(path: Path, how: How = DECIDED) -> Table:
    """The table in an archive of arrays [n] or [n, d] of equal n; "feature_names" names the columns of the matrix.

    Raises InputError.
    """
    arrays = archive.read(path)
    target = next((name for name in _NAMES_OF_TARGET if name in arrays), None)
    given = next((arrays.pop(name) for name in archive.NAMES_OF_FEATURES if name in arrays), None)
    names = [str(name) for name in given.ravel()] if given is not None else []
    arrays = {name: array for name, array in arrays.items() if array.ndim >= 1}
    columns: list[Column] = []
    for name, array in arrays.items():
        width = int(np.prod(array.shape[1:]))
        own = names if len(names) == width and array.ndim > 1 else ()
        columns += frames.from_matrix(name if array.ndim == 1 else name.lower(), array, own, how)
    return _table(path, columns, [], target)


def _table(path: Path, columns: list[Column], notes: list[str], target: str | None = None) -> Table:
    if not columns or not len(columns[0].data):
        raise InputError(sentences.NOTHING_IN_FILE(file=path.name))
    columns = _unique(columns, notes)
    return Table(
        path.name.split(".")[0],
        str(path),
        tuple(columns),
        len(columns[0].data),
        target,
        notes=tuple(notes),
    )


def _unique(columns: list[Column], notes: list[str]) -> list[Column]:
    from dataclasses import replace

    names: set[str] = set()
    found = []
    for column in columns:
        name, number = column.name, 2
        while name in names:
            name, number = f"{column.name}_{number}", number + 1
        if name != column.name:
            notes.append(sentences.SAME_COLUMN(column=column.name, name=name))
        names.add(name)
        found.append(replace(column, name=name))
    return found
