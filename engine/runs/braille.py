"""A curve as text: two by four dots to a character, for reports that are read anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.base.rounding import is_rounding
from engine.runs import sentences

Floats = NDArray[np.float64]

DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # [row, column], Unicode's block U+2800


def chart(low: Floats, high: Floats, *, height: int = 10, log: bool = False, span: tuple[float, float]) -> list[str]:
    """Lines of text with axis and curve.

    Args:
        low, high: [2 * characters] least and greatest value of each column of dots, NaN where there is none.
        height: in characters.
        log: whether the y axis is logarithmic; values that are not above 0 are then left out.
        span: what the ends of the x axis are called.
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        bottom, top = (np.log10(np.where(v > 0, v, np.nan)) if log else v for v in (low, high))
    known = np.isfinite(bottom) & np.isfinite(top)
    if not known.any():
        return [sentences.NO_FINITE_VALUE()]
    least, most = float(bottom[known].min()), float(top[known].max())
    if most - least <= 1e-12 * max(abs(most), abs(least), 1e-300):
        least, most = least - 0.5, most + 0.5
    rows = 4 * height

    def place(values: Floats) -> NDArray[np.int64]:
        share = (most / 2 - values / 2) / (most / 2 - least / 2)  # halves, for the ends may be as far apart as there is
        return np.clip(np.round(share * (rows - 1)), 0, rows - 1).astype(np.int64)

    cells = np.zeros((height, len(low) // 2), np.int64)
    before: int | None = None
    for column in range(2 * cells.shape[1]):
        if not known[column]:
            before = None
            continue
        first, last = int(place(top[column : column + 1])[0]), int(place(bottom[column : column + 1])[0])
        if before is not None:  # join it to its neighbour
            first, last = (min(first, before), last) if before < first else (first, max(last, before))
        before = int(place(np.array([top[column] / 2 + bottom[column] / 2]))[0])
        for row in range(first, last + 1):
            cells[row // 4, column // 2] |= DOTS[row % 4, column % 2]
    labels = ["" for _ in range(height)]
    for line in {0, height // 2, height - 1}:
        value = 2 * (most / 2 - (most / 2 - least / 2) * line / max(height - 1, 1))
        if not log and is_rounding(value, max(abs(most), abs(least))):
            value = 0.0  # where the axis passes it, to rounding
        labels[line] = _number(10**value if log else value)
    wide = max(map(len, labels))
    lines = [
        f"{label:>{wide}} ┤" + "".join(chr(0x2800 + c) for c in row)
        for label, row in zip(labels, cells.tolist(), strict=True)
    ]
    left, right = (_number(end) for end in span)
    gap = max(1, cells.shape[1] - len(left) - len(right))
    return [*lines, " " * wide + " └" + "─" * cells.shape[1], " " * (wide + 2) + left + " " * gap + right]


def columns(steps: Sequence[float] | Floats, values: Floats, count: int) -> tuple[Floats, Floats]:
    """Least and greatest finite value [count] of points that fall into evenly wide columns, NaN where there is none."""
    at = np.asarray(steps, np.float64)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    kept = np.isfinite(values)
    if kept.any():
        reach = float(at[-1] - at[0]) or 1.0
        into = np.minimum(((at[kept] - at[0]) / reach * count).astype(np.int64), count - 1)
        np.minimum.at(low, into, values[kept])
        np.maximum.at(high, into, values[kept])
    empty = ~np.isfinite(low)
    low[empty] = high[empty] = np.nan
    # A curve of few points is a line through them.
    if not empty.all() and empty.any() and len(at) < count:
        there, all_columns = np.flatnonzero(~empty), np.arange(count)
        inside = (all_columns >= there[0]) & (all_columns <= there[-1])
        for array in (low, high):
            array[inside] = np.interp(all_columns[inside], there, array[there])
    return low, high


def _number(value: float) -> str:
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.4g}"
