"""A curve to be drawn: where its values come from, how they are cut into columns, how they are smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from engine.base.rounding import SHARE, raised
from tui.charts.axis import scaled
from tui.charts.viewport import Viewport

if TYPE_CHECKING:
    from engine.base.loss_history import History, Series

Floats = NDArray[np.float64]
ROUNDING = SHARE**2  # of the first loss: what is less is rounding of the outputs, see `engine.base.rounding`
KEEP = 0.9  # share of the average that a column of the moving average keeps


@dataclass(frozen=True)
class DrawnCurve:
    """One run's losses, told from others by colour and marker."""

    label: str
    style: Style
    history: History | None = None  # every step
    series: Series | None = None  # or some of the steps
    marker: str = "braille"
    share: float = ROUNDING  # of the first value, under which a curve does not go

    def cut(self, window: Viewport, columns: int) -> Cut:
        """The values that show in a window, at most `columns` columns of them."""
        if self.history is not None:
            found = self.history.columns(window.edges(columns))
            middle = (found.edges[:-1] + np.maximum(found.edges[1:] - 1, found.edges[:-1])) / 2
            filled = found.edges[:-1] < len(self.history)
            low, high, mean = (raised(v[filled], self.history.first) for v in (found.low, found.high, found.mean))
            return Cut(window.place(middle)[filled], low, high, mean, (found.gap & filled)[filled])
        if self.series is None:
            nothing = np.empty(0)
            return Cut(nothing, nothing, nothing, nothing, np.empty(0, np.bool_))
        steps, values = self.series.points()
        places = window.place(steps.astype(np.float64))
        inside = (places >= 0) & (places <= 1)
        places, values = places[inside], raised(values[inside], self.series.first, self.share)
        if len(values) > 2 * columns:
            # One of the points of each column, always the same ones however many there are.
            last = np.append(np.diff(np.floor(places * columns)) > 0, True)
            places, values = places[last], values[last]
        return Cut(places, values, values, values, ~np.isfinite(values))


@dataclass(frozen=True)
class Cut:
    """A curve's columns: places 0..1 and the least, greatest and mean value in each, NaN where there is none."""

    place: Floats
    low: Floats
    high: Floats
    mean: Floats
    gap: NDArray[np.bool_]

    def scaled(self, log: bool) -> Cut:
        """The values as they lie along an axis; the upper end of a column stands for both if it alone has a place."""
        low, high, mean = (scaled(values, log) for values in (self.low, self.high, self.mean))
        return Cut(self.place, np.where(np.isnan(low), high, low), high, mean, self.gap)

    def outline(self) -> tuple[Floats, Floats]:
        """The curve as one line that fills each column from its least to its greatest value."""
        falling = np.empty(len(self.low), np.bool_)
        middle = (self.low + self.high) / 2
        falling[:1] = True
        falling[1:] = middle[1:] <= middle[:-1]
        first = np.where(falling, self.high, self.low)
        second = np.where(falling, self.low, self.high)
        flat = bool(np.array_equal(self.low, self.high, equal_nan=True))
        if flat:
            return self.place, self.low
        return np.repeat(self.place, 2), np.stack([first, second], axis=1).ravel()

    def smoothed(self) -> Floats:
        """The moving average of the columns' means with its start-up bias taken out (as in Adam); gaps stay gaps."""
        found = np.full(len(self.mean), np.nan)
        average = weight = 0.0
        for index, value in enumerate(self.mean.tolist()):
            if value == value:
                average = KEEP * average + (1 - KEEP) * value
                weight = KEEP * weight + (1 - KEEP)
                found[index] = average / weight
        return found
