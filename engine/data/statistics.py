"""Statistics of the columns of a matrix: float64, few passes, on all cores, the same bits on any number of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.data.parallel import Stop, blocks, each, spans
from engine.data.table import Floats

Deviation = Literal["sample", "population"]

_GROUP = 64
_GLANCE = 257
_SAFE_LOW, _SAFE_HIGH = 1e-140, 1e140  # magnitudes whose squares, summed over any table, neither vanish nor overflow


@dataclass(frozen=True, eq=False)
class Spread:
    """One pass over the rows, float64 [d] each.

    Attributes:
        low, high: smallest and largest; NaN where a value is NaN.
        center: the mean of a few rows.
        first, second: sums of the deviations from `center` and of their squares; None where not asked for.
    """

    low: Floats
    high: Floats
    center: Floats
    first: Floats | None
    second: Floats | None

    @classmethod
    def of(cls, x: Floats, *, sums: bool, cancelled: Stop | None = None) -> Spread:
        """The spread of x [n, d], n >= 1. Nothing is raised for what is not finite."""
        width = x.shape[1]
        with np.errstate(over="ignore", invalid="ignore"):
            center = x[:: -(-len(x) // _GLANCE)].mean(axis=0, dtype=np.float64)

        def part(span: slice) -> Floats:
            low, high = np.full(width, np.inf), np.full(width, -np.inf)
            first, second = np.zeros(width), np.zeros(width)
            with np.errstate(over="ignore", invalid="ignore"):
                for block in blocks(span.stop - span.start):
                    piece = x[span][block]
                    np.minimum(low, _down(np.minimum, piece), out=low)
                    np.maximum(high, _down(np.maximum, piece), out=high)
                    if sums:
                        _add_deviations(piece - center, first, second)
            return np.stack((low, high, first, second))

        parts = np.stack(each(part, spans(len(x)), work=x.nbytes, cancelled=cancelled))
        low, high = parts[:, 0].min(axis=0), parts[:, 1].max(axis=0)
        if not sums:
            return cls(low, high, center, None, None)
        with np.errstate(over="ignore", invalid="ignore"):
            return cls(low, high, center, parts[:, 2].sum(axis=0), parts[:, 3].sum(axis=0))

    @property
    def largest(self) -> Floats:
        """The largest magnitude in each column."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


def moments(x: Floats, spread: Spread, std: Deviation, cancelled: Stop | None = None) -> tuple[Floats, Floats]:
    """Mean and standard deviation of the columns of x [n, d], float64 [d]. All values are finite.

    Sums about a point near the mean, corrected by the mean of the deviations (Chan, Golub & LeVeque, "Algorithms for
    Computing the Sample Variance", 1983), do not cancel however far the values lie from 0. The mean of a few rows is
    such a point for nearly every table; where it turns out not to be, a second pass goes about the mean itself.
    Columns of extreme magnitude are first divided by a power of two, which is exact, so that squares neither overflow
    nor vanish.
    """
    rows = len(x)
    extreme = (spread.largest > _SAFE_HIGH) | ((spread.largest > 0) & (spread.largest < _SAFE_LOW))
    unit = np.ones(x.shape[1])
    unit[extreme] = np.ldexp(1.0, np.clip(np.frexp(spread.largest[extreme])[1], -1021, 1023))
    center, first, second = spread.center, spread.first, spread.second
    if extreme.any() or first is None or second is None:
        center = _about(x, unit, np.zeros(x.shape[1]), cancelled)[0] / rows
        first, second = _about(x, unit, center, cancelled)
    elif (first * first / rows > 0.01 * second).any():
        center = center + first / rows
        first, second = _about(x, unit, center, cancelled)
    freedom = max(rows - 1, 1) if std == "sample" else rows
    variance = np.maximum(second - first * first / rows, 0.0) / freedom
    with np.errstate(over="ignore"):
        return (center + first / rows) * unit, np.sqrt(variance) * unit


def _about(x: Floats, unit: Floats, center: Floats, cancelled: Stop | None) -> tuple[Floats, Floats]:
    """Sums of the deviations of x / unit from a center, and of their squares."""
    plain = bool((unit == 1).all())

    def part(span: slice) -> Floats:
        sums = np.zeros((2, x.shape[1]))
        for block in blocks(span.stop - span.start):
            piece = x[span][block]
            _add_deviations((piece if plain else piece / unit) - center, sums[0], sums[1])
        return sums

    parts = np.stack(each(part, spans(len(x)), work=x.nbytes, cancelled=cancelled))
    return parts[:, 0].sum(axis=0), parts[:, 1].sum(axis=0)


def _add_deviations(deviation: Floats, first: Floats, second: Floats) -> None:
    """Add to both sums; the deviations are squared in place."""
    first += _down(np.add, deviation)
    np.multiply(deviation, deviation, out=deviation)
    second += _down(np.add, deviation)


def _down(combine: np.ufunc, x: Floats) -> Floats:
    """Combine the rows of x [n, d] into [d].

    Groups of rows are combined side by side first: inner loops of 64 d numbers run several times faster than of d, and
    sums of sums round less.
    """
    rows, width = x.shape
    group = _GROUP if width < 1024 else 1
    whole = rows - rows % group
    parts = [x[whole:]]
    if whole:
        wide = combine.reduce(np.ascontiguousarray(x[:whole]).reshape(-1, group * width), axis=0)
        parts.append(wide.reshape(group, width))
    found: Floats = combine.reduce(np.concatenate(parts), axis=0, dtype=np.float64)
    return found


def quantiles(x: Floats, cancelled: Stop | None) -> tuple[Floats, Floats]:
    """Median and interquartile range, float64 [d]."""

    def one(column: int) -> tuple[float, float]:
        with np.errstate(over="ignore", invalid="ignore"):
            low, middle, high = np.percentile(np.array(x[:, column], dtype=np.float64), (25, 50, 75))
            return float(middle), float(high - low)

    found = each(one, range(x.shape[1]), work=x.nbytes, cancelled=cancelled)
    return np.array([f[0] for f in found]), np.array([f[1] for f in found])
