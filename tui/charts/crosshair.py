"""What a chart tells of one step: the exact values of its curves, and the extremes of what the same cells hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len
from rich.style import Style

from tui.charts import sentences
from tui.look.numbers import error

if TYPE_CHECKING:
    from tui.charts.canvas import Sheet
    from tui.charts.curve import DrawnCurve
    from tui.charts.plot import Frame
    from tui.charts.viewport import Viewport
    from tui.look.styles import Ink

DIGITS = 8  # of an exact value
MOST = 8  # curves that are told of


def exact(value: float, digits: int = DIGITS, of: float | None = None) -> str:
    """A loss with so many digits, its thousands set apart: 1,234.5678; ≈ 0 where it is rounding beside `of`."""
    text = error(value, digits, of)
    whole, dot, rest = text.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole.lstrip("-").isdigit() and not whole.startswith("-0") else text


def nearest(step: float, curves: list[DrawnCurve]) -> int:
    """The step that has a row in one of the curves: a whole one, not beyond the newest."""
    newest = max((len(curve.history) - 1 for curve in curves if curve.history is not None), default=0)
    return max(0, min(round(step), newest))


def told(
    step: int, curves: list[DrawnCurve], window: Viewport, frame: Frame, ink: Ink, size: float | None = None
) -> list[tuple[str, Style]]:
    """The lines about a step: itself, the value of each curve, and the extremes of its column where it holds many.

    Args:
        size: what a loss is measured against, see `engine.base.rounding`.
    """
    lines = [(sentences.STEP(step=step), ink.strong)]
    for curve in curves[:MOST]:
        sign = "──" if curve.marker == "braille" else f"{curve.marker} "
        value, note = _value(curve, step)
        if value is not None:
            lines.append((f"{sign} {curve.label} {exact(value, of=size)}{note}", curve.style))
        extremes = _extremes(curve, step, window, frame, size)
        if extremes:
            lines.append((f"   {extremes}", ink.dim))
    return lines


def _value(curve: DrawnCurve, step: int) -> tuple[float | None, str]:
    """The value at a step, or of some steps the last one up to it."""
    if curve.history is not None:
        return (float(curve.history.values(step, step + 1)[0]), "") if step < len(curve.history) else (None, "")
    if curve.series is None:
        return None, ""
    steps, values = curve.series.points()
    index = int(np.searchsorted(steps, step, side="right")) - 1
    if index < 0:
        return None, ""
    return float(values[index]), "" if steps[index] == step else f" at {int(steps[index]):,}"


def _extremes(curve: DrawnCurve, step: int, window: Viewport, frame: Frame, size: float | None) -> str:
    """The least and the greatest value drawn in the cells where the step is, so that a spike can be read too."""
    if curve.history is None:
        return ""
    edges = window.edges(frame.dots)
    middles = (edges[:-1] + np.maximum(edges[1:] - 1, edges[:-1])) / 2
    columns = np.asarray([frame.column(place) for place in window.place(middles).tolist()])
    here = np.flatnonzero(columns == frame.column(float(window.place(float(step)))))
    if not len(here):
        return ""
    first, last = int(edges[here[0]]), min(int(edges[here[-1] + 1]), len(curve.history))
    if last - first < 2:
        return ""
    found = curve.history.columns(np.asarray([first, last], np.int64))
    low, high = float(found.low[0]), float(found.high[0])
    gap = sentences.AND_NOT_FINITE() if bool(found.gap[0]) else ""
    least, greatest = exact(low, 5, size), exact(high, 5, size)
    if low != low or (least == greatest and not gap):
        return ""
    return sentences.RANGE(least=least, greatest=greatest, first=first, last=last - 1, gap=gap)


def put(sheet: Sheet, column: int, left: int, lines: list[tuple[str, Style]], ink: Ink) -> None:
    """Write the lines into a box beside a column, to its right where there is room.

    Args:
        left: the first column of the plot.
    """
    ground = Style(bgcolor=ink.cursor)
    width = min(max(cell_len(text) for text, _ in lines) + 2, sheet.width - left)
    x = column + 2 if column + 2 + width <= sheet.width else max(left, column - 1 - width)
    for y, (text, style) in enumerate(lines):
        sheet.put(x, y, f" {text} "[:width].ljust(width), style + ground)
