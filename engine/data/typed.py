"""Values that a person types for a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.data import dates, kinds
from engine.data.inputs import Input
from engine.data.table import Column, show_number, shown
from engine.errors import InputError


def column(wanted: Input, rows: Sequence[Mapping[str, str | float | None]]) -> Column:
    """The values of one input in every row, as a column: numbers, texts, or None and missing tokens for a gap.

    Raises:
        InputError: naming the field that is not given, or is no number or date.
    """
    cells: list[str | float | None] = []
    for row in rows:
        if wanted.name not in row:
            raise InputError(f"{wanted.name} is not given; leave it empty if it is not known.")
        cell = row[wanted.name]
        missing = cell is None or (isinstance(cell, str) and kinds.is_missing(cell)) or cell != cell
        cells.append(None if missing else cell)
    if wanted.is_coded:
        texts = [None if c is None else c if isinstance(c, str) else show_number(float(c)) for c in cells]
        return kinds.from_texts(wanted.name, texts)
    return Column(wanted.name, wanted.kind, np.array([_number(wanted, cell) for cell in cells], dtype=np.float64))


def _number(wanted: Input, cell: str | float | None) -> float:
    if cell is None:
        return float("nan")
    if isinstance(cell, str):
        number = dates.parse(cell) if wanted.kind == "date" else kinds.to_number(cell)
        if number is None:
            remedy = (
                "a date like 2026-03-31" if wanted.kind == "date" else f"a number like {wanted.show(wanted.typical)}"
            )
            noun = "a date" if wanted.kind == "date" else "a number"
            raise InputError(f"{wanted.name}: “{shown(cell)}” is not {noun}; give {remedy}.")
        cell = number
    if np.isinf(cell):
        raise InputError(f"{wanted.name} is infinite; give a number like {wanted.show(wanted.typical)}.")
    return float(cell)
