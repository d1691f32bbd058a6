"""Predicted against actual; over a single feature the fitted line. Loaded with the first weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len

from tui.charts import plot
from tui.charts.axis import linear_ticks, nice_step
from tui.charts.sheet import Sheet
from tui.theme import Ink

if TYPE_CHECKING:
    from engine.data.prepare import Prepared, Rows
    from engine.snapshot import Weights

Floats = NDArray[np.float64]
MOST = 1200  # rows that are drawn of each part
FEW = 400  # up to so many are drawn as full dots


def title(prepared: Prepared, weights: Weights) -> str:
    """What the axes are."""
    if len(prepared.features) == 1:
        return f"fit · {weights.outputs[0]} over {prepared.features[0]}"
    return f"fit · {weights.outputs[0]}: predicted ↑ actual →"


def scatter(prepared: Prepared, weights: Weights, ink: Ink, width: int, height: int) -> Sheet | None:
    """The points over their axes; None where no prediction is finite."""
    single = len(prepared.features) == 1
    parts = [
        (rows, *_points(prepared, rows, weights, single), style, marker)
        for rows, style, marker in (
            (prepared.train, ink.train, "•"),
            (prepared.validation, ink.validation, "▪"),
        )
        if len(rows.y)
    ]
    xs, ys = np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
    guesses = np.concatenate([p[3] for p in parts])
    finite = np.isfinite(guesses)
    if not finite.any():
        return None
    x_low, x_high = _range(xs)
    y_low, y_high = _range(np.concatenate([ys, guesses[finite]]) if single else guesses[finite])
    if not single:
        y_low, y_high = min(y_low, x_low), max(y_high, x_high)
        x_low, x_high = y_low, y_high
    ticks = linear_ticks(y_low, y_high, max(2, height // 3))
    margin = max(cell_len(t.label) for t in ticks) + 2 if ticks else 2
    frame = plot.Frame(max(4, width - margin - 1), height - 2, y_low, y_high)
    sheet = Sheet(width, height)
    for row in range(frame.height):
        sheet.put(margin - 1, row, "│", ink.faint)
    for tick in ticks:
        row = frame.row(tick.value)
        sheet.put(margin - 2 - cell_len(tick.label), row, tick.label, ink.dim)
        sheet.put(margin - 1, row, "┤", ink.faint)
    sheet.put(margin - 1, frame.height, "└" + "─" * frame.width, ink.faint)
    end = -1
    for tick in linear_ticks(x_low, x_high, max(2, frame.width // 10)):
        column = margin + frame.column((tick.value - x_low) / (x_high - x_low))
        start = min(column - len(tick.label) // 2, width - len(tick.label))
        if start > end:
            sheet.put(column, frame.height, "┬", ink.faint)
            sheet.put(start, height - 1, tick.label, ink.dim)
            end = start + len(tick.label)
    if not single:
        edge = np.linspace(0, 1, frame.width * 2)
        sheet.lay(margin, 0, plot.draw(frame, edge, y_low + edge * (y_high - y_low)), ink.faint)
    for _, x, y, guess, style, marker in parts:
        places = (x - x_low) / (x_high - x_low)
        marker = marker if len(x) <= FEW else "braille"
        sheet.lay(margin, 0, plot.draw(frame, places, y if single else guess, marker=marker, lines=False), style)
        if single:
            order = np.argsort(places)
            sheet.lay(margin, 0, plot.draw(frame, places[order], guess[order]), ink.accent)
    return sheet


def _points(
    prepared: Prepared, rows: Rows, weights: Weights, single: bool
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """(x, target, prediction) of at most MOST rows, in the target's own unit; x is the target or the feature."""
    take = np.linspace(0, len(rows.y) - 1, min(len(rows.y), MOST)).astype(np.int64)
    x = np.asarray(rows.x[take], np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        guess = prepared.target_scale.inverse(x @ weights.scaled[:, 0] + weights.bias_scaled[0])
    actual = prepared.target_scale.inverse(np.asarray(rows.y[take], np.float64))
    return (prepared.normalizer.inverse(x)[:, 0] if single else actual), actual, guess


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    span = high - low or abs(high) or 1.0
    grain = nice_step(span, 8)
    return float(np.floor((low - 0.02 * span) / grain) * grain), float(np.ceil((high + 0.02 * span) / grain) * grain)
