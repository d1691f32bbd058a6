"""The checkpoint of an earlier run that a run begins from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import InputError
from engine.learn.kernels.contract import State
from engine.runs import checkpoint


@dataclass(frozen=True)
class Origin:
    """The checkpoint of an earlier run that a run begins from.

    With `branch` a new folder is made that takes over the losses up to the checkpoint; else the same folder goes on.
    """

    run: Path
    state: State
    branch: bool = False
    changed_data: bool = False  # go on though the table is not the one the run began with

    @classmethod
    def read(cls, run: Path, step: int | None = None, *, branch: bool = False, changed_data: bool = False) -> Origin:
        """The last checkpoint of a run, or that of a step. Raises InputError where there is none."""
        if step is None:
            last = run / "checkpoints" / "last.safetensors"
            if not last.exists():
                raise InputError(
                    f"The run {run.name} has no checkpoint to go on from; `ravine train --recipe {run}` begins it anew."
                )
            return cls(run, checkpoint.load(last), branch, changed_data)
        kept = checkpoint.kept(run)
        if step not in kept:
            steps = ", ".join(f"{s:,}" for s in kept) or "none"
            raise InputError(f"The run {run.name} has no checkpoint of step {step:,}; it has {steps}.")
        return cls(run, checkpoint.load(kept[step]), branch, changed_data)
