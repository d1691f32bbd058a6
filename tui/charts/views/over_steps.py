"""Views over the steps of a run: a metric, the learning rate, the norm of the gradient, the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.style import Style

from engine.base.rounding import SHARE, alike, cleared
from engine.registry.metrics import ERRORS, OF_AMOUNTS, SEEN, SQUARES
from tui.charts import plot, sentences
from tui.charts.axes import Axes, Axis
from tui.charts.curve import ROUNDING, DrawnCurve
from tui.charts.loss_drawing import whole
from tui.charts.sight import MARKERS
from tui.charts.views.base import Drawing, Floats, RunView, Size, Subject, outputs
from tui.look.numbers import error, figures
from tui.look.styles import Ink

if TYPE_CHECKING:
    from engine.base.loss_history import Series
    from engine.training.snapshot import Snapshot

SHOWN = 8  # weights that are drawn, the largest ones


@dataclass(frozen=True)
class StepCurve:
    """A curve over the steps: points that are joined, and a marker on some of them."""

    label: str
    style: Style
    steps: Floats
    values: Floats
    marker: str = ""


def over_steps(now: Snapshot, traces: list[StepCurve], ink: Ink, size: Size, *, log: bool = False) -> Drawing:
    """Curves over the steps of a run, with the changes that were made on the way."""
    window = whole(now, growing=True)
    kept = [trace for trace in traces if len(trace.steps)]
    axis = Axis.around(*(t.values for t in kept), log=log) if kept else Axis(0.0, 1.0)
    axes = Axes(ink, size, Axis(window.start, window.stop, steps=True, name="steps"), axis)
    for mark in now.marks:
        if mark.kind == "change":
            axes.post(mark.step, ink.mark)
    for trace in kept:
        axes.line(trace.steps, trace.values, trace.style)
        if trace.marker:
            few = np.unique(np.linspace(0, len(trace.steps) - 1, max(2, axes.frame.width // 12)).astype(np.int64))
            axes.dots(trace.steps[few], trace.values[few], trace.style, trace.marker)
    legend = [(trace.style, trace.marker or "──", trace.label) for trace in kept]
    return Drawing(axes.sheet.lines(), "", legend)


def trace(
    label: str, style: Style, series: Series | None, now: Snapshot, columns: int, marker: str = "",
    share: float = ROUNDING,
) -> StepCurve:  # fmt: skip
    """A curve of evaluations, cut down to what so many columns can show.

    Args:
        share: of the first value, under which it does not go.
    """
    cut = DrawnCurve(label, style, series=series, share=share).cut(whole(now, growing=True), columns)
    window = whole(now, growing=True)
    return StepCurve(label, style, np.asarray([window.at(p) for p in cut.place.tolist()]), cut.high, marker)


class MetricView(RunView):
    """A metric on the validation rows at every evaluation, and on the train rows."""

    def fits(self, subject: Subject) -> bool:
        """Once there are metrics."""
        return bool(self.turns(subject))

    def turns(self, subject: Subject) -> tuple[str, ...]:
        """The metrics of the task."""
        names = [tag.split("/")[1] for tag in subject.snapshot.tracks if tag.startswith("metrics/")]
        if not names and subject.model is not None:
            classes = ["accuracy", "log_loss", "f1", "roc_auc"]
            names = [*OF_AMOUNTS[1:]] if subject.model.task == "regression" else classes
        first = ("rmse", "r2", "accuracy")
        return tuple(dict.fromkeys(sorted(names, key=lambda name: name not in first)))

    def key(self, subject: Subject) -> Any:
        """The parameters."""
        return subject.snapshot.parameters

    def look(self, subject: Subject, turn: str, size: Size) -> Any:
        """The metrics of the train rows as the model is now go into the trail."""
        note_figures(subject)
        return True

    def draw(self, subject: Subject, found: Any, turn: str, ink: Ink, size: Size) -> Drawing:
        """Validation at every evaluation; train at every step where its loss says it, else where it was looked at."""
        now = subject.snapshot
        columns = max(8, size[0] - 8) * plot.DOTS_X
        traces = []
        train = self._train(subject, turn, ink, columns)
        if train is not None:
            traces.append(train)
        series = now.tracks.get(f"metrics/{turn}/validation")
        if series is not None and len(series):
            share = ROUNDING if turn in SQUARES else SHARE
            traces.append(trace("validation", ink.validation, series, now, columns, "•", share))
        name = turn.replace("_", " ")
        values = [f"{t.label} {_last(t, turn)}" for t in traces if len(t.values)]
        log = turn in ERRORS and _spans_decades(traces)
        drawn = over_steps(now, traces, ink, size, log=log)
        return Drawing(drawn.lines, " · ".join([name + ", log y" * log, *values]), drawn.legend)

    def _train(self, subject: Subject, turn: str, ink: Ink, columns: int) -> StepCurve | None:
        now, plan = subject.snapshot, subject.plan
        if plan is not None and plan.full_batch and turn in SEEN.get(plan.loss, ()) and now.history:
            window = whole(now, growing=True)
            cut = DrawnCurve("train", ink.train, history=now.history).cut(window, columns)
            places, values = cut.outline()
            steps = np.asarray([window.at(place) for place in places.tolist()])
            root = turn == "rmse"
            return StepCurve("train", ink.train, steps, np.sqrt(np.maximum(values, 0)) if root else values)
        series = subject.trail.figures.get(turn)
        return trace("train", ink.train, series, now, columns, "▪") if series is not None and len(series) else None


def _last(one: StepCurve, metric: str) -> str:
    """The newest value of a metric, which of an error may be rounding beside the first one."""
    first, last = float(one.values[0]), float(one.values[-1])
    return error(last, 4, first) if metric in ERRORS else figures(last, 4, 1.0)


def note_figures(subject: Subject) -> None:
    """Put the metrics of the train rows as the model is now into the trail. In a thread."""
    from engine.analysis import evaluation

    model, prepared, plan, now = subject.model, subject.prepared, subject.plan, subject.snapshot
    if model is None or prepared is None or plan is None:
        return
    found = evaluation.examine(prepared, {"train": outputs(model, prepared.train.x)}, plan.loss, worst=0)
    subject.trail.figure(now.weights.step if now.weights is not None else now.step, found.parts["train"].figures)


def _spans_decades(traces: list[StepCurve]) -> bool:
    values = np.concatenate([t.values for t in traces]) if traces else np.empty(0)
    values = values[np.isfinite(values)]
    return len(values) > 0 and bool(values.min() > 0) and bool(values.max() > 50 * values.min())


class GradientView(RunView):
    """The norm of the gradient at every evaluation."""

    def fits(self, subject: Subject) -> bool:
        """Once there is one."""
        return bool(len(subject.snapshot.tracks.get("gradient_norm", ())))

    def draw(self, subject: Subject, found: Any, turn: str, ink: Ink, size: Size) -> Drawing:
        """On a logarithmic axis: it falls by orders of magnitude."""
        now = subject.snapshot
        series = now.tracks["gradient_norm"]
        one = trace("", ink.train, series, now, size[0] * plot.DOTS_X, share=SHARE)
        drawn = over_steps(now, [one], ink, size, log=True)
        return Drawing(drawn.lines, f"‖gradient‖ {figures(series.last, 4, series.first)}, log y")


class RateView(RunView):
    """The learning rate of every step, as schedule and steering made it."""

    def fits(self, subject: Subject) -> bool:
        """Once the plan is known."""
        return subject.plan is not None and subject.snapshot.lr is not None

    def draw(self, subject: Subject, found: Any, turn: str, ink: Ink, size: Size) -> Drawing:
        """Up to now, at as many steps as there are columns."""
        now, plan = subject.snapshot, subject.plan
        assert plan is not None
        steps = np.unique(np.linspace(0, max(now.step, 1), max(16, size[0] * plot.DOTS_X)).astype(np.int64))
        rates = learning_rates(subject, steps)
        wide = rates.max() > 100 * max(rates.min(), 1e-300)
        drawn = over_steps(
            now, [StepCurve("", ink.accent, steps.astype(np.float64), rates)], ink, size, log=bool(wide)
        )  # fmt: skip
        about = sentences.RATE_AND_SCHEDULE(lr=figures(now.lr, 4), schedule=plan.schedule) + (", log y" if wide else "")
        return Drawing(drawn.lines, about)


def learning_rates(subject: Subject, steps: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
    """The learning rate of some steps, int64 [n] in order: float64 [n]."""
    from engine.learn.schedules import factors_at

    plan = subject.plan
    assert plan is not None
    rates = np.full(len(steps), float(plan.lr))
    for event in subject.recipe.events:
        if event.field == "lr":
            rates[steps >= event.step] = float(event.value)
    if plan.schedule == "plateau":
        for mark in subject.snapshot.marks:  # the drops are said in the marks alone
            if mark.rate is not None:
                rates[steps >= mark.step] = mark.rate
    if not plan.scheduled:
        return rates
    moving = factors_at(plan.schedule, plan.warmup, plan.steps, steps)
    return np.asarray(rates * moving)


class WeightsView(RunView):
    """The weights on normalized features over the steps, as the snapshots brought them."""

    def fits(self, subject: Subject) -> bool:
        """Once there are two looks."""
        return len(subject.trail) > 0

    def draw(self, subject: Subject, found: Any, turn: str, ink: Ink, size: Size) -> Drawing:
        """The largest ones, each with a colour and a marker of its own."""
        trail = subject.trail
        steps, values = np.asarray(trail.steps, np.float64), np.stack(trail.values)
        finite = np.where(np.isfinite(values[-1]), np.abs(values[-1]), np.inf)
        order = np.argsort(-alike(cleared(finite, float(finite.max(initial=0.0)))), kind="stable")[:SHOWN]
        traces = [
            StepCurve(trail.names[i], ink.kinds[n % len(ink.kinds)], steps, values[:, i], MARKERS[n % len(MARKERS)])
            for n, i in enumerate(sorted(order.tolist()))
        ]
        drawn = over_steps(subject.snapshot, traces, ink, size)
        rest = len(trail.names) - len(traces)
        about = sentences.NORMS_BY_LAYER() if trail.names[0].startswith("‖") else sentences.ON_NORMALIZED()
        about = sentences.LARGEST(about=about, count=SHOWN) if rest > 0 else about
        return Drawing(drawn.lines, about, drawn.legend)
