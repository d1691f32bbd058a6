"""What a run writes down while it goes: losses, evaluations, rates, to the folder and to TensorBoard at once."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.history import Series
from engine.recipe import Recording
from engine.runs.folder import RunFolder
from engine.runs.tensorboard import EventFile, logged

Floats = NDArray[np.float64]


class Recorder:
    """Writes for one run. Called by its thread alone; `tracks` may be read by any.

    Args:
        folder: where to.
        wishes: the recipe's.
        steps: updates planned; the last one always gets a TensorBoard point.
        start: the step at which this part of the run begins; TensorBoard drops what an earlier part wrote beyond it.
    """

    def __init__(self, folder: RunFolder, wishes: Recording, steps: int, start: int = 0) -> None:
        self._folder, self._wishes, self._steps = folder, wishes, steps
        self._events = EventFile(folder.path, time.time(), start) if wishes.tensorboard else None
        self.tracks: dict[str, Series] = {}  # evaluated curves by tag

    def losses(self, start: int, losses: Floats, rates: Floats | None) -> None:
        """The losses before the updates from `start` on [n], and their learning rates [n] where these move.

        Raises OSError when the disk refuses.
        """
        wall, end = time.time(), start + len(losses)
        self._folder.history.append(losses)
        self._folder.stamp(end, wall)
        if self._events is None:
            return
        steps = np.arange(start, end, dtype=np.int64)
        chosen = logged(steps, self._wishes.log_every)
        if end >= self._steps and len(chosen):
            chosen[-1] = True
        if chosen.any():
            walls = np.full(int(chosen.sum()), wall)
            self._events.scalars("loss/train", walls, steps[chosen], losses[chosen])
            if rates is not None:
                self._events.scalars("learning_rate", walls, steps[chosen], rates[chosen])

    def rate(self, step: int, lr: float) -> None:
        """A learning rate that holds from a step on."""
        if self._events is not None:
            self._events.scalar("learning_rate", time.time(), step, lr)

    def evaluation(self, step: int, values: Mapping[str, float]) -> None:
        """The values of several curves at a step, by TensorBoard tag. NaN is kept as such."""
        wall = time.time()
        for tag, value in values.items():
            self.tracks.setdefault(tag, Series()).append(step, value)
            if self._events is not None:
                self._events.scalar(tag, wall, step, value)
        self._folder.evaluation(step, wall, values)
        if "loss/validation" in values:
            self._folder.validation(step, values["loss/validation"])

    def recall(self, step: int) -> None:
        """Take in the evaluations of an earlier part of the run, up to a step."""
        for at, values in self._folder.evaluations(step):
            for tag, value in values.items():
                self.tracks.setdefault(tag, Series()).append(at, value)

    def close(self) -> None:
        """Give the files back."""
        if self._events is not None:
            self._events.close()
        self._folder.close()
