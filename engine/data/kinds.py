"""What a column means: numeric, boolean, categorical, date, identifier or free text.

Decided for each column from its cells and its name, shown to the person, and overruled with `--as COL=KIND`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.base.errors import InputError
from engine.data import dates, sentences
from engine.data.reading import PAIRS, PLAIN, CellFormat, to_number
from engine.data.table import MISSING, Codes, Column, Floats, Table, show_number, shown, suggest

if TYPE_CHECKING:
    from engine.recipe import ColumnKind

TOKENS = ("", "NA", "N/A", "?", "NaN", "null", "-", "#N/A", "<NA>")
"""How files write a missing cell; in any case of letters."""
_MOST_CATEGORIES = 1000
_ALWAYS_CATEGORIES = 50
_NAMED_LIKE_A_KEY = re.compile(r"(^|[_\W])(id|uuid|guid|key|index|rowid|row_?(number|nr)|pk)$", re.I)
_KEY_TAIL = re.compile(r"[a-z](Id|ID|Key|UUID)$")
_UNNAMED = re.compile(r"^(unnamed: \d+|column_1)$", re.I)
_LEADING_ZERO = re.compile(r"^[+-]?0\d")


MARKS = tuple(token.lower() for token in TOKENS)
"""The same in small letters."""


def from_texts(name: str, texts: Iterable[str | None], missing: Collection[str] = MARKS) -> Column:
    """A coded column of texts, missing marks (in small letters) told apart; its kind is still to be decided."""
    numbers: dict[str, int] = {}
    codes = [
        MISSING if text is None or text.strip().lower() in missing else numbers.setdefault(text.strip(), len(numbers))
        for text in texts
    ]
    return Column(name, "text", np.array(codes, dtype=np.int32), tuple(numbers))


def decide(column: Column) -> Column:
    """The column with its kind found, and converted to it. Every category is taken to occur."""
    if column.is_coded:
        return _decide_texts(column)
    named = _UNNAMED.match(column.name) is not None
    if column.kind == "numeric" and (named or is_key(column.name)) and _all_differ(column.numbers, from_start=named):
        return replace(column, kind="identifier", reason=sentences.ROW_NUMBERS())
    return column


def is_key(name: str) -> bool:
    """Whether a column is named like a key: id, PassengerId, order_id, index."""
    return bool(_KEY_TAIL.search(name) or _NAMED_LIKE_A_KEY.search(name))


def _all_differ(values: Floats, *, from_start: bool) -> bool:
    """Whether these are different whole numbers; `from_start`: those that count the rows."""
    if from_start and not (len(values) and values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1):
        return False
    if len(values) < 2 or np.isnan(values).any() or (values != np.floor(values)).any():
        return False
    return len(np.unique(values)) == len(values)


def _decide_texts(column: Column) -> Column:
    texts = column.categories
    present = len(column.codes) - column.missing
    if not texts:
        return Column(column.name, "numeric", np.full(len(column.codes), np.nan), reason=sentences.NO_VALUES())
    words = {text.lower() for text in texts}
    if any(words == set(pair) for pair in PAIRS):
        spelled: dict[str, str] = {}
        for text in texts:
            spelled.setdefault(text.lower(), text)
        lower = replace(column, categories=tuple(text.lower() for text in texts), spellings=_spellings(column))
        found = as_boolean(_merged(lower))
        return replace(found, reading=replace(column.reading, words=tuple(spelled[text] for text in found.categories)))
    numbers = [to_number(text, column.reading.decimal) for text in texts]
    if not any(_LEADING_ZERO.match(text) for text in texts):
        column_of_numbers = _to_numeric(column, numbers)
        if column_of_numbers is not None:
            return decide(column_of_numbers)
    days = _as_days(texts)
    if days is not None:
        return _dated(column, *days)
    unique = len(texts)
    if unique > _ALWAYS_CATEGORIES or (unique == present and present > 2):
        long = sum(map(len, texts)) / unique > 40 or sum(len(text.split()) for text in texts) / unique >= 3
        if long and unique > present / 2:
            return replace(column, kind="text", reason=sentences.FREE_TEXT_VALUES(values=unique))
        if unique > present / 2 or unique > _MOST_CATEGORIES or unique > max(100, present / 20):
            return replace(column, kind="identifier", reason=sentences.DIFFERENT_VALUES(values=unique, cells=present))
    return _sorted(replace(column, kind="categorical"))


def _spellings(column: Column) -> tuple[tuple[str, str], ...]:
    """How each category is written in the cells, by its lower-case text: the most frequent form, of equals the first.

    () where all are in lower case.
    """
    texts = column.categories
    if all(text == text.lower() for text in texts):
        return ()
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(texts)).tolist()
    found: dict[str, str] = {}
    for _, text in sorted(zip(counts, texts, strict=True), key=lambda one: -one[0]):
        found.setdefault(text.lower(), text)
    return tuple(found.items())


def _to_numeric(column: Column, numbers: list[float | None]) -> Column | None:
    """A column of numbers, with the few cells that are none as strays; None where too many are none."""
    texts = column.categories
    odd = [code for code, number in enumerate(numbers) if number is None]
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(texts))
    strange = int(counts[odd].sum())
    good = int(counts.sum()) - strange
    if strange and (good < 2 or strange >= good or strange > max(2, 0.1 * (good + strange))):
        return None
    table = [math.nan if number is None else number for number in numbers]
    strays = tuple((int(row), texts[column.codes[row]]) for row in np.flatnonzero(np.isin(column.codes, odd)))
    return Column(column.name, "numeric", _look_up(table, column.codes), strays=strays, reading=column.reading)


def _as_days(texts: tuple[str, ...]) -> tuple[list[float], CellFormat] | None:
    """Every text as a date in one and the same format, and which that is; or None."""
    if not any(mark in texts[0] for mark in "-/. ") or len(texts[0]) < 8:
        return None
    iso = dates.parse(texts[0], ()) is not None
    for form in (dates.ISO,) if iso else (dates.ISO, *dates.FORMATS):
        days = _all_days(texts, form)
        if days is not None:
            other = _all_days(texts, dates.swapped(form)) if dates.swapped(form) else None
            either = next((t for t, a, b in zip(texts, days, other, strict=True) if a != b), texts[0]) if other else ""
            return days, CellFormat(dates=form, either=either)
    return None


def _all_days(texts: tuple[str, ...], form: str) -> list[float] | None:
    """Every text as a date in this very format; None where one is not."""
    days: list[float] = []
    for text in texts:
        day = dates.parse(text, () if form == dates.ISO else (form,))
        if day is None:
            return None
        days.append(day)
    return days


def _dated(column: Column, days: list[float], reading: CellFormat) -> Column:
    data = _look_up(days, column.codes)
    return Column(column.name, "date", data, reading=replace(reading, decimal=column.reading.decimal))


def _look_up(by_code: Iterable[float], codes: Codes) -> Floats:
    return np.array([*by_code, math.nan], dtype=np.float64)[codes]  # code -1 is the last entry


def _sorted(column: Column) -> Column:
    """The same column with its categories in order: by number where all are numbers, else by letters."""
    numbers = [to_number(text, column.reading.decimal) for text in column.categories]
    plain = [number for number in numbers if number is not None and math.isfinite(number)]
    texts = column.categories
    if len(plain) == len(texts):
        order = sorted(range(len(texts)), key=lambda code: (plain[code], texts[code]))
    else:
        order = sorted(range(len(texts)), key=lambda code: (texts[code].casefold(), texts[code]))
    return _reordered(column, order)


def _reordered(column: Column, order: list[int]) -> Column:
    new = np.empty(len(order) + 1, dtype=np.int32)
    new[order] = np.arange(len(order), dtype=np.int32)
    new[-1] = MISSING
    return replace(column, data=new[column.codes], categories=tuple(column.categories[code] for code in order))


def as_boolean(column: Column) -> Column:
    """A column of two values as 0 and 1. Raises InputError where there are more."""
    coded = as_categorical(column)
    texts = coded.categories
    if len(texts) > 2:
        raise InputError(sentences.NOT_BOOLEAN(column=column.name, values=len(texts)))
    for pair in PAIRS:
        if {text.lower() for text in texts} == set(pair):
            coded = _reordered(coded, sorted(range(2), key=lambda code: pair.index(texts[code].lower())))
    return replace(coded, kind="boolean", reason="")


def as_categorical(column: Column) -> Column:
    """Any column as categories: numbers and dates by the text they are shown as."""
    if column.is_coded:
        return _sorted(replace(column, kind="categorical", reason=""))
    strays = dict(column.strays)
    values, codes = np.unique(column.numbers, return_inverse=True)
    last = len(values) - 1 if len(values) and np.isnan(values[-1]) else len(values)
    codes32: Codes = np.where(codes >= last, MISSING, codes).astype(np.int32)
    show = dates.show if column.kind == "date" else show_number
    texts = [show(float(value)) for value in values[:last]]
    for row, text in strays.items():
        if text not in texts:
            texts.append(text)
        codes32[row] = texts.index(text)
    merged = Column(column.name, "categorical", codes32, tuple(texts), reading=column.reading)
    return _sorted(_merged(merged)) if len(set(texts)) < len(texts) or strays else merged


def _merged(column: Column) -> Column:
    """Categories that are written alike (numbers that differ past the digits shown) become one."""
    first: dict[str, int] = {}
    for text in column.categories:
        first.setdefault(text, len(first))
    new = np.array([*(first[text] for text in column.categories), MISSING], dtype=np.int32)
    return replace(column, data=new[column.codes], categories=tuple(first))


def as_numeric(column: Column) -> Column:
    """Any column as numbers. Cells that are none are kept as strays, which `check_strays` complains of."""
    if not column.is_coded:
        return replace(column, kind="numeric", reason="")
    numbers = [to_number(text, column.reading.decimal) for text in column.categories]
    if column.kind == "boolean" and None in numbers:
        numbers = [float(code) for code in range(len(numbers))]
    odd = [code for code, number in enumerate(numbers) if number is None]
    table = [math.nan if number is None else number for number in numbers]
    rows = np.flatnonzero(np.isin(column.codes, odd))
    strays = tuple((int(row), column.categories[column.codes[row]]) for row in rows)
    return Column(column.name, "numeric", _look_up(table, column.codes), strays=strays, reading=column.reading)


def as_date(column: Column) -> Column:
    """Texts as days. Raises InputError where a cell is no date."""
    if not column.is_coded:
        if column.kind == "date":
            return column
        raise InputError(sentences.NUMBERS_NO_DATES(column=column.name))
    days = _as_days(column.categories) if column.categories else ([], PLAIN)
    if days is None:
        odd = next((text for text in column.categories if dates.parse(text) is None), column.categories[0])
        raise InputError(sentences.BAD_DATE(column=column.name, text=shown(odd)))
    return _dated(column, *days)


def as_kind(column: Column, kind: ColumnKind) -> Column:
    """The column read as another kind. Raises InputError where its cells do not allow that."""
    if kind == column.kind:
        return column
    if kind == "numeric":
        return as_numeric(column)
    if kind == "categorical":
        return as_categorical(column)
    if kind == "boolean":
        return as_boolean(column)
    if kind == "date":
        return as_date(column)
    return replace(column, kind=kind, reason=sentences.AS_YOU_SAID())


def retype(table: Table, kinds: Mapping[str, ColumnKind]) -> Table:
    """The table with some columns read as the kinds a person chose. Raises InputError for unknown names."""
    for name in kinds:
        if name not in table:
            raise InputError(
                sentences.NO_COLUMN_TO_READ(
                    table=table.label, name=name, kind=kinds[name], hint=suggest(name, table.names)
                )
            )
    changed = [as_kind(table[name], kind) for name, kind in kinds.items() if table[name].kind != kind]
    return table.replace_columns(changed) if changed else table


def check_strays(table: Table, column: Column, *, is_target: bool = False) -> None:
    """Raise InputError, naming the place and the ways out, where a column of numbers holds text."""
    if not column.strays:
        return
    row, text = column.strays[0]
    name = flag(column.name)
    remedy = sentences.TARGET_STRAY(column=name) if is_target else sentences.FEATURE_STRAY(column=name)
    raise InputError(
        sentences.STRAY(
            place=table.place(row), column=column.name, text=shown(text), more=len(column.strays) - 1, remedy=remedy
        )
    )


def flag(name: str) -> str:
    """A column name as it is written on the command line, in quotes where it needs them."""
    return f'"{name}"' if re.search(r"[\s,]", name) else name
