"""A rectangle of cells to draw on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.style import Style

from tui.cells import PLAIN, Span

BLANK_BRAILLE = "\u2800"


@lru_cache(maxsize=256)
def _joined(style: Style, ground: Style) -> Style:
    """The same object for the same two styles, so that `lines` sees where a style ends."""
    return style + ground


class Sheet:
    """`width` times `height` cells, each a character of one cell and a style. What lies outside is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._characters = [[" "] * width for _ in range(height)]
        self._styles = [[PLAIN] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str, style: Style) -> None:
        """Write a text of narrow characters."""
        if not 0 <= y < self.height:
            return
        characters, styles = self._characters[y], self._styles[y]
        for offset, character in enumerate(text):
            if 0 <= x + offset < self.width:
                characters[x + offset] = character
                styles[x + offset] = style

    def lay(self, x: int, y: int, rows: Sequence[str], style: Style) -> None:
        """Lay a drawing over what is there; its blanks let it through."""
        for offset, row in enumerate(rows):
            if not row.strip() or not 0 <= y + offset < self.height:
                continue
            characters, styles = self._characters[y + offset], self._styles[y + offset]
            for index, character in enumerate(row):
                if character not in (" ", BLANK_BRAILLE) and 0 <= x + index < self.width:
                    characters[x + index] = character
                    styles[x + index] = style

    def ground(self, x: int, y: int, ground: Style) -> None:
        """Give a cell another background."""
        if 0 <= y < self.height and 0 <= x < self.width:
            before = self._styles[y][x]
            self._styles[y][x] = _joined(before, ground)

    def plain(self, x: int, y: int, length: int, blanks: str) -> bool:
        """Whether only `blanks` stand on a stretch that lies inside."""
        if x < 0 or x + length > self.width or not 0 <= y < self.height:
            return False
        return all(character in blanks for character in self._characters[y][x : x + length])

    def lines(self) -> list[list[Span]]:
        """The cells as spans of one style."""
        found = []
        for characters, styles in zip(self._characters, self._styles, strict=True):
            line: list[Span] = []
            begin = 0
            for index in range(1, self.width + 1):
                if index == self.width or styles[index] is not styles[begin]:
                    line.append(("".join(characters[begin:index]), styles[begin]))
                    begin = index
            found.append(line)
        return found
