"""No character of a name is obeyed by a terminal, and none is hidden."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base.printable import printable, printable_json, printable_lines

SHAPED = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # seen, though Cf
ANY = st.text(st.characters(codec=None, categories=None))


def hidden(letter: str) -> bool:
    """Whether a terminal obeys a character, or shows nothing of it."""
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") and letter not in SHAPED


def test_every_character_that_is_obeyed_or_hidden_is_escaped_and_no_other_is_lost() -> None:
    for code in range(0x110000):
        letter = chr(code)
        shown = printable(letter)
        assert not any(map(hidden, shown)), hex(code)
        if not hidden(letter) and unicodedata.category(letter)[0] in "LNPSZ" and not is_filler(code):
            assert shown == letter, hex(code)
        assert printable_lines(letter) == (letter if letter == "\n" else shown), hex(code)


def is_filler(code: int) -> bool:
    """Letters that are not seen."""
    return code in (0x115F, 0x1160, 0x3164, 0xFFA0)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b]52;c;bWFs\x07", "\\x1b]52;c;bWFs\\x07"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x9b31m\x7f", "\\x9b31m\\x7f"),
        ("\u202egnp.exe\u2066\u200f\u061c", "\\u202egnp.exe\\u2066\\u200f\\u061c"),
        ("a\u2028b\u2029c\u200bd\ufeff", "a\\u2028b\\u2029c\\u200bd\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("b\udcff.csv", "b\\xff.csv"),
        ("\ud800", "\\ud800"),
        ("naïve 価格 ❤️ C:\\new 100 % [red]", "naïve 価格 ❤️ C:\\new 100 % [red]"),
    ],
)
def test_a_character_is_written_as_in_a_literal(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(ANY)
def test_twice_is_the_same_as_once(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
    assert printable_lines(once) == once
    once.encode()


@given(ANY)
def test_json_keeps_its_value(text: str) -> None:
    for made in (json.dumps([text], ensure_ascii=False), json.dumps([text])):
        shown = printable_json(made)
        assert not any(map(hidden, shown))
        shown.encode()
        again = json.loads(shown)[0]
        assert again == json.loads(json.dumps(text))
