"""Every sign that is drawn as ASCII, cell for cell, for terminals and locales that know nothing else."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len

_SIGNS = {
    "─━–—−‐‑": "-", "┄┅┈┉╌╍": ".", "│┃▌▐▏▎▍▋▊▉╵╷╹╻": "|",
    "┆┇┊┋╎╏¦": ":", "┌┐└┘╭╮╰╯├┤┬┴┼╞╡╪┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬": "+", "═": "=", "║": "|",
    "╴╶╸╺": "-", "╱": "/", "╲": "\\", "╳": "x",
    "▁": ".", "▂": ":", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "%", "█": "#", "▔": "-", "▀": '"', "▬": "=",
    "░": ":", "▒": "%", "▓": "#",
    "●⬤": "*", "•": "o", "○◌◯": "o", "◆": "@", "◇": "<", "■": "#", "□": "n", "▪": "@", "▫": "n", "▴▲△": "^", "▾▼▽": "v",
    "▸▶▹▷›»❯": ">", "◂◀◃◁‹«❮": "<", "×✕✖✗✘⭘": "x", "✓✔": "v", "★☆": "*", "‖": "=",
    "→⇒⟶↦": ">", "←⇐⟵": "<", "↑⇑": "^", "↓⇓": "v", "↔": "-", "↕": "|", "⌫⏎↵": "<", "·∙⋅": "|", "…": "~",
    "“”„‟″": '"', "‘’‚‛′": "'", "\u00a0\u2007\u2009\u200a\u202f": " ",
    "≤": "<", "≥": ">", "≈∼": "~", "≠": "#", "±": "~", "÷": "/", "∞": "8", "√": "v", "∂": "d", "∇": "v",
    "∑": "S", "∏": "P", "∈": "e", "°": "o", "⌈⌉⌊⌋": "|", "€": "E", "£": "L", "¥": "Y", "¢": "c", "§": "S", "¶": "P",
    "©": "c", "®": "r", "ß": "s", "æ": "a", "ø": "o", "Ø": "O", "đ": "d", "ł": "l", "Ł": "L",
    "þ": "p", "ð": "d", "ı": "i",
    "αΑ": "a", "βΒ": "b", "γΓ": "g", "δΔ": "d", "εΕ": "e", "ζΖ": "z", "ηΗ": "n", "θΘ": "t", "ικ": "k", "λΛ": "l",
    "μµ": "u", "ν": "n", "ξΞ": "x", "ο": "o", "πΠ": "p", "ρΡ": "r", "σςΣ": "s", "τΤ": "t", "υ": "u", "φϕΦ": "f",
    "χ": "x", "ψΨ": "y", "ωΩ": "w",
}  # fmt: skip
_ONE = {sign: character for signs, character in _SIGNS.items() for sign in signs}

# What the dots of a braille cell look like, rows from the top, two columns: the nearest of these is taken. No letter
# and none of the signs that mark a curve is among them.
_SHAPES = {
    "'": ("#.......", ".#......", "###.....", "##......", "##..#...", "##...#.."),
    "-": ("..##....", "....##..", "..#.....", "...#....", "....#...", ".....#..", "...##...", "..#..#.."),
    ".": ("......#.", ".......#", "....#.#.", ".....#.#", "......##", "....#.##", ".....###"),
    "`": ("#..#....", "##.#....", "#..#...."),
    ",": (".....##.", "...#.##."),
    "|": ("#.#.#.#.", ".#.#.#.#", "#.#.#...", ".#.#.#..", "..#.#.#.", "...#.#.#", "########", "##.#.#.#", "#.#.#.##"),
    "/": (".#.##.#.", ".#.##...", "...##.#.", ".#.##.##", "##.##.#."),
    "\\": ("#.#..#.#", "#.#..#..", "..#..#.#", "#.#..###", "##.#.#.#"),
    ":": ("#...#...", ".#...#..", "#.....#.", ".#.....#", "..#...#.", "...#...#", "##....##", "##..##..", "..##..##"),
}
_BITS = (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80)  # of the dots, row by row


def _braille() -> dict[str, str]:
    """The sign for each of the 256 patterns: that of the shape from which the fewest dots differ."""
    shapes = [
        (sum(bit for bit, dot in zip(_BITS, drawn, strict=True) if dot == "#"), sign)
        for sign, drawings in _SHAPES.items()
        for drawn in drawings
    ]
    found = {chr(0x2800): " "}
    for code in range(1, 256):
        found[chr(0x2800 + code)] = min(shapes, key=lambda shape: (shape[0] ^ code).bit_count())[1]
    return found


@lru_cache(maxsize=1)
def _table() -> dict[int, str]:
    return str.maketrans({**_ONE, **_braille()})


def _other(character: str) -> str:
    """A character that has no sign of its own: the letter without its accent, else a question mark for each cell."""
    width = cell_len(character)
    for part in unicodedata.normalize("NFKD", character):
        if part.isascii() and part.isprintable():
            return part.ljust(width, "?")[:width]
    return "?" * width


@lru_cache(maxsize=4096)
def to_ascii(text: str) -> str:
    """A text in ASCII that takes as many cells."""
    if text.isascii():
        return text
    found = text.translate(_table())
    if not found.isascii():
        found = "".join(c if c.isascii() else _other(c) for c in found)
    width = cell_len(text)  # of several characters that are drawn as one, less than that of each on its own
    return found if len(found) == width else found.ljust(width)[:width]
