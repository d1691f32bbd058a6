"""The learning-rate finder: a short trial run whose rate rises exponentially (Smith 2017, section 3.3).

At first nothing moves; then the loss falls, ever faster; then it stops falling, and at last it blows up. A good rate
lies a decade below the place between the least loss and the blow-up: there the loss falls steeply, and it is safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import Cancelled, InputError
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.data.table import Table
from engine.devices import resolve
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.kernels.choose import choose, open_kernel
from engine.learn.plan import Plan, make_architecture, make_facts, make_plan
from engine.recipe import Recipe

Floats = NDArray[np.float64]
SHARES = {"a tenth": 10, "a thirtieth": 30}
LOWEST, HIGHEST = 1e-8, 1e2  # rates tried
DECADE = 25  # steps in which the rate grows tenfold
KEPT = 0.9  # share of the old value kept by the smoothing
BLOWN = 4.0  # times the least smoothed loss: one so far above it has blown up ...
NEAR = 0.02  # ... or above this share of the first loss, where the least is next to nothing
FALLEN = 0.99  # times the mean loss of the first decade of rates: a least loss above it has not fallen


@dataclass(frozen=True, eq=False)
class Finding:
    """What the trial run showed.

    Attributes:
        rates: [n] the learning rate of each step, rising.
        losses: [n] the loss before each step, in the target's own units; the last may be huge, or not finite.
        smoothed: [n] a bias-corrected moving average of the losses.
        suggestion: the rate to train with.
        reason: why, half a sentence.
    """

    rates: Floats
    losses: Floats
    smoothed: Floats
    suggestion: float
    reason: str


def find(recipe: Recipe, table: Table | None = None, cancelled: Callable[[], bool] | None = None) -> Finding:
    """Make a trial run of a recipe, on a copy of everything; nothing is written.

    Args:
        table: where it has been loaded already.
        cancelled: asked at every step; True gives it up.

    Raises:
        InputError: what is wrong with the recipe or the table, or an optimizer that has no use for a rate.
        Cancelled: as asked.
    """
    stop = cancelled or (lambda: False)
    if table is None:
        table = load(recipe.data, cancelled=stop)
    prepared = prepare(recipe.data, recipe.normalization, table, cancelled=stop)
    architecture, loss = make_architecture(recipe, prepared)
    facts = make_facts(recipe, prepared, architecture, loss)
    plan = choose(recipe, make_plan(recipe, prepared, facts, resolve(recipe.device.device)), facts)
    return trial(plan, prepared, facts, stop)


def suggest(
    plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, cancelled: Callable[[], bool] | None = None
) -> tuple[float, str]:
    """The rate for a plan whose `auto` no stability bound answers, and the reason in words; see `trial`."""
    found = trial(plan, prepared, facts, cancelled)
    return found.suggestion, found.reason


def trial(
    plan: Plan, prepared: Prepared, facts: LossSurfaceFacts, cancelled: Callable[[], bool] | None = None
) -> Finding:
    """Rise from LOWEST towards HIGHEST until the smoothed loss has blown up.

    Raises:
        InputError: an optimizer whose line search finds its own step.
        Cancelled: as asked.
    """
    if plan.rule.stepper:
        raise InputError(sentences.NO_RATE_TO_FIND_BY(rule=plan.rule.label))
    count = round(np.log10(HIGHEST / LOWEST) * DECADE) + 1
    rates = LOWEST * 10 ** (np.arange(count) / DECADE)
    rising = replace(plan, lr=LOWEST, schedule="constant", warmup=0, steps=count)
    kernel = open_kernel(rising, prepared, facts)
    losses: list[float] = []
    smoothed: list[float] = []
    average, least, blown = 0.0, np.inf, False
    for i, rate in enumerate(rates.tolist()):
        if cancelled is not None and cancelled():
            raise Cancelled
        kernel.change("lr", rate)
        loss = float(kernel.advance(1)[-1])
        losses.append(loss)
        average = KEPT * average + (1 - KEPT) * loss
        smoothed.append(average / (1 - KEPT ** (i + 1)))
        blown = not smoothed[-1] <= BLOWN * max(least, NEAR * losses[0]) or kernel.step <= i
        if blown:
            break
        least = min(least, smoothed[-1])
    curve = np.array(smoothed)
    share = "a tenth" if plan.rule.lr is None else "a thirtieth"
    suggestion, reason = _read(rates[: len(curve)], curve, blown, plan.lr, share)
    return Finding(rates[: len(curve)], np.array(losses), curve, suggestion, reason)


def _read(rates: Floats, smoothed: Floats, blown: bool, otherwise: float, share: str) -> tuple[float, str]:
    """The rate that a curve speaks for, and why.

    Args:
        otherwise: the rate where it speaks for none.
        share: how far below the blow-up to stay. The adaptive rules make steps as long as the rate wherever they are,
            and need more room than those whose steps shrink with the gradient.
    """
    inside = smoothed[:-1] if blown else smoothed
    at = int(inside.argmin()) if len(inside) else 0
    if not len(inside) or inside[at] > FALLEN * inside[:DECADE].mean():
        if blown and len(inside) < DECADE:
            return otherwise, sentences.USUAL_BLEW_UP(rate=rates[-1])
        return otherwise, sentences.USUAL_FELL_NOWHERE()
    best, end = float(rates[at]), float(rates[-1])
    if not blown:
        return _round(best / SHARES[share]), sentences.SHARE_OF_LEAST(share=share, rate=best)
    middle = float(np.sqrt(best * end))
    words = sentences.SHARE_OF_MIDDLE(share=share, rate=middle)
    return _round(middle / SHARES[share]), words


def _round(rate: float) -> float:
    """Two digits: the curve does not tell more."""
    return float(f"{rate:.1e}")
