"""The evaluation screen: a model against its baselines, class by class, and the rows that it gets most wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from engine.base.errors import Untrusted
from tui.keys.keymap import untrained
from tui.keys.table import bindings
from tui.look.numbers import count, error, figures
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.screens.evaluate.panes import Classes, Conditions, EvaluationPane, Figures
from tui.screens.trust import refusal
from tui.tasks.throttled import Throttled
from tui.widgets.cells import Span
from tui.widgets.table import Listing, TableColumn

if TYPE_CHECKING:
    from engine.analysis.evaluation import Evaluation, Part
    from engine.data.table import Table
    from tui.charts.views.base import Subject

    SavedRun: TypeAlias = tuple[Literal["kept"], Path | None]  # of which folder; None is the newest
    Key: TypeAlias = SavedRun | None  # None is the run that goes on

PANES = ("figures", "classes", "worst", "conditions")  # the order in which they are gone through
FIRST = ("validation", "test", "train")  # the split that is looked at first


class Untrained(Exception):
    """There is nothing to assess yet, which is no mistake."""


class EvaluateScreen(RavineScreen):
    """Of the run that is going on as it stands now; of a kept one its saved model."""

    NAME = "evaluation"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("evaluate")]

    @dataclass
    class Evaluated(Message):
        """An evaluation has come, or why there is none."""

        key: Key
        found: tuple[str, Evaluation] | BaseException

    def panes(self) -> ComposeResult:
        """Three texts and the list of the worst rows."""
        self.texts: tuple[EvaluationPane, ...] = (
            Figures(id="figures"),
            Classes(id="classes"),
            Conditions(id="conditions"),
        )
        self.worst = Listing(sentences.WORST_ROWS(), id="worst", empty="")
        self.evaluation: Evaluation | None = None
        self.of = ""  # what is evaluated, in words
        self._path: Path | None = None
        self._wish: Path | None = None
        self._split = ""
        self._pane = PANES[0]
        self._side = 0  # columns of the list
        self._asked: int | SavedRun | None = None
        self._work: Throttled[Key, tuple[str, Evaluation]] = Throttled(
            lambda key, found: self.post_message(self.Evaluated(key, found))
        )
        yield from self.texts
        yield self.worst

    @property
    def has_rows(self) -> bool:
        """Whether there is an evaluation."""
        return self.evaluation is not None

    def on_mount(self) -> None:
        """The cursor begins in the figures."""
        self.texts[0].focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """All four where there is room, else one at a time."""
        places, body = self.body(width, height)
        if width < 110 or body.height < 24:
            self._side = width
            return {**places, self._pane: body}
        side = self._side = max(54, body.width // 2)
        tall = min(14, body.height // 2)
        wanted = 2 * len(self.evaluation.classes) + 7 if self.evaluation is not None else 0
        upper = min(body.height - 11, max(wanted, body.height // 2))
        return {
            **places,
            "figures": Region(0, body.y, side, tall),
            "worst": Region(0, body.y + tall, side, body.height - tall),
            "classes": Region(side, body.y, body.width - side, upper),
            "conditions": Region(side, body.y + upper, body.width - side, body.height - upper),
        }

    # Which run.

    def wish(self, run: Path | None) -> None:
        """Evaluate a kept run; None is the run that the train screen shows."""
        self._wish = run
        self._ask(at_once=True)  # what was asked for on arriving may have been another one

    def arrive(self) -> None:
        """Ask anew: the run has gone on."""
        self._asked = None
        self._ask(at_once=True)

    def show(self) -> None:
        """The newest state of a run that is going on."""
        self._ask()
        super().show()

    def _ask(self, *, at_once: bool = False) -> None:
        from tui.charts.views.base import subject_of
        from tui.charts.views.weight_history import WeightHistory

        workspace = self.ravine.workspace
        if workspace is None:
            return
        subject = subject_of(workspace, WeightHistory()) if self._wish is None else None
        if subject is not None and subject.snapshot.live:
            key = id(subject.snapshot.parameters)
            if key != self._asked and subject.model is not None:
                self._asked = key
                self._work.ask(None, lambda: _now(subject), at_once=at_once)
            return
        path = self._wish or (subject.snapshot.run if subject is not None else None)
        kept: SavedRun = ("kept", path)
        if kept == self._asked:
            return
        self._asked = kept
        survey = workspace.survey_of(workspace.shown_recipe) if subject is not None else None
        table, folder = survey.table if survey is not None else None, workspace.runs_folder
        self._work.ask(kept, lambda: _kept(path or _newest(folder), table), at_once=True)
        self._say(sentences.LOOKING_AT_ROWS(), bad=False)

    def on_evaluate_screen_evaluated(self, message: Evaluated) -> None:
        """It has come."""
        if message.key != (self._asked if isinstance(self._asked, tuple) else None):
            return  # of a run that was looked at before
        if isinstance(message.found, BaseException):
            self.evaluation = None
            bad = not isinstance(message.found, Untrained)
            text = str(message.found) or type(message.found).__name__
            if isinstance(message.found, Untrusted):
                text = refusal(message.found, sentences.COME_BACK())
                self.ravine.trusting.ask(message.found, self.arrive, once=True)
            self._say(text, bad=bad)
        else:
            self.of, self.evaluation = message.found
            splits = list(self.evaluation.parts) if self.evaluation is not None else []
            if self._split not in splits:
                self._split = next((split for split in FIRST if split in splits), "")
            self.lay_out()
        self._fill()

    def _say(self, text: str, *, bad: bool) -> None:
        if self.evaluation is None:
            for pane in self.texts:
                pane.words, pane.bad = [text], bad
                pane.evaluation = None
                pane.redraw()
            self.worst.empty = ""
            self.worst.fill((), 0, lambda _line: ())

    # What is shown.

    def _fill(self) -> None:
        """Hand everybody the evaluation."""
        found = self.evaluation
        names = (
            ("metrics", "classes", "parameters")
            if found is None or found.classes
            else ("metrics", "errors", "parameters")
        )
        for pane, name in zip(self.texts, names, strict=True):
            pane.evaluation, pane.split = found, self._split
            title = f"{name} · {self.of}" if name == "metrics" and found is not None else name
            title = f"{title} · {self._split}" if name in ("classes", "errors") and found is not None else title
            pane.head(title)
            pane.redraw()
        self._list()
        self.key_line.show(self.situation())

    def _list(self) -> None:
        part = self.evaluation.parts.get(self._split) if self.evaluation is not None else None  # type: ignore[call-overload]
        if part is None:
            self.worst.fill((), 0, lambda _line: ())
            return
        assert self.evaluation is not None
        cases = part.worst
        self.worst.border_title = sentences.WORST(cases=len(cases), rows=count(part.rows), split=self._split)
        columns, cells = _columns(part, self.evaluation.loss, self._side - 3)
        self.worst.fill(columns, len(cases), lambda line: _cells(self.worst, cells[line]))
        self._hint()

    def _hint(self) -> None:
        part = self.evaluation.parts.get(self._split) if self.evaluation is not None else None  # type: ignore[call-overload]
        self.messages.hint = ("", False)
        if part is not None and self.worst.has_focus and self.worst.cursor < len(part.worst):
            case = part.worst[self.worst.cursor]
            values = ", ".join(f"{name} {value or 'missing'}" for name, value in case.values.items())
            self.messages.hint = (f"{case.place}: {values}", False)
        self.messages.redraw()
        self.worst.redraw()

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another row is under the cursor: all of it is said below."""
        self._hint()

    def on_descendant_focus(self) -> None:
        """The cursor came to another pane."""
        super().on_descendant_focus()
        self._hint()

    def on_resize(self, event: events.Resize) -> None:
        """Other columns may fit."""
        super().on_resize(event)
        self._list()

    # Keys.

    def action_split(self, by: int) -> None:
        """Look at the next split."""
        splits = list(self.evaluation.parts) if self.evaluation is not None else []
        if self._split in splits:
            self._split = splits[(splits.index(self._split) + by) % len(splits)]
            self._fill()

    def action_pane(self) -> None:
        """The next pane, which takes the place of this one where not all fit."""
        self._pane = PANES[(PANES.index(self._pane) + 1) % len(PANES)]
        self.lay_out()
        self.query_one(f"#{self._pane}").focus()
        self._fill()


