"""What was found in a table: the column under the cursor, the parts, and everything that was left out or repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data import dates
from tui.look.numbers import figures
from tui.widgets.cells import Span, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.data.summary import ColumnSummary, Summary


class Findings(Scrolling):
    """The column under the cursor, the parts, the classes, and everything that was left out or repaired."""

    def __init__(self) -> None:
        super().__init__(id="findings", classes="pane")
        self.border_title = "what was found"
        self.summary: Summary | None = None
        self.column: ColumnSummary | None = None
        self.problem = ""
        self.strays = ""  # where the column holds text among its numbers, and what to do about it

    def told(self, width: int) -> list[list[Span]]:
        """The column first, for it changes with the cursor."""
        ink = self.ink
        lines: list[list[Span]] = []

        def say(text: str, bad: bool = False) -> None:
            for index, line in enumerate(wrap(text, width - 4, 12)):
                lines.append([("   " if index else " · ", ink.faint), (line, ink.bad if bad else ink.text)])

        if self.problem:
            say(self.problem, True)
        if self.column is not None:
            lines.append([(f" {self.column.name}", ink.strong)])
            if self.strays:
                say(self.strays, True)
            for text in _about(self.column):
                say(text)
        if self.summary is not None:
            lines += [[], [(" rows", ink.strong)]]
            parts = [f"{self.summary.rows:,} in the table"]
            if self.summary.target:
                parts.append(f"{self.summary.train:,} to train, {self.summary.validation:,} for validation")
                parts += [f"{self.summary.test:,} for the test"] * bool(self.summary.test)
            say("; ".join(parts))
            for one in self.summary.classes:
                which = ", the positive class" if one.positive else ""
                say(f"{one.name}: {one.train + one.validation + one.test:,} rows{which}")
            if self.summary.notes:
                lines += [[], [(" left out or repaired", ink.strong)]]
                for note in self.summary.notes:
                    say(note)
        return lines


def measure(name: str) -> str:
    """What a correlation is called: r or η."""
    return "η" if name == "eta" else name


def value(column: ColumnSummary, number: float, of: float | None = None) -> str:
    """A number of a column as a person would write it: a date as a date. `of`: beside what it may be rounding."""
    return dates.show(round(number)) if column.kind == "date" else figures(number, 4, of)


def _calm(mean: float, std: float) -> str:
    """A mean, without the rounding that is left of a zero."""
    return "0" if abs(mean) < 1e-12 * abs(std) else figures(mean, 3)


def _about(column: ColumnSummary) -> list[str]:
    found = [f"{column.kind}" + (f": {column.reason}" if column.reason else "")]
    if column.left_out:
        found.append(f"left out: {column.left_out}")
    if column.top:
        found.append(", ".join(f"{name} {count:,}" for name, count in column.top))
    if column.mean == column.mean:
        found.append(f"{value(column, column.low)} to {value(column, column.high)}, {column.unique:,} different")
        deviation = f"{figures(column.std, 4)} days" if column.kind == "date" else figures(column.std, 4)
        found.append(f"mean {value(column, column.mean, column.std)}, std {deviation}")
    if column.measure:
        what = "correlation r" if column.measure == "r" else "correlation ratio η"
        defined = column.correlation == column.correlation
        found.append(
            f"{what} with the target {column.correlation:z.3f}" if defined else f"{what}: n/a, it never varies"
        )
    return found + [
        f"→ {one.name}: mean {_calm(one.mean, one.std)}, std {figures(one.std, 3)} when normalized"
        for one in column.features
    ]
