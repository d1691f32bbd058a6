"""The predict screen: raw values in, and every step of the way to the prediction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from tui.cells import Cells, Span, clip, left, right, wrap
from tui.keys import bindings
from tui.numbers import figures, fixed
from tui.panels.panel import Panel
from tui.panels.rows import Row
from tui.screens.room import Room

if TYPE_CHECKING:
    from engine.data.encode import Input
    from engine.runs.predictor import Explanation, Predictor
    from engine.runs.store import RunInfo
    from tui.desk import Desk
    from tui.kept import PredictorRead, RunsListed


class Form(Panel):
    """A field for each raw column."""

    number, title = 0, "values"

    def __init__(self) -> None:
        super().__init__(id="form")
        self.border_title = "values"
        self.predictor: Predictor | None = None
        self.values: dict[str, str] = {}

    def take_predictor(self, predictor: Predictor | None) -> None:
        """Another model: values of columns that it shares are kept, the others begin with typical ones."""
        self.predictor = predictor
        inputs = predictor.inputs if predictor is not None else ()
        kept = self.values
        self.values = {one.name: kept.get(one.name, _typical(one)) for one in inputs}
        self._cursor, self._touched = 0, True
        self.redraw()

    def rows(self, desk: Desk) -> list[Row]:
        """One for each raw column, with its training range."""
        inputs = self.predictor.inputs if self.predictor is not None else ()
        return [
            Row("field", one.name, self.values[one.name] or "missing", note=_range(one), field=one.name, own=True)
            for one in inputs
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
            return f"{one.name}: one of {', '.join(one.categories)}. Empty means missing.", False
        return f"{one.name}: {_range(one)} in the train rows. Type a value; empty means missing.", False

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
        from engine.errors import InputError

        if self.predictor is None:
            return ""
        try:
            self.predictor.explain({**self.values, field: text})
        except InputError as error:
            return str(error)
        self.screen.explain({**self.values, field: text})  # type: ignore[attr-defined]
        return ""

    def taken(self, field: str, text: str) -> None:
        """Keep a value."""
        self.values[field] = text
        self.screen.explain(self.values)  # type: ignore[attr-defined]

    def close_editor(self) -> None:
        """Leave the editor; the prediction is that of the kept values again."""
        super().close_editor()
        if self.predictor is not None:
            self.screen.explain(self.values)  # type: ignore[attr-defined]


def _typical(one: Input) -> str:
    return one.typical if isinstance(one.typical, str) else f"{one.typical:.6g}"


def _range(one: Input) -> str:
    if one.categories:
        return clip(" | ".join(one.categories), 24)
    if one.low is None or one.high is None:
        return ""
    return f"{figures(one.low, 5)} to {figures(one.high, 5)}"


class Way(Cells):
    """The table from raw to normalized to contribution to prediction."""

    def __init__(self) -> None:
        super().__init__(id="way", classes="pane")
        self.border_title = "from raw values to the prediction"
        self.predictor: Predictor | None = None
        self.explanation: Explanation | None = None
        self.problem = ""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A line for each encoded feature, the bias, the sum, the warnings."""
        ink, found = self.ink, self.explanation
        if self.problem:
            return [[], *([(f"  {line}", ink.bad)] for line in wrap(self.problem, width - 4, height))]
        if found is None or self.predictor is None:
            return []
        size = 12 if width >= 60 else 10
        name = max(10, min(24, width - 3 * size - 3))
        bar = max(0, width - name - 3 * size - 4)
        adds = found.contributions
        heads = ("raw", "normalized", *(("adds",) if adds is not None else ()))
        lines: list[list[Span]] = [
            [(left(" feature", name), ink.faint), *((right(head, size), ink.faint) for head in heads)],
        ]
        warnings = [line for text in found.warnings for line in wrap(text, width - 4, 2)]
        room = max(1, height - 5 - len(warnings) - len(found.chances))
        largest = 0.0 if adds is None else max([abs(found.bias), *(abs(float(c)) for c in adds)])
        for index in range(min(room, len(found.features))):
            spans = [
                (left(f" {found.features[index]}", name), ink.text),
                (right(figures(float(found.raw[index]), 6), size), ink.text),
                (right(fixed(float(found.normalized[index]), 5), size), ink.dim),
            ]
            if adds is not None:
                spans += self._amount(float(adds[index]), largest, size, bar)
            lines.append(spans)
        if len(found.features) > room:
            rest = [(right(fixed(float(adds[room:].sum()), 6), size), ink.strong)] if adds is not None else []
            lines.append([(left(f" {len(found.features) - room} more", name + 2 * size), ink.dim), *rest])
        if adds is not None:
            lines.append([(left(" bias", name + 2 * size), ink.dim), *self._amount(found.bias, largest, size, bar)])
            lines.append([(" " * (name + 2 * size), ink.faint), ("─" * size, ink.faint)])
        lines += self._answer(found, name + (2 * size if adds is not None else size), size, bar)
        lines.append([])
        lines += [[(f"  {line}", ink.bad)] for line in warnings]
        return lines

    def _amount(self, value: float, largest: float, size: int, bar: int) -> list[Span]:
        ink = self.ink
        style = ink.train if value >= 0 else ink.validation
        return [(right(fixed(value, 6), size), ink.strong), (_bar(value, largest, bar), style)]

    def _answer(self, found: Explanation, name: int, size: int, bar: int) -> list[list[Span]]:
        ink = self.ink
        assert self.predictor is not None
        target = self.predictor.target
        if not found.chances:
            answer = right(figures(found.output, 7), size)
            return [[(left(f" {target}", name), ink.accent), (answer, ink.accent)]]
        lines: list[list[Span]] = [[(left(f" {target}", name), ink.accent), (right(found.decided, size), ink.accent)]]
        for label, chance in found.chances.items():
            style = ink.accent if label == found.decided else ink.dim
            share = right(f"{100 * chance:.2f} %", size)
            lines.append([(left(f"   {label}", name), style), (share, style), (_bar(chance, 1.0, bar), ink.train)])
        return lines


