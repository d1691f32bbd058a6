"""One run, from recipe to finished folder. No threads and no clock decide anything here: `Session` drives it."""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine import outcome as outcomes
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.devices import resolve as resolve_device
from engine.errors import InputError
from engine.history import Series
from engine.learn import diagnosis
from engine.learn.curvature import Facts
from engine.learn.kernels.choose import choose, open_kernel
from engine.learn.kernels.contract import Floats, Kernel, Parameters, State
from engine.learn.plan import Plan, make_architecture, make_facts, make_plan
from engine.learn.schedules import Plateau, factors
from engine.learn.stopping import Flatness, Watch
from engine.recipe import Event, Recipe, find
from engine.runs import checkpoint, predictor
from engine.runs.folder import RunFolder, versions
from engine.runs.tensorboard import EventFile, logged
from engine.snapshot import Ended, Ending, Mark, Weights

Cancelled = Callable[[], bool]


class Run:
    """The state of one training run and its folder.

    Args:
        recipe: what to do.
        table: the data, where it has been loaded already.
        command: the command line that started it, for the record.
    """

    def __init__(self, recipe: Recipe, table: Table | None = None, command: str = "") -> None:
        self.recipe = recipe
        self.command = command
        self.table = table
        self.prepared: Prepared
        self.facts: Facts
        self.plan: Plan
        self.kernel: Kernel
        self.folder: RunFolder | None = None
        self.validation = Series()
        self.marks: list[Mark] = []
        self.lr = 0.0
        self.ending: Ending | None = None
        self.result: dict[str, Any] = {}
        self._events: EventFile | None = None
        self._pending = list(recipe.events)
        self._active = 0.0  # seconds of training
        self._resumed_at: float | None = None  # when the clock was last started
        self._last_checkpoint = time.monotonic()
        self._bad_loss: float | None = None
        self._halt: Ended | None = None
        self._watch: Watch
        self._plateau = Plateau()
        self._flatness = Flatness()
        self._best: State | None = None
        self._first_norm = 0.0
        self._threshold = 0.5  # the probability from which on the second of two classes is decided
        self._evaluated = -1  # the step of the newest evaluation

    # Before the first step.

    def prepare(self, activity: Callable[[str], None], cancelled: Cancelled) -> None:
        """Load and prepare the data, make the plan, and open the folder. Raises InputError and Cancelled."""
        if self.table is None:
            activity(f"reading {self.recipe.data.dataset}")
            self.table = load(self.recipe.data, cancelled=cancelled)
        activity("preparing the rows")
        self.prepared = prepare(self.recipe.data, self.recipe.normalization, self.table, cancelled=cancelled)
        activity("finding the optimum")
        architecture, loss = make_architecture(self.recipe, self.prepared)
        self.facts = make_facts(self.recipe, self.prepared, architecture, loss)
        device = resolve_device(self.recipe.device.device)
        self.plan = choose(self.recipe, make_plan(self.recipe, self.prepared, self.facts, device), self.facts)
        self.lr = self.plan.lr
        activity(f"starting the {self.plan.backend} backend on {self.plan.device}")
        self.kernel = open_kernel(self.plan, self.prepared, self.facts)
        self._first_norm = _norm(self.kernel.gradient())
        self._watch = Watch(
            self.recipe.stopping, self.facts, len(self.prepared.validation.y) > 0, self.plan.schedule == "plateau"
        )
        self.folder = RunFolder.create(self.recipe, self.prepared.table_name)
        if self.recipe.recording.tensorboard:
            self._events = EventFile(self.folder.path, time.time())
        self.folder.record(state="running", created=time.time(), **self._origin())
        for note in self.prepared.notes:
            self.folder.log(note)
        self.folder.log(self.plan.backend_reason)
        self.folder.stamp(0, time.time())
        self._evaluate()

    def _origin(self) -> dict[str, Any]:
        prepared, plan = self.prepared, self.plan
        return {
            "command": self.command,
            "versions": versions(),
            "device": plan.device,
            "backend": plan.backend,
            "precision": plan.precision,
            "threads": plan.threads,
            "git_commit": _git_commit(),
            "data": {
                "source": self.recipe.data.dataset,
                "table": prepared.table_name,
                "fingerprint": prepared.fingerprint,
                "rows": {
                    "train": len(prepared.train.y),
                    "validation": len(prepared.validation.y),
                    "test": len(prepared.test.y),
                },
                "features": prepared.features,
                "target": prepared.target,
                "notes": prepared.notes,
            },
            "choices": {
                "dataset": self.recipe.data.dataset,
                "normalize": self.recipe.normalization.normalize,
                "model": plan.model,
                "optimizer": plan.optimizer,
                "lr": plan.lr,
                "batch_size": plan.batch,
                "steps": plan.steps,
                "init": plan.init,
                "loss": plan.loss,
                "l1": plan.l1,
                "l2": plan.l2,
                "schedule": plan.schedule,
                "hidden": plan.architecture.hidden,
                "dropout": plan.architecture.dropout,
                "seed": plan.seed,
                "split_seed": self.recipe.data.split_seed,
            },
        }

    # Steps.

    @property
    def step(self) -> int:
        """Updates taken."""
        return self.kernel.step

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
        assert self.folder is not None
        start, every = self.step, self.recipe.recording.checkpoint_every
        period = self.plan.eval_every if self._watch.needed else 0
        stops = [goal, *(event.step for event in self._pending[:1])]
        stops += [(start // p + 1) * p for p in (period, every) if p]
        losses = self.kernel.advance(min(stops) - start)
        wall = time.time()
        self._flatness.take(start, float(losses.min()), float(losses.max()))
        self.folder.history.append(losses)
        self.folder.stamp(start + len(losses), wall)
        self._log_losses(start, losses, wall)
        if self.step < min(stops):
            self._bad_loss = float(losses[-1])
            return False
        if period and self.step % period == 0:
            self._evaluate()
        if every and self.step % every == 0:
            self.checkpoint()
        limit = self.recipe.stopping.max_seconds
        if limit is not None and self.seconds >= limit:
            self._halt = self._halt or "time"
        return self._halt is None

    def _log_losses(self, start: int, losses: Floats, wall: float) -> None:
        if self._events is None:
            return
        steps = np.arange(start, start + len(losses), dtype=np.int64)
        chosen = logged(steps, self.recipe.recording.log_every)
        if start + len(losses) >= self.plan.steps and len(chosen):
            chosen[-1] = True
        if chosen.any():
            walls = np.full(int(chosen.sum()), wall)
            self._events.scalars("loss/train", walls, steps[chosen], losses[chosen])
        if start == 0:
            self._log_rate(0)
        if self.plan.schedule != "constant" or self.plan.warmup:
            rates = (
                self.lr
                * self._plateau.factor
                * factors(self.plan.schedule, self.plan.warmup, self.plan.steps, start, len(losses))
            )
            if chosen.any():
                self._events.scalars("learning_rate", walls, steps[chosen], rates[chosen])

    def _log_rate(self, step: int) -> None:
        if self._events is not None:
            self._events.scalar("learning_rate", time.time(), step, self.rate)

    @property
    def _keeps_best(self) -> bool:
        """Whether the weights of the best evaluation are restored at the end.

        They are with patience, and for models that can overfit while they train. A convex model keeps its last ones:
        they are the ones that descent has brought to the optimum.
        """
        watched = len(self.prepared.validation.y) > 0 and not self.plan.architecture.linear
        return self.recipe.stopping.patience is not None or watched

    @property
    def rate(self) -> float:
        """The learning rate of the next update."""
        plan = self.plan
        factor = factors(plan.schedule, plan.warmup, plan.steps, min(self.step, plan.steps - 1), 1)[0]
        return float(self.lr * self._plateau.factor * factor)

    def _evaluate(self) -> None:
        """Look at the validation rows, and at the train rows where a rule needs it; once a step."""
        assert self.folder is not None
        if self._evaluated == self.step or not self._watch.needed:
            return
        self._evaluated = self.step
        train = self.kernel.evaluate("train") if self._watch.needs_train_loss else None
        validation = None
        if len(self.prepared.validation.y):
            validation = self.kernel.evaluate("validation")
            self.validation.append(self.step, validation)
            self.folder.validation(self.step, validation)
            if self._events is not None:
                self._events.scalar("loss/validation", time.time(), self.step, validation)
        self._halt = self._halt or self._watch.evaluated(self.step, train, validation)
        if self._watch.improved and self._keeps_best:
            self._best = self.kernel.state()
        if self.plan.schedule == "plateau" and self.step:
            loss = validation if validation is not None else train
            assert loss is not None
            if self._plateau.evaluated(loss):
                self.kernel.change("lr_factor", self._plateau.factor)
                self.marks.append(Mark(self.step, "change", f"lr {self.rate:.4g}"))
                self._log_rate(self.step)

    # Steering.

    def change(self, field: str, value: Any) -> None:
        """Change a live field from the next update on, and write it to the recipe's events. Raises InputError."""
        changed = self.recipe.model_copy(update={"events": ()}).replace({field: value})
        if not find(field).live:
            raise InputError(f"{find(field).label.capitalize()} cannot be changed during a run.")
        if changed.get(field) == "auto":
            raise InputError(f"{find(field).label.capitalize()} needs a definite value during a run, not auto.")
        self._apply(field, changed.get(field))
        events = (*self.recipe.events, Event(step=self.step, field=field, value=changed.get(field)))
        self.recipe = self.recipe.model_copy(update={"events": events})
        if self.folder is not None:
            self.folder.update_recipe(self.recipe)

    def _apply(self, field: str, value: Any) -> None:
        self.kernel.change(field, value)
        shown = find(field).show(value)
        if field == "lr":
            self.lr = float(value)
            shown = f"{self.lr:.4g}"
            self._log_rate(self.step)
        label = "lr" if field == "lr" else find(field).label
        self.marks.append(Mark(self.step, "change", f"{label} {shown}"))

    def checkpoint(self, *, last: bool = True) -> None:
        """Write the state (as the last one) and the model as they are now."""
        assert self.folder is not None
        if last:
            checkpoint.save(self.folder.checkpoints / "last.safetensors", self.kernel.state())
        predictor.save_model(
            self.folder.path / "model.safetensors", self.kernel.parameters(), self.prepared, self.plan, self._threshold
        )
        self._last_checkpoint = time.monotonic()

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
        return Weights(
            step=self.step,
            features=self.prepared.features,
            outputs=self.prepared.classes if now.weight.shape[1] > 1 else (self.prepared.target,),
            scaled=now.weight,
            raw=raw,
            gradient=gradient.weight,
            bias_scaled=now.bias,
            bias_raw=raw_bias,
            bias_gradient=gradient.bias,
        )

    # The end.

    def finish(self, reason: Ended) -> Ending:
        """Evaluate, write the model, the result and the ending, and close the folder."""
        assert self.folder is not None
        self.clock(False)
        if self._bad_loss is not None:
            reason = "diverged"
        else:
            self._evaluate()
            if reason == "limit":
                reason = self._halt or "limit"
        last = self.step
        if self._best is not None and self._watch.best_step < last:
            checkpoint.save(self.folder.checkpoints / "last.safetensors", self.kernel.state())
            self.kernel.restore(self._best)
            self._evaluated = -1
        self.ending = self._explain(reason, last)
        self.result = outcomes.result(
            run=str(self.folder.path),
            ended=reason,
            plan=self.plan,
            prepared=self.prepared,
            facts=self.facts,
            kernel=self.kernel,
            steps=last,
            seconds=self.seconds,
            lr=self.rate,
        )
        self._threshold = self.result["threshold"] or 0.5
        self.checkpoint(last=self._best is None)
        state = "interrupted" if reason == "interrupted" else "ended"
        self.folder.record(
            state=state,
            ended_at=time.time(),
            result={k: v for k, v in self.result.items() if k != "run"},
            ending=self.ending.sentence,
        )
        self.folder.log(self.ending.sentence)
        self._close()
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
        try:
            self.folder.log("".join(traceback.format_exception(error)))
            self.folder.record(state="failed", ended_at=time.time(), ending=words)
            self._close()
        except OSError as second:
            return f"The run failed: {words}; and its log cannot be written: {second.strerror or second}."
        return f"The run failed: {words}. The traceback is in {self.folder.path / 'log.txt'}."

    def _close(self) -> None:
        assert self.folder is not None
        if self._events is not None:
            self._events.close()
        self.folder.close()

    def _explain(self, reason: Ended, last: int) -> Ending:
        gradient = self.kernel.gradient()
        validation = self.kernel.evaluate("validation")
        outcome = diagnosis.Outcome(
            step=last,
            train_loss=self.kernel.evaluate("train"),
            validation_loss=validation if np.isfinite(validation) else None,
            bad_loss=self._bad_loss,
            best_step=self._watch.best_step,
            flat_since=self._flatness.since(last),
            gradient_norm=_norm(gradient),
            initial_gradient_norm=self._first_norm,
        )
        said = diagnosis.verdict(reason, self.recipe, self.plan, self.prepared, self.facts, outcome)
        return Ending(reason, said.sentence, said.remedy, said.remedy_text)


def _norm(parameters: Parameters) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(sum(float(np.sum(a**2)) for a in parameters.arrays.values())))


def _git_commit() -> str | None:
    """The commit that is checked out where the run was started, for the record."""
    if not any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents)):
        return None
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # no git on this machine, or a repository it refuses: nothing to record
    return answer.stdout.strip() or None
