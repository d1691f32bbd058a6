"""A rectangle of cells to draw on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from tui.widgets.cells import PLAIN, Span, tame

BLANKS = np.array([ord(" "), 0x2800], np.uint32)  # the second is the one of braille
CODE = "utf-32-le"
_LAX = "surrogatepass"  # names of files may hold what is no character


@lru_cache(maxsize=256)
def _joined(style: Style, ground: Style) -> Style:
    """The same object for the same two styles."""
    return style + ground


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode(CODE, _LAX), "<u4").astype(np.uint32, copy=False)


class Sheet:
    """`width` times `height` cells, each a character of one cell and a style. What lies outside is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._codes = np.full((height, width), ord(" "), np.uint32)
        self._inks = np.zeros((height, width), np.int32)  # places in `_styles`
        self._styles = [PLAIN]
        self._known = {PLAIN: 0}

    def _ink(self, style: Style) -> int:
        number = self._known.setdefault(style, len(self._styles))
        if number == len(self._styles):
            self._styles.append(style)
        return number

    def put(self, x: int, y: int, text: str, style: Style) -> None:
        """Write a text of narrow characters."""
        text = tame(text)
        first, end = max(0, x), min(self.width, x + len(text))
        if 0 <= y < self.height and first < end:
            self._codes[y, first:end] = ord(text) if len(text) == 1 else _codes(text[first - x : end - x])
            self._inks[y, first:end] = self._ink(style)

    def lay(self, x: int, y: int, rows: Sequence[str], style: Style) -> None:
        """Lay a drawing, all rows of which are equally long, over what is there; its blanks let it through."""
        if not rows or not rows[0]:
            return
        drawing = _codes("".join(rows)).reshape(len(rows), -1)
        top, left = max(0, y), max(0, x)
        seen = drawing[top - y : max(0, self.height - y), left - x : max(0, self.width - x)]
        place = slice(top, top + seen.shape[0]), slice(left, left + seen.shape[1])
        drawn = (seen != BLANKS[0]) & (seen != BLANKS[1])
        self._codes[place][drawn] = seen[drawn]
        self._inks[place][drawn] = self._ink(style)

    def ground(self, x: int, y: int, ground: Style) -> None:
        """Give a cell another background."""
        if 0 <= y < self.height and 0 <= x < self.width:
            self._inks[y, x] = self._ink(_joined(self._styles[self._inks[y, x]], ground))

    def plain(self, x: int, y: int, length: int, blanks: str) -> bool:
        """Whether only `blanks` stand on a stretch that lies inside."""
        if x < 0 or x + length > self.width or not 0 <= y < self.height:
            return False
        return bool(np.isin(self._codes[y, x : x + length], _codes(blanks)).all())

    def lines(self) -> list[list[Span]]:
        """The cells as spans of one style."""
        text = self._codes.astype("<u4", copy=False).tobytes().decode(CODE, _LAX)
        ends: list[list[int]] = [[0] for _ in range(self.height)]
        for y, x in np.argwhere(self._inks[:, 1:] != self._inks[:, :-1]).tolist():
            ends[y].append(x + 1)
        found: list[list[Span]] = []
        if not self.width:
            return [[]] * self.height
        for y, places in enumerate(ends):
            row, inks = text[y * self.width : (y + 1) * self.width], self._inks[y, places].tolist()
            spans = zip(pairwise([*places, self.width]), inks, strict=True)
            found.append([(row[first:end], self._styles[ink]) for (first, end), ink in spans])
        return found
