"""The form of the predict screen: a field for each raw column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events

from tui.look.numbers import figures
from tui.screens import sentences
from tui.widgets.cells import clip
from tui.widgets.panel import Panel
from tui.widgets.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.data.encode import Input
    from engine.runs.predictor import Predictor
    from tui.model.workspace import Workspace


class Form(Panel):
    """A field for each raw column.

    Args:
        explain: called with the values whose prediction is to be shown.
    """

    number, title = 0, "values"

    def __init__(self, explain: Callable[[dict[str, str]], object]) -> None:
        super().__init__(id="form")
        self._explain = explain
        self.border_title = "values"
        self.predictor: Predictor | None = None
        self.values: dict[str, str] = {}

    def take_predictor(self, predictor: Predictor | None) -> None:
        """Another model: values of columns that it shares are kept, the others begin with typical ones."""
        before = {one.name: one for one in self.predictor.inputs} if self.predictor is not None else {}
        self.predictor = predictor
        inputs = predictor.inputs if predictor is not None else ()
        self.values = {
            one.name: _carried(before.get(one.name), one, self.values[one.name])
            if one.name in self.values
            else _typical(one)
            for one in inputs
        }
        if self._editor is not None and self._editor.field not in self.values:
            super().close_editor()  # the column that is typed for is one of the model before
        self._cursor, self._touched = 0, True
        self._rows = (
            self._all_rows(self.workspace) if self.workspace is not None else []
        )  # also where nothing can be drawn yet
        self.redraw()

    def rows(self, workspace: Workspace) -> list[Row]:
        """One for each raw column, with its training range."""
        inputs = self.predictor.inputs if self.predictor is not None else ()
        ranges = [_range(one) for one in inputs]
        column = min(max((cell_len(text) for text in ranges), default=0), max(8, self.size.width * 2 // 5))
        return [
            Row("field", one.name, self.values[one.name] or "missing", text, one.name, own=True, column=column)
            for one, text in zip(inputs, ranges, strict=True)
        ]

    def _input(self, name: str) -> Input:
        assert self.predictor is not None
        return next(one for one in self.predictor.inputs if one.name == name)

    def help(self) -> tuple[str, bool]:
        """What the column takes."""
        row = self.current
        if row is None or self.predictor is None:
            return "", False
        if self._editor is not None and self._editor.problem:
            return self._editor.problem, True
        one = self._input(row.field)
        if one.categories:
            return sentences.ONE_OF(column=one.name, choices=one.choices), False
        return sentences.RANGE_OF(column=one.name, range=_range(one)), False

    def action_choose(self) -> None:
        """Edit the value."""
        row = self.current
        if row is not None:
            self.edit(row.field, row.label, self.values[row.field])
            self._tell()

    def action_reset(self) -> None:
        """Back to a typical value."""
        row = self.current
        if row is not None:
            self.taken(row.field, _typical(self._input(row.field)))
            self._tell()

    def on_key(self, event: events.Key) -> None:
        """A figure begins a new value."""
        row = self.current
        if row is not None and event.character and event.character in "0123456789.-" and self._editor is None:
            event.stop()
            self.edit(row.field, row.label, event.character, select=False)

    def check(self, field: str, text: str) -> str:
        """Whether the model takes it; a value outside the training range is taken, and warned of."""
        from engine.base.errors import InputError

        if self.predictor is None:
            return ""
        try:
            self.predictor.explain({**self.values, field: text})
        except InputError as error:
            return str(error)
        self._explain({**self.values, field: text})
        return ""

    def taken(self, field: str, text: str) -> None:
        """Keep a value."""
        self.values[field] = text
        self._explain(self.values)

    def close_editor(self) -> None:
        """Leave the editor; the prediction is that of the kept values again."""
        super().close_editor()
        if self.predictor is not None:
            self._explain(self.values)


def _typical(one: Input) -> str:
    """A typical value as the table writes it, numbers with six digits."""
    if isinstance(one.typical, str) or one.kind == "date":
        return one.write(one.typical)
    shown = f"{one.typical:.6g}"
    return shown.replace(".", ",") if one.reading.decimal == "," else shown


def _carried(old: Input | None, one: Input, text: str) -> str:
    """What was typed for a column of one model, for the same column of another, which may write it otherwise."""
    from engine.data import cells

    if one.is_coded or not text or old is None:
        return text
    value = None if old.is_coded else cells.as_number(old, text)
    if value is None:
        return text if cells.as_number(one, text) is not None else _typical(one)
    if one.kind != old.kind:
        return _typical(one)
    return text if cells.as_number(one, text) == value else one.write(value)


def _range(one: Input) -> str:
    if one.categories:
        return clip(" | ".join(one.choices), 24)
    if one.low is None or one.high is None:
        return ""
    if one.kind == "date":
        return f"{one.write(one.low)} to {one.write(one.high)}"
    return f"{figures(one.low, 5)} to {figures(one.high, 5)}"