def _newest(folder: Path) -> Path:
    """The run that has the newest model. Raises Untrained where there is none."""
    from engine.runs.store import list_runs

    for run in list_runs(folder):
        if (run.path / "model.safetensors").exists():
            return run.path
    raise Untrained(untrained())


def _kept(path: Path, table: Table | None) -> tuple[str, Evaluation]:
    """The evaluation of a run folder, and its name. In a thread."""
    from engine.analysis.evaluation import evaluate

    return path.name, evaluate(path, table=table)


def _now(subject: Subject) -> tuple[str, Evaluation]:
    """The evaluation of a run as it stands, and what it is of. In a thread."""
    from typing import get_args

    from engine.analysis import evaluation
    from engine.learn.kernels.contract import Split
    from tui.charts.views.base import outputs

    model, prepared, plan = subject.model, subject.prepared, subject.plan
    assert model is not None
    assert prepared is not None
    assert plan is not None
    given = {split: outputs(model, getattr(prepared, split).x) for split in get_args(Split)}
    health = evaluation.conditions(model.architecture, plan.loss, model.parameters.arrays, prepared)
    found = evaluation.examine(prepared, given, plan.loss, subject.decision, health=health)
    found = replace(found, gradient_size=subject.snapshot.gradient_size)
    return sentences.THIS_RUN_AT(step=subject.snapshot.step), found


def _columns(part: Part, loss: str, room: int) -> tuple[list[TableColumn], list[list[str]]]:
    """The columns that fit, and the texts of every case."""
    cases, classes, size = part.worst, part.probabilities is not None, part.size(loss)
    heads = ["row", "loss", "actual", "predicted"] + ["chance"] * classes
    raw = list(cases[0].values) if cases else []
    texts = []
    for case in cases:
        line = [
            f"{case.row:,}",
            error(case.loss, 4, size),
            _shown(case.target),
            _shown(case.predicted, part.largest_target),
        ]
        line += [f"{100 * case.probability:.1f} %" if isfinite(case.probability) else "n/a"] * classes
        texts.append(line + [case.values[name] or "missing" for name in raw])
    columns: list[TableColumn] = []
    for index, head in enumerate([*heads, *raw]):
        width = min(16, max([cell_len(head), *(cell_len(line[index]) for line in texts)]))
        if sum(c.width + 2 for c in columns) + width > room - 2 and index >= 4:
            break
        number = index in (0, 1) or (index < 4 and not classes) or (classes and index == 4)
        columns.append(TableColumn(head, width, number or _number(texts[0][index])))
    return columns, [line[: len(columns)] for line in texts]


def _shown(value: float | str, of: float | None = None) -> str:
    return value if isinstance(value, str) else figures(value, 5, of)


def _number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).replace(",", "").isdigit()


def _cells(listing: Listing, texts: list[str]) -> list[Span]:
    ink = listing.ink
    styles = [ink.dim, ink.bad, ink.text, ink.strong]
    return [(text, styles[index] if index < len(styles) else ink.dim) for index, text in enumerate(texts)]
