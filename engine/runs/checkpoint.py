"""Checkpoints: a kernel's state in a safetensors file. No pickle is written or read."""

from __future__ import annotations

import json
from pathlib import Path

from engine.base.errors import InputError
from engine.base.files import write_bytes
from engine.base.shape import Misshapen
from engine.base.shell import quoted
from engine.learn.kernels.contract import State
from engine.runs import sentences, tensors
from engine.runs.schema import judge_checkpoint


def save(path: Path, state: State) -> None:
    """Write a state, whole or not at all."""
    from safetensors.numpy import save as to_bytes

    write_bytes(path, to_bytes(state.arrays, metadata={"facts": json.dumps(state.facts)}))


def path_of(run: Path, step: int) -> Path:
    """Where the checkpoint that is kept of a step lies."""
    return run / "checkpoints" / f"step-{step}.safetensors"


def kept(run: Path) -> dict[int, Path]:
    """The checkpoints that were kept of certain steps, in order."""
    found = {}
    for path in (run / "checkpoints").glob("step-*.safetensors"):
        number = path.stem.removeprefix("step-")
        if number.isdigit():
            found[int(number)] = path
    return dict(sorted(found.items()))


def thin_out(run: Path, keep: int | None) -> None:
    """Delete the checkpoints of certain steps but the newest `keep`; none is deleted without a number. Raises OSError.

    The last and the best checkpoint of the run are no such ones.
    """
    if keep is not None:
        for path in list(kept(run).values())[:-keep]:
            path.unlink(missing_ok=True)


def load(path: Path) -> State:
    """Read a state. Raises InputError where the file is missing or damaged."""
    try:
        arrays, facts = tensors.read(path, "facts")
        judge_checkpoint(facts)
    except FileNotFoundError:
        raise InputError(sentences.NO_CHECKPOINT_FILE(path=path, quoted=quoted(path.parent.parent))) from None
    except Misshapen as error:
        raise InputError(
            sentences.CHECKPOINT_DAMAGED(path=path, reason=error, quoted=quoted(path.parent.parent))
        ) from None
    return State(arrays, facts)
