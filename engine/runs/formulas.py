"""Text in a CSV file that a spreadsheet takes for a formula: it is written exactly as it is, and reported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.runs import sentences

if TYPE_CHECKING:
    import polars as pl

_BEGINS = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"  # and their wide forms
# What looks like a number is one, and a lone sign stands for a missing value.
_NUMBER = r"[+-]?(?:\d[\d.,' ]*|[.,]\d+)(?:[eE][+-]?\d+)?\s?[%€$£¥]?|[+-](?i:inf|infinity|nan)|[+-]"
_STARTS, _IS_NUMBER = re.compile(_BEGINS), re.compile(_NUMBER)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may compute a text instead of showing it."""
    return bool(_STARTS.match(text)) and not _IS_NUMBER.fullmatch(text)


class Formulas:
    """How many such texts there are, by where they stand."""

    def __init__(self) -> None:
        self._found: dict[str, int] = {}

    def names(self, where: str, texts: Iterable[str]) -> None:
        """Look at names, each of which counts once."""
        self._add(where, sum(map(is_formula, texts)))

    def column(self, values: pl.Series) -> None:
        """Look at the cells of a column of texts; any other holds no formula."""
        import polars as pl

        if values.dtype in (pl.String, pl.Categorical, pl.Enum):
            kept = values.cast(pl.String).drop_nulls()
            some = kept.filter(kept.str.contains(f"^{_BEGINS}"))
            self._add(values.name, sum(map(is_formula, some)))

    def _add(self, where: str, count: int) -> None:
        if count:
            self._found[where] = self._found.get(where, 0) + count

    @property
    def sentence(self) -> str:
        """One sentence that names the columns and how many; empty where there are none."""
        if not self._found:
            return ""
        columns = [sentences.COLUMN_AND_COUNT(column=where, count=count) for where, count in self._found.items()]
        return sentences.FORMULAS(columns=columns)
