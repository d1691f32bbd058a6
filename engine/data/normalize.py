"""Bringing columns to one scale, and back: fit, transform, inverse, and folding into weights for raw units.

Every mode is `(x - offset) / scale` for each column, fitted in float64 on train rows only:

    none      offset 0       scale 1
    max       offset 0       scale max |x|
    minmax    offset min     scale max - min
    zscore    offset mean    scale standard deviation (sample: n - 1, population: n)
    robust    offset median  scale interquartile range (linear quantiles, as numpy and scikit-learn have them)

A column whose values differ by less than `CONSTANT` of the largest of them is constant: the difference is rounding,
and dividing by it would blow noise up to the size of a feature. Its scale is 1 (in mode max it is max |x| as for any
other column, and 1 for a column of zeros). A column with an interquartile range of 0 that is not constant (a count that
is mostly 0) takes its standard deviation under robust, since a scale of 1 would leave a ravine in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data import statistics
from engine.data.parallel import Stop, blocks, each, spans
from engine.data.statistics import Deviation
from engine.data.table import Floats

Mode = Literal["none", "max", "minmax", "zscore", "robust"]

CONSTANT = 1e-13
"""Largest (max - min) / max |x| that counts as constant: some 450 roundings of float64."""


@dataclass(frozen=True)
class TargetScale:
    """The target's own scale: y_scaled = (y - offset) / scale."""

    offset: float = 0.0
    scale: float = 1.0

    def transform(self, y: Floats) -> Floats:
        """From the target's units, any shape."""
        return (y - self.offset) / self.scale

    def inverse(self, y: Floats) -> Floats:
        """Back to the target's units, any shape."""
        return y * self.scale + self.offset

    def to_json(self) -> dict[str, float]:
        """As plain values for JSON."""
        return {"offset": self.offset, "scale": self.scale}

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> TargetScale:
        """What `to_json` gave."""
        return cls(float(tree["offset"]), float(tree["scale"]))


@dataclass(frozen=True, eq=False)
class Normalizer:
    """A fitted normalization of d columns.

    Attributes:
        mode: which of the five.
        offset: float64 [d].
        scale: float64 [d], never 0.
        constant: bool [d], columns that the train rows show as constant.
    """

    mode: Mode
    offset: Floats
    scale: Floats
    constant: NDArray[np.bool_]

    def transform(self, x: Floats) -> Floats:
        """(x - offset) / scale for x [n, d] or [d], as a new float64 array."""
        if self.mode == "none":
            return np.array(x, dtype=np.float64)
        return (np.asarray(x, dtype=np.float64) - self.offset) / self.scale

    def inverse(self, x: Floats) -> Floats:
        """Back to raw units, x [n, d] or [d]."""
        if self.mode == "none":
            return np.array(x, dtype=np.float64)
        return np.asarray(x, dtype=np.float64) * self.scale + self.offset

    def transform_in_place(self, x: Floats, cancelled: Stop | None = None) -> None:
        """Like `transform`, within x [n, d] itself and on all cores. Bit for bit the same numbers."""
        if self.mode == "none":
            return

        def part(span: slice) -> None:
            for block in blocks(span.stop - span.start):
                piece = x[span][block]
                np.subtract(piece, self.offset, out=piece)
                np.divide(piece, self.scale, out=piece)

        each(part, spans(len(x)), work=x.nbytes, cancelled=cancelled)

    def fold(self, weights: Floats, bias: Floats, target: TargetScale | None = None) -> tuple[Floats, Floats]:
        """Weights for raw features and a raw target from those for normalized ones.

        w_raw = s_y * w / s and b_raw = s_y * b + m_y - sum(w_raw * m), with m, s of the features and m_y, s_y of the
        target.

        Args:
            weights: float64 [d, k] or [d].
            bias: float64 [k], or a number's array [].
        """
        target = target or TargetScale()
        raw = target.scale * np.asarray(weights) / self._along(weights, self.scale)
        return raw, target.scale * np.asarray(bias) + target.offset - np.tensordot(self.offset, raw, axes=1)

    @staticmethod
    def _along(weights: Floats, by_column: Floats) -> Floats:
        return by_column if np.ndim(weights) == 1 else by_column[:, np.newaxis]

    def to_json(self) -> dict[str, Any]:
        """As plain values for JSON; floats keep every bit in Python's shortest form."""
        return {
            "mode": self.mode,
            "offset": self.offset.tolist(),
            "scale": self.scale.tolist(),
            "constant": self.constant.tolist(),
        }

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Normalizer:
        """What `to_json` gave."""
        return cls(
            tree["mode"],
            np.array(tree["offset"], dtype=np.float64),
            np.array(tree["scale"], dtype=np.float64),
            np.array(tree["constant"], dtype=np.bool_),
        )


