"""A widget that keeps what it shows as lines of cells and sends the terminal only the cells that changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import ClassVar, TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from engine.base.printable import printable
from tui.keys.situation import Focus
from tui.look.styles import RAVINE, Ink, ink
from tui.terminal.direct_paint import DirectApp

Span: TypeAlias = tuple[str, Style]
Line: TypeAlias = tuple[Span, ...]
Words: TypeAlias = str | tuple[tuple[str, str], ...]  # a text, or texts each with its style as markup names it

# Two changed stretches this close are sent as one: moving the cursor costs about as many bytes.
NEAR = 6
PLAIN = Style()


# Marks that choose a picture, and skin tones: terminals do not agree on how many cells a text with them takes.
_UNSURE = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


# Letters, lines, blocks and braille that take one cell each, everywhere: what charts are made of.
_NARROW = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u2500-\u25fc\u2800-\u28ff]*")


def tame(text: str) -> str:
    """A text of somebody's so that no terminal obeys it, and all agree on how wide it is."""
    if _NARROW.fullmatch(text):
        return text
    return _UNSURE.sub("", printable(text))


def apart(parts: Sequence[tuple[str, str]], by: str = "  ") -> tuple[tuple[str, str], ...]:
    """Words for a border with something plain between them."""
    return tuple(one for index, part in enumerate(parts) for one in (((by, ""), part) if index else (part,)))


def _content(words: Words) -> Content:
    if isinstance(words, str):
        return Content(tame(words))
    return Content.assemble(*((tame(text), style) for text, style in words))


def fit(spans: Sequence[Span], width: int) -> Line:
    """Spans cut or padded to exactly `width` cells, neighbours of one style joined."""
    line: list[Span] = []
    left = width
    for text, style in spans:
        if _NARROW.fullmatch(text):
            size = len(text)
        else:
            text = tame(text)
            size = cell_len(text)
        if not text or left <= 0:
            continue
        if size > left:
            text = set_cell_size(text, left)
            size = left
        left -= size
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + text, style)
        else:
            line.append((text, style))
    if left > 0:
        blank = line[-1][1] if line and line[-1][1].bgcolor else PLAIN
        line.append((" " * left, blank))
    return tuple(line)


def clip(text: str, width: int) -> str:
    """A text of at most `width` cells, its end replaced by an ellipsis where it is longer."""
    text = tame(text)
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else "…"[:width]


def right(text: str, width: int) -> str:
    """A text moved to the right end of `width` cells."""
    text = clip(text, width)
    return " " * (width - cell_len(text)) + text


def left(text: str, width: int) -> str:
    """A text padded to `width` cells."""
    return set_cell_size(clip(text, width), width)


def wrap(text: str, width: int, most: int) -> list[str]:
    """A text in at most `most` lines of `width` cells, the last one clipped where it is longer."""
    lines: list[str] = []
    words = tame(text.replace("\n", " ")).split()
    while words and len(lines) < most:
        line = words.pop(0)
        while words and cell_len(line) + 1 + cell_len(words[0]) <= width:
            line += " " + words.pop(0)
        lines.append(line)
    if words:
        lines[-1] = clip(lines[-1] + " " + " ".join(words), width)
    return [clip(line, width) for line in lines]


def _cells(line: Line) -> list[Span]:
    """One entry per cell; the second cell of a wide character is empty."""
    cells: list[Span] = []
    for text, style in line:
        if _NARROW.fullmatch(text):
            cells += [(character, style) for character in text]
            continue
        for character in text:
            size = cell_len(character)
            if size:
                cells.append((character, style))
                cells += [("", style)] * (size - 1)
            elif cells:
                cells[-1] = (cells[-1][0] + character, cells[-1][1])
    return cells


def changes(old: Line, new: Line) -> Iterator[tuple[int, int]]:
    """Where two lines of equal width differ: (first cell, end), stretches that are near joined."""
    if old == new:
        return
    same = next(i for i, (one, other) in enumerate(zip_longest(old, new)) if one != other)
    same = max(0, same - 1)  # spans at the beginning; what follows may begin with marks on the last of their cells
    while same and not cell_len(new[same][0]):
        same -= 1
    begin = sum(cell_len(text) for text, _ in new[:same])
    before, after = _cells(old[same:]), _cells(new[same:])
    start = end = -1
    for x, (one, other) in enumerate(zip(before, after, strict=False)):
        if one == other:
            continue
        # A wide character is changed as a whole.
        first = x - 1 if not (one[0] and other[0]) and x else x
        if start < 0:
            start = first
        elif first - end > NEAR:
            yield begin + start, begin + end
            start = first
        end = x + 1
        while end < len(after) and not (after[end][0] and before[end][0]):
            end += 1
    if start >= 0:
        yield begin + start, begin + end


