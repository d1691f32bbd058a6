"""The run's TensorBoard event file. tensorboard itself is not needed to write it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.base.appending import DiskRoom
from engine.base.files import open_append
from engine.runs import records
from engine.runs.facts import host

DENSE = 2000  # steps that `auto` writes one by one
OCTAVE = 400  # points that it writes each time the step number doubles: under 10,000 up to a billion steps
HISTOGRAMS = 50  # evaluations of a run, at most, that come with histograms


def logged(start: int, end: int, every: int | Literal["auto", "all"]) -> NDArray[np.int64]:
    """The steps from start on, before end, that get a point. Decided by the step alone, so that pausing moves none."""
    if every == "all":
        return np.arange(start, end, dtype=np.int64)
    if every != "auto":
        return np.arange(-(-start // every) * every, end, every, dtype=np.int64)
    parts = [np.arange(start, min(end, DENSE), dtype=np.int64)]
    first, stride = DENSE, DENSE // OCTAVE
    while first < end:  # an octave: from one doubling of the step number to the next
        begin = max(first, -(-start // stride) * stride)
        parts.append(np.arange(begin, min(end, 2 * first), stride, dtype=np.int64))
        first, stride = 2 * first, 2 * stride
    return np.concatenate(parts)


def histogram_steps(steps: int, eval_every: int) -> int:
    """Steps between evaluations that come with histograms, for a run of `steps`."""
    evaluations = max(1, -(-steps // eval_every))
    return eval_every * -(-evaluations // HISTOGRAMS)


class EventFile:
    """Appends to an event file of its own in a run folder."""

    def __init__(self, folder: Path, started: float, start: int = 0, room: DiskRoom | None = None) -> None:
        """Begin a file. TensorBoard forgets what earlier files say of the step `start` and later ones.

        The first file says where it starts as well: TensorBoard does not take a run's first start for a restart.
        """
        earlier = list(folder.glob("events.out.tfevents.*"))
        # TensorBoard reads the files of a run in the order of their names: this one has to be the last, even if it
        # begins in the same second as the one before, or the clock was set back.
        times = [
            int(m[1]) for m in (re.match(r"events\.out\.tfevents\.(\d{1,12})\.", path.name) for path in earlier) if m
        ]
        moment = max([int(started), *(time + 1 for time in times)])
        name = f"events.out.tfevents.{moment:010d}.{host()}.{os.getpid()}.{len(earlier)}"
        self.path = folder / name
        self.first = not earlier
        self._file = (room or DiskRoom()).open(open_append(self.path), self.path)
        self._write(records.file_version(started))
        self._write(records.session_start(started, start))

    def scalars(
        self, tag: str, wall_times: NDArray[np.float64], steps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> None:
        """Add points of one curve: arrays [n]. Raises OSError when the disk refuses."""
        for piece in records.pieces(tag, wall_times, steps, values):
            self._write(piece)

    def scalar(self, tag: str, wall_time: float, step: int, value: float) -> None:
        """Add one point."""
        self.point(wall_time, step, {tag: value})

    def point(self, wall_time: float, step: int, values: Mapping[str, float]) -> None:
        """Add one point to each of several curves, by tag."""
        self._write(b"".join(records.scalar(tag, wall_time, step, value) for tag, value in values.items()))

    def event(self, message: bytes) -> None:
        """Add an Event message, such as those of `engine.runs.summaries`."""
        self._write(records.record(message))

    def _write(self, content: bytes | memoryview) -> None:
        self._file.append(content)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()
