"""The loss of every step, exact on disk, and drawable at any width at once.

The exact values are appended to a file of little-endian float64. In memory stays a pyramid: for every 32 steps, then
every 128, 512, ... the least, the greatest and the mean finite loss, and whether one was not finite. A column of a
chart is read from the level whose buckets are at most a quarter of it, so the cost is that of the columns, not of the
steps, and a spike of one step is never lost.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.base import sentences
from engine.base.appending import AppendedFile, DiskRoom
from engine.base.errors import InputError
from engine.base.files import open_regular, open_update

BASE = 32  # steps in a bucket of the finest level; the pyramid takes 25 bytes for them, 1 byte a step in all
FACTOR = 4  # buckets of one level in a bucket of the next
SPARSE = 1 << 30  # bytes from which on a file that takes no room on the disk is looked at as none
ROWS = 2048  # buckets that are summed up at once: their steps fit into a processor's cache

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class LossColumns:
    """A stretch of a history cut into columns; column i holds the steps edges[i] <= step < edges[i + 1]."""

    edges: Ints  # [columns + 1]
    low: Floats  # [columns] least finite loss; NaN where there is none
    high: Floats  # [columns] greatest finite loss; NaN where there is none
    mean: Floats  # [columns] of the finite losses; NaN where there is none
    gap: Bools  # [columns] whether a loss in the column is NaN or infinite


Summary: TypeAlias = tuple[Floats, Floats, Floats, Bools]  # least, greatest and mean of the finite losses, and gaps


@dataclass(frozen=True)
class _Level:
    """The buckets of one level. Behind `count` its arrays have room, of which only the thread that appends knows."""

    arrays: Summary
    count: int

    def extended(self, more: Summary) -> _Level:
        """With more buckets: in the same arrays where they have room, else in larger ones."""
        end, arrays = self.count + len(more[0]), self.arrays
        if end > len(arrays[0]):
            arrays = _room(max(end, len(arrays[0]) * 3 // 2))
            for new, old in zip(arrays, self.arrays, strict=True):
                new[: self.count] = old[: self.count]
        for array, added in zip(arrays, more, strict=True):
            array[self.count : end] = added
        return _Level(arrays, end)

    def part(self, first: int, end: int) -> Summary:
        """Some of the buckets."""
        low, high, mean, gap = self.arrays
        return low[first:end], high[first:end], mean[first:end], gap[first:end]


def _room(size: int) -> Summary:
    return np.empty(size), np.empty(size), np.empty(size), np.empty(size, np.bool_)


@dataclass(frozen=True)
class _Pyramid:
    """All that is known of the steps so far. It never changes: to append is to put another in its place."""

    levels: tuple[_Level, ...] = ()
    tail: Floats = field(default_factory=lambda: np.empty(0))  # after the last complete bucket of the finest level
    count: int = 0
    first: float = float("nan")
    last: float = float("nan")

    def extended(self, losses: Floats) -> _Pyramid:
        """With the losses [n] of more steps, n > 0."""
        values = np.concatenate([self.tail, losses]) if len(self.tail) else losses
        whole = len(values) // BASE
        levels = list(self.levels)
        if whole:
            more = _summary(values[: whole * BASE].reshape(whole, BASE))
            for index in itertools.count():
                if index == len(levels):
                    levels.append(_Level(_room(64), 0))
                level = levels[index] = levels[index].extended(more)
                done = levels[index + 1].count if index + 1 < len(levels) else 0
                buckets = level.count // FACTOR - done
                if not buckets:
                    break
                low, high, mean, gap = level.part(done * FACTOR, (done + buckets) * FACTOR)
                shape = (buckets, FACTOR)
                more = (
                    low.reshape(shape).min(axis=1),
                    high.reshape(shape).max(axis=1),
                    _mean(mean.reshape(shape)),
                    np.asarray(gap.reshape(shape).any(axis=1)),
                )
        tail = values[whole * BASE :].copy()
        first = self.first if self.count else float(losses[0])
        return _Pyramid(tuple(levels), tail, self.count + len(losses), first, float(losses[-1]))

    def open_bucket(self, level: int) -> tuple[float, float, float, bool]:
        """What follows the last complete bucket of a level: the unfinished buckets of the finer ones and the tail."""
        parts: list[tuple[Summary, int]] = []  # with the steps in a bucket
        for index in range(level):
            fine = self.levels[index]
            parts.append((fine.part(self.levels[index + 1].count * FACTOR, fine.count), BASE * FACTOR**index))
        if len(self.tail):
            parts.append((_summary(self.tail[None]), len(self.tail)))
        low, high, mean, gap = (np.concatenate([part[which] for part, _ in parts]) for which in range(4))
        weights = np.concatenate([np.full(len(part[0]), size) for part, size in parts]) * np.isfinite(mean)
        total = float(weights.sum())
        middle = float(np.where(weights > 0, mean, 0.0) @ weights) / total if total else np.nan
        return float(low.min(initial=np.inf)), float(high.max(initial=-np.inf)), middle, bool(gap.any())


def _summary(values: Floats) -> Summary:
    """Of each row of [rows, n]; +inf, -inf and NaN where no value is finite."""
    low, high, mean = _along(values)
    # NaN wins over every number, so that the ends tell whether all between them is finite.
    if np.isfinite(low).all() and np.isfinite(high).all():
        return low, high, mean, np.zeros(len(values), np.bool_)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=1)
    high = np.where(finite, values, -np.inf).max(axis=1)
    return low, high, _mean(np.where(finite, values, np.nan)), np.asarray(~finite.all(axis=1))


def _along(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Least, greatest and mean value of each row of [rows, n].

    numpy takes short rows one by one; turned on their sides, block by block, they take an eighth of the time.
    """
    low, high, mean = np.empty(len(values)), np.empty(len(values)), np.empty(len(values))
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(values), ROWS):
            part = slice(first, first + ROWS)
            turned = np.ascontiguousarray(values[part].T)
            np.minimum.reduce(turned, axis=0, out=low[part])
            np.maximum.reduce(turned, axis=0, out=high[part])
            np.add.reduce(turned, axis=0, out=mean[part])
        mean /= values.shape[1]
    return low, high, mean


