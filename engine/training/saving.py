"""What a run keeps of itself on the disk, and what becomes of it where the disk is full."""

from __future__ import annotations

import time

from engine.base.shell import quoted
from engine.data.prepare import Prepared
from engine.learn.kernels.contract import Kernel
from engine.learn.plan import Plan
from engine.recipe import Recipe
from engine.runs import checkpoint, predictor
from engine.runs.folder import RunFolder
from engine.training import sentences
from engine.training.snapshot import Mark
from engine.training.state import TrainingState


class Saver:
    """Writes the checkpoints and the model of one run.

    Args:
        saved: the updates taken at the newest checkpoint that is on the disk; None while there is none.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        prepared: Prepared,
        plan: Plan,
        kernel: Kernel,
        state: TrainingState,
        saved: int | None,
    ) -> None:
        self.folder = folder
        self._recipe, self._prepared, self._plan = recipe, prepared, plan
        self._kernel, self._state, self._saved = kernel, state, saved
        self._last_checkpoint = time.monotonic()

    def checkpoint(self, *, last: bool = True, keep: bool = False) -> None:
        """Write the state (as the last one; with `keep` also under its step) and the model as they are now."""
        self.folder.check()
        if last:
            self.save_state(keep=keep)
        model = self.folder.path / "model.safetensors"
        decision = self._state.decision(self._recipe, self._prepared)
        with self.folder.room.forgiving():
            predictor.save_model(model, self._kernel.parameters(), self._prepared, self._plan, decision)
        self._last_checkpoint = time.monotonic()

    def save_state(self, *, keep: bool = False) -> None:
        """Write the state alone, as the last one; with `keep` also under its step."""
        self.folder.check()
        step, best = self._kernel.step, self._state.best
        state = self._state.added(self._kernel.state())
        with self.folder.room.forgiving():
            if best is not None:
                checkpoint.save(self.folder.checkpoints / "best.safetensors", best)
            checkpoint.save(self.folder.checkpoints / "last.safetensors", state)
            self._saved = step
            if keep:
                checkpoint.save(checkpoint.path_of(self.folder.path, step), state)
                self._state.marks.append(Mark.checkpoint(step))
                checkpoint.thin_out(self.folder.path, self._recipe.recording.keep_checkpoints)

    @property
    def age(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self._last_checkpoint

    # A disk without room.

    @property
    def full(self) -> str:
        """Which file a full disk has refused, what is safe, and what to do; "" while everything is written."""
        refused = self.folder.room.refused
        return "" if refused is None else self.told(refused)

    def make_good(self) -> bool:
        """Write what a full disk has refused; whether all of it is written now. Raises OSError for other trouble."""
        if not self.folder.retry():
            return False
        self.checkpoint()
        return self.folder.room.refused is None

    @property
    def safe(self) -> str:
        """A sentence on how to resume a run that broke off; "" where it cannot."""
        if self._saved is None:
            return ""
        return sentences.SAFE_UP_TO(step=self._saved, quoted=quoted(self.folder.path))

    def told(self, error: OSError) -> str:
        """Which file a disk without room has refused, what is safe, and what to do."""
        path = self.folder.path
        reason = error.strerror or str(error)
        if self._saved is None:
            return sentences.DISK_FULL(path=error.filename, reason=reason, quoted=quoted(path))
        return sentences.DISK_FULL_BUT_SAVED(path=error.filename, reason=reason, step=self._saved, quoted=quoted(path))
