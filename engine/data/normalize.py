"""Bringing columns to one scale, and back: fit, transform, inverse, and folding into weights for raw units.

Every mode (`engine.registry.modes`) is `(x - offset) / scale` for each column, fitted in float64 on train rows only.

A column whose values differ by less than `CONSTANT` of the largest of them is constant: the difference is rounding,
and dividing by it would blow noise up to the size of a feature. Its scale is 1, unless the mode takes no offset away.
A column that is not constant but whose scale is rounding all the same (a count that is mostly 0 has an interquartile
range of 0) takes its standard deviation, since a scale of 1 would leave a ravine in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.base.sentence import Sentence
from engine.data import sentences, statistics
from engine.data.parallel import Stop, blocks, each, spans
from engine.data.statistics import Deviation
from engine.data.table import Floats
from engine.registry.modes import DEFAULT, REGISTRY

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
        mode: which one of `engine.registry.modes`.
        offset: float64 [d].
        scale: float64 [d], never 0.
        constant: bool [d], columns that the train rows show as constant.
    """

    mode: str
    offset: Floats
    scale: Floats
    constant: NDArray[np.bool_]

    @property
    def scales(self) -> bool:
        """Whether it changes anything."""
        return REGISTRY[self.mode].scales

    def transform(self, x: Floats) -> Floats:
        """(x - offset) / scale for x [n, d] or [d], as a new float64 array."""
        if not self.scales:
            return np.array(x, dtype=np.float64)
        return (np.asarray(x, dtype=np.float64) - self.offset) / self.scale

    def inverse(self, x: Floats) -> Floats:
        """Back to raw units, x [n, d] or [d]."""
        if not self.scales:
            return np.array(x, dtype=np.float64)
        return np.asarray(x, dtype=np.float64) * self.scale + self.offset

    def transform_in_place(self, x: Floats, cancelled: Stop | None = None) -> None:
        """Like `transform`, within x [n, d] itself and on all cores. Bit for bit the same numbers."""
        if not self.scales:
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
    mode: str,
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
    return _choose(mode, _raw(x_train, mode, std, cancelled), names)


def stand_ins(x_train: Floats, fitted: Normalizer, std: Deviation = "sample") -> list[int]:
    """The columns of x_train [n, d] whose standard deviation `fitted` takes instead of its mode's own scale."""
    one = REGISTRY[fitted.mode]
    if one.fit is None:
        return []
    columns = _raw(x_train, fitted.mode, std, None)
    own = one.fit(np, columns)[1]
    return np.flatnonzero(_narrow(own, columns) & (own != fitted.scale)).tolist()


def under_every_mode(
    x: Floats, fitted: Normalizer, std: Deviation = "sample", *, cancelled: Stop | None = None
) -> dict[str, Normalizer]:
    """The normalization of the raw columns under each mode, from x [n, d], which `fitted` has normalized.

    Far cheaper than making the raw columns anew, and equal up to rounding. A mode that the columns refuse is left out.
    """
    found: dict[str, Normalizer] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        columns = _Columns(x, statistics.Spread.of(x, sums=True, cancelled=cancelled), std, fitted, cancelled)
        for mode in REGISTRY.names:
            with suppress(InputError):
                found[mode] = fitted if mode == fitted.mode else _choose(mode, columns, ())
    return found


def _raw(x: Floats, mode: str, std: Deviation, cancelled: Stop | None) -> _Columns:
    spread = statistics.Spread.of(x, sums=REGISTRY[mode].moments, cancelled=cancelled)
    return _Columns(x, spread, std, None, cancelled)


class _Columns:
    """`engine.registry.modes.Columns` of x [n, d], which `fitted` has normalized if it is not None."""

    def __init__(
        self, x: Floats, spread: statistics.Spread, std: Deviation, fitted: Normalizer | None, cancelled: Stop | None
    ) -> None:
        self._x, self._spread, self._std, self._fitted, self._cancelled = x, spread, std, fitted, cancelled
        self.low, self.high = self._own(spread.low), self._own(spread.high)
        self.largest = np.maximum(np.abs(self.low), np.abs(self.high))
        with np.errstate(over="ignore", invalid="ignore"):
            self.constant = self.high - self.low <= CONSTANT * self.largest

    def moments(self) -> tuple[Floats, Floats]:
        mean, deviation = statistics.moments(self._x, self._spread, self._std, self._cancelled)
        return self._own(mean), self._wide(deviation)

    def quartiles(self) -> tuple[Floats, Floats]:
        median, reach = statistics.quantiles(self._x, self._cancelled)
        return self._own(median), self._wide(reach)

    def each(self, function: Callable[[Floats], float]) -> Floats:
        def one(number: int) -> float:
            column = np.array(self._x[:, number], dtype=np.float64)
            if self._fitted is not None:
                column = column * self._fitted.scale[number] + self._fitted.offset[number]
            return float(function(column))

        found = each(one, range(self._x.shape[1]), work=self._x.nbytes, cancelled=self._cancelled)
        return np.array(found, dtype=np.float64)

    def _own(self, values: Floats) -> Floats:
        return values if self._fitted is None else self._fitted.inverse(values)

    def _wide(self, widths: Floats) -> Floats:
        return widths if self._fitted is None else widths * self._fitted.scale


def _choose(mode: str, columns: _Columns, names: Sequence[str]) -> Normalizer:
    _refuse(~np.isfinite(columns.low) | ~np.isfinite(columns.high), names, sentences.NOT_FINITE)
    offset, scale = np.zeros(len(columns.low)), np.ones(len(columns.low))
    how = REGISTRY[mode].fit
    if how is not None:
        with np.errstate(over="ignore"):
            away, own = how(np, columns)
        # A copy in the shape of the columns, whatever the mode gives.
        scale = np.array(np.broadcast_to(np.asarray(own, dtype=np.float64), scale.shape))
        narrow = _narrow(scale, columns)
        if narrow.any():
            scale[narrow] = columns.moments()[1][narrow]
        blown_up = columns.constant & (scale <= CONSTANT * columns.largest)
        if away is not None:
            offset = np.array(np.broadcast_to(np.asarray(away, dtype=np.float64), offset.shape))
            blown_up = columns.constant
        # A scale can vanish in the very smallest numbers although the values differ.
        scale = np.where(blown_up | (scale == 0), 1.0, scale)
    _refuse(~np.isfinite(offset) | ~np.isfinite(scale), names, sentences.TOO_HUGE)
    return Normalizer(mode, offset, scale, columns.constant)


def _narrow(scale: Floats, columns: _Columns) -> NDArray[np.bool_]:
    """The columns that are not constant, but whose scale is rounding beside their numbers."""
    return np.asarray((scale <= CONSTANT * columns.largest) & ~columns.constant)


def fit_target(y_train: Floats, mode: str, std: Deviation = "sample", *, name: str = "target") -> TargetScale:
    """The target's scale, y_train [n], in the way of the features; in the default one where they are left alone."""
    fitted = fit(y_train[:, np.newaxis], of_target(mode), std, names=(name,))
    return TargetScale(float(fitted.offset[0]), float(fitted.scale[0]))


def of_target(mode: str) -> str:
    """The mode that the target is normalized by where the features are by `mode`."""
    return mode if REGISTRY[mode].scales else DEFAULT


def _refuse(bad: NDArray[np.bool_], names: Sequence[str], complaint: Sentence) -> None:
    if bad.any():
        column = int(np.flatnonzero(bad)[0])
        name = names[column] if column < len(names) else sentences.COLUMN_NUMBER(number=column + 1)
        raise InputError(complaint(column=name))
