"""The points of one tag of one run, as they come in."""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from engine.base.loss_history import LossColumns

BUCKET = 256  # points whose least and greatest value are kept, so that drawing costs the columns and not the points

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Values = NDArray[np.float32] | NDArray[np.float64]


class LoggedCurve:
    """Steps, wall times and values in the order of the steps. One thread adds, any thread reads.

    Values are kept as float32 where the log has them so. `version` changes with every change.

    A run that was started again goes over steps that are there already; what it says counts, and the old points from
    there on are dropped. It is seen by a later file whose first step is not beyond the last, by a step that falls
    back to the beginning, or because the writer says so (`cut`). Other disorder is put in order.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._steps: Ints = np.empty(0, np.int64)
        self._walls: Floats = np.empty(0)
        self._values: Values = np.empty(0, np.float32)
        self._low: Values = np.empty(0, np.float32)  # of each whole bucket, the least finite value
        self._high: Values = np.empty(0, np.float32)
        self._sum: Floats = np.empty(0)  # of the finite values
        self._finite: Ints = np.empty(0, np.int64)  # how many they are
        self._gap: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._indexed = 0  # buckets that are up to date
        self._file = -1  # number of the newest file that holds points
        self._begin = 0  # the first step of that file
        self._fresh = True  # no point since the beginning or a restart
        self.version = 0
        self.restarts = 0

    def __len__(self) -> int:
        return self._count

    @property
    def first(self) -> float | None:
        """The value of the first point; None before it."""
        with self._lock:
            return float(self._values[0]) if self._count else None

    @property
    def last(self) -> tuple[int, float, float] | None:
        """Step, wall time and value of the last point; None before the first."""
        with self._lock:
            if not self._count:
                return None
            at = self._count - 1
            return int(self._steps[at]), float(self._walls[at]), float(self._values[at])

    def points(self) -> tuple[Ints, Floats, Values]:
        """Steps [n], wall times in seconds since 1970 [n] and values [n]; not to be written to."""
        with self._lock:
            return self._steps[: self._count], self._walls[: self._count], self._values[: self._count]

    # Writing.

    def add(self, file: int, steps: Ints, walls: Floats, values: Values) -> None:
        """Add points in the order of the log.

        Args:
            file: number of the file they come from, in the order of the files' names.
        """
        if not len(steps):
            return
        with self._lock:
            self.version += 1
            if file > self._file:
                if self._count and steps[0] <= self._steps[self._count - 1]:
                    self._drop(int(steps[0]))
                    self.restarts += 1
                self._file, self._begin, self._fresh = file, int(steps[0]), False
            elif file < self._file:
                # An older file that still grows: what the newer one has said counts.
                kept = steps < self._begin
                steps, walls, values = steps[kept], walls[kept], values[kept]
            elif self._fresh:
                self._begin, self._fresh = int(steps[0]), False
            if file == self._file:
                steps, walls, values = self._from_restart(steps, walls, values)
            self._append(steps, walls, values)

    def _from_restart(self, steps: Ints, walls: Floats, values: Values) -> tuple[Ints, Floats, Values]:
        """Only what follows the last fall back to the beginning."""
        before = np.empty_like(steps)
        before[1:] = steps[:-1]
        before[0] = self._steps[self._count - 1] if self._count else steps[0]
        falls = np.flatnonzero((steps < before) & (steps <= self._begin))
        if not len(falls):
            return steps, walls, values
        last = int(falls[-1])
        self._drop(int(steps[last]))
        self._begin = int(steps[last])
        self.restarts += len(falls)
        return steps[last:], walls[last:], values[last:]

    def cut(self, step: int) -> None:
        """Drop the points from a step on: the writer has gone back to it."""
        with self._lock:
            if self._count and self._steps[self._count - 1] >= step:
                self.version += 1
                self.restarts += 1
                self._drop(step)
                self._fresh = True

    def _drop(self, step: int) -> None:
        count = int(np.searchsorted(self._steps[: self._count], step))
        # Copies, as readers may hold the old arrays.
        self._steps = self._steps[:count].copy()
        self._walls = self._walls[:count].copy()
        self._values = self._values[:count].copy()
        self._count = count
        self._indexed = min(self._indexed, count // BUCKET)

    def _append(self, steps: Ints, walls: Floats, values: Values) -> None:
        if not len(steps):
            return
        if values.dtype == np.float64 and self._values.dtype == np.float32:
            self._values = self._values.astype(np.float64)
            self._indexed = 0
        ordered = bool((steps[1:] >= steps[:-1]).all())
        if not ordered or (self._count and steps[0] < self._steps[self._count - 1]):
            all_steps = np.concatenate([self._steps[: self._count], steps])
            order = np.argsort(all_steps, kind="stable")
            self._steps = all_steps[order]
            self._walls = np.concatenate([self._walls[: self._count], walls])[order]
            self._values = np.concatenate([self._values[: self._count], values])[order]
            self._count, self._indexed = len(order), 0
            return
        end = self._count + len(steps)
        if end > len(self._steps):
            size = max(end, len(self._steps) * 5 // 4, 64)
            for name in ("_steps", "_walls", "_values"):
                old = getattr(self, name)
                new = np.empty(size, old.dtype)
                new[: self._count] = old[: self._count]
                setattr(self, name, new)
        self._steps[self._count : end] = steps
        self._walls[self._count : end] = walls
        self._values[self._count : end] = values
        self._count = end

    # Drawing.

    def columns(self, edges: NDArray[np.int64] | Floats) -> LossColumns:
        """Cut the steps at `edges` [columns + 1], not falling; each column's least, greatest and mean finite value.

        Column i holds the points with edges[i] <= step < edges[i + 1]. A column of fewer than 1,024 points is exact. A
        longer one may also count up to 256 points beyond each edge, so that a spike near an edge shows in both.
        """
        with self._lock:
            self._index()
            steps, values = self._steps[: self._count], self._values[: self._count]
            places = np.searchsorted(steps, edges)
            starts, stops = places[:-1], places[1:]
            low = np.full(len(starts), np.nan)
            high, gap = low.copy(), np.zeros(len(starts), np.bool_)
            total, count = np.zeros(len(starts)), np.zeros(len(starts), np.int64)
            found = low, high, total, count, gap
            fine = (stops > starts) & (stops - starts < 4 * BUCKET)
            coarse = (stops > starts) & ~fine
            if fine.any():
                first, last = int(starts[fine][0]), int(stops[fine][-1])
                some = values[first:last]
                finite = np.isfinite(some)
                parts = (
                    np.where(finite, some, np.inf),
                    np.where(finite, some, -np.inf),
                    np.where(finite, some, 0.0).astype(np.float64),
                    finite.astype(np.int64),
                    ~finite,
                )
                _reduce(parts, starts[fine] - first, stops[fine] - first, found, fine)
            if coarse.any():
                kept = (self._low, self._high, self._sum, self._finite, self._gap)
                buckets = tuple(array[: self._indexed] for array in kept)
                begin = starts[coarse] // BUCKET
                end = np.minimum(-(-stops[coarse] // BUCKET), self._indexed)
                _reduce(buckets, begin, end, found, coarse)
                if stops[coarse][-1] > self._indexed * BUCKET:  # the points behind the last whole bucket
                    tail = values[self._indexed * BUCKET :]
                    at = int(np.flatnonzero(coarse)[-1])
                    known = tail[np.isfinite(tail)]
                    if len(known):
                        low[at] = np.fmin(low[at], known.min())
                        high[at] = np.fmax(high[at], known.max())
                        total[at] += known.sum(dtype=np.float64)
                        count[at] += len(known)
                    gap[at] |= len(known) < len(tail)
        low[~np.isfinite(low)] = np.nan
        high[~np.isfinite(high)] = np.nan
        with np.errstate(invalid="ignore"):  # nothing finite is no mean
            return LossColumns(np.asarray(edges, np.int64), low, high, total / count, gap)

    def _index(self) -> None:
        """Bring the buckets up to date."""
        whole = self._count // BUCKET
        if whole > len(self._low) or self._low.dtype != self._values.dtype:
            size = max(whole, len(self._low) * 3 // 2)
            own = self._values.dtype
            kinds = {"_low": own, "_high": own, "_sum": np.float64, "_finite": np.int64, "_gap": np.bool_}
            for name, kind in kinds.items():
                new = np.empty(size, kind)
                new[: self._indexed] = getattr(self, name)[: self._indexed]
                setattr(self, name, new)
        if whole > self._indexed:
            part = slice(self._indexed, whole)
            values = self._values[part.start * BUCKET : whole * BUCKET].reshape(-1, BUCKET)
            low, high = values.min(axis=1), values.max(axis=1)
            if np.isfinite(low).all() and np.isfinite(high).all():  # NaN wins over every number
                self._low[part], self._high[part] = low, high
                self._sum[part] = values.sum(axis=1, dtype=np.float64)
                self._finite[part] = BUCKET
                self._gap[part] = False
            else:
                finite = np.isfinite(values)
                self._low[part] = np.where(finite, values, np.inf).min(axis=1)
                self._high[part] = np.where(finite, values, -np.inf).max(axis=1)
                self._sum[part] = np.where(finite, values, 0.0).sum(axis=1, dtype=np.float64)
                self._finite[part] = finite.sum(axis=1)
                self._gap[part] = ~finite.all(axis=1)
            self._indexed = whole


def _reduce(
    arrays: tuple[NDArray[np.generic], ...],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    into: tuple[Floats, Floats, Floats, Ints, NDArray[np.bool_]],
    where: NDArray[np.bool_],
) -> None:
    """Least, greatest, sum, count and any over the ranges starts[i]:stops[i], none of them empty."""
    # reduceat takes pairs; every second result is a range. Its last index may not be the length: pad by one.
    pairs = np.stack([starts, stops], axis=1).ravel()
    ways = ((np.minimum, np.inf), (np.maximum, -np.inf), (np.add, 0), (np.add, 0), (np.logical_or, False))
    for array, (way, fill), target in zip(arrays, ways, into, strict=True):
        target[where] = way.reduceat(np.append(array, np.array(fill, array.dtype)), pairs)[::2]
