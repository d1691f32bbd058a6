"""Arrays in an NPZ archive, looked at before they are read: it may declare a thousand times what it weighs."""

from __future__ import annotations

import sys
import zipfile
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.base.files import open_regular
from engine.data import sentences
from engine.devices.room import check_room

NAMES_OF_FEATURES = ("feature_names", "columns", "names")  # arrays that name the columns of a matrix
REMEDY = sentences.SAVE_PLAIN_ARRAYS()
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class _Odd(Exception):
    """What is wrong with an archive, as half a sentence."""


def read(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of an archive by name, those without rows left out. No pickle is ever read.

    Raises InputError before anything is unpacked that would not fit into memory, or whose rows are not of equal number.
    """
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            found = {name: _declared(archive, name) for name in archive.namelist() if name.endswith(".npy")}
            shapes = {name.removesuffix(".npy"): shape for name, (shape, _) in found.items()}
            _check_rows(path, shapes)
            cells = sum(prod(shape) for shape, _ in found.values())
            held = sum(prod(shape) * dtype.itemsize for shape, dtype in found.values())
            # Every cell becomes a float64 of a column beside the array that it comes from.
            check_room(held + 8 * cells, partial(sentences.NEEDS_MEMORY, file=path.name))
            return {name.removesuffix(".npy"): _array(archive, name) for name in found}
    except (InputError, FileNotFoundError, MemoryError):
        raise
    except _Odd as odd:
        words = str(odd)
    except Exception as error:  # noqa: BLE001 - zipfile, zlib, numpy and struct each have their own
        words = sentences.NO_ARCHIVE() if isinstance(error, zipfile.BadZipFile) else _words(error)
    raise InputError(sentences.NOT_NPZ(file=path.name, reason=words, remedy=REMEDY)) from None


def _words(error: Exception) -> str:
    words = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return sentences.IS_DAMAGED() if not words or " object at 0x" in words or len(words) > 150 else words


def _declared(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of a member, of which no more than the header is read."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as member:
        shape, dtype = _header(member, name)
        left = size - member.tell()
    if dtype.hasobject:
        raise _Odd(sentences.PYTHON_OBJECTS())
    if any(side < 0 for side in shape) or prod(shape) * dtype.itemsize != left:
        raise _Odd(sentences.OTHER_CONTENT(array=name.removesuffix(".npy"), shape=str(list(shape)), dtype=dtype))
    return shape, dtype


def _header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(member)
    if version not in _HEADERS:
        raise _Odd(sentences.UNKNOWN_FORM(array=name.removesuffix(".npy")))
    shape, _, dtype = _HEADERS[version](member)
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    with archive.open(name) as member:
        found = np.asarray(npy.read_array(member, allow_pickle=False))
    if found.dtype.kind == "U" and found.dtype.itemsize:  # numpy takes any number for a character
        codes = np.ascontiguousarray(found).view(np.dtype(np.uint32).newbyteorder(found.dtype.byteorder))
        if codes.max(initial=0) > sys.maxunicode:
            raise _Odd(sentences.NO_CHARACTERS(array=name.removesuffix(".npy")))
    return found


def _check_rows(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raise InputError where the arrays are not of equally many rows."""
    named = next((name for name in NAMES_OF_FEATURES if name in shapes), None)
    sizes = {name: shape[0] for name, shape in shapes.items() if shape and name != named}
    if not sizes or max(sizes.values()) == 0:
        raise InputError(sentences.NO_ROWS_IN_ARRAYS(file=path.name))
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {size:,}" for name, size in sizes.items())
        raise InputError(sentences.UNEQUAL_ARRAYS(file=path.name, sizes=listed))
