"""Braille curves, dot for dot as plotext draws them, in numpy: a filled curve takes plotext 40 ms and this one 1 ms.

plotext keeps the interpreter all that time, and a key that is pressed meanwhile waits for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DOTS_X, DOTS_Y = 2, 4  # dots in a cell
BITS = [0, 1, 2, 4, 5, 6, 3, 7]  # whose dots they are, counted down the left column of a cell and then the right one
BLANK = 0x2800


class Canvas:
    """`width` times `height` cells; x runs from 0 to 1, y from `low` to `high`, edge to edge."""

    def __init__(self, width: int, height: int, low: float, high: float) -> None:
        self.width, self.height = width, height
        self._low, self._high = low, high
        self._dots = np.zeros((height * DOTS_Y, width * DOTS_X), np.bool_)  # rows from the bottom

    def _places(self, values: Floats, low: float, high: float, dots: int) -> Floats:
        """The dot of each value, as plotext's get_matrix_data finds it; may lie outside."""
        found: Floats = np.floor(np.round(0.5 + (dots - 1) * (values - low) / (high - low), 8))
        return found

    def draw(self, x: Floats, y: Floats, *, lines: bool) -> None:
        """Points, finite all of them, or the lines between them."""
        if not len(x):
            return
        tall, wide = self._dots.shape
        columns = self._places(x, 0.0, 1.0, wide)
        rows = self._places(y, self._low, self._high, tall)
        if lines:
            columns, rows = _joined(columns, rows)
        inside = (columns >= 0) & (columns < wide) & (rows >= 0) & (rows < tall)
        self._dots[rows[inside].astype(np.int64), columns[inside].astype(np.int64)] = True

    def rows(self) -> list[str]:
        """The cells as text, blank where nothing is drawn."""
        cells = self._dots[::-1].reshape(self.height, DOTS_Y, self.width, DOTS_X)
        dots = cells.transpose(0, 2, 3, 1).reshape(self.height, self.width, DOTS_Y * DOTS_X)[..., BITS]
        codes = BLANK + np.packbits(dots, axis=2, bitorder="little")[..., 0].astype("<u4")
        text = np.where(codes == BLANK, ord(" "), codes).astype("<u4").tobytes().decode("utf-32-le")
        return [text[start : start + self.width] for start in range(0, len(text), self.width)]


def _joined(columns: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """The dots of the lines from each point to the next, as plotext's get_lines finds them."""
    across, up = np.diff(columns), np.diff(rows)
    steps = np.maximum(np.abs(across), np.abs(up)).astype(np.int64)
    whole = np.maximum(steps, 1)
    begin = np.repeat(np.arange(len(steps)), steps)
    within = np.arange(len(begin)) - np.repeat(np.cumsum(steps) - steps, steps)
    found = (
        np.trunc(columns[:-1][begin] + within * (across / whole)[begin]),
        np.trunc(rows[:-1][begin] + within * (up / whole)[begin]),
    )
    return np.append(found[0], columns[-1]), np.append(found[1], rows[-1])