class Cells(Widget):
    """Draws itself as lines of cells. A subclass gives `draw`; `redraw` sends what differs from the last frame."""

    KIND: ClassVar[Focus] = "other"  # decides about the keys while it has the focus

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[Line] = []
        self._drawn = (0, 0)
        self._ground: Style | None = None
        self._inked: Ink | None = None
        self._borders: tuple[Words, Words] = "", ""  # on the borders
        self._ahead: set[int] = set()  # lines that the terminal has in a newer state than Textual
        self._patches: dict[int, tuple[Strip, Line, tuple[int, int, int], Strip]] = {}  # made of these lines

    @property
    def ink(self) -> Ink:
        """The styles to draw with, of the theme in force."""
        theme, colour = self.app.current_theme, not self.app.no_color
        return _INKS.get((theme.name, colour)) or _INKS.setdefault((theme.name, colour), ink(theme, colour=colour))

    def draw(self, width: int, height: int) -> Sequence[Sequence[Span]]:
        """The lines to show on `width` times `height` cells. Fewer or shorter ones are padded, longer ones cut."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw, and refresh the cells that changed."""
        width, height = self.size
        if not (width and height and self.is_attached):
            return
        lines = [fit(line, width) for line in self.draw(width, height)[:height]]
        lines += [fit((), width)] * (height - len(lines))
        old, self._lines = self._lines, lines
        if self._drawn != (width, height):
            self._drawn = (width, height)
            self._ahead.clear()
            self._patches.clear()
            self.refresh()
            return
        regions = [
            Region(start, y, end - start, 1)
            for y, (before, after) in enumerate(zip(old, lines, strict=True))
            for start, end in changes(before, after)
        ]
        if not regions:
            return
        direct_paint = self.app.direct_paint if isinstance(self.app, DirectApp) else None
        if direct_paint is not None and direct_paint.take(self, regions, self.stretch):
            self._ahead.update(region.y for region in regions)
        else:
            self.refresh(*regions)

    def head(self, words: Words) -> None:
        """Say something on the upper border. It is painted only where it has changed."""
        if self._borders[0] != words:
            self._borders = words, self._borders[1]
            self.border_title = _content(words)

    def note(self, words: Words) -> None:
        """Say something on the lower border. It is painted only where it has changed."""
        if self._borders[1] != words:
            self._borders = self._borders[0], words
            self.border_subtitle = _content(words)

    def render_str(self, text_content: str | Content) -> Content:
        """What is said on a border: no text of somebody's is markup there, and no terminal obeys it."""
        return _content(text_content) if isinstance(text_content, str) else text_content

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines for Textual, which does not know of those that went out without it."""
        strips = super().render_lines(crop)
        gutter, (width, height) = self.gutter, self.size
        for y in self._ahead if width == self._drawn[0] else ():
            at = y + gutter.top - crop.y
            if 0 <= at < len(strips) and y < height:
                strips[at] = self._patched(strips[at], y, gutter.left - crop.x, width, crop.width)
        return strips

    def _patched(self, strip: Strip, y: int, start: int, width: int, room: int) -> Strip:
        """A line of Textual's, `room` cells of it, with the content that it has by now in its cells from `start` on."""
        known = self._patches.get(y)
        if known is not None and known[0] is strip and known[1] is self._lines[y] and known[2] == (start, width, room):
            return known[3]
        line = self.render_line(y).crop(max(0, -start), min(width, room - start))
        found = Strip.join([strip.crop(0, max(0, start)), line, strip.crop(start + width)])
        self._patches[y] = strip, self._lines[y], (start, width, room), found
        return found

    def render_line(self, y: int) -> Strip:
        """The cells of one line, for Textual."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        if self._ground is None:
            self._ground = self.rich_style
        ground = self._ground
        return Strip([Segment(text, ground + style) for text, style in self._lines[y]], self._drawn[0])

    def stretch(self, y: int, first: int, end: int) -> Strip:
        """Some of the cells of one line, from `first` up to `end`."""
        if self._ground is None:
            self._ground = self.rich_style
        found, x = [], 0
        for text, style in self._lines[y]:
            begin, x = x, x + cell_len(text)
            if begin < end and x > first:
                segment = Segment(text, self._ground + style)
                if begin < first:
                    segment = segment.split_cells(first - begin)[1]
                if x > end:
                    segment = segment.split_cells(end - max(begin, first))[0]
                found.append(segment)
        return Strip(found, end - first)

    def notify_style_update(self) -> None:
        """The theme or a class changed: the ground may have another colour, and so may the inks."""
        self._ground = None
        super().notify_style_update()
        if self.is_attached:
            before, self._inked = self._inked, self.ink
            if before is not None and before is not self._inked:
                self.redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw at the new size."""
        self.redraw()


_INKS: dict[tuple[str, bool], Ink] = {(RAVINE.name, True): ink(RAVINE)}
