"""A curve of somebody's log as CSV, with TensorBoard's own columns."""

from __future__ import annotations

from collections.abc import Iterator

from engine.runs.curves_csv import BLOCK, HEAD, curve_lines
from engine.watch.curve import LoggedCurve


def csv(curve: LoggedCurve) -> Iterator[str]:
    """The lines: Wall time, Step, Value; every point that was logged."""
    steps, walls, values = curve.points()
    yield HEAD
    for start in range(0, len(steps), BLOCK):
        part = slice(start, start + BLOCK)
        yield curve_lines(walls[part], steps[part], values[part])
