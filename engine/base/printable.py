"""Text from files and names, so that a terminal shows every character of it and obeys none.

A file may bring any character: an escape sequence that fills the clipboard, a bidirectional override that turns a line
around, a letter that nobody sees. Each is written as Python would write it in a literal: `\\x1b`, `\\u202e`,
`\\U000e0041`, and a byte that is no UTF-8 as `\\xff`. What is written so holds only letters that are shown, so that
doing it twice changes nothing.
"""

from __future__ import annotations

import re

# What is obeyed or not seen, as ranges of code points: control characters, C0 and C1; format characters; separators of
# lines and paragraphs; lone surrogates; and what Unicode calls ignorable by default (UAX 44), assigned or not.
# Left alone are spaces of any width, the two that choose between text and emoji (U+FE0E, U+FE0F), and the few format
# characters that have a shape (Arabic number signs and the like).
_RANGES = (
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xD800, 0xDFFF),
    (0xFDD0, 0xFDEF), (0xFE00, 0xFE0D), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF),
    (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_UNSEEN = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _RANGES) + "]")
_UNSEEN_IN_LINES = re.compile(
    "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ((0, 9), (0xB, 0x1F), *_RANGES[1:])) + "]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PLAIN = bytes(range(0x20, 0x7F)) + b"\n"  # what most texts of many lines are made of
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # of surrogates; they stand for no byte
_JSON = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _RANGES[1:]) + "]")


def printable(text: str) -> str:
    """A name or another text from a file as it stands in a line: every character of it is seen, and none is obeyed.

    A newline and a tab are escaped too, for they are the program's to write. Twice is the same as once.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(_escaped, text)


def printable_lines(text: str) -> str:
    """Like `printable` for a text of several lines that the program made: newlines in it stay."""
    if text.isascii() and not text.encode("ascii").translate(None, _PLAIN):
        return text
    return _UNSEEN_IN_LINES.sub(_escaped, text)


def printable_json(text: str) -> str:
    """JSON whose strings hold the same values, with nothing in it that a terminal obeys or does not show."""
    if text.isascii() and text.isprintable():
        return text
    return _JSON.sub(_in_json, text)


def to_bytes(text: str) -> bytes:
    """A text for a file: UTF-8, with bytes of a name that are none as they were (PEP 383)."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALVES.sub(_escaped, text).encode("utf-8", "surrogateescape")


def utf8(text: str) -> bytes:
    """A text for a format that takes UTF-8 and nothing else: what is none stands as an escape."""
    return text.encode(errors="backslashreplace")


def _escaped(found: re.Match[str]) -> str:
    letter = found.group()
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # a byte that is no UTF-8, as Python holds it (PEP 383)
    if code <= 0xFF:
        return _SHORT.get(letter) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _in_json(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code <= 0xFFFF:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
