"""What is on the screen as a small SVG: the same on every machine, a line of text for each line of the terminal.

Textual's own export is read back into cells and written anew: without fonts from the network, window, identifiers and
clip paths it is a tenth as large, and two of them can be compared line by line.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from xml.etree import ElementTree

from rich.cells import cell_len
from textual.app import App

WIDE, TALL = 12.2, 24.4  # of a cell, in the units of Textual's export
CELL, LINE, FONT = 8, 16, 13  # in ours
SPACE = "{http://www.w3.org/2000/svg}"
FAMILY = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace"


@dataclass(frozen=True)
class Stretch:
    """Neighbouring cells of one look."""

    column: int
    text: str
    look: str  # CSS


def exported(app: App[None], *, drawn: bool = False) -> str:
    """What an app shows, as our SVG.

    Args:
        drawn: curves and borders as shapes, each word in its place, so that it looks the same with any font; without,
            as text, which is smaller and tells more where two pictures are compared.
    """
    width, height = app.size
    return svg(ElementTree.fromstring(app.export_screenshot(simplify=True)), width, height, drawn=drawn)


def svg(root: ElementTree.Element, width: int, height: int, *, drawn: bool = False) -> str:
    """Textual's export of a screen of so many cells, written anew."""
    styles = dict(
        re.findall(r"\.[\w-]*?(r\d+) \{ ([^}]*?) \}", "".join(s.text or "" for s in root.iter(f"{SPACE}style")))
    )
    texts: list[list[Stretch]] = [[] for _ in range(height)]
    grounds: list[tuple[int, int, int, str]] = []
    ground = _commonest(root)
    for one in root.iter(f"{SPACE}rect"):
        fill = one.get("fill")
        if one.get("shape-rendering") and fill and fill != ground:
            x, y, wide = (float(one.get(name, "0")) for name in ("x", "y", "width"))
            grounds.append((round((y - 1.5) / TALL), round(x / WIDE), round(wide / WIDE), fill))
    for one in root.iter(f"{SPACE}text"):
        found = re.search(r"-(r\d+)$", one.get("class", ""))
        line = re.search(r"-line-(\d+)\)", one.get("clip-path", ""))
        text = (one.text or "").replace("\xa0", " ")
        if found and line and text.strip():
            column = round(float(one.get("x", "0")) / WIDE)
            blank = len(text) - len(text.lstrip())
            texts[int(line[1])].append(Stretch(column + blank, text.strip(), styles[found[1]]))
    return _written(texts, _joined(grounds), ground, width, height, drawn)


def _commonest(root: ElementTree.Element) -> str:
    areas: dict[str, float] = {}
    for one in root.iter(f"{SPACE}rect"):
        if one.get("shape-rendering"):
            fill = one.get("fill", "")
            areas[fill] = areas.get(fill, 0.0) + float(one.get("width", "0"))
    return max(areas, key=lambda fill: areas[fill], default="#000000")


def _joined(grounds: list[tuple[int, int, int, str]]) -> list[tuple[int, int, int, str]]:
    found: list[tuple[int, int, int, str]] = []
    for line, column, wide, fill in sorted(grounds):
        if found and found[-1][0] == line and found[-1][1] + found[-1][2] == column and found[-1][3] == fill:
            found[-1] = (line, found[-1][1], found[-1][2] + wide, fill)
        else:
            found.append((line, column, wide, fill))
    return found