def fit(
    x_train: Floats,
    mode: Mode,
    std: Deviation = "sample",
    *,
    names: Sequence[str] = (),
    cancelled: Stop | None = None,
) -> Normalizer:
    """The normalization of the columns of x_train [n, d], n >= 1. Statistics are float64 whatever x is.

    Args:
        names: of the columns, for messages.

    Raises:
        InputError: a column holds NaN or Inf, or numbers so huge that its spread is no float64.
    """
    spread = statistics.Spread.of(x_train, sums=mode == "zscore", cancelled=cancelled)
    return _choose(
        mode,
        _Known(
            spread.low,
            spread.high,
            lambda: statistics.moments(x_train, spread, std, cancelled),
            lambda: statistics.quantiles(x_train, cancelled),
        ),
        names,
    )


def under_every_mode(
    x: Floats, fitted: Normalizer, std: Deviation = "sample", *, cancelled: Stop | None = None
) -> dict[Mode, Normalizer]:
    """The normalization of the raw columns under each mode, from x [n, d], which `fitted` has normalized.

    Far cheaper than making the raw columns anew, and equal up to rounding. A mode that the columns refuse is left out.
    """
    spread = statistics.Spread.of(x, sums=True, cancelled=cancelled)

    def moments() -> tuple[Floats, Floats]:
        mean, deviation = statistics.moments(x, spread, std, cancelled)
        return fitted.inverse(mean), deviation * fitted.scale

    def quantiles() -> tuple[Floats, Floats]:
        median, reach = statistics.quantiles(x, cancelled)
        return fitted.inverse(median), reach * fitted.scale

    found: dict[Mode, Normalizer] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        known = _Known(fitted.inverse(spread.low), fitted.inverse(spread.high), moments, quantiles)
        for mode in get_args(Mode):
            with suppress(InputError):
                found[mode] = fitted if mode == fitted.mode else _choose(mode, known, ())
    return found


@dataclass(frozen=True, eq=False)
class _Known:
    """What the modes need to know of d columns, float64 [d] each; the dearer figures when they are asked for."""

    low: Floats
    high: Floats
    moments: Callable[[], tuple[Floats, Floats]]  # mean and standard deviation
    quantiles: Callable[[], tuple[Floats, Floats]]  # median and interquartile range


def _choose(mode: Mode, known: _Known, names: Sequence[str]) -> Normalizer:
    low, high = known.low, known.high
    _refuse(~np.isfinite(low) | ~np.isfinite(high), names, "holds a value that is not finite")
    largest = np.maximum(np.abs(low), np.abs(high))
    with np.errstate(over="ignore"):
        reach = high - low
    constant = reach <= CONSTANT * largest
    offset, scale = np.zeros(len(low)), np.ones(len(low))
    if mode == "max":
        scale = np.where(largest > 0, largest, 1.0)
    elif mode == "minmax":
        offset, scale = low, reach
    elif mode == "zscore":
        offset, scale = known.moments()
    elif mode == "robust":
        offset, scale = known.quantiles()
        narrow = (scale <= CONSTANT * largest) & ~constant
        if narrow.any():
            scale[narrow] = known.moments()[1][narrow]
    if mode not in ("none", "max"):
        scale = np.where(constant, 1.0, scale)
        # A scale can vanish in the very smallest numbers although the values differ.
        scale = np.where(scale == 0, 1.0, scale)
    _refuse(~np.isfinite(offset) | ~np.isfinite(scale), names, "holds numbers too huge to be normalized")
    return Normalizer(mode, offset, scale, constant)


def fit_target(y_train: Floats, mode: Mode, std: Deviation = "sample", *, name: str = "target") -> TargetScale:
    """The target's scale, y_train [n], in the way of the features; z-score where they are left alone ("none")."""
    fitted = fit(y_train[:, np.newaxis], "zscore" if mode == "none" else mode, std, names=(name,))
    return TargetScale(float(fitted.offset[0]), float(fitted.scale[0]))


def _refuse(bad: NDArray[np.bool_], names: Sequence[str], complaint: str) -> None:
    if bad.any():
        column = int(np.flatnonzero(bad)[0])
        name = names[column] if column < len(names) else f"number {column + 1}"
        raise InputError(
            f"Column {name} {complaint}; correct it, leave it out (--drop), or divide it by a round number first."
        )
