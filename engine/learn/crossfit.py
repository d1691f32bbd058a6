"""A threshold chosen out of fold: of every train row by a model that was trained as the run's, but without the row."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.data.prepare import Prepared, Rows
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.kernels.choose import open_kernel
from engine.learn.kernels.contract import Kernel
from engine.learn.metrics import probabilities
from engine.learn.plan import Plan, of_table
from engine.learn.threshold import HALF, Tuned, few, folds, tune
from engine.recipe import Event, Recipe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 0.05  # seconds of steps between two looks at whether it is still wanted


class Failed(Exception):
    """A model without a fold could not be trained; the text says why, in half a sentence."""


SHORT = {
    "diverged": "diverged",
    "time": sentences.REACHED_LIMIT(),
    "stopped": sentences.WAS_STOPPED(),
    "interrupted": sentences.WAS_INTERRUPTED(),
}


def threshold(
    recipe: Recipe,
    plan: Plan,
    prepared: Prepared,
    facts: LossSurfaceFacts,
    ended: str,
    steps: int,
    events: Sequence[Event],
    activity: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Tuned:
    """The threshold of a run with two classes; 0.5 with the reason where none can be chosen.

    Args:
        ended: why the run is over; only one that came to its end has time for it.
        steps, events, activity, cancelled: see `out_of_fold`.
    """
    if ended in SHORT:
        return Tuned(HALF, sentences.NOT_CHOSEN(how=SHORT[ended]))
    y = (prepared.train.y == prepared.positive).astype(np.int64)
    fold = folds(y, plan.seed)
    if few(y):
        return tune(y, np.full(len(y), HALF), fold)
    try:
        outputs = out_of_fold(
            recipe, plan, prepared, facts, fold, steps, events, activity=activity, cancelled=cancelled
        )
    except Failed as error:
        return Tuned(HALF, str(error))
    return tune(y, probabilities(outputs)[:, prepared.positive], fold)


def out_of_fold(
    recipe: Recipe,
    plan: Plan,
    prepared: Prepared,
    facts: LossSurfaceFacts,
    fold: Ints,
    steps: int,
    events: Sequence[Event] = (),
    *,
    activity: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> Floats:
    """What the models give for the train rows, float64 [n, k]: logits.

    Each is trained with the choices, seed, passes over its rows and changes on the way of the run itself. Encoding and
    normalization, which know nothing of the targets, are the run's.

    Args:
        fold: [n] the number of the fold in which each train row is left out.
        steps: updates after which the run's weights were kept.
        events: what was changed on the way, in order.
        activity: told which fold it is at.
        cancelled: whether to give up.

    Raises:
        Failed: a model diverged, or it was given up.
    """
    found = np.empty((len(fold), plan.architecture.outputs))
    count = int(fold.max()) + 1
    for one in range(count):
        activity(sentences.CHOOSING_THRESHOLD(fold=one + 1, folds=count))
        out = fold == one
        part = replace(prepared, train=_rows(prepared.train, ~out), validation=_rows(prepared.train, out))
        found[out] = _trained(recipe, plan, part, facts, steps, events, cancelled)
    return found


def _rows(rows: Rows, taken: NDArray[np.bool_]) -> Rows:
    weight = None if rows.weight is None else rows.weight[taken]
    return Rows(np.ascontiguousarray(rows.x[taken]), rows.y[taken], weight, rows.index[taken])


def _trained(
    recipe: Recipe,
    plan: Plan,
    part: Prepared,
    facts: LossSurfaceFacts,
    steps: int,
    events: Sequence[Event],
    cancelled: Callable[[], bool],
) -> Floats:
    """The outputs for the validation rows of a part, trained on its train rows."""
    rows = len(part.train)
    batch = rows if plan.batch >= plan.rows else min(plan.batch, rows)
    share = -(-rows // batch) / plan.batches  # of the updates: as many passes
    plan = replace(
        plan,
        rows=rows,
        batch=batch,
        steps=max(1, round(plan.steps * share)),
        warmup=round(plan.warmup * share),
        l2=float(of_table(recipe, part)["l2"]),
    )
    kernel = open_kernel(plan, part, facts)
    moved = [replace(event, step=round(event.step * share)) for event in events if event.step < steps]
    _advance(kernel, moved, min(plan.steps, max(1, round(steps * share)) if steps else 0), cancelled)
    outputs = kernel.outputs("validation")
    if not np.isfinite(outputs).all():
        raise Failed(sentences.FOLD_DIVERGED())
    return outputs


def _advance(kernel: Kernel, events: Sequence[Event], steps: int, cancelled: Callable[[], bool]) -> None:
    """Take updates up to a step, with the changes on the way."""
    pending, most = list(events), 1
    while kernel.step < steps:
        if cancelled():
            raise Failed(sentences.CHOICE_STOPPED())
        while pending and pending[0].step <= kernel.step:
            event = pending.pop(0)
            kernel.change(event.field, event.value)
        goal = min([steps, *(event.step for event in pending[:1])])
        count, at = min(most, goal - kernel.step), kernel.step
        began = time.perf_counter()
        kernel.advance(count)
        if kernel.step < at + count:
            raise Failed(sentences.FOLD_DIVERGED())
        took = max(time.perf_counter() - began, 1e-6)
        most = max(1, min(1 << 20, 4 * most, int(count * CHUNK / took)))
