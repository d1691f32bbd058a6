"""A Parquet file, column by column: what it declares is looked at before it is unpacked, and every failure is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from engine.base.files import open_regular
from engine.data import sentences
from engine.data.panics import told
from engine.devices.room import check_room

if TYPE_CHECKING:
    import polars as pl

CELL = 16  # bytes that a cell takes at least, as polars has it and as a column has it


@dataclass(frozen=True)
class Parquet:
    """An open file: the names of its columns, and each of them when it is asked for."""

    file: BinaryIO
    names: tuple[str, ...]
    rows: int

    def column(self, name: str) -> pl.Series:
        """One column."""
        import polars as pl

        self.file.seek(0)
        return pl.read_parquet(self.file, columns=[name]).to_series()


@contextmanager
def opened(path: Path) -> Iterator[Parquet]:
    """Open a file for as long as the block lasts.

    Raises InputError, also for what polars says inside the block, and where the cells would not fit into memory.
    """
    import polars as pl

    with told(sentences.NOT_PARQUET(file=path.name)), open_regular(path) as file:
        # A path would be taken for a pattern, and has to be UTF-8.
        names = tuple(pl.read_parquet_schema(file))
        file.seek(0)
        rows = int(pl.scan_parquet(file).select(pl.len()).collect().item())
        check_room(CELL * rows * len(names), partial(sentences.NEEDS_MEMORY, file=path.name))
        yield Parquet(file, names, rows)