def _written(
    texts: list[list[Stretch]],
    grounds: list[tuple[int, int, int, str]],
    ground: str,
    width: int,
    height: int,
    drawn: bool,
) -> str:
    looks = sorted({stretch.look for line in texts for stretch in line})
    names = {look: _letters(index) for index, look in enumerate(looks)}
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width * CELL} {height * LINE}" xml:space="preserve">',
        "<style>",
        f"text{{font:{FONT}px {FAMILY};white-space:pre}}",
        *(f".{name}{{{look}}}" for look, name in names.items()),
        "</style>",
        f'<rect width="100%" height="100%" fill="{ground}"/>',
    ]
    for line, column, wide, fill in grounds:
        lines.append(
            f'<rect x="{column * CELL}" y="{line * LINE}" width="{wide * CELL}" height="{LINE}" fill="{fill}"/>'
        )
    for index, stretches in enumerate(texts):
        if drawn:
            shapes = {(s.look, _shapes(s, index)): None for s in stretches}
            lines += [f'<path class="{names[look]}" d="{path}"/>' for look, path in shapes if path]
            stretches = [word for stretch in stretches for word in _words(stretch)]
        spans = "".join(_span(stretch, names[stretch.look]) for stretch in stretches)
        if spans:
            lines.append(f'<text y="{index * LINE + FONT}">{spans}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _span(stretch: Stretch, name: str) -> str:
    """Letters of other fonts are often wider or narrower than a cell: the length holds them in their columns."""
    text, size = stretch.text, cell_len(stretch.text)
    held = "" if text.isascii() else f' textLength="{size * CELL}" lengthAdjust="spacingAndGlyphs"'
    return f'<tspan class="{name}" x="{stretch.column * CELL}"{held}>{escape(text, quote=False)}</tspan>'


def _cells(stretch: Stretch) -> list[tuple[int, str]]:
    """Each character with its column."""
    found, column = [], stretch.column
    for character in stretch.text:
        found.append((column, character))
        column += cell_len(character)
    return found


# Which arms a line has: up, right, down, left.
LINES = {
    "─": "rl", "│": "ud", "╭": "rd", "╮": "dl", "╰": "ur", "╯": "ul", "└": "ur", "┌": "rd", "┐": "dl", "┘": "ul",
    "┤": "udl", "├": "urd", "┬": "rdl", "┴": "url", "┼": "urdl", "━": "rl",
}  # fmt: skip
ARMS = {"u": (3.5, 0, 1, 8.5), "d": (3.5, 7.5, 1, 8.5), "r": (3.5, 7.5, 4.5, 1), "l": (0, 7.5, 4.5, 1)}
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # of braille's bits: column, row


def _shapes(stretch: Stretch, line: int) -> str:
    """The dots and lines of a stretch as a path of small rectangles."""
    parts = []
    for column, character in _cells(stretch):
        x, y = column * CELL, line * LINE
        for arm in LINES.get(character, ""):
            left, top, wide, tall = ARMS[arm]
            parts.append(f"M{x + left:g} {y + top:g}h{wide:g}v{tall:g}h-{wide:g}z")
        code = ord(character) - 0x2800
        if 0 < code < 256:
            for bit, (across, down) in enumerate(DOTS):
                if code >> bit & 1:
                    parts.append(f"M{x + 1 + 4 * across} {y + 1 + 4 * down}h2.4v2.4h-2.4z")
    return "".join(parts)


def _words(stretch: Stretch) -> list[Stretch]:
    """What of a stretch is text, cut where other fonts would lead away from the columns."""
    found: list[Stretch] = []
    end = -1
    for column, character in _cells(stretch):
        if character in LINES or 0x2800 <= ord(character) < 0x2900 or character == " ":
            continue
        if column == end and character.isascii() and found[-1].text.isascii():
            found[-1] = Stretch(found[-1].column, found[-1].text + character, stretch.look)
        else:
            found.append(Stretch(column, character, stretch.look))
        end = column + cell_len(character)
    return found


def _letters(number: int) -> str:
    return ("" if number < 26 else _letters(number // 26 - 1)) + chr(ord("a") + number % 26)


def plain(picture: str) -> str:
    """The words of one of our pictures, as they stand on the screen: what a difference is shown in."""
    root = ElementTree.fromstring(picture)
    lines: list[str] = []
    for line in root.iter(f"{SPACE}text"):
        y = (int(line.get("y", "0")) - FONT) // LINE
        lines += [""] * (y + 1 - len(lines))
        for span in line:
            gap = int(span.get("x", "0")) // CELL - cell_len(lines[y])
            lines[y] += " " * gap + (span.text or "")
    return "\n".join(lines)


def page(name: str, kept: str, now: str, words: str) -> str:
    """An HTML page that shows two of our pictures side by side, and below them where their words differ."""

    def shown(title: str, picture: str) -> str:
        data = b64encode(picture.encode()).decode()  # an image, so that the classes of one do not colour the other
        inside = f'<img src="data:image/svg+xml;base64,{data}">' if picture else "<p>There is none.</p>"
        return f"<figure><figcaption>{title}</figcaption>{inside}</figure>"

    return "\n".join(
        [
            f"<!doctype html><meta charset=utf-8><title>{escape(name)}</title>",
            "<style>body{font:14px sans-serif} main{display:flex} figure{flex:1;margin:4px} img{width:100%}</style>",
            f"<h1>{escape(name)}</h1>",
            f"<main>{shown('as kept', kept)}{shown('as it is', now)}</main>",
            f"<pre>{escape(words)}</pre>",
            "",
        ]
    )