def _mean(values: Floats) -> Floats:
    """The mean of each row of [rows, n], NaN left out."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.where(there, values, 0.0).sum(axis=1) / there.sum(axis=1))


class History:
    """The loss before each update, in order. One thread appends; any thread reads, and never waits for that one.

    Args:
        path: the file to append to, which may hold the losses of an earlier part of the run; without one a temporary
            file is used that goes with the history.
        keep: take only the first `keep` losses of the file and cut off the rest (resuming from a checkpoint).
        room: notes a disk that is full.
    """

    def __init__(self, path: Path | None = None, *, keep: int | None = None, room: DiskRoom | None = None) -> None:
        if path is None:
            with tempfile.TemporaryFile() as file:
                self._file = os.dup(file.fileno())
        else:
            self._file = open_update(path)
        self._known = _Pyramid()
        self._closed = False
        held = os.fstat(self._file).st_size // 8
        os.ftruncate(self._file, 8 * (held if keep is None else min(held, keep)))
        self._end: AppendedFile | None = (room or DiskRoom()).open(self._file, path or Path(sentences.THE_LOSSES()))
        self._load()

    @classmethod
    def open(cls, path: Path) -> History:
        """The history in a file, for reading. Raises FileNotFoundError, and InputError where it is no plain file."""
        history = cls.__new__(cls)
        with open_regular(path) as file:
            found = os.fstat(file.fileno())
            if found.st_size > SPARSE and 512 * found.st_blocks < found.st_size // 1000:
                raise InputError(sentences.NOTHING_IN_IT(path=path, size=found.st_size))
            history._file = os.dup(file.fileno())
        history._end = None
        history._known = _Pyramid()
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
        if held > len(self):
            self._index(self._read(len(self), held))

    def __len__(self) -> int:
        return self._known.count

    @property
    def first(self) -> float:
        """The oldest loss; NaN before it."""
        return self._known.first

    @property
    def last(self) -> float:
        """The newest loss; NaN before the first."""
        return self._known.last

    def append(self, losses: Floats) -> None:
        """Add the losses of the next steps: float64 [n].

        Losses for which the disk has no room wait in memory, see `engine.base.appending`.

        Raises:
            OSError: the disk is gone; nothing of this call is then counted.
        """
        assert self._end is not None, "this history was opened for reading"
        self._end.append(np.ascontiguousarray(losses, "<f8").data.cast("B"))
        self._index(np.asarray(losses, np.float64))

    def _index(self, losses: Floats) -> None:
        if len(losses):
            self._known = self._known.extended(losses)

    def _read(self, start: int, stop: int) -> Floats:
        begin, end = 8 * start, 8 * stop
        at, waiting = (end, b"") if self._end is None else self._end.waiting
        content = os.pread(self._file, max(0, (min(end, at) if waiting else end) - begin), begin)
        if waiting and end > at:  # the disk has no room for them yet
            content += waiting[max(0, begin - at) : end - at]
        return np.frombuffer(content, "<f8").astype(np.float64, copy=False)

    def values(self, start: int = 0, stop: int | None = None) -> Floats:
        """The exact losses of steps start <= step < stop: float64 [at most stop - start]."""
        stop = len(self) if stop is None else min(stop, len(self))
        return self._read(start, stop) if stop > start else np.empty(0)

    def columns(self, edges: Ints) -> LossColumns:
        """Cut the steps at `edges` (int64 [columns + 1], not falling); each column's least, greatest and mean loss.

        A column of fewer than 128 steps is exact. A longer one may also count up to a quarter of its length beyond its
        edges, so that a spike near an edge shows in both columns.
        """
        edges = np.asarray(edges, np.int64)
        columns = len(edges) - 1
        low, high, mean = np.full(columns, np.inf), np.full(columns, -np.inf), np.full(columns, np.nan)
        gap = np.zeros(columns, np.bool_)
        known = self._known
        width = np.diff(edges)
        level = np.full(columns, -1)
        for index in range(len(known.levels)):
            level[width >= 4 * BASE * FACTOR**index] = index
        starts = np.clip(edges[:-1], 0, known.count)
        stops = np.clip(edges[1:], 0, known.count)
        filled = stops > starts
        for index in (np.flatnonzero(np.bincount(level[filled] + 1)) - 1).tolist():
            chosen = np.flatnonzero(filled & (level == index))
            # A stretch of neighbouring columns is reduced in one call.
            for part in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1):
                self._reduce(known, index, starts[part], stops[part], (low, high, mean, gap), part)
        empty = ~np.isfinite(low)
        low[empty] = np.nan
        high[empty] = np.nan
        return LossColumns(edges, low, high, mean, gap)

    def _reduce(self, known: _Pyramid, level: int, starts: Ints, stops: Ints, found: Summary, into: Ints) -> None:
        share = 1.0  # of the last bucket that is filled
        if level < 0:
            size, first = 1, int(starts[0])
            means = self._read(first, int(stops[-1]))
            finite = np.isfinite(means)
            lows, highs, gaps = np.where(finite, means, np.inf), np.where(finite, means, -np.inf), ~finite
        else:
            size = BASE * FACTOR**level
            buckets = known.levels[level]
            first = int(starts[0]) // size
            lows, highs, means, gaps = buckets.part(first, min(-(-int(stops[-1]) // size), buckets.count))
            if int(stops[-1]) > buckets.count * size:
                open_low, open_high, open_mean, open_gap = known.open_bucket(level)
                lows, highs, means = np.append(lows, open_low), np.append(highs, open_high), np.append(means, open_mean)
                gaps, share = np.append(gaps, open_gap), (known.count - buckets.count * size) / size
        begin = starts // size - first
        end = -(-stops // size) - first
        # reduceat takes pairs; every second result is a column. Its last index may not be the length: pad by one.
        pairs = np.stack([begin, end], axis=1).ravel()
        low, high, mean, gap = found
        low[into] = np.minimum.reduceat(np.append(lows, np.inf), pairs)[::2]
        high[into] = np.maximum.reduceat(np.append(highs, -np.inf), pairs)[::2]
        gap[into] = np.logical_or.reduceat(np.append(gaps, False), pairs)[::2]
        weights = np.isfinite(means).astype(np.float64)
        weights[-1:] *= share
        with np.errstate(invalid="ignore", over="ignore"):  # nothing finite is no mean
            sums = np.add.reduceat(np.append(np.where(weights > 0, means * weights, 0.0), 0.0), pairs)[::2]
            mean[into] = sums / np.add.reduceat(np.append(weights, 0.0), pairs)[::2]

    def sync(self) -> None:
        """Have the disk keep what has been appended."""
        os.fsync(self._file)

    def close(self) -> None:
        """Give the file back. What is asked of the history afterwards still comes from the pyramid and is exact only
        in long columns, so close it when nobody reads it any more."""
        if not self._closed:
            self._closed = True
            if self._end is not None:
                self._end.close()
            else:
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
    def first(self) -> float | None:
        """The oldest value, None before it."""
        return float(self._values[0]) if self._count else None

    @property
    def last(self) -> float | None:
        """The newest value, None before the first."""
        return float(self._values[self._count - 1]) if self._count else None

    def points(self) -> tuple[Ints, Floats]:
        """Steps int64 [n] and values float64 [n]."""
        count = self._count
        return self._steps[:count], self._values[:count]
