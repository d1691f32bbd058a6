"""The checkpoint of an earlier run that a run begins from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.base.errors import InputError
from engine.base.shell import quoted
from engine.learn.kernels.contract import State
from engine.runs import checkpoint, sentences


@dataclass(frozen=True)
class Origin:
    """The checkpoint of an earlier run that a run begins from.

    With `branch` a new folder is made that takes over the losses up to the checkpoint; else the same folder goes on.
    """

    run: Path
    state: State
    branch: bool = False
    changed_data: bool = False  # go on though the table is not the one the run began with
    take_over: bool = False  # go on though the process that had the run cannot be asked whether it is over
    finished: bool = False  # whether the run has taken all the steps that it was to take
    mark: tuple[int, ...] = ()  # what tells the file of the last checkpoint from a later one

    @classmethod
    def read(
        cls,
        run: Path,
        step: int | None = None,
        *,
        branch: bool = False,
        changed_data: bool = False,
        take_over: bool = False,
    ) -> Origin:
        """The last checkpoint of a run, or that of a step. Raises InputError where there is none."""
        if step is None:
            last = run / "checkpoints" / "last.safetensors"
            if not last.exists():
                raise InputError(sentences.NOTHING_TO_RESUME(run=run.name, quoted=quoted(run)))
            mark = _mark(last)  # before it is read: of two that are read, the later one may be the other
            return cls(run, checkpoint.load(last), branch, changed_data, take_over, mark=mark)
        kept = checkpoint.kept(run)
        if step not in kept:
            steps = ", ".join(f"{s:,}" for s in kept) or "none"
            raise InputError(sentences.NO_CHECKPOINT_OF_STEP(run=run.name, step=step, steps=steps))
        return cls(run, checkpoint.load(kept[step]), branch, changed_data)

    def check_length(self, steps: int) -> None:
        """Raise InputError where a run is to be shorter than it is, or a finished one no longer."""
        taken = int(self.state.facts["step"])
        if steps < taken or (steps == taken and self.finished):
            raise InputError(sentences.ALREADY_TAKEN(run=self.run.name, step=taken, steps=steps))

    def check(self) -> None:
        """Raise InputError where the run has gone on since its checkpoint was read."""
        if self.mark and _mark(self.run / "checkpoints" / "last.safetensors") != self.mark:
            raise InputError(sentences.RESUMED_ELSEWHERE(run=self.run.name))


def _mark(file: Path) -> tuple[int, ...]:
    try:
        info = os.stat(file)
    except OSError:
        return ()
    return info.st_mtime_ns, info.st_size, info.st_ino
