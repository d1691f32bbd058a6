"""Which steps a chart shows, and how they are cut into columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import expm1, log1p

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
FIRST = 32  # steps that the axis of a growing curve begins with


def grown(step: int, planned: int) -> int:
    """The end of the axis of a growing curve: the plan halved as often as the curve still fits, or a power of two.

    It changes only when the curve has reached it, so that what is drawn stays where it is.
    """
    if planned <= 0:
        end = FIRST
        while end < step:
            end *= 2
        return end
    end = planned
    while end >= 2 * FIRST and -(-end // 2) >= step:
        end = -(-end // 2)
    return max(end, step)


@dataclass(frozen=True)
class Viewport:
    """The steps start <= step <= stop along the x axis."""

    start: float
    stop: float
    log: bool = False

    def place(self, steps: Floats | float) -> Floats:
        """Where steps lie, 0 at the left edge and 1 at the right."""
        values = np.asarray(steps, np.float64)
        if self.log:
            low, high = log1p(max(0.0, self.start)), log1p(max(1.0, self.stop))
            places = (np.log1p(np.maximum(values, 0.0)) - low) / (high - low)
        else:
            places = (values - self.start) / max(self.stop - self.start, 1e-9)
        return np.asarray(places, np.float64)

    def at(self, place: float) -> float:
        """The step at a place 0..1."""
        if self.log:
            low, high = log1p(max(0.0, self.start)), log1p(max(1.0, self.stop))
            return expm1(low + place * (high - low))
        return self.start + place * (self.stop - self.start)

    def edges(self, columns: int) -> Ints:
        """The steps at which `columns` columns begin, and the end: int64 [columns + 1], each column at least a step.

        On a linear axis columns are a whole number of steps wide and begin at multiples of it, so that a column holds
        the same steps however long the curve grows.
        """
        first, last = int(np.floor(max(0.0, self.start))), int(np.ceil(self.stop)) + 1
        if self.log:
            places = np.linspace(0, 1, columns + 1)
            found = np.asarray([self.at(place) for place in places])
            return np.unique(np.append(np.floor(found).astype(np.int64), last))
        width = max(1, -(-(last - first) // columns))
        begin = first // width * width
        return np.arange(begin, last + width, width, dtype=np.int64)

    def zoom(self, factor: float, anchor: float) -> Viewport:
        """A window `factor` times as wide around a place 0..1, at least 4 steps."""
        middle = self.at(anchor)
        width = max(4.0, (self.stop - self.start) * factor)
        start = max(0.0, middle - width * anchor)
        return replace(self, start=start, stop=start + width)

    def pan(self, share: float) -> Viewport:
        """A window moved by a share of its width, not before step 0."""
        by = (self.stop - self.start) * share
        by = max(by, -self.start)
        return replace(self, start=self.start + by, stop=self.stop + by)
