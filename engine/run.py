"""One run, from recipe to finished folder. No threads and no clock decide anything here: `Session` drives it."""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.devices import resolve as resolve_device
from engine.errors import InputError
from engine.history import Series
from engine.learn import diagnosis, metrics
from engine.learn.curvature import Facts, least_squares
from engine.learn.kernels.choose import choose
from engine.learn.kernels.contract import Floats, Kernel, Parameters
from engine.learn.plan import Plan, make_plan, starting_point
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

    # Before the first step.

    def prepare(self, activity: Callable[[str], None], cancelled: Cancelled) -> None:
        """Load and prepare the data, make the plan, and open the folder. Raises InputError and Cancelled."""
        if self.table is None:
            activity(f"reading {self.recipe.data.dataset}")
            self.table = load(self.recipe.data, cancelled=cancelled)
        activity("preparing the rows")
        self.prepared = prepare(self.recipe.data, self.recipe.normalization, self.table, cancelled=cancelled)
        train = self.prepared.train
        activity("finding the optimum")
        self.facts = least_squares(train.x, np.asarray(train.y, np.float64), self.prepared.target_scale.scale)
        self.plan = make_plan(self.recipe, self.prepared, self.facts, resolve_device(self.recipe.device.device))
        self.lr = self.plan.lr
        activity(f"starting the {self.plan.backend} backend on {self.plan.device}")
        limit = diagnosis.divergence_limit(self._initial_loss(), self.facts)
        self.kernel = choose(self.plan, self.prepared, limit)
        self.folder = RunFolder.create(self.recipe, self.prepared.table_name)
        if self.recipe.recording.tensorboard:
            self._events = EventFile(self.folder.path, time.time())
        self.folder.record(state="running", created=time.time(), **self._origin())
        for note in self.prepared.notes:
            self.folder.log(note)
        self.folder.log(self.plan.backend_reason)
        self.folder.stamp(0, time.time())
        self._evaluate()

    def _initial_loss(self) -> float:
        train = self.prepared.train
        start = starting_point(self.plan, train.x.shape[1], 1)
        with np.errstate(over="ignore", invalid="ignore"):
            error = train.x @ start["weight"][:, 0] + start["bias"][0] - train.y
            return float(np.mean(error**2)) * self.prepared.target_scale.scale**2

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
        """Take up to `most` updates; False when the run is over (limit or divergence), see `over`.

        Ends early at the next event, evaluation or checkpoint, so that each happens at its own step.
        """
        assert self.folder is not None
        while self._pending and self._pending[0].step <= self.step:
            event = self._pending.pop(0)
            self._apply(event.field, event.value)
        start = self.step
        stops = [start + most, self.plan.steps]
        if self._pending:
            stops.append(self._pending[0].step)
        every = self.recipe.recording.checkpoint_every
        stops += [(start // period + 1) * period for period in (self.plan.eval_every, every) if period]
        losses = self.kernel.advance(min(stops) - start)
        wall = time.time()
        self.folder.history.append(losses)
        self.folder.stamp(start + len(losses), wall)
        self._log_losses(start, losses, wall)
        if self.step - start < min(stops) - start:
            self._bad_loss = float(losses[-1])
            return False
        if self.plan.eval_every and self.step % self.plan.eval_every == 0:
            self._evaluate()
        if every and self.step % every == 0:
            self.checkpoint()
        return self.step < self.plan.steps

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
            self._events.scalar("learning_rate", wall, 0, self.lr)

    def _evaluate(self) -> None:
        if not self.plan.eval_every or self.folder is None:
            return
        steps, _ = self.validation.points()
        if len(steps) and steps[-1] == self.step:
            return
        loss = self.kernel.evaluate("validation")
        self.validation.append(self.step, loss)
        self.folder.validation(self.step, loss)
        if self._events is not None:
            self._events.scalar("loss/validation", time.time(), self.step, loss)

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
        if field == "lr":
            self.lr = float(value)
            self.marks.append(Mark(self.step, "change", f"lr {self.lr:.4g}"))
            if self._events is not None:
                self._events.scalar("learning_rate", time.time(), self.step, self.lr)

    def checkpoint(self) -> None:
        """Write the state and the model as they are now."""
        assert self.folder is not None
        checkpoint.save(self.folder.checkpoints / "last.safetensors", self.kernel.state())
        predictor.save_model(self.folder.path / "model.safetensors", self.kernel.parameters(), self.prepared)
        self._last_checkpoint = time.monotonic()

    @property
    def checkpoint_age(self) -> float:
        """Seconds since the last checkpoint."""
        return time.monotonic() - self._last_checkpoint

    def weights(self) -> Weights:
        """The parameters now, in scaled and raw units, with their gradient."""
        now, gradient = self.kernel.parameters(), self.kernel.gradient()
        raw, raw_bias = self.prepared.normalizer.fold(now.weight, now.bias, self.prepared.target_scale)
        return Weights(
            step=self.step,
            features=self.prepared.features,
            outputs=(self.prepared.target,),
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
        self.ending = self._explain(reason)
        self.checkpoint()
        self.result = self._result(reason)
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

    def _explain(self, reason: Ended) -> Ending:
        loss = self.kernel.evaluate("train")
        remedy: diagnosis.Remedy | None = None
        if reason == "diverged":
            assert self._bad_loss is not None
            sentence, remedy = diagnosis.diverged(
                self.recipe, self.plan, self.prepared, self.facts, self.step, self._bad_loss
            )
        elif reason == "limit":
            sentence, remedy = diagnosis.reached(self.plan, self.facts, self.step, loss)
        else:
            how = "Stopped" if reason == "stopped" else "Interrupted"
            sentence = f"{how} at step {self.step:,} of {self.plan.steps:,}; train loss {diagnosis.number(loss)}."
        return Ending(reason, sentence, remedy.fields if remedy else {}, remedy.text if remedy else "")

    def _result(self, reason: Ended) -> dict[str, Any]:
        """The object that `train --json` prints."""
        assert self.folder is not None
        prepared, facts = self.prepared, self.facts
        now = self.kernel.parameters()
        raw, raw_bias = prepared.normalizer.fold(now.weight, now.bias, prepared.target_scale)
        train_loss = self.kernel.evaluate("train")
        return {
            "run": str(self.folder.path),
            "ended": reason,
            "steps": self.step,
            "epochs": self.step / self.plan.batches,
            "seconds": self.seconds,
            "steps_per_second": self.step / self.seconds if self.seconds > 0 else None,
            "backend": self.plan.backend,
            "device": self.plan.device,
            "train_loss": train_loss,
            "val_loss": self.kernel.evaluate("validation") if len(prepared.validation.y) else None,
            "optimum_loss": facts.optimum_loss,
            "gap": facts.gap(train_loss),
            "metrics": {split: self._metrics(now, split) for split in ("train", "validation", "test")},
            "features": list(prepared.features),
            "weights_raw": raw[:, 0].tolist(),
            "bias_raw": float(raw_bias[0]),
            "weights_scaled": now.weight[:, 0].tolist(),
            "bias_scaled": float(now.bias[0]),
            "lr": self.lr,
            "lr_bound": facts.lr_bound,
            "condition_number": facts.condition_number,
        }

    def _metrics(self, parameters: Parameters, split: str) -> dict[str, float]:
        rows, scale = getattr(self.prepared, split), self.prepared.target_scale
        output = (rows.x @ parameters.weight + parameters.bias)[:, 0]
        return metrics.regression(rows.y * scale.scale + scale.offset, output * scale.scale + scale.offset)


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
