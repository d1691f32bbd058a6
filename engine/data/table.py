"""A table in memory: typed columns with their missing cells marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import dates, sentences
from engine.data.parallel import each
from engine.data.reading import PLAIN, CellFormat

if TYPE_CHECKING:
    from engine.recipe import ColumnKind

Task = Literal["regression", "binary", "multiclass"]
Origin = Literal["notes", "bundled", "generator", "file", "function"]
Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

MISSING = -1
"""The code of a missing cell in a column of categories."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column: numbers, or codes into a list of texts.

    Attributes:
        name: as in the header, without spaces around it; unique in its table.
        kind: what the column means; decides how it is encoded.
        data: float64 [rows], NaN where missing, for numbers and dates (days since 1970-01-01, UTC); int32 [rows] codes
            into `categories`, -1 where missing, for everything else. Identifiers may be either. Read-only.
        categories: the texts that the codes stand for; () for numbers.
        reason: why it has this kind where that is not plain from the kind, as half a sentence: "each row has its own
            value".
        strays: cells of a column of numbers that hold text, as (row, text); their data are NaN. Such a column cannot
            be used before a person decides what it is.
        reading: how its texts were read.
        spellings: of categories that are read in lower case (yes and no) how the table writes each, most often.
    """

    name: str
    kind: ColumnKind
    data: Floats | Codes
    categories: tuple[str, ...] = ()
    reason: str = ""
    strays: tuple[tuple[int, str], ...] = ()
    reading: CellFormat = PLAIN
    spellings: tuple[tuple[str, str], ...] = ()

    @property
    def is_coded(self) -> bool:
        """Whether the data are codes into `categories`."""
        return self.data.dtype == np.int32

    @property
    def numbers(self) -> Floats:
        """The data of a column that is not coded, float64 [rows]."""
        assert not self.is_coded, f"{self.name} holds codes"
        return self.data  # type: ignore[return-value]

    @property
    def codes(self) -> Codes:
        """The data of a coded column, int32 [rows]."""
        assert self.is_coded, f"{self.name} holds numbers"
        return self.data  # type: ignore[return-value]

    @cached_property
    def missing(self) -> int:
        """How many cells are missing."""
        if self.is_coded:
            return int(np.count_nonzero(self.data == MISSING))
        if not np.isnan(self.ends[0]):
            return 0
        return int(np.count_nonzero(np.isnan(self.data)))

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The smallest and largest number; NaN for both where a cell is missing or there are none."""
        if not self.data.size:
            return float("nan"), float("nan")
        return float(self.data.min()), float(self.data.max())

    def show(self, start: int, stop: int) -> list[str]:
        """The cells of rows start..stop as a person would write them; missing cells are empty."""
        part = self.data[start:stop]
        if self.is_coded:
            return ["" if code == MISSING else self.categories[code] for code in part.tolist()]
        if self.kind == "date":
            return [dates.show(day) for day in part.tolist()]
        cells = [show_number(value) for value in part.tolist()]
        for row, text in self.strays:
            if start <= row < stop:
                cells[row - start] = text
        return cells


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length. Never changed in place.

    Attributes:
        name: short, for titles and folder names: "houses", "sales".
        source: what was asked for: "linear:rows=50", "/data/sales.csv".
        columns: in the order of the source.
        rows: how many.
        target: the column that a built-in set means to be predicted.
        digest: the fingerprint, where it is known beforehand; "" where it is still to be found.
        notes: what was repaired on the way in, a sentence each.
        origin: where it came from.
        task: what a built-in set is for; None where the target decides.
        header_lines: lines of a text file before the first row; 0 where the source has no lines.
        lines: int64 [rows], the line of the file each row begins on, where that is not just row + header_lines + 1.
        original: the columns as they were read, before a person changed their kinds; None where nobody did.
    """

    name: str
    source: str
    columns: tuple[Column, ...]
    rows: int
    target: str | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()
    origin: Origin = "file"
    task: Task | None = None
    header_lines: int = 0
    lines: NDArray[np.int64] | None = field(default=None, repr=False)
    original: tuple[Column, ...] | None = field(default=None, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the content as it was read (names, numbers, texts), hexadecimal.

        Found when it is first asked for, as a run does when it begins: most looks at a table need none, and a million
        rows take a fifth of a second. Choosing another kind for a column does not change it.
        """
        return self.digest or fingerprint(self.original or self.columns)

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns in order."""
        return tuple(column.name for column in self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Column:
        """The column called `name`. Raises InputError with the nearest names and the ones there are."""
        try:
            return self._by_name[name]
        except KeyError:
            raise InputError(sentences.NO_COLUMN(table=self.label, name=name, hint=suggest(name, self.names))) from None

    @property
    def label(self) -> str:
        """What messages call it: the file with its ending, or the name."""
        return self.source.rpartition("/")[2] if self.origin == "file" and self.source else self.name

    def place(self, row: int) -> str:
        """Where a row is to be found by a person: "sales.csv, line 17", or "houses, row 17"."""
        if self.header_lines == 0:
            return sentences.AT_ROW(table=self.label, row=row + 1)
        line = row + self.header_lines + 1 if self.lines is None else int(self.lines[row])
        return sentences.AT_LINE(table=self.label, line=line)

    def preview(self, start: int, stop: int) -> list[tuple[str, ...]]:
        """Rows start..stop as texts, one for each column. Costs only the rows asked for."""
        start, stop = max(0, start), min(self.rows, stop)
        if stop <= start:
            return []
        return list(zip(*(column.show(start, stop) for column in self.columns), strict=True))

    def replace_columns(self, columns: Iterable[Column]) -> Table:
        """This table with the columns of the same names exchanged; how their texts were read stays known."""
        new = {
            column.name: replace(column, reading=self[column.name].reading) if column.reading == PLAIN else column
            for column in columns
        }
        return replace(
            self,
            columns=tuple(new.get(column.name, column) for column in self.columns),
            digest=self.__dict__.get("fingerprint", self.digest),
            original=self.original or self.columns,
        )


def suggest(name: str, names: Sequence[str]) -> str:
    """Half a sentence that helps with a name that is not there: near matches, and the names there are."""
    from difflib import get_close_matches

    lower = {known.lower(): known for known in names}
    near = [lower[match] for match in get_close_matches(name.lower(), lower, n=3, cutoff=0.7)]
    return sentences.NEAR_COLUMNS(near=near, columns=names) if near else sentences.COLUMNS(columns=names)


def shown(text: str) -> str:
    """A text of the table within a sentence: on one line, not too long, with nothing that moves a terminal's cursor."""
    text = "".join(letter if letter.isprintable() else "·" for letter in " ".join(text.split()))
    return text if len(text) <= 40 else text[:39] + "…"


def show_number(value: float) -> str:
    """A number as a person would write it: whole numbers without a point, others with at most ten digits."""
    if value != value:
        return ""
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.10g}"


def fingerprint(columns: Sequence[Column]) -> str:
    """sha256 over every column's name and content, hexadecimal. Columns are hashed side by side on all cores."""
    import hashlib  # loads OpenSSL

    def digest(column: Column) -> bytes:
        content = hashlib.sha256(column.name.encode("utf-8", "surrogatepass") + b"\0")
        content.update(np.ascontiguousarray(column.data).data)
        for text in column.categories:
            content.update(text.encode("utf-8", "surrogatepass") + b"\0")
        for row, text in column.strays:
            content.update(f"{row}\0{text}\0".encode("utf-8", "surrogatepass"))
        return content.digest()

    whole = hashlib.sha256()
    for part in each(digest, columns, work=sum(column.data.nbytes for column in columns)):
        whole.update(part)
    return whole.hexdigest()


def numeric(name: str, values: Iterable[float] | Floats) -> Column:
    """A column of numbers, its data read-only."""
    data = np.ascontiguousarray(values, dtype=np.float64)
    if data.flags.writeable:
        data = data.view()
        data.flags.writeable = False
    return Column(name, "numeric", data)
