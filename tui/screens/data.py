"""The data screen: the columns in numbers, the rows themselves, and what was left out or repaired and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from tui.cells import Cells, Span, wrap
from tui.keys import bindings
from tui.listing import Column, Listing
from tui.numbers import figures, short
from tui.screens.room import Room
from tui.surveyor import Summarized, ask_for_summary

if TYPE_CHECKING:
    from engine.data.summary import ColumnSummary, Histogram, Summary
    from engine.data.table import Table

BARS = " ▁▂▃▄▅▆▇█"
COLUMNS = (
    Column("column", 16),
    Column("type", 11),
    Column("role", 8),
    Column("missing", 7, number=True),
    Column("unique", 7, number=True),
    Column("min", 8, number=True),
    Column("max", 8, number=True),
    Column("mean", 8, number=True),
    Column("std", 8, number=True),
    Column("to target", 9, number=True),
    Column("raw", 8),
    Column("normalized", 10),
)
# Where not all fit, these go first.
LESS = ("std", "mean", "unique", "to target", "raw", "normalized", "max", "min", "missing")
SAMPLE = 200  # rows that the widths of the preview's columns are taken from


def bars(histogram: Histogram | None, width: int = 8) -> str:
    """A histogram in one line of blocks; any cell at all shows."""
    if histogram is None or not histogram.counts:
        return ""
    size = -(-len(histogram.counts) // width)
    counts = [sum(histogram.counts[i : i + size]) for i in range(0, len(histogram.counts), size)]
    most = max(counts) or 1
    return "".join(BARS[0 if not count else max(1, round(count / most * 8))] for count in counts)


class Findings(Cells):
    """The column under the cursor, the parts, the classes, and everything that was left out or repaired."""

    def __init__(self) -> None:
        super().__init__(id="findings", classes="pane")
        self.border_title = "what was found"
        self.summary: Summary | None = None
        self.column: ColumnSummary | None = None
        self.problem = ""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The column first, for it changes with the cursor."""
        ink = self.ink
        lines: list[list[Span]] = []

        def say(text: str, bad: bool = False) -> None:
            for index, line in enumerate(wrap(text, width - 4, 4)):
                lines.append([("   " if index else " · ", ink.faint), (line, ink.bad if bad else ink.text)])

        if self.problem:
            say(self.problem, True)
        if self.column is not None:
            lines.append([(f" {self.column.name}", ink.strong)])
            for text in _about(self.column):
                say(text)
        if self.summary is not None:
            lines += [[], [(" rows", ink.strong)]]
            parts = [f"{self.summary.rows:,} in the table"]
            if self.summary.target:
                parts.append(f"{self.summary.train:,} to train, {self.summary.validation:,} for validation")
                parts += [f"{self.summary.test:,} for the test"] * bool(self.summary.test)
            say("; ".join(parts))
            for one in self.summary.classes[:6]:
                say(f"{one.name}: {one.train + one.validation + one.test:,} rows")
            notes = [f"{one.name}: left out, {one.reason}." for one in self.summary.left_out]
            notes += [note for note in self.summary.notes if note not in notes]
            if notes:
                lines += [[], [(" left out or repaired", ink.strong)]]
                for note in notes:
                    say(note)
        return lines


def _measure(name: str) -> str:
    return "η" if name == "eta" else name


def _calm(mean: float, std: float) -> str:
    """A mean, without the rounding that is left of a zero."""
    return "0" if abs(mean) < 1e-12 * abs(std) else figures(mean, 3)


def _about(column: ColumnSummary) -> list[str]:
    found = [f"{column.kind}" + (f": {column.reason}" if column.reason else "")]
    if column.left_out:
        found.append(f"left out: {column.left_out}")
    if column.top:
        found.append(", ".join(f"{name} {count:,}" for name, count in column.top[:6]))
    if column.measure:
        what = "correlation r" if column.measure == "r" else "correlation ratio η"
        found.append(f"{what} with the target {column.correlation:.3f}")
    return found + [
        f"→ {one.name}: mean {_calm(one.mean, one.std)}, std {figures(one.std, 3)} when normalized"
        for one in column.features[:4]
    ]


