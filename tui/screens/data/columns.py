"""What the data screen says of each column of a table, and what a column can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.look.numbers import BARS, figures, short
from tui.screens import sentences
from tui.screens.data.findings import measure, value
from tui.widgets.cells import Span
from tui.widgets.table import TableColumn

if TYPE_CHECKING:
    from engine.data.summary import ColumnSummary, Histogram
    from tui.look.styles import Ink

COLUMNS = (
    TableColumn("column", 16),
    TableColumn("type", 11),
    TableColumn("role", 8),
    TableColumn("missing", 7, number=True),
    TableColumn("unique", 7, number=True),
    TableColumn("min", 10, number=True),
    TableColumn("max", 10, number=True),
    TableColumn("mean", 10, number=True),
    TableColumn("std", 8, number=True),
    TableColumn(sentences.TO_TARGET(), 9, number=True),
    TableColumn("raw", 8),
    TableColumn("normalized", 10),
)
# Where not all fit, these go first.
LESS = ("std", "mean", "unique", sentences.TO_TARGET(), "raw", "normalized", "max", "min", "missing")
KINDS = (
    ("", "automatic", sentences.KIND_AUTO()),
    ("numeric", "numeric", sentences.A_NUMBER()),
    ("boolean", "boolean", sentences.KIND_BOOLEAN()),
    ("categorical", "categorical", sentences.KIND_CATEGORICAL()),
    ("date", "date", sentences.KIND_DATE()),
    ("identifier", "identifier", sentences.KIND_IDENTIFIER()),
    ("text", "text", sentences.KIND_TEXT()),
)


def bars(histogram: Histogram | None, width: int = 8) -> str:
    """A histogram in one line of blocks; any cell at all shows."""
    if histogram is None or not histogram.counts:
        return ""
    size = -(-len(histogram.counts) // width)
    counts = [sum(histogram.counts[i : i + size]) for i in range(0, len(histogram.counts), size)]
    most = max(counts) or 1
    return "".join(BARS[0 if not count else max(1, round(count / most * 8))] for count in counts)


def cells(one: ColumnSummary, what: str, ink: Ink, *, odd: bool, own: bool) -> dict[str, Span]:
    """The cells of a column's line, by heading.

    Args:
        what: target, feature or left out.
        odd: whether there is text among its numbers.
        own: whether a person said what it is.
    """
    role = {"target": ink.accent, sentences.LEFT_OUT(): ink.faint}.get(what, ink.dim)
    text = ink.faint if what == "left out" else ink.text
    numbers = one.mean == one.mean
    after = one.features[0].histogram if one.features else None
    return {
        "column": (one.name, ink.strong if what == "target" else text),
        "type": (f"{one.kind} !" if odd else one.kind, ink.bad if odd else ink.accent if own else text),
        "role": (what, role),
        "missing": (short(one.missing) if one.missing else "", ink.bad),
        "unique": (short(one.unique), text),
        "min": (value(one, one.low) if numbers else "", text),
        "max": (value(one, one.high) if numbers else "", text),
        "mean": (value(one, one.mean, one.std) if numbers else "", text),
        "std": (figures(one.std, 4) if numbers else "", text),
        sentences.TO_TARGET(): (_correlation(one), text),
        "raw": (bars(one.histogram), ink.dim),
        "normalized": (bars(after), ink.train),
    }


def _correlation(one: ColumnSummary) -> str:
    if not one.measure:
        return ""
    return f"{measure(one.measure)} {one.correlation:z.2f}" if one.correlation == one.correlation else "n/a"
