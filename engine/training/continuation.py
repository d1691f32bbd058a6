"""How a run goes on from a checkpoint of an earlier one: in its folder, or as a branch in a new one."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine import modules
from engine.base.errors import InputError
from engine.base.files import check_regular
from engine.base.shell import quoted
from engine.data.prepare import Prepared
from engine.devices import resolve as resolve_device
from engine.learn.kernels.contract import Kernel
from engine.learn.kernels.fitting import unfit
from engine.learn.plan import Plan
from engine.recipe import Event, Known, Recipe
from engine.runs.curves import left_out
from engine.runs.folder import RunFolder, read_facts
from engine.runs.lock import Lock
from engine.runs.origin import Origin
from engine.runs.store import written
from engine.training import sentences
from engine.training.state import TrainingState, best_of

COPIED = ("loss.f64", "stamps.f64", "validation.f64", "evaluations.jsonl")  # what a branch takes over
APPENDED = (*COPIED, "log.txt")  # what a resumed run adds to
MOST_LOST = 10_000_000  # losses that a run can be without and still be this one


class Continuation:
    """A run that begins from a checkpoint.

    Args:
        origin: the checkpoint.
        locks: whether folders are locked against other processes.
    """

    def __init__(self, origin: Origin, *, locks: bool) -> None:
        self.branch = origin.branch
        self.lock: Lock | None = None  # of the folder, once it is taken
        self.saved: int | None = None  # the step of the checkpoint that is in the folder already
        self._origin, self._locks = origin, locks
        self._known: dict[str, Any] = {}

    def begin(self) -> None:
        """Lock the folder of a run that goes on there, and read what it is. Raises InputError."""
        origin = self._origin
        if not origin.branch:
            if self._locks:
                self.lock = Lock.take(origin.run, take_over=origin.take_over)
            origin.check()
        self._known = read_facts(origin.run)

    @property
    def run(self) -> Path:
        """The folder of the earlier run."""
        return self._origin.run

    @property
    def known(self) -> dict[str, Any]:
        """What run.json says of the earlier run."""
        return self._known

    @property
    def done(self) -> int:
        """Steps that the run has taken already; 0 for a branch, which writes all of its own."""
        return 0 if self.branch else int(self._origin.state.facts.get("step", 0))

    def placed(self, recipe: Recipe) -> Recipe:
        """The recipe with the device and the threads of the earlier run: others give other bits."""
        if recipe.device.threads == "auto" and isinstance(self._known.get("threads"), int):
            recipe = recipe.replace({"threads": self._known["threads"]})
        if recipe.device.device != "auto":
            return recipe
        try:
            return recipe.replace({"device": resolve_device(self._known["device"])})
        except (InputError, KeyError):
            return recipe

    def changed_modules(self) -> tuple[str, ...]:
        """A sentence on modules that are not what the earlier run was made with."""
        files = modules.changed(self.run.name, self._known)
        if not files:
            return ()
        return (sentences.MODULES_CHANGED(files=files, count=len(files)),)

    def check_data(self, dataset: str, prepared: Prepared) -> None:
        """Raise InputError where the table is not the one that the earlier run has seen."""
        known = (self._known.get("data") or {}).get("fingerprint")
        if known != prepared.fingerprint and not self._origin.changed_data:
            raise InputError(sentences.DATA_CHANGED(run=self.run.name, dataset=dataset))

    def take_over(self, plan: Plan, kernel: Kernel) -> tuple[str, ...]:
        """Put the kernel where the checkpoint stood; sentences on what is missing. Raises InputError and OSError."""
        self._check_state(plan, kernel)
        for name in APPENDED:
            with suppress(FileNotFoundError):
                check_regular(self.run / name)
        kernel.restore(self._origin.state)
        warnings = tuple(filter(None, (left_out(self.run), self._lost(kernel.step))))
        self._origin.check_length(plan.steps)
        self.saved = None if self.branch else kernel.step
        return warnings

    def restore(self, state: TrainingState, step: int) -> None:
        """Put what a run knows beside its kernel where the checkpoint stood."""
        state.restore(self._origin.state)
        if state.plateau.factor != 1:
            state.drops.append(Event(step, "lr_factor", state.plateau.factor))

    def folder(self, known: Known, table_name: str, step: int, evaluated: int) -> RunFolder:
        """The folder to go on in. Raises InputError and OSError.

        Args:
            step, evaluated: what lies in it beyond these steps, of losses and of evaluations, is cut off.
        """
        path = self.run
        if self.branch:
            path = RunFolder.reserve(known.recipe, table_name)
            self.lock = Lock.take(path) if self._locks else None
            for name in COPIED:
                if (self.run / name).exists():
                    check_regular(self.run / name)
                    shutil.copyfile(self.run / name, path / name)
        return RunFolder(path, known, (step, evaluated), lock=self.lock)

    def _lost(self, step: int) -> str:
        """A sentence where a power cut took losses that the checkpoint has seen. Raises InputError for too many."""
        held = written(self.run)
        if held >= step:
            return ""
        if step - held > MOST_LOST:
            raise InputError(
                sentences.OTHER_LOSSES(path=self.run / "loss.f64", first=held, last=step - 1, quoted=quoted(self.run))
            )
        return sentences.LOSSES_LOST(path=self.run / "loss.f64", first=held, last=step - 1)

    def _check_state(self, plan: Plan, kernel: Kernel) -> None:
        """Raise InputError where the checkpoint is none of this run."""
        state, changed = self._origin.state, self._origin.changed_data
        like, best = kernel.state(), best_of(state)
        why = unfit(state, plan, like, changed=changed)
        if best is not None and not why:
            why = unfit(best, plan, like, changed=changed)
            why = sentences.BEST_IS_NOT(why=why) if why else ""
        if why:
            raise InputError(sentences.NOT_OF_THIS_RUN(path=self.run, why=why, quoted=quoted(self.run)))

    def descent(self, step: int, command: str) -> dict[str, Any]:
        """When and how the run began, and where it went on: a part that follows takes nothing of that back."""
        now = time.time()
        if self.branch:
            return {"created": now, "origin": {"run": self.run.name, "step": step, "branch": True}}
        parts = self._known.get("resumed")
        part = {"time": now, "step": step, "command": command}
        return {
            "created": self._known.get("created"),
            "origin": self._known.get("origin"),
            "command": self._known.get("command"),
            "resumed": [*(parts if isinstance(parts, list) else []), part],
        }
