"""Values that a person types, or a program gives one by one, for a prediction."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from engine.base.errors import InputError
from engine.data import cells, kinds, sentences
from engine.data.inputs import Input
from engine.data.table import Column, shown

_MIDNIGHT = dt.datetime(1970, 1, 1)


def column(wanted: Input, rows: Sequence[Mapping[str, Any]], missing: Collection[str]) -> tuple[Column, list[str]]:
    """The values of one input in every row, as a column, and sentences on what is doubtful about them.

    Args:
        rows: texts, numbers (for a date: days since 1970-01-01), dates, truth values; None, NaN, NaT or one of the
            missing marks for a gap. numpy's and pandas' own kinds of these too.
        missing: the marks, in small letters.

    Raises:
        InputError: naming the field that is not given, or is no number or date.
    """
    found: list[str | int | float | None] = []
    for row in rows:
        if wanted.name not in row:
            raise InputError(sentences.NOT_GIVEN(column=wanted.name))
        cell = plain(wanted.name, row[wanted.name])
        found.append(None if isinstance(cell, str) and cell.strip().lower() in missing else cell)
    if wanted.is_coded:
        spell = cells.spelling(wanted)
        texts = [cell if cell is None or isinstance(cell, str) else spell(cell) for cell in found]
        return kinds.from_texts(wanted.name, texts, ()), []
    unsure: list[str] = []
    numbers = np.array([_number(wanted, cell, unsure) for cell in found], dtype=np.float64)
    return Column(wanted.name, wanted.kind, numbers, reading=wanted.reading), cells.unsure(wanted, unsure)


def plain(name: str, cell: Any) -> str | int | float | None:
    """A Python, numpy or pandas object as the text or the number that a table would hold; None for a gap.

    Raises:
        InputError: it is neither, such as a list.
    """
    if isinstance(cell, np.ndarray) and cell.ndim == 0:
        cell = cell[()]
    if cell is None or type(cell).__name__ == "NAType":
        return None
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool | np.bool_):
        return "true" if cell else "false"
    if isinstance(cell, np.datetime64):
        cell = None if np.isnat(cell) else cell.astype("datetime64[us]").item()
        return None if cell is None else cell.isoformat() if isinstance(cell, dt.date) else str(cell)
    if isinstance(cell, np.timedelta64):
        return None if np.isnat(cell) else float(cell / np.timedelta64(1, "s"))
    if isinstance(cell, dt.date):  # a datetime is one, and so is NaT
        return None if cell != cell else cell.isoformat()
    if isinstance(cell, dt.timedelta):
        return cell.total_seconds()
    if isinstance(cell, dt.time):
        return (dt.datetime.combine(_MIDNIGHT, cell.replace(tzinfo=None)) - _MIDNIGHT).total_seconds()
    if isinstance(cell, int | np.integer):
        return int(cell)
    try:
        number = float(cell)
    except (TypeError, ValueError):
        raise InputError(sentences.BAD_TYPE(column=name, kind=type(cell).__name__)) from None
    return None if number != number else number


def _number(wanted: Input, cell: str | int | float | None, unsure: list[str]) -> float:
    if cell is None:
        return math.nan
    if isinstance(cell, str):
        number = cells.as_number(wanted, cell, unsure)
        if number is None:
            noun = sentences.A_DATE() if wanted.kind == "date" else sentences.A_NUMBER()
            raise InputError(
                sentences.NOT_ONE(column=wanted.name, text=shown(cell), noun=noun, example=cells.example(wanted))
            )
        cell = number
    try:
        found = float(cell)
    except OverflowError:
        found = math.inf
    if math.isinf(found):
        raise InputError(sentences.INFINITE_GIVEN(column=wanted.name, example=cells.example(wanted)))
    return found
