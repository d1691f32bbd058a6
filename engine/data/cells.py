"""Cells given for a prediction, each read by itself as the train rows of its column were read.

What a cell means hangs on the model alone, never on the cells beside it: one row, one answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

import numpy as np

from engine.base.errors import InputError
from engine.data import dates, sentences
from engine.data.inputs import Input
from engine.data.reading import PAIRS, to_number, to_truth
from engine.data.table import MISSING, Codes, Column, Floats, Table, show_number, shown

UNKNOWN = -2
"""The code of a category that the train rows do not have."""

_MOST_FOLDED = 100  # categories among which another case of letters is looked for


def numbers(wanted: Input, column: Column, table: Table) -> tuple[Floats, list[str]]:
    """The cells of a column of a table as numbers or days, float64 [rows], NaN where missing; and the dates that could
    be meant the other way round.

    Raises:
        InputError: naming the first cell that is none.
    """
    if not column.is_coded:
        _refuse_other(wanted, column, table)
        if column.strays:
            row, text = column.strays[0]
            raise _not_one(wanted, table, row, text, len(column.strays))
        found = column.numbers
        _refuse_infinite(wanted, found, table)
        return found, []
    unsure: list[str] = []
    values = np.full(len(column.categories) + 1, np.nan)
    odd = []
    for code, text in enumerate(column.categories):
        value = as_number(wanted, text, unsure)
        if value is None:
            odd.append(code)
        else:
            values[code] = value
    if odd:
        rows = np.flatnonzero(np.isin(column.codes, odd))
        if rows.size:
            row = int(rows[0])
            raise _not_one(wanted, table, row, column.categories[column.codes[row]], rows.size)
    found = values[column.codes]  # code -1 is the last entry
    _refuse_infinite(wanted, found, table)
    return found, unsure


def as_number(wanted: Input, text: str, unsure: list[str] | None = None) -> float | None:
    """A text as the number or the day that it is in a column of these; None where it is neither.

    Args:
        unsure: takes the text where it is a date whose day and month could be meant the other way round.
    """
    if wanted.kind != "date":
        number = to_number(text, wanted.reading.decimal)
        if number is not None:
            return number
        truth = to_truth(text) if wanted.truth else None
        if truth is not None:
            return float(truth)
        if not wanted.reading.dates:
            return None
    day = dates.reread(text, wanted.reading.dates)
    if day is None:
        return None
    if day[1] and unsure is not None:
        unsure.append(text)
    return day[0]


def codes(wanted: Input, column: Column) -> tuple[Codes, Codes, tuple[str, ...]]:
    """The cells of a column as categories of the model.

    Returns:
        The column's own codes, int32 [rows], -1 where missing; the model's code for each of them, the last one for
        missing cells, `UNKNOWN` where it has none; and the texts that the column's codes stand for.
    """
    known = _Categories(wanted)
    if column.is_coded:
        found = [known.of_text(text) for text in column.categories]
        return column.codes, np.array([*found, MISSING], dtype=np.int32), column.categories
    strays = dict(column.strays)
    values, places = np.unique(column.numbers, return_inverse=True)
    last = len(values) - 1 if len(values) and np.isnan(values[-1]) else len(values)
    own = np.where(places >= last, MISSING, places).astype(np.int32)
    if column.kind == "date":
        texts = [dates.show(value) for value in values[:last].tolist()]
        found = [known.of_text(text) for text in texts]
    else:
        texts = [_whole(value) for value in values[:last].tolist()]
        found = [known.of_number(value) for value in values[:last].tolist()]
    for row, text in strays.items():
        own[row] = len(texts)
        texts.append(text)
        found.append(known.of_text(text))
    return own, np.array([*found, MISSING], dtype=np.int32), tuple(texts)


def spelling(wanted: Input) -> Callable[[int | float], str]:
    """What gives a number as the text of the category that it is, or with all its digits where it is none."""
    known = _Categories(wanted)

    def spell(value: int | float) -> str:
        text = str(value) if isinstance(value, int) else _whole(value)
        code = known.of_text(text)
        if code == UNKNOWN:
            code = known.of_number(float(value))
        return text if code == UNKNOWN else wanted.categories[code]

    return spell


class _Categories:
    """The categories of an input, and what else may be written for them."""

    def __init__(self, wanted: Input) -> None:
        self._wanted = wanted
        self._exact = {text: code for code, text in enumerate(wanted.categories)}
        lower = [text.lower() for text in wanted.categories]
        few = len(lower) <= _MOST_FOLDED
        self._folded = {text: code for code, text in enumerate(lower) if lower.count(text) == 1} if few else {}
        self._truths = truths(lower)
        self._numbers: dict[float, int] | None = None

    def of_text(self, text: str) -> int:
        """The code of a text."""
        code = self._exact.get(text)
        if code is None:
            code = self._folded.get(text.lower())
        if code is None and self._truths:
            truth = to_truth(text)
            code = None if truth is None else self._truths[truth]
        if code is None:
            code = self._written_otherwise(text)
        return UNKNOWN if code is None else code

    def of_number(self, value: float) -> int:
        """The code of a number, which has no spelling of its own."""
        code = self.of_text(_whole(value))
        if code == UNKNOWN:
            if self._numbers is None:
                self._numbers = _numbers(self._wanted)
            code = self._numbers.get(value, UNKNOWN)
        return code

    def _written_otherwise(self, text: str) -> int | None:
        """The code where the categories were numbers or dates before they were taken for categories."""
        reading = self._wanted.reading
        number = None if _leading_zero(text) else to_number(text, reading.decimal)
        if number is not None:
            code = self._exact.get(show_number(number)) if math.isfinite(number) else None
            if code is None and self._truths and number in (0.0, 1.0):
                code = self._truths[int(number)]
            return code
        day = dates.reread(text, reading.dates) if reading.dates else None
        return None if day is None else self._exact.get(dates.show(day[0]))


def truths(categories: Sequence[str]) -> tuple[int, int] | None:
    """The codes that mean false and true, where two categories are words for these."""
    lower = [text.lower() for text in categories]
    for no, yes in (*PAIRS, ("0", "1")):
        if len(lower) == 2 and set(lower) == {no, yes}:
            return lower.index(no), lower.index(yes)
    return None


def _numbers(wanted: Input) -> dict[float, int]:
    """The categories that are numbers, by these, where no other is the same number."""
    found: dict[float, int] = {}
    twice: set[float] = set()
    for code, text in enumerate(wanted.categories):
        number = None if _leading_zero(text) else to_number(text, wanted.reading.decimal)
        if number is not None:
            twice.update({number} & found.keys())
            found[number] = code
    return {number: code for number, code in found.items() if number not in twice}


def _leading_zero(text: str) -> bool:
    bare = text.strip().lstrip("+-")
    return bare[:1] == "0" and bare[1:2].isdigit()


def _whole(value: float) -> str:
    """A number as a text with all its digits."""
    return str(int(value)) if math.isfinite(value) and value == int(value) else repr(value)


def example(wanted: Input) -> str:
    """What a cell of the column may look like, for sentences: "a number like 3", "a date like 31/03/2026"."""
    like = sentences.DATE_LIKE if wanted.kind == "date" else sentences.NUMBER_LIKE
    return like(example=wanted.write(wanted.typical))


def unsure(wanted: Input, texts: Collection[str]) -> list[str]:
    """A sentence on dates whose day and month could be meant the other way round."""
    if not texts:
        return []
    first = next(iter(texts))
    day = dates.reread(first, wanted.reading.dates)
    assert day is not None
    known = dates.show(day[0]).split(" ")[0]
    return [sentences.UNSURE_DATE(column=wanted.name, text=shown(first), date=known)]


def _refuse_other(wanted: Input, column: Column, table: Table) -> None:
    """Raise InputError where a typed column holds dates for numbers, or numbers for dates."""
    if np.isnan(column.numbers).all():
        return
    if wanted.kind == "date" and column.kind != "date":
        raise InputError(
            sentences.NUMBERS_FOR_DATES(column=wanted.name, table=table.label, example=wanted.write(wanted.typical))
        )
    if wanted.kind != "date" and column.kind == "date" and not wanted.reading.dates:
        raise InputError(
            sentences.DATES_FOR_NUMBERS(column=wanted.name, table=table.label, example=wanted.write(wanted.typical))
        )


def _refuse_infinite(wanted: Input, values: Floats, table: Table) -> None:
    rows = np.flatnonzero(np.isinf(values))
    if rows.size:
        raise InputError(sentences.INFINITE_CELL(place=table.place(int(rows[0])), column=wanted.name))


def _not_one(wanted: Input, table: Table, row: int, text: str, count: int) -> InputError:
    noun = sentences.A_DATE() if wanted.kind == "date" else sentences.A_NUMBER()
    more = sentences.MORE_CELLS(cells=count - 1) if count > 1 else ""
    return InputError(
        sentences.NOT_READABLE(
            place=table.place(row), column=wanted.name, text=shown(text), noun=noun, more=more, example=example(wanted)
        )
    )
