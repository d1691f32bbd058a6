"""The help screen: every key, from the key table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.geometry import Region

from tui.keys.keymap import KeyTable
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.widgets.cells import Span, left, wrap
from tui.widgets.scroll import Scrolling

ABOUT = sentences.RAVINE()


class KeyList(Scrolling):
    """Keys and sentences in one column, or two where there is room."""

    def __init__(self, table: KeyTable, *, only: frozenset[str] | None = None, about: str = ABOUT) -> None:
        super().__init__(id="key-list", classes="pane")
        self.border_title = "keys"
        self._table, self._only, self._about = table, only, about

    def told(self, width: int) -> list[list[Span]]:
        """The groups below each other, cut into columns."""
        ink = self.ink
        columns = 2 if width >= 116 else 1
        size = (width - 1) // columns
        lines: list[list[Span]] = []
        if columns == 1:
            lines += [[(f" {line}", ink.dim)] for line in wrap(self._about, width - 2, 6)] + [[]]
        blocks: list[list[list[Span]]] = []
        for title, entries in self._table.help(self._only):
            block: list[list[Span]] = [[(left(f" {title}", size), ink.strong)]]
            for marks, sentence in entries:
                texts = wrap(sentence, size - 18, 4)
                block.append([(left(f"   {marks}", 17), ink.accent), (left(texts[0], size - 17), ink.text)])
                block += [[(" " * 17, ink.text), (left(text, size - 17), ink.text)] for text in texts[1:]]
            blocks.append([*block, [(" " * size, ink.text)]])
        if columns == 1:
            lines += [line for block in blocks for line in block]
        else:
            lines += self._side_by_side(blocks, size)
            lines += [[(f" {line}", ink.dim)] for line in wrap(self._about, width - 2, 6)]
        return lines

    def _side_by_side(self, blocks: list[list[list[Span]]], size: int) -> list[list[Span]]:
        half = sum(len(block) for block in blocks) / 2
        first: list[list[Span]] = []
        second: list[list[Span]] = []
        for block in blocks:
            (first if len(first) + len(block) / 2 <= half and not second else second).extend(block)
        blank: list[Span] = [(" " * size, self.ink.text)]
        tall = max(len(first), len(second))
        first += [blank] * (tall - len(first))
        second += [blank] * (tall - len(second))
        return [[*one, *other] for one, other in zip(first, second, strict=True)]


class HelpScreen(RavineScreen):
    """Every key and what it does."""

    NAME = "help"

    def panes(self) -> ComposeResult:
        """The list of keys."""
        self.keys_pane = KeyList(self.base_app.key_table)
        yield self.keys_pane

    def on_mount(self) -> None:
        """Arrows scroll at once."""
        self.keys_pane.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """One pane."""
        places, between = self.body(width, height)
        return {**places, "key-list": between}
