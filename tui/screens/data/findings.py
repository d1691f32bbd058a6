"""What was found in a table: the column under the cursor, the parts, and everything that was left out or repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data import dates
from tui.look.numbers import figures
from tui.screens import sentences
from tui.widgets.cells import Span, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.data.summary import ColumnSummary, Summary


class Findings(Scrolling):
    """The column under the cursor, the parts, the classes, and everything that was left out or repaired."""

    def __init__(self) -> None:
        super().__init__(id="findings", classes="pane")
        self.border_title = sentences.REPORT()
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
            if self.summary.target:
                say(
                    sentences.ROWS_OF_PARTS(
                        rows=self.summary.rows,
                        train=self.summary.train,
                        validation=self.summary.validation,
                        test=self.summary.test,
                    )
                )
            else:
                say(sentences.ROWS_IN_TABLE(rows=self.summary.rows))
            for one in self.summary.classes:
                which = sentences.POSITIVE_CLASS() if one.positive else ""
                say(sentences.CLASS_ROWS(class_=one.name, rows=one.train + one.validation + one.test, which=which))
            if self.summary.notes:
                lines += [[], [(sentences.LEFT_OUT_TITLE(), ink.strong)]]
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
        found.append(sentences.LEFT_OUT_WHY(why=column.left_out))
    if column.top:
        found.append(", ".join(f"{name} {count:,}" for name, count in column.top))
    if column.mean == column.mean:
        found.append(
            sentences.RANGE(low=value(column, column.low), high=value(column, column.high), values=column.unique)
        )
        deviation = sentences.DAYS(days=figures(column.std, 4)) if column.kind == "date" else figures(column.std, 4)
        found.append(sentences.MEAN_AND_STD(mean=value(column, column.mean, column.std), std=deviation))
    if column.measure:
        what = sentences.CORRELATION() if column.measure == "r" else sentences.ETA()
        defined = column.correlation == column.correlation
        found.append(
            sentences.WITH_TARGET(measure=what, correlation=column.correlation)
            if defined
            else sentences.NEVER_VARIES(measure=what)
        )
    return found + [
        sentences.NORMALIZED(feature=one.name, mean=_calm(one.mean, one.std), std=figures(one.std, 3))
        for one in column.features
    ]
