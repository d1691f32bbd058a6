"""What a run will take of disk and memory, told before it begins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.base.errors import InputError
from engine.data.prepare import Prepared
from engine.devices import memory_limit
from engine.learn.models import buffers
from engine.learn.plan import Plan
from engine.recipe import Recipe
from engine.runs import records, tags
from engine.runs.tensorboard import DENSE, OCTAVE
from engine.training import sentences

LARGE = 10**9  # bytes: from here on a forecast is shown
JUDGED = 10**7  # bytes on disk: a forecast of less is not exact enough to refuse a run
ON_DISK = 8  # bytes of a step's loss: a float64
IN_MEMORY = 0.7  # bytes that the pyramid of `engine.base.loss_history` takes for a step
EVALUATION = 400  # bytes of a line of evaluations.jsonl, generously
CURVES = 8  # curves that an evaluation adds points to, about
ENOUGH = 0.9  # of the free memory: beyond it the forecast warns


@dataclass(frozen=True)
class Forecast:
    """Bytes, as far as they can be told beforehand."""

    losses: int  # on disk, the loss of every step
    events: int  # on disk, TensorBoard's records
    evaluations: int  # on disk
    checkpoints: int  # on disk
    memory: int  # beside what the table takes already: the losses' pyramid, the kernel's copies of the rows, a batch
    sentences: tuple[str, ...] = ()  # what is worth knowing; () while everything is small

    @property
    def disk(self) -> int:
        """Bytes on disk in all."""
        return self.losses + self.events + self.evaluations + self.checkpoints


def forecast(plan: Plan, prepared: Prepared, recipe: Recipe, done: int = 0) -> Forecast:
    """Look ahead.

    Args:
        done: steps that an earlier part of the run has taken.
    """
    steps = max(0, plan.steps - done)
    looks = steps // plan.eval_every + 1
    point = len(records.scalars(tags.TRAIN, np.zeros(1), np.array([plan.steps]), np.zeros(1)))
    events = 0
    if recipe.recording.tensorboard:
        moving = 2 if plan.schedule != "constant" or plan.warmup else 1  # the learning rate is a curve of its own
        events = point * (moving * _points(steps, recipe) + CURVES * looks)
    parts = (prepared.train, prepared.validation, prepared.test)
    found = Forecast(
        losses=ON_DISK * steps,
        events=events,
        evaluations=EVALUATION * looks,
        checkpoints=_checkpoints(plan, recipe, steps),
        memory=int(IN_MEMORY * plan.steps) + _copies(plan, sum(rows.x.size for rows in parts)) + _activations(plan),
    )
    return Forecast(*_figures(found), _sentences(found, plan, recipe))


def check(found: Forecast, recipe: Recipe) -> tuple[str, ...]:
    """Sentences to show before the run; () for a small one.

    Raises:
        InputError: the disk cannot hold it, and no other rule may end it sooner.
    """
    free, where = _free(recipe)
    if found.disk > max(free, JUDGED):
        stopping = recipe.stopping
        few = found.events > found.disk / 2
        rules = (stopping.max_seconds, stopping.tol, stopping.patience, stopping.target_loss)
        if all(rule is None for rule in rules):
            refused = sentences.NO_ROOM_FOR_EVENTS if few else sentences.NO_ROOM
            raise InputError(refused(needed=found.disk, place=where, free=free))
        warned = sentences.LITTLE_ROOM_FOR_EVENTS if few else sentences.LITTLE_ROOM
        return (*found.sentences, warned(needed=found.disk, place=where, free=free))
    return found.sentences


def parameters(plan: Plan) -> int:
    """Numbers that the model learns; 0 for a module of one's own, which is not built yet."""
    shape = plan.architecture
    if shape.own:
        return 0
    return shape.size + sum(values.size for values in buffers(shape).values())


def _points(steps: int, recipe: Recipe) -> int:
    """Points that a curve of every step gets in TensorBoard."""
    every = recipe.recording.log_every
    if every == "all":
        return steps
    if every != "auto":
        return steps // every + 1
    # Every step at first, then OCTAVE points each time the step number doubles; see `engine.runs.tensorboard.logged`.
    return min(steps, DENSE) + OCTAVE * (steps // DENSE).bit_length()


def _checkpoints(plan: Plan, recipe: Recipe, steps: int) -> int:
    """The model, the last state (with the best weights in it), the best one, and those that are kept of their steps."""
    one = 8 * parameters(plan) * (1 + len(plan.rule.state))
    every = recipe.recording.checkpoint_every
    kept = steps // every if every else 0
    return one * (4 + 2 * kept)


def _copies(plan: Plan, elements: int) -> int:
    """A kernel's copies of the rows: in its own number format, and in the order of an epoch."""
    wide = 8 if plan.precision == "float64" else 4
    if plan.backend == "spectral":
        return 8 * elements
    own = 0 if wide == 8 and plan.device == "cpu" else wide * elements
    return own + (0 if plan.full_batch or plan.shuffle == "none" else wide * elements)


def _activations(plan: Plan) -> int:
    """What a batch leaves between the layers for the way back: sums, activations, and the gradients of both."""
    width = sum(plan.architecture.hidden) or plan.architecture.outputs
    return 4 * plan.batch * width * (8 if plan.precision == "float64" else 4)


def _sentences(found: Forecast, plan: Plan, recipe: Recipe) -> tuple[str, ...]:
    said = []
    if found.disk >= LARGE:
        free, where = _free(recipe)
        parts = [sentences.SIZE_OF_LOSSES(steps=plan.steps, size=found.losses)]
        if found.events >= LARGE / 10:
            every = sentences.SIZE_OF_EVENTS if recipe.recording.log_every == "auto" else sentences.SIZE_OF_ALL_EVENTS
            parts.append(every(size=found.events))
        if found.evaluations >= LARGE / 10:
            parts.append(sentences.SIZE_OF_EVALUATIONS(size=found.evaluations))
        if found.checkpoints >= LARGE / 10:
            parts.append(sentences.SIZE_OF_CHECKPOINTS(size=found.checkpoints))
        said.append(sentences.WILL_TAKE(size=found.disk, free=free, place=where, parts=parts))
    if found.memory >= LARGE:
        total = memory_limit()[1]
        if plan.device != "cpu":
            said.append(sentences.WILL_TAKE_MEMORY_OF(size=found.memory, device=plan.device))
        elif found.memory > ENOUGH * total:
            said.append(sentences.WILL_STREAM(size=found.memory, free=total))
        else:
            said.append(sentences.WILL_TAKE_MEMORY(size=found.memory))
    return tuple(said)


def _figures(found: Forecast) -> tuple[int, int, int, int, int]:
    return found.losses, found.events, found.evaluations, found.checkpoints, found.memory


def _free(recipe: Recipe) -> tuple[int, Path]:
    """Bytes free on the disk of the runs folder, and the folder; where it is not there yet, the one it will be in."""
    where = Path(recipe.recording.runs).expanduser()
    folder = where.absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free, where
    except OSError:
        return 2**63, where  # a disk that does not tell is not judged
