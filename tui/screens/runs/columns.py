"""The columns of the list of runs: every choice of the recipe and every result, by the names that filters use too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from engine.base.rounding import vanishes
from engine.recipe import Choice, Known, Recipe, choices
from engine.registry import metrics
from engine.registry.losses import MSE
from tui.look.numbers import duration, error, figures, short
from tui.screens import sentences

if TYPE_CHECKING:
    from engine.runs.store import RunInfo

Kind = Literal["about", "result", "choice"]
LIVE = ("running", "paused")
FOREIGN = sentences.NO_RUN()  # the state of a folder that is none
SHOWN = ("state", "normalize", "lr", "loss", "validation", "gap", "steps", "dataset", "age", "tags")
OWN = frozenset({"dataset", "normalize", "model", "optimizer", "lr"})  # choices that have a column above
RENAMED = {"loss": "loss_function", "steps": "steps_planned"}  # choices that are called like a result
KEEPING = frozenset({"runs", "name"})  # choices that say where a run is kept


@dataclass(frozen=True)
class Field:
    """One column."""

    name: str  # in a filter
    heading: str
    width: int
    about: str
    get: Callable[[RunInfo], Any]  # a number, a text, or None where there is nothing
    show: Callable[[Any], str] = str
    number: bool = False
    kind: Kind = "result"
    same: Callable[[RunInfo], Any] | None = None  # what is equal where the column is; quicker than `get`
    words: tuple[str, ...] = ()  # what a number may be instead: "auto"
    only: bool = False  # there are no other words than those
    timed: bool = False  # seconds, which may be typed with a unit
    size: Callable[[RunInfo], float | None] | None = None  # of a loss: beside what it may be rounding

    def text(self, run: RunInfo) -> str:
        """What the column shows of a run."""
        value = self.get(run)
        if self.size is not None and isinstance(value, int | float):
            return error(value, 5, self.size(run), lambda known, _: self.show(known))
        return "" if value is None else self.show(value) if not isinstance(value, str) else value

    def rank(self, run: RunInfo) -> Any:
        """What the column goes by in order: numbers without the digits that are rounding."""
        value = self.get(run)
        if not isinstance(value, float):
            return value
        return 0.0 if self.size is not None and vanishes(value, self.size(run)) else float(f"{value:.10e}")


@dataclass(frozen=True)
class ColumnView:
    """Which columns show, and in which order the runs stand: plain values, which can be kept."""

    columns: tuple[str, ...] = SHOWN
    differ: bool = False  # only the columns in which the runs differ
    sort: str = "age"
    down: bool = True  # the greatest first; of age: the newest first

    def state(self) -> dict[str, Any]:
        """As plain data."""
        return {"columns": list(self.columns), "differ": self.differ, "sort": self.sort, "down": self.down}

    @classmethod
    def of(cls, state: Any) -> ColumnView:
        """From plain data; what cannot be used is left out."""
        if not isinstance(state, dict):
            return cls()
        listed, known, plain = state.get("columns"), fields(), cls()
        columns = (
            tuple(name for name in listed if isinstance(name, str) and name in known)
            if isinstance(listed, list)
            else ()
        )
        sort = state.get("sort")
        return cls(
            columns or plain.columns,
            state.get("differ") is True,
            sort if isinstance(sort, str) and sort in known else plain.sort,
            state.get("down") is not False,
        )

    def turned(self, name: str) -> ColumnView:
        """Sorted by another column: numbers and times with the greatest first, words in their order."""
        return replace(self, sort=name, down=fields()[name].number)


def _figure(name: str) -> Callable[[RunInfo], Any]:
    return lambda run: run.figures.get(name)


def _number(digits: int, of: float | None = None) -> Callable[[Any], str]:
    return lambda value: figures(value, digits, of) if isinstance(value, int | float) else str(value)


def _size(name: str) -> Callable[[RunInfo], float | None]:
    """What a metric of a run is measured against; see `engine.base.rounding`."""
    return lambda run: metrics.size(name, run.figures.get("baseline_loss"), str(run.choices.get("loss", MSE.name)))


def _choice(name: str) -> Callable[[RunInfo], Any]:
    return lambda run: run.choices.get(name)


def _state(run: RunInfo) -> str:
    """How it stands, in few cells: of one that runs on another host, where."""
    return f"on {run.host}" if run.state == "running" and run.word != "running" else run.word


def _about(run: RunInfo) -> float | None:
    return max(0.0, time.time() - run.created) if run.created else None


def _age(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return sentences.AGO(number=seconds / size, unit=unit)
    return sentences.JUST_NOW()


def _bytes(size: float) -> str:
    return short(float(f"{size:.3g}")) + "B"


# fmt: off
_OWN: tuple[Field, ...] = (
    Field("run", "run", 30, "the name of the folder", lambda run: run.name, kind="about"),
    Field("state", "state", 11, "running, or on which host; paused, unknown, done, stopped, diverged, interrupted, "
        "failed, damaged", lambda run: _state(run), kind="about"),
    Field("normalize", "scale", 7, "the normalization", lambda run: run.normalization or None, kind="choice"),
    Field("lr", "lr", 8, "the learning rate", lambda run: run.lr, _number(4), True, "choice"),
    Field("loss", "loss", 10, "the train loss of the saved weights", lambda run: run.train_loss, _number(5), True,
        size=_figure("baseline_loss")),
    Field("validation", "validation", 10, "the validation loss", lambda run: run.val_loss, _number(5), True,
        size=_figure("baseline_loss")),
    Field("gap", "gap", 9, "the gap to the optimum", lambda run: run.gap, _number(3), True, size=lambda _: 1.0),
    Field("steps", "steps", 7, "updates taken", lambda run: run.steps or None, short, True),
    Field("dataset", "dataset", 12, "the table", lambda run: run.dataset.rpartition("/")[2] or None, kind="choice"),
    Field("age", "age", 10, "since it began", _about, _age, True, "about", timed=True),
    Field("tags", "tags", 14, "tags of your own", lambda run: ", ".join(run.tags) or None, kind="about"),
    Field("note", "note", 24, "your note", lambda run: " ".join(run.note.split()) or None, kind="about"),
    Field("model", "model", 9, "the model", lambda run: run.model or None, kind="choice"),
    Field("optimizer", "optimizer", 9, "the update rule", lambda run: run.optimizer or None, kind="choice"),
    Field("epochs_taken", "epochs taken", 12, "passes over the train rows", _figure("epochs"), _number(4), True),
    Field("kappa", "κ", 9, "the condition number", _figure("condition_number"), _number(4), True),
    Field("bound", "stable lr", 9, "the largest stable learning rate", _figure("lr_bound"), _number(4), True),
    Field("optimum", "optimum", 10, "the least possible loss", _figure("optimum_loss"), _number(5), True,
        size=_figure("baseline_loss")),
    Field("seconds", "time", 8, "of training", lambda run: run.seconds or None, duration, True, timed=True),
    Field("speed", "steps/s", 8, "steps a second", _figure("steps_per_second"), lambda v: short(float(f"{v:.3g}")),
          True),
    Field("size", "size", 8, "on disk", lambda run: run.bytes or None, _bytes, True, "about"),
)
_DEFAULTS = Recipe()
METRICS = (*metrics.OF_AMOUNTS, *metrics.OF_CLASSES)
OF_THE_POSITIVE = ("precision", "recall", "f1", "roc_auc", "pr_auc")  # where there are two classes
ALIASES = {
    "name": "run", "scale": "normalize", "normalization": "normalize", "train_loss": "loss", "val_loss": "validation",
    "tag": "tags", "κ": "kappa", "condition_number": "kappa", "lr_bound": "bound", "time": "seconds",
    "learning_rate": "lr", "loss/train": "loss", "loss/validation": "validation", "batch": "batch_size",
    "optimum_loss": "optimum", "steps_per_second": "speed",
}  # fmt: skip
# fmt: on


@cache
def fields() -> dict[str, Field]:
    """Every column by its name."""
    found = {one.name: one for one in _OWN}
    for choice in choices():
        if choice.name in OWN and choice.kind == "pick":
            found[choice.name] = replace(found[choice.name], words=choice.words, only=True)
    listed = [choice for choice in choices() if choice.name not in OWN | KEEPING]
    own = {choice.name for choice in listed}
    for name in METRICS:
        of = sentences.METRIC_OF_POSITIVE if name in OF_THE_POSITIVE else sentences.METRIC
        about = of(metric=name.replace("_", " "))
        called = f"{name}_score" if name in own else name
        found[called] = Field(
            called, called.replace("_", " "), max(9, len(called)), about, _figure(name),
            _number(4, None if name in metrics.ERRORS else 1.0), True,
            size=_size(name) if name in metrics.ERRORS else None,
        )  # fmt: skip
    for choice in listed:
        called = RENAMED.get(choice.name, choice.name)
        found[called] = _of_choice(choice, called)
    return found


def _idle(run: RunInfo, field: str) -> bool:
    """Whether a choice does not apply to a run; of an older one as far as its other choices tell."""
    if run.idle is not None:
        return field in run.idle
    own = {"normalize": run.normalization, "model": run.model, "optimizer": run.optimizer}
    return bool(Known(_DEFAULTS, {**run.choices, **{n: value for n, value in own.items() if value}}).why_not(field))


def _of_choice(choice: Choice, name: str) -> Field:
    number = choice.kind in ("whole", "number")
    size = 8 if number or choice.kind == "switch" else 12
    width = max(size, min(16, max(len(choice.label), len(name) if name in RENAMED.values() else 0)))

    def get(run: RunInfo) -> Any:
        if not run.state or run.state in ("damaged", FOREIGN):
            return None
        told = run.idle is None and choice.name in run.choices  # an older run, which states it
        if choice.needs and not told and _idle(run, choice.name):
            return None
        value = run.choices.get(choice.name, choice.default)
        if value is None or value == "":
            return choice.show(None) or None
        return value if number and not isinstance(value, str) else choice.show(value) or None

    def show(value: Any) -> str:
        return figures(value, 5) if isinstance(value, float) else choice.show(value)

    words = (*choice.words, *[choice.show(None)] * bool(choice.show(None)))
    picked = choice.kind == "pick"
    heading = choice.label if name == choice.name else name.replace("_", " ")
    return Field(name, heading, width, choice.help, get, show, number, "choice", _choice(choice.name), words, picked)


def find(name: str) -> Field | None:
    """The column that a person means by a name: case and hyphens do not matter."""
    plain = name.lower().replace("-", "_")
    known = fields()
    return known.get(plain) or known.get(ALIASES.get(plain, ""))


def differing(runs: Sequence[RunInfo], chosen: Sequence[str]) -> tuple[str, ...]:
    """The columns in which the runs are not all alike: of all choices, then of what else was chosen."""
    known = fields()
    real = [run for run in runs if run.state not in ("damaged", FOREIGN)]
    told = OWN.union(*(run.choices for run in real))  # all others have their defaults everywhere
    told |= {RENAMED[name] for name in told if name in RENAMED}
    wanted = [name for name, one in known.items() if name in chosen or (one.kind == "choice" and name in told)]
    found = [name for name in wanted if name != "run" and _several(known[name], real)]
    return tuple(sorted(found, key=lambda name: known[name].kind != "choice"))


def _several(one: Field, runs: Sequence[RunInfo]) -> bool:
    get = one.same or one.get
    first = get(runs[0]) if runs else None
    return any(get(run) != first for run in runs)


def ordered(runs: Iterable[RunInfo], view: ColumnView) -> tuple[RunInfo, ...]:
    """Live runs first, folders that are no runs last; among each other by the column, the newest first where alike."""
    newest = sorted(runs, key=lambda run: (run.created, run.name), reverse=True)
    one = fields()[view.sort]
    # Ages run the other way round than times: the newest first is "down".
    down = not view.down if one.name == "age" else view.down
    keyed = [(one.rank(run), run) for run in newest]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: _key(pair[0]), reverse=down)
    found = [run for _, run in known] + [run for value, run in keyed if value is None]
    return tuple(sorted(found, key=_rank))


def _rank(run: RunInfo) -> int:
    return 0 if run.state in LIVE else 2 if run.state == FOREIGN else 1


def _key(value: Any) -> tuple[int, float, str]:
    """Numbers before words."""
    if isinstance(value, str):
        return 1, 0.0, value.casefold()
    return 0, float(value), ""


@dataclass(frozen=True)
class Fitting:
    """The columns that find room beside the name, and how many more there are on each side."""

    names: tuple[str, ...]
    before: int = 0
    after: int = field(default=0)


def fitting(names: Sequence[str], room: int, first: int) -> Fitting:
    """The columns from number `first` on that fit into `room` cells; at least one."""
    known = fields()
    first = max(0, min(first, len(names) - 1))
    taken: list[str] = []
    for name in names[first:]:
        room -= known[name].width + 2
        if room < 0 and taken:
            break
        taken.append(name)
    return Fitting(tuple(taken), first, len(names) - first - len(taken))
