"""What stands between the cells of a text table, and what its first line calls the columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from engine.base.errors import InputError
from engine.data import sentences
from engine.data.reading import PLAIN, CellFormat, to_number
from engine.data.textfile import TextFile

_SEPARATORS = (",", ";", "\t", "|")
_WORDS = {",": sentences.COMMAS(), ";": sentences.SEMICOLONS(), "\t": sentences.TABS(), "|": sentences.BARS()}
_LOOKED_AT = 200
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?$", re.I)
_DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+(e[+-]?\d+)?$", re.I)


@dataclass(frozen=True)
class Dialect:
    """How a text table is laid out.

    Attributes:
        separator: one character.
        decimal_comma: whether 1,5 is one and a half.
        names: of the columns, unique and not empty.
        header_lines: how many lines the header takes, with anything above it.
        sample: the first records below it.
        notes: what was repaired.
    """

    separator: str
    decimal_comma: bool
    names: tuple[str, ...]
    header_lines: int
    sample: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def reading(self) -> CellFormat:
        """How the numbers of its columns are written."""
        return CellFormat(decimal=",") if self.decimal_comma else PLAIN


def find(file: TextFile, wanted: Collection[str] | None = None) -> Dialect:
    """The layout of a text table from its first bytes.

    Args:
        wanted: columns that a model takes, which tell the header from everything else; the decimal mark is then the
            model's and not looked for. None where the table is to be learned from.

    Raises:
        InputError: only a header, no header, or a first line without end.
    """
    text = file.head.decode("utf-8", "replace")
    name = file.path.name
    above = len(text) - len(text.lstrip("\r\n"))
    skipped = text.count("\n", 0, above)
    text = text[above:]
    if not text.strip():
        raise InputError(sentences.EMPTY_TABLE(file=name))
    told = re.match(r"sep=(.)\r?\n", text)
    if told:  # Excel's own hint
        text, skipped = text[told.end() :], skipped + 1
    separator = told[1] if told else _separator(text, name, wanted or ())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = next(reader, [])
        header_lines = reader.line_num
        sample = [tuple(record) for record, _ in zip(reader, range(_LOOKED_AT), strict=False) if any(record)]
    except csv.Error as error:
        raise InputError(sentences.NOT_A_TABLE(file=name, reason=error, line=reader.line_num + skipped)) from None
    if len(file.head) >= len(text) > 2**19 and "\n" not in text:
        raise InputError(sentences.ENDLESS_LINE(file=name))
    if all(to_number(cell) is not None for cell in header) and not set(header) & set(wanted or ()):
        raise InputError(sentences.NO_HEADER(file=name, cells=separator.join(header[:3])))
    names, notes = _names(header, name)
    if separator != "," and len(names) > 1:
        notes.append(sentences.SEPARATOR(file=name, separator=_WORDS.get(separator, repr(separator))))
    decimal_comma = wanted is None and separator == ";" and _has_decimal_comma(sample)
    if decimal_comma:
        notes.append(sentences.DECIMAL_COMMA(file=name))
    return Dialect(separator, decimal_comma, tuple(names), header_lines + skipped, tuple(sample), tuple(notes))


def _separator(text: str, name: str, wanted: Collection[str]) -> str:
    """The character that cuts the first lines into the most equal records, and the header into the wanted names."""
    whole = text.rfind("\n")
    lines = io.StringIO(text[: whole + 1] if whole > 0 else text, newline="")
    if name.lower().split(".")[1:2] in (["tsv"], ["tab"]) and "\t" in text.split("\n", 1)[0]:
        return "\t"
    best, best_score = ",", (0, 0.0, 0)
    least = 1 if wanted else 2
    for separator in _SEPARATORS:
        lines.seek(0)
        try:
            reader = csv.reader(lines, delimiter=separator)
            records = [record for record, _ in zip(reader, range(_LOOKED_AT), strict=False) if record]
        except csv.Error:
            continue
        widths = [len(record) for record in records]
        if not widths or widths[0] < least:
            continue
        there = len({" ".join(cell.split()) for cell in records[0]} & set(wanted))
        score = there, Counter(widths)[widths[0]] / len(widths), widths[0]
        if score > best_score:
            best, best_score = separator, score
    return best


def _names(header: list[str], file: str) -> tuple[list[str], list[str]]:
    names: list[str] = []
    notes: list[str] = []
    taken = {" ".join(cell.split()) for cell in header}
    used: set[str] = set()
    for number, cell in enumerate(header, start=1):
        name = " ".join(cell.split())
        if not name:
            name = next(free for i in range(number, 3 * len(header) + 2) if (free := f"column_{i}") not in taken | used)
            notes.append(sentences.UNNAMED(number=number, file=file, name=name))
        elif name in used:
            new = next(free for i in range(2, len(header) + 3) if (free := f"{name}_{i}") not in taken | used)
            notes.append(sentences.SAME_NAME(file=file, name=name, number=number, new=new))
            name = new
        used.add(name)
        names.append(name)
    return names, notes


def _has_decimal_comma(sample: list[tuple[str, ...]]) -> bool:
    cells = [cell.strip() for record in sample for cell in record]
    return any(_DECIMAL_COMMA.match(cell) for cell in cells) and not any(_DECIMAL_POINT.match(cell) for cell in cells)