class DataScreen(Room):
    """What the chosen table holds, before and after preparation."""

    NAME = "data"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("data")]

    def panes(self) -> ComposeResult:
        """The columns, the findings, the rows."""
        self.columns_list = Listing("columns", id="columns", empty="looking at the data…")
        self.findings = Findings()
        self.preview = Listing("rows", id="rows", empty="")
        self.summary: Summary | None = None
        self._asked: object = None
        self._offset = 0
        yield self.columns_list
        yield self.findings
        yield self.preview

    @property
    def has_rows(self) -> bool:
        """Whether there is a table."""
        return self.ravine.desk is not None and self.ravine.desk.table is not None

    def on_mount(self) -> None:
        """The cursor is on the columns."""
        self.columns_list.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Columns and findings above, rows below; on a small screen the findings share the lower half."""
        places, between = self.body(width, height)
        tall = between.height // 2
        side = 38 if width >= 140 else max(30, width // 3)
        wide = width >= 140
        upper = Region(0, between.y, width - side if wide else width, tall)
        findings = (
            Region(width - side, between.y, side, between.height)
            if wide
            else Region(width - side, between.y + tall, side, between.height - tall)
        )
        rows = Region(0, between.y + tall, width - side, between.height - tall)
        return {**places, "columns": upper, "findings": findings, "rows": rows}

    def show(self) -> None:
        """Ask for the summary of another table or preparation; show what is there."""
        super().show()
        desk = self.ravine.desk
        if desk is None:
            return
        self.findings.problem = desk.problem
        prepared = desk.known.prepared if desk.known is not None else None
        if desk.table is not None and (desk.table, prepared) != self._asked:
            self._asked = (desk.table, prepared)
            ask_for_summary(desk.table, prepared, self.post_message)
            self._rows(desk.table)
        self.findings.redraw()

    def on_summarized(self, message: Summarized) -> None:
        """The numbers have come."""
        if self._asked is None or message.asked != self._asked:
            return
        self.summary = self.findings.summary = message.summary
        self._columns()
        self.show()

    def _columns(self) -> None:
        summary = self.summary
        if summary is None:
            return
        columns: tuple[Column, ...] = COLUMNS
        for heading in LESS:
            if sum(c.width + 2 for c in columns) <= self.columns_list.size.width:
                break
            columns = tuple(c for c in columns if c.heading != heading)
        names = [c.heading for c in columns]
        self.columns_list.border_title = f"{len(summary.columns)} columns of {summary.name}"
        self.columns_list.fill(columns, len(summary.columns), lambda line: self._column(summary.columns[line], names))
        self.findings.column = summary.columns[self.columns_list.cursor]

    def _column(self, one: ColumnSummary, names: list[str]) -> list[Span]:
        ink = self.columns_list.ink
        role = {"target": ink.accent, "left out": ink.faint}.get(one.role, ink.dim)
        text = ink.faint if one.role == "left out" else ink.text
        numbers = one.mean == one.mean
        after = one.features[0].histogram if one.features else None
        cells: dict[str, Span] = {
            "column": (one.name, ink.strong if one.role == "target" else text),
            "type": (one.kind, text),
            "role": (one.role, role),
            "missing": (short(one.missing) if one.missing else "", ink.bad),
            "unique": (short(one.unique), text),
            "min": (figures(one.low, 4) if numbers else "", text),
            "max": (figures(one.high, 4) if numbers else "", text),
            "mean": (figures(one.mean, 4) if numbers else "", text),
            "std": (figures(one.std, 4) if numbers else "", text),
            "to target": (f"{_measure(one.measure)} {one.correlation:.2f}" if one.measure else "", text),
            "raw": (bars(one.histogram), ink.dim),
            "normalized": (bars(after), ink.train),
        }
        return [cells[name] for name in names]

    def _rows(self, table: Table) -> None:
        sample = table.preview(0, SAMPLE)
        widths = [
            max([cell_len(name), *(cell_len(row[index]) for row in sample)]) for index, name in enumerate(table.names)
        ]
        self._offset = max(0, min(self._offset, len(widths) - 1))
        room, shown = self.preview.size.width - 10, 0
        columns = [Column("row", 7, number=True)]
        while self._offset + shown < len(widths):
            index = self._offset + shown
            size = min(20, max(3, widths[index]))
            if room < size and shown:
                break
            columns.append(Column(table.names[index], size, number=not table.columns[index].is_coded))
            room -= size + 2
            shown += 1
        first, last = self._offset, self._offset + shown
        more = f", columns {first + 1} to {last} of {len(widths)}" if shown < len(widths) else ""
        self.preview.border_title = f"{table.rows:,} rows{more}"
        ink = self.preview.ink

        def line(index: int) -> list[Span]:
            cells = table.preview(index, index + 1)[0][first:last]
            return [(f"{index + 1:,}", ink.faint), *((cell or "·", ink.text if cell else ink.bad) for cell in cells)]

        self.preview.fill(columns, table.rows, line)

    def action_columns(self, by: int) -> None:
        """Other columns of the rows."""
        desk = self.ravine.desk
        if desk is not None and desk.table is not None:
            self._offset += by
            self._rows(desk.table)

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another column is under the cursor."""
        if message.listing is self.columns_list and self.summary is not None:
            self.findings.column = self.summary.columns[message.line]
            self.findings.redraw()

    def on_resize(self, event: object) -> None:
        """Other columns may fit."""
        super().on_resize(event)  # type: ignore[arg-type]
        self.call_after_refresh(self._refit)

    def _refit(self) -> None:
        self._columns()
        desk = self.ravine.desk
        if desk is not None and desk.table is not None:
            self._rows(desk.table)