def _bar(value: float, largest: float, room: int) -> str:
    if room < 6 or largest <= 0 or value != value:
        return ""
    cells = min(room - 2, round(abs(value) / largest * (room - 2)))
    return "  " + ("▬" * cells)


class PredictScreen(Room):
    """One run's model. The last run is taken first."""

    NAME = "predict"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("predict")]

    def panes(self) -> ComposeResult:
        """The form and the way."""
        self.form, self.way = Form(), Way()
        self.runs: tuple[RunInfo, ...] = ()
        self._path: Path | None = None
        self._wish: Path | None = None
        self._phase = ""
        yield self.form
        yield self.way

    @property
    def has_rows(self) -> bool:
        """Whether there is a model."""
        return self.form.predictor is not None or len(self.runs) > 1

    def on_mount(self) -> None:
        """The cursor is in the form."""
        self.form.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Beside each other, or below where it is narrow."""
        places, between = self.body(width, height)
        if width >= 100:
            side = 48
            form = Region(0, between.y, side, between.height)
            way = Region(side, between.y, width - side, between.height)
        else:
            tall = min(max(4, len(self.form.values) + 2), between.height // 2)
            form = Region(0, between.y, width, tall)
            way = Region(0, between.y + tall, width, between.height - tall)
        return {**places, "form": form, "way": way}

    def on_screen_resume(self) -> None:
        """Look at the folder again: there may be a newer run."""
        super().on_screen_resume()
        self._ask()

    def _ask(self) -> None:
        from tui.kept import ask_for_runs

        if self.ravine.desk is not None:
            ask_for_runs(self.ravine.desk.runs_folder, self.post_message)

    def wish(self, path: Path) -> None:
        """Predict with this run."""
        self._wish = path

    def on_runs_listed(self, message: RunsListed) -> None:
        """Take the run that was asked for, else the newest that has a model."""
        self.runs = tuple(run for run in message.runs if (run.path / "model.safetensors").exists())
        if not self.runs:
            self.way.problem = message.problem or "There is no trained run yet: train one with t, then space."
            self.show()
            return
        newest = self.runs[0].path
        self._load(self._wish or newest)
        self._wish = None

    def _load(self, path: Path) -> None:
        from tui.kept import ask_for_predictor

        self._path = path
        ask_for_predictor(path, self.post_message)

    def on_predictor_read(self, message: PredictorRead) -> None:
        """The model has come."""
        if message.path != self._path:
            return
        self.way.problem = message.problem
        self.way.predictor = message.predictor
        self.way.explanation = None
        name = message.path.name
        index = next((i for i, run in enumerate(self.runs) if run.path == message.path), 0)
        self.form.border_title = clip(f"{name}", 40)
        self.way.border_title = f"from raw values to the prediction · run {index + 1} of {len(self.runs)}"
        self.form.take_predictor(message.predictor)
        if message.predictor is not None:
            self.explain(self.form.values)
        self.lay_out()
        self.show()

    def explain(self, values: dict[str, str]) -> None:
        """Predict, and show how."""
        from engine.errors import InputError

        if self.way.predictor is None:
            return
        try:
            self.way.explanation = self.way.predictor.explain(values)
            self.way.problem = ""
        except InputError as error:
            self.way.problem = str(error)
        self.way.redraw()

    def action_other_run(self, by: int) -> None:
        """Predict with another run."""
        paths = [run.path for run in self.runs]
        if self._path in paths:
            index = paths.index(self._path) + by
            if 0 <= index < len(paths):
                self._load(paths[index])

    def on_panel_moved(self, message: Panel.Moved) -> None:
        """Another field is under the cursor."""
        self.show()

    def show(self) -> None:
        """The bars and both panes; the first run that ends brings a model."""
        phase = self.ravine.desk.phase if self.ravine.desk is not None else ""
        if phase != self._phase and phase == "ended" and self.form.predictor is None:
            self._ask()
        self._phase = phase
        self.messages.hint = self.form.help()
        super().show()
        self.form.redraw()
        self.way.redraw()
