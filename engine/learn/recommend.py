"""The device on which a model trains faster, by what its own kernels took on this machine (see `speeds`).

A GPU needs some 20 µs to be told of a step and then computes it at once; the processor begins at once and computes
slowly. Where the two meet differs between machines. No run is ever timed to choose its device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.data.prepare import Prepared
from engine.devices import DeviceInfo, accelerator_likely, driver, precision_problem, probe, resolve
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.kernels.choose import choose
from engine.learn.plan import Plan, make_plan
from engine.recipe import Recipe

if TYPE_CHECKING:
    from engine.learn.speeds import Speed

SMALL = 1_000_000  # multiplications of a step: with fewer the processor is done before a GPU has been told
SPARE = 1 << 29  # bytes of a GPU beside the model's own: torch's kernels, the rows and what lies between the layers
BIG = 300_000_000  # with more a GPU is faster wherever there is one: what is assumed before anything was measured


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
        sentences.MEASURED(
            device=best.device,
            time=_time(best.step(amount)),
            other=second.device,
            longer=_time(second.step(amount)),
            ratio=ratio,
        ),
    )


def settle(recipe: Recipe, plan: Plan) -> Recommendation:
    """What `--device auto` stands for; the device of the plan where another one was asked for.

    Looks at the measurements only where a step is large and a GPU may be there, so that a small run starts at once.

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
        if found.device == "cpu":
            return found
        title = next(speed.title for speed in speeds if speed.device == found.device)
        alike = [device for device in probe() if device.title == title]
        if usable := [device for device in alike if device.usable]:
            return _roomiest(usable, plan, found.sentence)
        why = alike[0].verdict.rstrip(".") if alike else sentences.DEVICE_GONE()
        return Recommendation("cpu", sentences.FASTER_BUT(device=found.device, why=why))
    others = [d for d in probe() if d.usable and d.name != "cpu" and precision_problem(d.name, plan.precision) is None]
    if others and work(plan) >= BIG:
        return _roomiest(others, plan, sentences.USUALLY_FASTER())
    return Recommendation("cpu")


def _roomiest(devices: Sequence[DeviceInfo], plan: Plan, sentence: str) -> Recommendation:
    """Of devices that would do, the one with the most free memory now; the CPU where none has room for the model.

    Args:
        sentence: why any of them is taken.
    """
    held = driver.occupancy({device.name: device.uuid for device in devices if device.uuid})
    free = {d.name: held[d.name].free if d.name in held else d.free for d in devices}
    total = {d.name: held[d.name].total if d.name in held else d.memory for d in devices}

    best = max(devices, key=lambda device: free[device.name]).name
    if total[best] and free[best] < _appetite(plan):
        neighbour = held[best].neighbour if best in held else ""
        if neighbour:
            return Recommendation(
                "cpu",
                sentences.TOO_LITTLE_FREE(
                    device=best, neighbour=neighbour, free=free[best] / 2**30, total=total[best] / 2**30
                ),
            )
        return Recommendation(
            "cpu", sentences.TOO_LITTLE_FREE_SEE(device=best, free=free[best] / 2**30, total=total[best] / 2**30)
        )
    if len(devices) == 1 or not total[best]:
        return Recommendation(best, sentence)
    on = ""
    full = [d.name for d in devices if total[d.name] and free[d.name] < _appetite(plan)]
    if full and full[0] in held and held[full[0]].neighbour:
        on = sentences.ON(device=full[0], neighbour=held[full[0]].neighbour)
    most = sentences.MOST_FREE(
        why=sentence, device=best, gpus=len(devices), on=on, free=free[best] / 2**30, total=total[best] / 2**30
    )
    return Recommendation(best, most)


def _appetite(plan: Plan) -> int:
    """Bytes that a model takes of a GPU, roughly: parameters, gradient, optimizer state, and the layers' outputs."""
    shape = plan.architecture
    parameters = shape.size if not shape.own else 0
    return SPARE + 8 * (5 * parameters + 3 * plan.batch * sum((*shape.hidden, shape.outputs)))


def planned(recipe: Recipe, prepared: Prepared, facts: LossSurfaceFacts) -> Plan:
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
