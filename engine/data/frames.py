"""Columns from polars, pandas and numpy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import kinds, sentences
from engine.data.table import MISSING, Column, Floats, numeric

if TYPE_CHECKING:
    import polars as pl

_DAY_IN_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True)
class How:
    """How columns are taken.

    Attributes:
        decide: whether to decide what they mean by their cells. A model knows it already.
        missing: the marks of a missing cell, in small letters.
    """

    decide: bool = True
    missing: tuple[str, ...] = kinds.MARKS

    def finish(self, column: Column) -> Column:
        """A column as it is taken."""
        return kinds.decide(column) if self.decide else column


DECIDED = How()


def from_polars(frame: pl.DataFrame, how: How = DECIDED) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """The columns of a frame, and notes on those that no table can hold. Takes the frame apart to save memory."""
    columns: list[Column] = []
    notes: list[str] = []
    frame = frame.clone()
    for name in frame.columns:
        found = from_series(frame.drop_in_place(name), how)
        if isinstance(found, Column):
            columns.append(found)
        else:
            notes.append(found)
    return tuple(columns), tuple(notes)


def from_series(series: pl.Series, how: How = DECIDED) -> Column | str:
    """One column; a sentence where its values are none that a table can hold."""
    import polars as pl

    kind = series.dtype
    name = series.name.strip() or "column"
    if kind == pl.Boolean:
        codes = series.cast(pl.Int32).fill_null(MISSING).to_numpy()
        return Column(name, "boolean", _frozen(codes), ("false", "true"))
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return how.finish(from_strings(series.cast(pl.String), how.missing))
    if kind in (pl.Date, pl.Datetime):
        micros = series.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64).to_numpy()
        return Column(name, "date", _frozen(micros / _DAY_IN_MICROSECONDS))
    if kind == pl.Duration or kind == pl.Time:
        seconds = series.cast(pl.Int64).cast(pl.Float64) / (1e9 if kind == pl.Time else 1e6)
        if kind == pl.Duration:
            seconds = series.cast(pl.Duration("us")).cast(pl.Int64).cast(pl.Float64) / 1e6
        return numeric(name, _frozen(seconds.to_numpy()))
    if kind.is_numeric():
        return how.finish(numeric(name, _frozen(series.cast(pl.Float64).to_numpy())))
    if kind == pl.Null:
        return Column(name, "numeric", np.full(len(series), np.nan), reason=sentences.NO_VALUES())
    return sentences.LEFT_OUT(column=name, reason=sentences.OTHER_KIND(kind=str(kind).split("(")[0].lower()))


def from_strings(series: pl.Series, missing: Collection[str] = kinds.MARKS) -> Column:
    """A coded column of texts, without spaces around them, missing marks (in small letters) told apart; its kind is
    still to be decided."""
    import polars as pl

    name, cell = series.name, pl.col("cell")
    absent = cell.str.to_lowercase().is_in(list(missing))
    frame = series.alias("cell").to_frame().with_columns(cell.str.strip_chars())
    texts = frame.select(pl.when(absent).then(None).otherwise(cell).alias("cell"))["cell"]
    unique = texts.drop_nulls().unique(maintain_order=True)
    if not len(unique):
        return Column(name, "text", np.full(len(series), MISSING, dtype=np.int32))
    codes = texts.cast(pl.Enum(unique)).to_physical().cast(pl.Int32).fill_null(MISSING)
    return Column(name, "text", _frozen(codes.to_numpy()), tuple(unique.to_list()))


def from_pandas(frame: Any, how: How = DECIDED) -> tuple[Column, ...]:
    """The columns of a pandas frame; its index is no column."""
    columns = []
    for number, label in enumerate(frame.columns):
        series = frame.iloc[:, number]
        name = str(label)
        kind = getattr(series.dtype, "kind", "O")
        if kind in "iufb" and not series.hasnans:
            columns.append(from_array(name, series.to_numpy(), how))
        elif kind in "iuf":
            columns.append(from_array(name, series.to_numpy(dtype=np.float64, na_value=np.nan), how))
        elif kind == "M":
            plain = series.dt.tz_convert(None) if getattr(series.dtype, "tz", None) is not None else series
            columns.append(from_array(name, plain.to_numpy(dtype="datetime64[us]"), how))
        else:
            columns.append(how.finish(kinds.from_texts(name, _texts(series.tolist()), how.missing)))
    return tuple(columns)


def from_array(name: str, values: NDArray[Any], how: How = DECIDED) -> Column:
    """One column from a one-dimensional numpy array of numbers, booleans, dates or texts.

    Raises:
        InputError: it holds other objects.
    """
    values = np.asarray(values)
    if values.dtype.kind == "b":
        return Column(name, "boolean", _frozen(values.astype(np.int32)), ("false", "true"))
    if values.dtype.kind in "iuf":
        return how.finish(numeric(name, values.astype(np.float64)))
    if values.dtype.kind == "M":
        micros = values.astype("datetime64[us]")
        days = np.where(np.isnat(micros), np.nan, micros.astype(np.int64) / _DAY_IN_MICROSECONDS)
        return Column(name, "date", _frozen(days))
    if values.dtype.kind in "UO":
        return how.finish(kinds.from_texts(name, _texts(values.tolist()), how.missing))
    raise InputError(sentences.OTHER_VALUES(column=name, dtype=values.dtype))


def _texts(cells: Sequence[Any]) -> list[str | None]:
    """Objects as texts; None, NaN, NaT and pandas' NA (which equals nothing, not even itself) as None."""
    return [None if cell is None or type(cell).__name__ == "NAType" or cell != cell else str(cell) for cell in cells]


def from_matrix(
    name: str,
    values: NDArray[Any],
    names: Sequence[str] = (),
    how: How = DECIDED,
) -> tuple[Column, ...]:
    """The columns of an array [n] or [n, d]; arrays of more dimensions are flattened to [n, -1] (images to pixels)."""
    values = np.asarray(values)
    if values.ndim == 1:
        return (from_array(names[0] if names else name, values, how),)
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    if not names:
        names = [f"{name}{j + 1}" for j in range(flat.shape[1])]
    return tuple(from_array(column, np.ascontiguousarray(flat[:, j]), how) for j, column in enumerate(names))


def _frozen(data: NDArray[Any]) -> Any:
    data = np.ascontiguousarray(data)
    if data.flags.writeable:
        data = data.view()
        data.flags.writeable = False
    return data


def floats(series: pl.Series) -> Floats:
    """The numbers of a Float64 series, NaN where null; without a copy where nothing is null."""
    return series.to_numpy()
