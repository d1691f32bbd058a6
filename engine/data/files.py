"""Tables in files: which reader reads which."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.data import delimited, frames
from engine.data.frames import DECIDED, How
from engine.data.parallel import Progress, Stop, check
from engine.data.table import Column, Table
from engine.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAMES_OF_TARGET = ("y", "target", "label", "labels")
_NAMES_OF_FEATURES = ("feature_names", "columns", "names")


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
    return delimited.read(path, progress, cancelled)


def kind_of(path: Path) -> Literal["parquet", "npz", "text"]:
    """Which reader reads a file. Raises InputError where there is none, or no plain one."""
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give a file in it.")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is a pipe or a device, not a file; write what it gives to a file first.")
        with path.open("rb") as file:
            first = file.read(4)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; check its name and folder.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        raise InputError("A file name cannot hold a NUL character.") from None
    suffix = path.suffix.lower()
    if first == b"PAR1" or (suffix in (".parquet", ".pq") and first):
        return "parquet"
    return "npz" if suffix == ".npz" and first else "text"


def _parquet(path: Path, progress: Progress | None, cancelled: Stop | None) -> Table:
    import polars as pl

    if progress:
        progress(f"reading {path.name}", None)
    try:
        with path.open("rb") as file:  # a path would be taken for a pattern, and has to be UTF-8
            names = pl.read_parquet_schema(file)
            columns: list[Column] = []
            notes: list[str] = []
            for number, name in enumerate(names):
                check(cancelled)
                file.seek(0)
                found, left = frames.from_polars(pl.read_parquet(file, columns=[name]))
                columns += found
                notes += left
                if progress:
                    progress(f"reading {path.name}", (number + 1) / len(names))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0].rstrip('.')}.") from None
    return _table(path, columns, notes)


def npz(path: Path, how: How = DECIDED) -> Table:
    """The table in an archive of arrays. Raises InputError."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # noqa: BLE001 - zipfile, zlib, numpy and struct each have their own
        words = str(error).rstrip(".")
        if not zipfile.is_zipfile(path):
            words = "it is no archive of arrays"
        elif "pickle" in words.lower():
            words = "it holds Python objects"
        raise InputError(f"{path.name} cannot be read as NPZ: {words}; save plain arrays with numpy.savez.") from None
    target = next((name for name in _NAMES_OF_TARGET if name in arrays), None)
    return from_arrays(path, arrays, target, how)


def from_arrays(path: Path, arrays: dict[str, NDArray[np.generic]], target: str | None, how: How = DECIDED) -> Table:
    """A table from named arrays [n] or [n, d] of equal n; "feature_names" names the columns of the matrix."""
    given = next((arrays.pop(name) for name in _NAMES_OF_FEATURES if name in arrays), None)
    names = [str(name) for name in given.ravel()] if given is not None else []
    arrays = {name: array for name, array in arrays.items() if array.ndim >= 1}
    sizes = {name: len(array) for name, array in arrays.items()}
    if not arrays or max(sizes.values()) == 0:
        raise InputError(f"{path.name} holds no rows; save arrays of numbers such as X [n, d] and y [n].")
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise InputError(f"The arrays of {path.name} have unequal numbers of rows ({listed}); make them equal.")
    columns: list[Column] = []
    for name, array in arrays.items():
        width = int(np.prod(array.shape[1:]))
        own = names if len(names) == width and array.ndim > 1 else ()
        columns += frames.from_matrix(name if array.ndim == 1 else name.lower(), array, own, how)
    return _table(path, columns, [], target)


def _table(path: Path, columns: list[Column], notes: list[str], target: str | None = None) -> Table:
    if not columns or not len(columns[0].data):
        raise InputError(f"{path.name} has no rows or no columns; write some into it.")
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
            notes.append(f"There is more than one column {column.name}; another is called {name}.")
        names.add(name)
        found.append(replace(column, name=name))
    return found
