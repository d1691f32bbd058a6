"""The way of a run to its first step: the data, the plan, the kernel, the folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

from engine import modules
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.decide import decide
from engine.learn.kernels.choose import open_kernel
from engine.learn.kernels.contract import Kernel
from engine.learn.objective import of_nothing, unit
from engine.learn.plan import Plan
from engine.learn.resolved import resolved
from engine.learn.stopping import EarlyStopping
from engine.recipe import Known, Recipe
from engine.runs.folder import RunFolder
from engine.runs.origin import Origin
from engine.runs.provenance import git_commit, own_modules, provenance
from engine.runs.recorder import Recorder
from engine.runs.whereabouts import located
from engine.runs.worktree import WorkTree
from engine.training import resources as forecasts
from engine.training import sentences
from engine.training.continuation import Continuation
from engine.training.saving import Saver
from engine.training.setup import Setup
from engine.training.state import TrainingState, norm
from engine.training.stopwatch import Stopwatch

Activity = Callable[[str], None]
Cancelled = Callable[[], bool]


class SetupBuilder:
    """Opens a run. What it has got by then is there also where it fails on the way.

    Args:
        command: the command line that started the run, for the record.
        origin: the checkpoint to begin from, if not from the initial parameters.
        given: the names of the fields that were given on the command line; one that does not apply is refused.
        screen: whether the run is begun in the app.
        locks: whether the folder is locked against other processes, until `let_go`.

    Attributes:
        folder, saver, recorder: None until they are made, in this order.
        warnings: what the data leave open, and the run's appetite for disk and memory.
    """

    def __init__(
        self,
        recipe: Recipe,
        command: str,
        origin: Origin | None,
        clock: Stopwatch,
        *,
        given: Collection[str] = (),
        screen: bool = False,
        locks: bool,
    ) -> None:
        self.folder: RunFolder | None = None
        self.saver: Saver | None = None
        self.recorder: Recorder | None = None
        self.warnings: tuple[str, ...] = ()
        self._recipe, self._command, self._clock, self._locks = recipe, command, clock, locks
        self._given, self._screen = given, screen
        self._earlier = None if origin is None else Continuation(origin, locks=locks)

    def begin(self) -> AbstractContextManager[None]:
        """Lock the folder of a run that goes on there; what to enter while a person's own modules may be imported."""
        earlier = self._earlier
        if earlier is None:
            return modules.of_run("", {})
        earlier.begin()
        return modules.of_run(earlier.run.name, earlier.known)

    def let_go(self) -> None:
        """Give the lock of the folder back, however the run ended. Once is enough."""
        if self.folder is not None:
            self.folder.unlock()
        elif self._earlier is not None and self._earlier.lock is not None:
            self._earlier.lock.release()

    def open(self, table: Table | None, activity: Activity, cancelled: Cancelled) -> Setup:
        """Load and prepare the data, make the plan, start the kernel, and open the folder.

        Args:
            table: the data, where it has been loaded already.
            activity: told what takes a while.

        Raises InputError and Cancelled.
        """
        recipe, earlier = self._recipe, self._earlier
        modules.check(*own_modules(recipe))  # before anything is read, and before any of them is imported
        commit = git_commit()
        worktree = WorkTree(commit) if earlier is None or earlier.branch else None
        data = recipe.data if earlier is None else located(recipe.data, earlier.run)
        if table is None:
            activity(sentences.READING(dataset=recipe.data.dataset))
            table = load(data, cancelled=cancelled)
        activity(sentences.PREPARING_ROWS())
        prepared = prepare(recipe.data, recipe.normalization, table, cancelled=cancelled)
        if earlier is not None:
            earlier.check_data(recipe.data.dataset, prepared)
        placed = recipe if earlier is None else earlier.placed(recipe)
        plan, facts = decide(placed, prepared, activity, cancelled)
        known = resolved(recipe, plan, prepared, screen=self._screen)
        known.refuse(self._given)
        self._warn(known, plan, prepared)
        activity(sentences.STARTING_BACKEND(backend=plan.backend, device=plan.device))
        kernel = open_kernel(plan, prepared, facts, activity)
        state = TrainingState(
            self._early_stopping(plan, prepared, facts), norm(kernel.gradient()), plan.lr, self._clock
        )
        saver = self._make_folder(known, prepared, plan, kernel, state)
        if worktree is not None:
            worktree.into(saver.folder.path)
        self.recorder = recorder = Recorder(saver.folder, recipe.recording, plan.steps, kernel.step)
        recorder.recall(kernel.step)
        recorder.begin(known, plan, prepared, kernel.parameters().arrays)
        origins = provenance(known, plan, prepared, self._command, data, commit)
        saver.folder.record(state="running", **(origins | self._descent(kernel.step)))
        own: tuple[str, ...] = getattr(kernel, "notes", ())  # of where its rows lie and how it computes
        for note in dict.fromkeys((*prepared.notes, plan.backend_reason, *plan.notes, *own, *self.warnings)):
            saver.folder.log(note)
        return Setup(recipe, self._screen, table, prepared, facts, plan, kernel, state, saver, recorder, worktree)

    def _warn(self, known: Known, plan: Plan, prepared: Prepared) -> None:
        """Find out what is worth a warning. Raises InputError where the disk or the memory cannot be enough."""
        earlier = self._earlier
        done = 0 if earlier is None else earlier.done
        ahead = forecasts.check(forecasts.forecast(plan, prepared, self._recipe, done), self._recipe)
        changed = () if earlier is None else earlier.changed_modules()
        self.warnings = (*known.set_aside(), *prepared.plan.doubts, *ahead, *changed)

    def _early_stopping(self, plan: Plan, prepared: Prepared, facts: LossSurfaceFacts) -> EarlyStopping:
        """What says when the run ends before its last step."""
        per = unit(plan.loss, prepared.target_scale.scale)
        size = per * of_nothing(plan.loss, prepared.train.y, plan.architecture.outputs)
        return EarlyStopping(self._recipe.stopping, facts, len(prepared.validation.y) > 0, size)

    def _make_folder(self, known: Known, prepared: Prepared, plan: Plan, kernel: Kernel, state: TrainingState) -> Saver:
        """Make the folder, or stand where the checkpoint stood in the one that goes on."""
        recipe, earlier = self._recipe, self._earlier
        if earlier is None:
            self.folder = RunFolder.create(known, prepared.table_name, locks=self._locks)
        else:
            self.warnings += earlier.take_over(plan, kernel)
            earlier.restore(state, kernel.step)
            for event in recipe.events:
                if event.step < kernel.step:
                    state.mark(event.step, event.field, event.value)
            self.folder = earlier.folder(known, prepared.table_name, kernel.step, state.evaluated)
        saved = None if earlier is None else earlier.saved
        self.saver = Saver(self.folder, recipe, prepared, plan, kernel, state, saved)
        return self.saver

    def _descent(self, step: int) -> dict[str, Any]:
        """When and how the run began."""
        if self._earlier is None:
            return {"created": time.time(), "origin": None}
        return self._earlier.descent(step, self._command)
