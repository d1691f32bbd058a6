"""One run, from recipe to finished folder. No threads and no clock decide anything here: `Session` drives it."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import modules
from engine.base import leftovers
from engine.base.appending import is_full
from engine.base.errors import InputError
from engine.base.files import check_regular
from engine.base.rounding import SHARE, least
from engine.base.shell import quoted
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.devices import resolve as resolve_device
from engine.learn import crossfit, diagnosis, passes
from engine.learn.curvature import Facts
from engine.learn.decide import decide
from engine.learn.decision import Decision
from engine.learn.decision import of as decision_of
from engine.learn.kernels.choose import open_kernel
from engine.learn.kernels.contract import Kernel, Parameters, Split
from engine.learn.kernels.fitting import unfit
from engine.learn.kernels.memory import OutOfMemory
from engine.learn.metrics import probabilities
from engine.learn.objective import of_nothing, unit
from engine.learn.plan import Plan
from engine.learn.schedules import factors_at
from engine.learn.stopping import Watch, flat_since
from engine.learn.threshold import HALF, Tuned
from engine.recipe import Event, Recipe, find
from engine.runs import checkpoint, predictor
from engine.runs.curves import left_out
from engine.runs.folder import RunFolder, read_facts
from engine.runs.lock import Lock, LostError
from engine.runs.origin import Origin
from engine.runs.provenance import git_commit, own_modules, provenance
from engine.runs.recorder import Recorder
from engine.runs.store import written
from engine.runs.whereabouts import located
from engine.runs.worktree import WorkTree
from engine.training import resources as forecasts
from engine.training import result as outcomes
from engine.training.snapshot import Ended, Ending, Mark, Weights
from engine.training.state import Progress, best_of

Cancelled = Callable[[], bool]
APPENDED = ("loss.f64", "stamps.f64", "validation.f64", "evaluations.jsonl", "log.txt")  # what a resumed run adds to
MOST_LOST = 10_000_000  # losses that a run can be without and still be this one
LOOKED_AT = 1 << 20  # numbers from which the size of the features is estimated


class Run:
    """The state of one training run and its folder.

    Args:
        recipe: what to do.
        table: the data, where it has been loaded already.
        command: the command line that started it, for the record.
        origin: the checkpoint to begin from, if not from the initial parameters.
        locks: whether the folder is locked against other processes, until `let_go`.
    """

    def __init__(
        self,
        recipe: Recipe,
        table: Table | None = None,
        command: str = "",
        origin: Origin | None = None,
        *,
        locks: bool = False,
    ) -> None:
        self.recipe = recipe
        self.command = command
        self.table = table
        self.prepared: Prepared
        self.facts: Facts
        self.plan: Plan
        self.kernel: Kernel
        self.folder: RunFolder | None = None
        self.recorder: Recorder
        self.marks: list[Mark] = []
        self.warnings: tuple[str, ...] = ()  # what its data leave open, and its appetite for disk and memory
        self.lr = 0.0
        self.ending: Ending | None = None
        self.result: dict[str, Any] = {}
        self._origin = origin
        self._locks = locks
        self._lock: Lock | None = None  # of the folder of an earlier run that goes on, or of a branch
        self._commit: str | None = None  # that was checked out when it began
        self._worktree: WorkTree | None = None  # of a run that goes on in its folder it is there already
        self._pending = sorted(recipe.events, key=lambda event: event.step)
        self._active = 0.0  # seconds of training
        self._resumed_at: float | None = None  # when the clock was last started
        self._last_checkpoint = time.monotonic()
        self._bad_loss: float | None = None
        self._halt: Ended | None = None
        self._progress: Progress
        self._drops: list[Event] = []  # of a plateau's rate
        self._tuned: Tuned | None = None  # the threshold that was chosen at the end
        self._saved: int | None = None  # updates taken at the newest checkpoint that is on the disk
        self._taken: int | None = None  # updates taken by a finished run
        self._reach: NDArray[np.float64] | None = None  # [d] root mean square of each normalized feature

    # Before the first step.

    def prepare(self, activity: Callable[[str], None], cancelled: Cancelled) -> None:
        """Load and prepare the data, make the plan, and open the folder. Raises InputError and Cancelled.

        The folder of a run that goes on is locked before anything else, and `let_go` gives it back.
        """
        if self._origin is not None and not self._origin.branch:
            if self._locks:
                self._lock = Lock.take(self._origin.run, take_over=self._origin.take_over)
                leftovers.sweep_run(self._origin.run, age=0.0)
            self._origin.check()
        name, facts = ("", {}) if self._origin is None else (self._origin.run.name, read_facts(self._origin.run))
        with modules.of_run(name, facts):
            self._prepare(activity, cancelled)

    def _prepare(self, activity: Callable[[str], None], cancelled: Cancelled) -> None:
        modules.check(*own_modules(self.recipe))  # before anything is read, and before any of them is imported
        self._commit = git_commit()
        if self._origin is None or self._origin.branch:
            self._worktree = WorkTree(self._commit)
        data = self.recipe.data if self._origin is None else located(self.recipe.data, self._origin.run)
        if self.table is None:
            activity(f"reading {self.recipe.data.dataset}")
            self.table = load(data, cancelled=cancelled)
        activity("preparing the rows")
        self.prepared = prepare(self.recipe.data, self.recipe.normalization, self.table, cancelled=cancelled)
        if self._origin is not None:
            self._same_data(self._origin)
        self.plan, self.facts = decide(self._placed(), self.prepared, activity, cancelled)
        self.lr = self.plan.lr
        done = 0 if self._origin is None or self._origin.branch else int(self._origin.state.facts.get("step", 0))
        ahead = forecasts.check(forecasts.forecast(self.plan, self.prepared, self.recipe, done), self.recipe)
        self.warnings = (*self.prepared.plan.doubts, *ahead)
        self.warnings += self._changed_modules()
        activity(f"starting the {self.plan.backend} backend on {self.plan.device}")
        self.kernel = open_kernel(self.plan, self.prepared, self.facts, activity)
        per = unit(self.plan.loss, self.prepared.target_scale.scale)
        size = per * of_nothing(self.plan.loss, self.prepared.train.y, self.plan.architecture.outputs)
        watch = Watch(self.recipe.stopping, self.facts, len(self.prepared.validation.y) > 0, size)
        self._progress = Progress(watch, _norm(self.kernel.gradient()))
        if self._origin is None:
            self.folder = RunFolder.create(self.recipe, self.prepared.table_name, locks=self._locks)
        else:
            self.folder = self._take_over(self._origin)
        if self._worktree is not None:
            self._worktree.into(self.folder.path)
        self.recorder = Recorder(self.folder, self.recipe.recording, self.plan.steps, self.step)
        self.recorder.recall(self.step)
        self.recorder.begin(self.recipe, self.plan, self.prepared, self.kernel.parameters().arrays)
        self.folder.record(
            state="running",
            **(provenance(self.recipe, self.plan, self.prepared, self.command, data, self._commit) | self._descent()),
        )
        own: tuple[str, ...] = getattr(self.kernel, "notes", ())  # of where its rows lie and how it computes
        notes = (*self.prepared.notes, self.plan.backend_reason, *self.plan.notes, *own, *self.warnings)
        for note in dict.fromkeys(notes):
            self.folder.log(note)
        if self.step == 0:
            self.folder.stamp(0, time.time())
            self.recorder.rate(0, self.rate)
            self._evaluate()
        elif self._progress.rated == self.step or self.recorder.fresh:
            self.recorder.rate(self.step, self.rate)  # TensorBoard has been told to forget it, or never knew
        if self._progress.evaluated == self.step and self.recorder.wants_histograms(self.step):
            self._spread(self.kernel.gradient())

    def _placed(self) -> Recipe:
        """The recipe with the device and the threads of an earlier part of the run, if any: others give other bits."""
        if self._origin is None:
            return self.recipe
        known, found = read_facts(self._origin.run), self.recipe
        if found.device.threads == "auto" and isinstance(known.get("threads"), int):
            found = found.replace({"threads": known["threads"]})
        if found.device.device != "auto":
            return found
        try:
            return found.replace({"device": resolve_device(known["device"])})
        except (InputError, KeyError):
            return found

    def _changed_modules(self) -> tuple[str, ...]:
        """A sentence on modules that are not what the run that goes on was made with."""
        origin = self._origin
        files = modules.changed(origin.run.name, read_facts(origin.run)) if origin is not None else ()
        if not files:
            return ()
        has = "has" if len(files) == 1 else "have"
        return (
            f"{' and '.join(files)} {has} changed since this run was last made; it goes on with what is there now.",
        )

    def _same_data(self, origin: Origin) -> None:
        known = (read_facts(origin.run).get("data") or {}).get("fingerprint")
        if known != self.prepared.fingerprint and not origin.changed_data:
            raise InputError(
                f"The data of the run {origin.run.name} has changed since ({self.recipe.data.dataset}); bring the old "
                "table back, or go on with the new one with --changed-data."
            )

    def _take_over(self, origin: Origin) -> RunFolder:
        """Stand where a checkpoint stood; the folder to go on in."""
        self._judge(origin)
        for name in APPENDED:
            with suppress(FileNotFoundError):
                check_regular(origin.run / name)
        self.kernel.restore(origin.state)
        self.warnings = (*self.warnings, *filter(None, (left_out(origin.run), self._lost(origin.run))))
        if self.plan.steps < self.step:
            raise InputError(
                f"The run {origin.run.name} has taken {self.step:,} steps already, and {self.plan.steps:,} are asked "
                "for; --steps says how many it shall have in all."
            )
        self.lr = float(origin.state.facts.get("lr", self.lr))
        self._progress.restore(origin.state)
        self._active = self._progress.before
        if self._progress.plateau.factor != 1:
            self._drops.append(Event(self.step, "lr_factor", self._progress.plateau.factor))
        self._pending = [event for event in self._pending if event.step >= self.step]
        past = [event for event in self.recipe.events if event.step < self.step]
        self.marks += [self._mark(event.step, event.field, event.value) for event in past]
        path = origin.run
        if origin.branch:
            path = RunFolder.reserve(self.recipe, self.prepared.table_name)
            self._lock = Lock.take(path) if self._locks else None
            for name in ("loss.f64", "stamps.f64", "validation.f64", "evaluations.jsonl"):
                if (origin.run / name).exists():
                    check_regular(origin.run / name)
                    shutil.copyfile(origin.run / name, path / name)
        self._saved = None if origin.branch else self.step
        return RunFolder(path, self.recipe, (self.step, self._progress.evaluated), lock=self._lock)

    def _lost(self, run: Path) -> str:
        """A sentence where a power cut took losses that the checkpoint has seen. Raises InputError for too many."""
        held = written(run)
        if held >= self.step:
            return ""
        words = f"{run / 'loss.f64'} has lost the losses of steps {held:,} to {self.step - 1:,}"
        if self.step - held > MOST_LOST:
            raise InputError(
                f"{words}; it is not the file of this run. `ravine train --recipe {quoted(run)}` begins it anew."
            )
        return f"{words}; they stay empty."

    def _judge(self, origin: Origin) -> None:
        """Raise InputError where a checkpoint is none of this run."""
        like, best = self.kernel.state(), best_of(origin.state)
        why = unfit(origin.state, self.plan, like, changed=origin.changed_data)
        if best is not None and not why:
            why = unfit(best, self.plan, like, changed=origin.changed_data)
            why = f"its best weights are not: {why}" if why else ""
        if why:
            raise InputError(
                f"The checkpoint of {origin.run} does not belong to its recipe: {why}; "
                f"`ravine train --recipe {quoted(origin.run)}` begins the run anew."
            )

    def _descent(self) -> dict[str, Any]:
        """When and how the run began, and where it went on: a part that follows takes nothing of that back."""
        origin, now = self._origin, time.time()
        if origin is None:
            return {"created": now, "origin": None}
        if origin.branch:
            return {"created": now, "origin": {"run": origin.run.name, "step": self.step, "branch": True}}
        known = read_facts(origin.run)
        parts = known.get("resumed")
        part = {"time": now, "step": self.step, "command": self.command}
        return {
            "created": known.get("created"),
            "origin": known.get("origin"),
            "command": known.get("command"),
            "resumed": [*(parts if isinstance(parts, list) else []), part],
        }

    @property
    def decision(self) -> Decision | None:
        """How two classes are decided as of now; None where there are not two."""
        wish = self.recipe.model.threshold
        if wish != "auto":
            threshold, why = float(wish), ""
        elif self._tuned is not None:
            threshold, why = self._tuned.threshold, self._tuned.why
        else:
            threshold, why = HALF, "auto chooses another at the end of the run"
        return decision_of(self.prepared.classes, self.prepared.positive, threshold, why)

    # Steps.

    @property
    def step(self) -> int:
        """Updates taken, also where the best weights, of an earlier step, are the ones that are kept."""
        return self.kernel.step if self._taken is None else self._taken

    def epochs(self, steps: int) -> float:
        """Passes over the train rows after so many updates, as far as the changes of the batch size are known."""
        return float(passes.of_plan(self.plan, self.recipe.events).after(np.array([float(steps)]))[0])

    @property
    def seconds(self) -> float:
        """Seconds of training so far, pauses left out."""
        running = time.perf_counter() - self._resumed_at if self._resumed_at is not None else 0.0
        return self._active + running

    def clock(self, running: bool) -> None:
        """Start or stop the clock of `seconds`."""
        now = time.perf_counter()
        if self._resumed_at is not None:
            self._active += now - self._resumed_at
        self._resumed_at = now if running else None

    def advance(self, most: int) -> bool:
        """Take `most` updates, or those that are left; False when the run is over.

        Events, evaluations and checkpoints on the way happen at their own steps, however the steps are asked for.
        """
        goal = min(self.step + most, self.plan.steps)
        while self.step < goal:
            while self._pending and self._pending[0].step <= self.step:
                event = self._pending.pop(0)
                self._apply(event.field, event.value)
            if not self._stretch(goal):
                return False
        return self.step < self.plan.steps

    def _stretch(self, goal: int) -> bool:
        """Go on towards a step up to the next event, evaluation or checkpoint; False when the run is over."""
        start, every = self.step, self.recipe.recording.checkpoint_every
        period = self.plan.eval_every
        stops = [goal, *(event.step for event in self._pending[:1])]
        stops += [(start // p + 1) * p for p in (period, every) if p]
        losses = self.kernel.advance(min(stops) - start)
        self.recorder.losses(start, losses, self._rates if self.plan.scheduled else None)
        if self.step < min(stops):
            self._bad_loss = float(losses[-1])
            return False
        if self.step % period == 0:
            self._evaluate()
        if every and self.step % every == 0:
            self.checkpoint(keep=True)
        limit = self.recipe.stopping.max_seconds
        if limit is not None and self.seconds - self._progress.before >= limit:
            self._halt = self._halt or "time"
        return self._halt is None

    @property
    def _restores_best(self) -> bool:
        """Whether the weights of the best evaluation are restored at the end, not only kept in a checkpoint.

        They are with patience, and for models that can overfit while they train. A convex model keeps its last ones:
        they are the ones that descent has brought to the optimum.
        """
        watched = len(self.prepared.validation.y) > 0 and not self.plan.architecture.linear
        return self.recipe.stopping.patience is not None or watched

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        return float(self._rates(np.array([min(self.step, self.plan.steps - 1)]))[0])

    def _rates(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The learning rates of some updates."""
        plan = self.plan
        return self.lr * self._progress.plateau.factor * factors_at(plan.schedule, plan.warmup, plan.steps, steps)

    def _evaluate(self, *, counts: bool = True) -> None:
        """Look at the splits; once a step. `counts`: whether the rules for stopping hear of it."""
        if self._progress.evaluated == self.step:
            return
        values: dict[str, float] = {}
        train = validation = None
        if len(self.prepared.validation.y):
            validation = values["loss/validation"] = self.kernel.evaluate("validation")
            outputs = self.kernel.outputs("validation")
            figures = outcomes.figures(self.prepared, outputs, "validation", self.decision)
            values |= {f"metrics/{name}/validation": value for name, value in figures.items()}
        if self._progress.watch.needs_train_loss:
            train = self.kernel.evaluate("train")
        gradient = self.kernel.gradient()
        values["gradient_norm"] = _norm(gradient)
        self.recorder.evaluation(self.step, values)
        if self.recorder.wants_histograms(self.step):
            self._spread(gradient)
        if not counts:
            return
        self._progress.evaluated = self.step
        self._halt = self._halt or self._progress.watch.evaluated(self.step, train, validation)
        if self._progress.watch.improved:
            self._progress.best = self.kernel.state()
        if self.plan.schedule == "plateau" and self.step:
            loss = validation if validation is not None else train
            assert loss is not None
            if self._progress.plateau.evaluated(loss):
                self.kernel.change("lr_factor", self._progress.plateau.factor)
                self._drops.append(Event(self.step, "lr_factor", self._progress.plateau.factor))
                self.marks.append(Mark(self.step, "change", f"lr {self.rate:.4g}"))
                self.recorder.rate(self.step, self.rate)
                self._progress.rated = self.step

    def _spread(self, gradient: Parameters) -> None:
        """Histograms of weights and gradients, and of two classes the precision against the recall."""
        self.recorder.histograms(self.step, self.kernel.parameters().arrays, gradient.arrays)
        decision = self.decision
        if decision is not None:
            split: Split = "validation" if len(self.prepared.validation.y) else "train"
            chance = probabilities(self.kernel.outputs(split))[:, decision.positive]
            y = (getattr(self.prepared, split).y == decision.positive).astype(np.int64)
            self.recorder.pr_curve(self.step, split, y, chance)

    # Steering.

    def change(self, field: str, value: Any) -> None:
        """Change a live field from the next update on, and write it to the recipe's events. Raises InputError."""
        changed = replace(self.recipe, events=()).replace({field: value})
        if not find(field).live:
            raise InputError(f"{find(field).label.capitalize()} cannot be changed during a run.")
        if changed.get(field) == "auto":
            raise InputError(f"{find(field).label.capitalize()} needs a definite value during a run, not auto.")
        self._apply(field, changed.get(field))
        events = [*self.recipe.events, Event(step=self.step, field=field, value=changed.get(field))]
        events.sort(key=lambda event: event.step)  # a replayed run has events that are still to come
        self.recipe = replace(self.recipe, events=tuple(events))
        if self.folder is not None:
            self.folder.update_recipe(self.recipe)
            told = find(field)
            self.folder.log(f"From step {self.step:,} on: {told.label} {told.show(changed.get(field))}.")

    def _apply(self, field: str, value: Any) -> None:
        self.kernel.change(field, value)
        if field == "lr":
            self.lr = float(value)
            self.recorder.rate(self.step, self.rate)
            if self.plan.schedule == "plateau":
                value = self.rate  # its drops go on from there, and their marks are of the rate that holds
        self.marks.append(self._mark(self.step, field, value))

    @staticmethod
    def _mark(step: int, field: str, value: Any) -> Mark:
        if field == "lr":
            return Mark(step, "change", f"lr {float(value):.4g}")
        return Mark(step, "change", f"{find(field).label} {find(field).show(value)}")

    def checkpoint(self, *, last: bool = True, keep: bool = False) -> None:
        """Write the state (as the last one; with `keep` also under its step) and the model as they are now."""
        assert self.folder is not None
        self.folder.check()
        if last:
            self._write_state(keep)
        model = self.folder.path / "model.safetensors"
        with self.folder.room.forgiving():
            predictor.save_model(model, self.kernel.parameters(), self.prepared, self.plan, self.decision)
        self._last_checkpoint = time.monotonic()

    def _write_state(self, keep: bool = False) -> None:
        assert self.folder is not None
        self.folder.check()
        state = self._progress.added(self.kernel.state(), self.seconds)
        with self.folder.room.forgiving():
            if self._progress.best is not None:
                checkpoint.save(self.folder.checkpoints / "best.safetensors", self._progress.best)
            checkpoint.save(self.folder.checkpoints / "last.safetensors", state)
            self._saved = self.step
            if keep:
                checkpoint.save(checkpoint.path_of(self.folder.path, self.step), state)
                self.marks.append(Mark(self.step, "checkpoint", "checkpoint"))
                checkpoint.thin_out(self.folder.path, self.recipe.recording.keep_checkpoints)

    # A disk without room.

    @property
    def full(self) -> str:
        """Which file a full disk has refused, what is safe, and what to do; "" while everything is written."""
        refused = None if self.folder is None else self.folder.room.refused
        return "" if refused is None else self._of_full(refused)

    def make_good(self) -> bool:
        """Write what a full disk has refused; whether all of it is written now. Raises OSError for other trouble."""
        assert self.folder is not None
        if not self.folder.retry():
            return False
        self.checkpoint()
        return self.folder.room.refused is None

    @property
    def _safe(self) -> str:
        """How a run that broke off goes on, where it can."""
        if self.folder is None or self._saved is None:
            return ""
        words = f"`ravine resume {quoted(self.folder.path)}` goes on from there"
        return f" It is safe up to step {self._saved:,}; {words}."

    def _out_of_room(self, error: OSError) -> str:
        """End a run whose disk has no room. Raises OSError."""
        assert self.folder is not None
        words = self._of_full(error)
        self.folder.record(state="interrupted", ended_at=time.time(), ending=words)
        self.folder.log(words)
        if "recorder" in self.__dict__:
            self.recorder.close()
        return words

    def _of_full(self, error: OSError) -> str:
        assert self.folder is not None
        path = self.folder.path
        if self._saved is None:
            safe, then = (
                "No checkpoint of the run is on the disk yet",
                f"`ravine train --recipe {quoted(path)}` begins it anew",
            )
        else:
            safe, then = (
                f"The run is safe up to step {self._saved:,}",
                f"`ravine resume {quoted(path)}` goes on from there",
            )
        return (
            f"The disk is full: {error.filename} cannot be written ({error.strerror}). {safe}; make room, then {then}."
        )

    @property
    def checkpoint_age(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self._last_checkpoint

    def weights(self) -> Weights | None:
        """The parameters now, in scaled and raw units, with their gradient; None for a model that is not linear."""
        if not self.plan.architecture.linear:
            return None
        now, gradient = self.kernel.parameters(), self.kernel.gradient()
        raw, raw_bias = outcomes.fold(self.prepared, now.weight, now.bias)
        if self._reach is None:
            self._reach = _reach(self.prepared.train.x)
        normalizer = self.prepared.normalizer
        return Weights(
            step=self.kernel.step,
            features=self.prepared.features,
            outputs=self.prepared.classes if now.weight.shape[1] > 1 else (self.prepared.target,),
            scaled=now.weight,
            raw=raw,
            gradient=gradient.weight,
            bias_scaled=now.bias,
            bias_raw=raw_bias,
            bias_gradient=gradient.bias,
            reach=self._reach,
            raw_reach=np.abs(normalizer.offset) + np.abs(normalizer.scale) * self._reach,
        )

    # The end.

    def finish(
        self,
        reason: Ended,
        activity: Callable[[str], None] = lambda _text: None,
        cancelled: Cancelled = lambda: False,
    ) -> Ending:
        """Evaluate, write the model, the result and the ending, and close the folder.

        Args:
            activity: told what takes a while.
            cancelled: whether to leave out what takes a while, which is the choice of a threshold.
        """
        assert self.folder is not None
        self.clock(False)
        if self._bad_loss is not None:
            reason = "diverged"
        else:
            self._write_state()
            self._evaluate(counts=False)
            if reason == "limit":
                reason = self._halt or "limit"
        last = self._taken = self.step
        restored = self._progress.best is not None and self._restores_best and self._progress.watch.best_step < last
        kept = self._progress.watch.best_step if restored else last
        if self._progress.best is not None and restored:
            self.kernel.restore(self._progress.best)
        if self.recipe.model.threshold == "auto" and self.decision is not None:
            events = sorted([*self.recipe.events, *self._drops], key=lambda event: event.step)
            self._tuned = crossfit.threshold(
                self.recipe, self.plan, self.prepared, self.facts, reason, kept, events, activity, cancelled
            )
        self.ending = self._explain(reason, last)
        self.result = outcomes.result(
            run=str(self.folder.path),
            ended=reason,
            plan=self.plan,
            prepared=self.prepared,
            facts=self.facts,
            kernel=self.kernel,
            steps=last,
            epochs=self.epochs(last),
            seconds=self.seconds,
            lr=self.lr,
            decision=self.decision,
        )
        self.checkpoint(last=False)
        state = "interrupted" if reason == "interrupted" else "ended"
        self.folder.record(
            state=state,
            ended_at=time.time(),
            result={k: v for k, v in self.result.items() if k != "run"},
            ending=self.ending.sentence,
            kept_step=kept,
        )
        self.folder.log(self.ending.sentence)
        if reason != "interrupted":  # else the run goes on, and TensorBoard believes the first ending that it is told
            self.recorder.ending(kept, self.ending.sentence, self.result["metrics"], good=reason != "diverged")
        if self.folder.room.refused is not None and not self.make_good():
            assert self.folder.room.refused is not None
            raise self.folder.room.refused
        self.recorder.close()
        if self._worktree is not None:
            self._worktree.join()
        return self.ending

    def fail(self, error: BaseException) -> str:
        """Keep the folder valid after something unexpected; the sentence that says what and where."""
        self.clock(False)
        first = (str(error).strip().splitlines() or [""])[0]
        words = f"{type(error).__name__}: {first}" if first else type(error).__name__
        if isinstance(error, OSError):
            words = f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
        if self.folder is None:
            return f"The run could not start: {words}."
        if isinstance(error, LostError):
            return f"{error} What it wrote before is kept."
        try:
            if self.folder.gone:
                return self._left()
            if isinstance(error, OutOfMemory):
                return self._kept(error)
            if isinstance(error, OSError) and is_full(error) and error.filename:
                return self._out_of_room(error)
            self.folder.record(state="failed", ended_at=time.time(), ending=words)
            self.folder.log("".join(traceback.format_exception(error)))
            if "recorder" in self.__dict__:  # else it failed between the two
                self.recorder.close()
        except OSError as second:
            where, why = second.filename or self.folder.path, second.strerror or second
            return f"The run failed: {words}; and {where} cannot be written: {why}.{self._safe}"
        return f"The run failed: {words}. The traceback is in {self.folder.path / 'log.txt'}."

    def let_go(self) -> None:
        """Give the lock of the folder back, however the run ended. Once is enough."""
        if self.folder is not None:
            self.folder.unlock()
        elif self._lock is not None:
            self._lock.release()

    def _left(self) -> str:
        """Let go of a folder that was deleted or moved away. Raises OSError."""
        assert self.folder is not None
        words = f"The run ended: its folder {self.folder.path} was deleted or moved while it trained"
        self.folder.log(f"{words}.")  # read where it was moved to
        if "recorder" in self.__dict__:
            self.recorder.close()
        return f"{words}; start it again, or resume it from where it lies now."

    def _kept(self, error: OutOfMemory) -> str:
        """Keep a run whose batch did not fit, to go on with a smaller one. Raises OSError."""
        assert self.folder is not None
        self.checkpoint()
        self.ending = Ending("failed", str(error), error.remedy, error.remedy_text)
        self.folder.record(state="failed", ended_at=time.time(), ending=self.ending.sentence)
        self.folder.log(self.ending.sentence)
        self.recorder.close()
        return self.ending.sentence

    def _explain(self, reason: Ended, last: int) -> Ending:
        assert self.folder is not None
        gradient = self.kernel.gradient()
        validation = self.kernel.evaluate("validation")
        size = least((self.folder.history.first, self.facts.baseline_loss))
        outcome = diagnosis.Outcome(
            step=last,
            train_loss=self.kernel.evaluate("train"),
            validation_loss=validation if np.isfinite(validation) else None,
            bad_loss=self._bad_loss,
            best_step=self._progress.watch.best_step,
            flat_since=flat_since(self.folder.history, SHARE**2 * (size or 0.0)),
            gradient_norm=_norm(gradient),
            initial_gradient_norm=self._progress.first_norm,
            size=size,
        )
        said = diagnosis.verdict(reason, self.recipe, self.plan, self.prepared, self.facts, outcome)
        return Ending(reason, said.sentence, said.remedy, said.remedy_text)


def _reach(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root mean square [d] of each column of x [n, d], of so many rows that a look at them takes no time."""
    part = x[: max(1, LOOKED_AT // max(1, x.shape[1]))]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(np.einsum("ij,ij->j", part, part) / max(1, len(part))))


def _norm(parameters: Parameters) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(sum(float(np.sum(a**2)) for a in parameters.arrays.values())))
