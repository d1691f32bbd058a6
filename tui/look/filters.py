"""What becomes of every drawn line on terminals that show no colours, or nothing but ASCII.

Textual's own filters for NO_COLOR still send colours, if only grey ones.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from engine.base.printable import printable
from tui.look.ascii import to_ascii


@lru_cache(maxsize=1024)
def bare(style: Style) -> Style:
    """A style without its colours."""
    return Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        strike=style.strike,
        meta=style.meta or None,  # what a click on it does
    )


class Harmless(LineFilter):
    """Leaves nothing that a terminal would obey or hide, whatever a widget shows: the last guard, for all of them."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells, with escapes for what is harmful, as far as there is room for them."""
        if all(control or printable(text) is text for text, _, control in segments):
            return segments
        return [
            Segment(text if control else set_cell_size(printable(text), cell_len(text)), style, control)
            for text, style, control in segments
        ]


class NoColours(LineFilter):
    """Leaves bold, dim, underlined and reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells without colours."""
        return [Segment(text, bare(style) if style is not None else None, control) for text, style, control in segments]


class OnlyAscii(LineFilter):
    """Leaves ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in ASCII."""
        return [Segment(text if control else to_ascii(text), style, control) for text, style, control in segments]
