"""Predicted against actual, over a single feature the fitted line; and what is left over, the residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from engine.base.rounding import cleared
from tui.charts import sentences
from tui.charts.axes import Axes, Axis
from tui.charts.views.base import Drawing, Floats, ModelView, Size, Subject, outputs
from tui.look.numbers import figures
from tui.look.styles import Ink

MOST = 1200  # rows that are drawn of each part
FEW = 400  # up to so many are drawn as full dots
GRID = 400  # points of a fitted curve


@dataclass(frozen=True)
class SplitPoints:
    """Some rows of a split, in the target's own unit."""

    label: str
    feature: Floats  # [n] the first feature, raw
    actual: Floats  # [n]
    guess: Floats  # [n]


@dataclass(frozen=True)
class Fit:
    """The points of the splits, and over a single raw column the curve of the model."""

    parts: tuple[SplitPoints, ...]
    curve: tuple[Floats, Floats] | None = None


class FitView(ModelView):
    """Points of train and validation rows, and where a perfect model would put them."""

    def fits(self, subject: Subject) -> bool:
        """For amounts."""
        return subject.model is not None and subject.model.task == "regression"

    def look(self, subject: Subject, turn: str, size: Size) -> Fit:
        """Predict the rows."""
        return look_at_rows(subject)

    def draw(self, subject: Subject, found: Fit, turn: str, ink: Ink, size: Size) -> Drawing:
        """The points over their axes."""
        target = subject.prepared.target if subject.prepared is not None else ""
        guesses = np.concatenate([part.guess for part in found.parts])
        if not np.isfinite(guesses).any():
            return Drawing([[], [(sentences.NOT_FINITE(), ink.bad)]])
        actual = np.concatenate([part.actual for part in found.parts])
        if found.curve is None:
            both = Axis.around(actual, guesses)
            axes = Axes(ink, size, both, both)
            axes.line([both.low, both.high], [both.low, both.high], ink.faint)
        else:
            xs = np.concatenate([part.feature for part in found.parts])
            axes = Axes(ink, size, Axis.around(xs), Axis.around(actual, guesses))
        legend = []
        for part, style, marker in _marked(found.parts, ink):
            x, y = (part.actual, part.guess) if found.curve is None else (part.feature, part.actual)
            axes.dots(x, y, style, marker if len(x) <= FEW else "braille")
            legend.append((style, marker, part.label))
        if found.curve is not None:
            axes.line(*found.curve, ink.accent)
            name = subject.prepared.encoder.inputs[0].name if subject.prepared is not None else ""
            return Drawing(axes.sheet.lines(), sentences.TARGET_OVER(target=target, feature=name), legend)
        words = f"{target}: predicted ↑ actual →"
        if cell_len(words) > size[0] - 22:  # the legend stands beside it
            words = "predicted ↑ actual →"
        return Drawing(axes.sheet.lines(), words, legend)


class ResidualsView(FitView):
    """Actual minus predicted over predicted: what the model has not learned shows as a pattern."""

    def draw(self, subject: Subject, found: Fit, turn: str, ink: Ink, size: Size) -> Drawing:
        """The points around zero, and to the right how many there are at each height."""
        parts = [part for part in found.parts if np.isfinite(part.guess).any()]
        if not parts:
            return Drawing([[], [(sentences.NOT_FINITE(), ink.bad)]])
        amount = max(float(np.abs(part.actual).max(initial=0.0)) for part in parts)
        rests = [cleared(part.actual - part.guess, amount) for part in parts]
        left = np.concatenate(rests)
        guesses = np.concatenate([part.guess for part in parts])
        width, height = size
        side = min(14, width // 6) if width >= 60 else 0
        axes = Axes(ink, (width - side, height), Axis.around(guesses), Axis.around(left, 0.0))
        axes.rule(0.0, ink.optimum)
        legend = []
        for (part, style, marker), off in zip(_marked(tuple(parts), ink), rests, strict=True):
            axes.dots(part.guess, off, style, marker if len(part.guess) <= FEW else "braille")
            legend.append((style, marker, part.label))
        lines = axes.sheet.lines()
        if side:
            bars = _histogram(left, axes, side - 1)
            lines = [[*line, (bar, ink.band)] for line, bar in zip(lines, bars, strict=True)]
        rest = left[np.isfinite(left)]
        about = sentences.RESIDUALS(std=figures(float(rest.std()), 4, amount))
        return Drawing(lines, about, legend)


def _marked(parts: tuple[SplitPoints, ...], ink: Ink) -> list[tuple[SplitPoints, Style, str]]:
    styles = {"train": (ink.train, "•"), "validation": (ink.validation, "▪"), "test": (ink.optimum, "▴")}
    return [(part, *styles[part.label]) for part in parts]


def _histogram(values: Floats, axes: Axes, width: int) -> list[str]:
    """A bar for each row of the axes, and blanks for what is below it."""
    frame = axes.frame
    counts = [0] * frame.height
    for value in values[np.isfinite(values)].tolist():
        row = frame.row(value)
        if 0 <= row < frame.height:
            counts[row] += 1
    most = max(counts) or 1
    bars = [" " + "▪" * round(count / most * width) for count in counts]
    return bars + [""] * (axes.sheet.height - len(bars))


def look_at_rows(subject: Subject) -> Fit:
    """Predict at most MOST rows of each split, and over a single raw column a curve."""
    model, prepared = subject.model, subject.prepared
    assert model is not None
    assert prepared is not None
    scale = prepared.target_scale
    single = len(prepared.encoder.inputs) == 1 and not prepared.encoder.inputs[0].is_coded
    parts = []
    for split in ("train", "validation"):
        rows = getattr(prepared, split)
        if not len(rows.y):
            continue
        take = np.linspace(0, len(rows.y) - 1, min(len(rows.y), MOST)).astype(np.int64)
        x = np.asarray(rows.x[take], np.float64)
        guess = scale.inverse(outputs(model, x)[:, 0])
        feature = prepared.normalizer.inverse(x)[:, 0]
        parts.append(SplitPoints(split, feature, scale.inverse(np.asarray(rows.y[take], np.float64)), guess))
    curve = None
    if single:
        every = np.concatenate([part.feature for part in parts])
        grid = np.linspace(every.min(), every.max(), GRID)
        matrix, _ = prepared.encoder.encode_rows([{prepared.encoder.inputs[0].name: float(g)} for g in grid])
        curve = grid, scale.inverse(outputs(model, prepared.normalizer.transform(matrix))[:, 0])
    return Fit(tuple(parts), curve)
