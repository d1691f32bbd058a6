"""The device on which a model trains faster, by what its own kernels took on this machine (see `speeds`).

A card needs some 20 µs to be told of a step and then computes it at once; the processor begins at once and computes
slowly. Where the two meet differs between machines. No run is ever timed to choose its device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.data.prepare import Prepared
from engine.devices import accelerator_likely, precision_problem, probe, resolve
from engine.learn.curvature import Facts
from engine.learn.kernels.choose import choose
from engine.learn.plan import Plan, make_plan
from engine.recipe import Recipe

if TYPE_CHECKING:
    from engine.learn.speeds import Speed

SMALL = 1_000_000  # multiplications of a step: with fewer the processor is done before a card has been told
BIG = 300_000_000  # with more a card is faster wherever there is one: what is assumed before anything was measured


@dataclass(frozen=True)
class Recommendation:
    """A device, and why in a sentence with the figures."""

    device: str
    sentence: str = ""


def recommend(plan: Plan, speeds: Sequence[Speed]) -> Recommendation:
    """The fastest of the measured devices for a plan made for the processor.

    Args:
        speeds: the processor's first.
    """
    from engine.learn.speeds import work

    amount = work(plan)
    fit = [s for s in speeds if precision_problem(s.device, plan.precision) is None]
    if plan.backend == "spectral" or not amount or len(fit) < 2 or fit[0].device != "cpu":
        return Recommendation("cpu")
    best = min(fit, key=lambda speed: speed.step(amount))
    second = min((s for s in fit if s is not best and "cpu" in (s.device, best.device)), key=lambda s: s.step(amount))
    ratio = second.step(amount) / best.step(amount)
    return Recommendation(
        best.device,
        f"On {best.device} a step of this model takes about {_time(best.step(amount))}, on {second.device} "
        f"{_time(second.step(amount))} ({ratio:.2g} times as long), as measured on this machine.",
    )


def settle(recipe: Recipe, plan: Plan) -> Recommendation:
    """What `--device auto` stands for; the device of the plan where another one was asked for.

    Looks at the measurements only where a step is large and a card may be there, so that a small run starts at once.

    Args:
        plan: made for the processor, its backend chosen.
    """
    if recipe.device.device != "auto":
        return Recommendation(plan.device)
    if recipe.device.backend in ("spectral", "compiled") or plan.backend == "spectral":
        return Recommendation("cpu")
    from engine.learn.speeds import recall, work

    if work(plan) < SMALL or not accelerator_likely():
        return Recommendation("cpu")
    speeds = recall()
    if speeds:
        found = recommend(plan, speeds)
        usable = {device.name for device in probe() if device.usable}
        if found.device in usable:
            return found
        return Recommendation(
            "cpu", f"{found.device} would be faster, but cannot be used now; `ravine doctor` says why."
        )
    card = next((d for d in probe() if d.usable and d.name != "cpu"), None)
    if card is not None and work(plan) >= BIG and precision_problem(card.name, plan.precision) is None:
        return Recommendation(
            card.name, f"So large a step is usually faster on {card.name}; `ravine doctor` measures it on this machine."
        )
    return Recommendation("cpu")


def planned(recipe: Recipe, prepared: Prepared, facts: Facts) -> Plan:
    """The plan, on the device that the recipe names or that is faster for it, its backend chosen.

    Raises:
        InputError: a device that is not there, or choices that do not fit.
    """
    device = resolve(recipe.device.device)
    plan = choose(recipe, make_plan(recipe, prepared, facts, device), facts)
    found = settle(recipe, plan)
    if found.device != plan.device:
        plan = choose(recipe, make_plan(recipe, prepared, facts, found.device), facts)
    return replace(plan, notes=(*plan.notes, found.sentence)) if found.sentence else plan


def _time(seconds: float) -> str:
    for unit, least in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= least:
            return f"{seconds / least:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
