"""The loss of every step, exact on disk, and drawable at any width at once.

The exact values are appended to a file of little-endian float64. In memory stays a pyramid: for every 32 steps, then
every 128, 512, ... the least and the greatest finite loss, and whether one was not finite. A column of a chart is read
from the level whose buckets are at most a quarter of it, so the cost is that of the columns, not of the steps, and a
spike of one step is never lost.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BASE = 32  # steps in a bucket of the finest level; the pyramid takes 17 bytes for them, 0.7 bytes a step in all
FACTOR = 4  # buckets of one level in a bucket of the next

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Columns:
    """A stretch of a history cut into columns; column i holds the steps edges[i] <= step < edges[i + 1]."""

    edges: Ints  # [columns + 1]
    low: Floats  # [columns] least finite loss; NaN where there is none
    high: Floats  # [columns] greatest finite loss; NaN where there is none
    gap: Bools  # [columns] whether a loss in the column is NaN or infinite


class _Buckets:
    """Growing arrays of bucket minima, maxima and gaps."""

    def __init__(self) -> None:
        self.count = 0
        self.low: Floats = np.empty(64)
        self.high: Floats = np.empty(64)
        self.gap: Bools = np.empty(64, np.bool_)

    def extend(self, low: Floats, high: Floats, gap: Bools) -> None:
        end = self.count + len(low)
        if end > len(self.low):
            size = max(end, len(self.low) * 3 // 2)
            for name in ("low", "high", "gap"):
                old = getattr(self, name)
                new = np.empty(size, old.dtype)
                new[: self.count] = old[: self.count]
                setattr(self, name, new)
        self.low[self.count : end] = low
        self.high[self.count : end] = high
        self.gap[self.count : end] = gap
        self.count = end


def _summary(values: Floats) -> tuple[Floats, Floats, Bools]:
    """Least and greatest finite value and the gaps of each row of [rows, n]; +inf and -inf where nothing is finite."""
    low, high = values.min(axis=1), values.max(axis=1)
    # NaN wins over every number, so that the ends tell whether all between them is finite.
    if np.isfinite(low).all() and np.isfinite(high).all():
        return low, high, np.zeros(len(values), np.bool_)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1)
    high = np.where(finite, values, -np.inf).max(axis=1)
    return low, high, np.asarray(~finite.all(axis=1))


class History:
    """The loss before each update, in order. One thread appends, any thread reads.

    Args:
        path: the file to append to, which may hold the losses of an earlier part of the run; without one a temporary
            file is used that goes with the history.
        keep: take only the first `keep` losses of the file and cut off the rest (resuming from a checkpoint).
    """

    def __init__(self, path: Path | None = None, *, keep: int | None = None) -> None:
        if path is None:
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())
        else:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._lock = Lock()
        self._levels: list[_Buckets] = []
        self._tail: Floats = np.empty(0)  # the losses after the last complete bucket of the finest level
        self._count = 0
        self._last = float("nan")
        self._closed = False
        held = os.fstat(self._file).st_size // 8
        os.ftruncate(self._file, 8 * (held if keep is None else min(held, keep)))
        self._load()

    @classmethod
    def open(cls, path: Path) -> History:
        """The history in a file, for reading. Raises FileNotFoundError."""
        history = cls.__new__(cls)
        history._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        history._lock = Lock()
        history._levels, history._tail, history._count, history._last = [], np.empty(0), 0, float("nan")
        history._closed = False
        history._load()
        return history

    def _load(self) -> None:
        held = os.fstat(self._file).st_size // 8
        block = 1 << 20
        for start in range(0, held, block):
            self._index(self._read(start, min(start + block, held)))

    def refresh(self) -> None:
        """Take in what another process has appended to the file since."""
        held = os.fstat(self._file).st_size // 8
        if held > self._count:
            self._index(self._read(self._count, held))

    def __len__(self) -> int:
        return self._count

    @property
    def last(self) -> float:
        """The newest loss; NaN before the first."""
        return self._last

    def append(self, losses: Floats) -> None:
        """Add the losses of the next steps: float64 [n].

        Raises:
            OSError: the disk is full or gone; nothing of this call is then counted.
        """
        content = np.ascontiguousarray(losses, "<f8").data.cast("B")
        at = 8 * self._count
        while content:
            written = os.pwrite(self._file, content, at)
            content, at = content[written:], at + written
        self._index(np.asarray(losses, np.float64))

    def _index(self, losses: Floats) -> None:
        if not len(losses):
            return
        with self._lock:
            values = np.concatenate([self._tail, losses]) if len(self._tail) else losses
            whole = len(values) // BASE
            if whole:
                low, high, gap = _summary(values[: whole * BASE].reshape(whole, BASE))
                self._extend(0, low, high, gap)
            self._tail = values[whole * BASE :].copy()
            self._count += len(losses)
            self._last = float(losses[-1])

    def _extend(self, level: int, low: Floats, high: Floats, gap: Bools) -> None:
        if level == len(self._levels):
            self._levels.append(_Buckets())
        buckets = self._levels[level]
        buckets.extend(low, high, gap)
        done = self._levels[level + 1].count if level + 1 < len(self._levels) else 0
        whole = buckets.count // FACTOR - done
        if whole:
            part = slice(done * FACTOR, (done + whole) * FACTOR)
            shape = (whole, FACTOR)
            self._extend(
                level + 1,
                buckets.low[part].reshape(shape).min(axis=1),
                buckets.high[part].reshape(shape).max(axis=1),
                np.asarray(buckets.gap[part].reshape(shape).any(axis=1)),
            )

    def _read(self, start: int, stop: int) -> Floats:
        content = os.pread(self._file, 8 * (stop - start), 8 * start)
        return np.frombuffer(content, "<f8").astype(np.float64, copy=False)

    def values(self, start: int = 0, stop: int | None = None) -> Floats:
        """The exact losses of steps start <= step < stop: float64 [at most stop - start]."""
        stop = self._count if stop is None else min(stop, self._count)
        return self._read(start, stop) if stop > start else np.empty(0)

    def columns(self, edges: Ints) -> Columns:
        """Cut the steps at `edges` (int64 [columns + 1], not falling) and give each column's least and greatest loss.

        A column of fewer than 128 steps is exact. A longer one may also count up to a quarter of its length beyond its
        edges, so that a spike near an edge shows in both columns.
        """
        edges = np.asarray(edges, np.int64)
        columns = len(edges) - 1
        low, high = np.full(columns, np.inf), np.full(columns, -np.inf)
        gap = np.zeros(columns, np.bool_)
        with self._lock:
            count = self._count
            width = np.diff(edges)
            level = np.full(columns, -1)
            for index in range(len(self._levels)):
                level[width >= 4 * BASE * FACTOR**index] = index
            starts = np.clip(edges[:-1], 0, count)
            stops = np.clip(edges[1:], 0, count)
            filled = stops > starts
            for index in (np.flatnonzero(np.bincount(level[filled] + 1)) - 1).tolist():
                chosen = np.flatnonzero(filled & (level == index))
                # A stretch of neighbouring columns is reduced in one call.
                for part in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1):
                    self._reduce(index, starts[part], stops[part], low, high, gap, part)
        empty = ~np.isfinite(low)
        low[empty] = np.nan
        high[empty] = np.nan
        return Columns(edges, low, high, gap)

    def _reduce(self, level: int, starts: Ints, stops: Ints, low: Floats, high: Floats, gap: Bools, into: Ints) -> None:
        if level < 0:
            size, first = 1, int(starts[0])
            values = self._read(first, int(stops[-1]))
            finite = np.isfinite(values)
            lows, highs, gaps = np.where(finite, values, np.inf), np.where(finite, values, -np.inf), ~finite
        else:
            size = BASE * FACTOR**level
            buckets = self._levels[level]
            first = int(starts[0]) // size
            last = min(-(-int(stops[-1]) // size), buckets.count)
            lows, highs, gaps = buckets.low[first:last], buckets.high[first:last], buckets.gap[first:last]
            if int(stops[-1]) > buckets.count * size:
                open_low, open_high, open_gap = self._open_bucket(level)
                lows, highs, gaps = np.append(lows, open_low), np.append(highs, open_high), np.append(gaps, open_gap)
        begin = starts // size - first
        end = -(-stops // size) - first
        # reduceat takes pairs; every second result is a column. Its last index may not be the length: pad by one.
        pairs = np.stack([begin, end], axis=1).ravel()
        low[into] = np.minimum.reduceat(np.append(lows, np.inf), pairs)[::2]
        high[into] = np.maximum.reduceat(np.append(highs, -np.inf), pairs)[::2]
        gap[into] = np.logical_or.reduceat(np.append(gaps, False), pairs)[::2]

    def _open_bucket(self, level: int) -> tuple[float, float, bool]:
        """What follows the last complete bucket of a level: the unfinished buckets of the finer ones and the tail."""
        low, high, gap = np.inf, -np.inf, False
        for index in range(level):
            buckets = self._levels[index]
            part = slice(self._levels[index + 1].count * FACTOR, buckets.count)
            if part.stop > part.start:
                low = min(low, float(buckets.low[part].min()))
                high = max(high, float(buckets.high[part].max()))
                gap = gap or bool(buckets.gap[part].any())
        if len(self._tail):
            tail_low, tail_high, tail_gap = _summary(self._tail[None])
            low, high, gap = min(low, float(tail_low[0])), max(high, float(tail_high[0])), gap or bool(tail_gap[0])
        return low, high, gap

    def sync(self) -> None:
        """Have the disk keep what has been appended."""
        os.fsync(self._file)

    def close(self) -> None:
        """Give the file back. What is asked of the history afterwards still comes from the pyramid and is exact only
        in long columns, so close it when nobody reads it any more."""
        if not self._closed:
            self._closed = True
            os.close(self._file)

    def __del__(self) -> None:
        if hasattr(self, "_closed"):
            self.close()


class Series:
    """Values at some of the steps, such as validation losses. One thread appends, any thread reads."""

    def __init__(self) -> None:
        self._steps: Ints = np.empty(64, np.int64)
        self._values: Floats = np.empty(64)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, step: int, value: float) -> None:
        """Add a value; steps must not fall."""
        if self._count == len(self._steps):
            # New arrays rather than resized ones: a reader may hold views of the old.
            self._steps = np.concatenate([self._steps, np.empty_like(self._steps)])
            self._values = np.concatenate([self._values, np.empty_like(self._values)])
        self._steps[self._count] = step
        self._values[self._count] = value
        self._count += 1

    @property
    def last(self) -> float | None:
        """The newest value, None before the first."""
        return float(self._values[self._count - 1]) if self._count else None

    def points(self) -> tuple[Ints, Floats]:
        """Steps int64 [n] and values float64 [n]."""
        count = self._count
        return self._steps[:count], self._values[:count]
