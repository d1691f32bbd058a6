"""What reading a column decided, kept with the model so that a later cell is read in the same way whatever its file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Decimal = Literal[".", ","]

PAIRS = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))
"""Two words that make a column boolean, the one that counts as 0 first; in any case of letters."""

TRUTHS = {word: value for pair in (*PAIRS, ("0", "1")) for value, word in enumerate(pair)}
"""What each of these words says, and each of the two digits."""

_DRESSED = re.compile(
    r"(?P<sign>[+-]?)[$€£¥]?\s?(?P<digits>\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?)\s?[%€$£¥]?$", re.ASCII
)
_SWAPPED = str.maketrans(",.", ".,")


@dataclass(frozen=True)
class CellFormat:
    """How the cells of one column were read.

    Attributes:
        decimal: the decimal mark of its numbers.
        dates: the format of its dates as strptime has it, "iso" for ISO 8601; "" where no text was read as a date.
        words: of a boolean column, the two words as the column writes them, the one that counts as 0 first; () where
            they are its categories.
        either: a date of the column that could have been read day first as well as month first, where every one of
            them could; "" where the cells decide.
    """

    decimal: Decimal = "."
    dates: str = ""
    words: tuple[str, ...] = ()
    either: str = ""


PLAIN = CellFormat()
"""Of a column that was no text, or in which nothing had to be decided."""


def to_number(text: str, decimal: Decimal = ".") -> float | None:
    """A cell as a number; None where it is none.

    Thousands separated by the other mark, a currency sign before and a percent sign after are read past: "$1,200" is
    1200, "12 %" is 12. With a decimal comma "1,234" is 1.234 and "1.234,5" is 1234.5. Python's own "1_000" is no
    number here.
    """
    text = text.strip()
    if "_" in text:
        return None
    if decimal == ",":
        if "," in text:
            return _plain(text.translate(_SWAPPED))
        found = _plain(text)
        return _plain(text.translate(_SWAPPED)) if found is None else found
    return _plain(text)


def _plain(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    dressed = _DRESSED.match(text)
    return float(dressed["sign"] + dressed["digits"].replace(",", "")) if dressed else None


def to_truth(text: str) -> int | None:
    """0 or 1 for a word that says false or true, or for these digits; None for any other text."""
    return TRUTHS.get(text.strip().lower())
