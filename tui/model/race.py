"""The normalization race as the app sees it: begun from the workspace, and what its screen tells of each racer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from engine.registry.modes import REGISTRY
from tui.look.numbers import count, error, figures, gap
from tui.model import sentences
from tui.model.command_line import command_line
from tui.model.run_handle import Opener, RunHandle
from tui.model.workspace import Workspace

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from engine.training.snapshot import Snapshot

NEAR = 0.01  # gap to the optimum of a racer that has arrived
COLUMNS = 256  # stretches of a history that are looked into at once


def opener(workspace: Workspace) -> Opener:
    """Begins a race in the place of a run. Each racer is recorded with the command line that repeats it alone."""

    def open_race(recipe: Recipe, *, command: str = "", **options: Any) -> RunHandle:
        from engine.training.race import Race

        return Race(recipe, command=lambda one: command_line(one, workspace.made.of(one)), **options)

    return open_race


def begin(workspace: Workspace) -> bool:
    """Begin a race of the present choices; whether a race is now going on."""
    if not (workspace.live and racing(workspace)):
        workspace.race(opener(workspace))
    return workspace.live and racing(workspace)


@runtime_checkable
class RaceHandle(RunHandle, Protocol):
    """The part of `engine.training.race.Race` that is used beside what every run has."""

    @property
    def lanes(self) -> Mapping[str, Lane]: ...
    def snapshots(self) -> Mapping[str, Snapshot]: ...


class Lane(Protocol):
    """The part of a racer's session that is used."""

    @property
    def result(self) -> dict[str, Any]: ...


def race_of(workspace: Workspace) -> RaceHandle | None:
    """The race that the workspace's run is, if it is one."""
    return workspace.run if isinstance(workspace.run, RaceHandle) else None


def racing(workspace: Workspace) -> bool:
    """Whether the workspace's run is a race."""
    return race_of(workspace) is not None


def snapshots(workspace: Workspace) -> tuple[Snapshot, ...]:
    """The workspace's run as it is now; of a race every racer."""
    if (race := race_of(workspace)) is not None:
        return tuple(race.snapshots().values())
    return () if workspace.snapshot is None else (workspace.snapshot,)


@dataclass(frozen=True)
class Racer:
    """One normalization in the race."""

    mode: str
    now: Snapshot
    result: dict[str, Any] = field(default_factory=dict)  # what `train --json` prints; empty before its end

    @property
    def name(self) -> str:
        """The mode as a person calls it."""
        return REGISTRY[self.mode].label

    @property
    def _scales(self) -> bool:
        return REGISTRY[self.mode].scales

    @property
    def spoken(self) -> str:
        """The mode in a sentence."""
        return self.name if self._scales else sentences.RAW_FEATURES()

    @property
    def are(self) -> str:
        """The verb of its spoken name."""
        return "is" if self._scales else "are"

    @property
    def was(self) -> str:
        """The same in the past."""
        return "was" if self._scales else "were"

    @property
    def word(self) -> str:
        """How it stands, in a word."""
        if self.now.ending is not None:
            reason = self.now.ending.reason
            return {"limit": "done", "tol": "done", "target": "done"}.get(reason, reason)
        return self.now.phase.value

    @property
    def diverged(self) -> bool:
        """Whether it left the ground."""
        return self.now.ending is not None and self.now.ending.reason == "diverged"

    @property
    def loss(self) -> float | None:
        """The newest loss; of one that has ended well, that of the weights that are kept."""
        kept = None if self.diverged else self.result.get("train_loss")
        return self.now.loss if kept is None else float(kept)

    @property
    def gap(self) -> float | None:
        """The gap to the optimum, where it is known."""
        if self.diverged:
            return None
        if self.result:
            found = self.result.get("gap")
            return None if found is None else float(found)
        now = self.now
        if now.facts is None or now.loss is None or now.plan is None or not now.plan.full_batch:
            return None
        return now.facts.gap(now.loss)

    @property
    def why(self) -> str:
        """Why it ended, or what it is doing."""
        if self.now.error:
            return self.now.error
        if self.now.ending is not None:
            return self.now.ending.sentence
        return self.now.activity if self.now.phase == "preparing" else ""


def racers(run: RaceHandle) -> tuple[Racer, ...]:
    """The racers of a race, in the order of the normalizations."""
    return tuple(Racer(mode, now, run.lanes[mode].result) for mode, now in run.snapshots().items())


def rule(recipe: Recipe, found: tuple[Racer, ...]) -> str:
    """Which learning rate they have, and what that means."""
    lr: float | str = recipe.optimizer.lr
    plans = [racer.now.plan for racer in found if racer.now.plan is not None]
    steered = [event for event in recipe.events if event.field == "lr"]
    if steered:
        lr = steered[-1].value
    if lr != "auto":
        low = [racer.spoken for racer in found if _too_fast(racer, float(lr))]
        if low:
            meaning = sentences.TOO_HIGH(racers=low)
        elif any(plan.lr_limit for plan in plans):
            meaning = sentences.STABLE_FOR_EACH()
        else:
            meaning = sentences.SAME_OTHERWISE()
        since = steered[-1].step if steered else ""
        return sentences.ONE_RATE(since=since, lr=figures(float(lr), 4), meaning=meaning)
    if len({plan.lr for plan in plans}) == 1 and len(plans) > 1:
        return sentences.AUTO_THE_SAME(reason=plans[0].lr_reason, lr=figures(plans[0].lr, 4))
    return sentences.AUTO_FOR_EACH()


def arrival(now: Snapshot) -> int | None:
    """The first step whose loss was within 1 % of the way from the mean predictor's to the optimum's; None as yet."""
    facts, history, plan = now.facts, now.history, now.plan
    if history is None or not len(history) or plan is None or not plan.full_batch or facts is None:
        return None
    begin, end = 0, len(history)
    while True:
        edges = np.unique(np.linspace(begin, end, COLUMNS + 1).astype(np.int64))
        gaps = [facts.gap(low) for low in history.columns(edges).low.tolist()]
        first = next((index for index, gap in enumerate(gaps) if gap is not None and gap < NEAR), None)
        if first is None:
            return None
        begin, end = int(edges[first]), int(edges[first + 1])
        if end - begin <= 1:
            return begin


def _too_fast(racer: Racer, lr: float) -> bool:
    plan = racer.now.plan
    return plan is not None and plan.lr_limit is not None and lr > plan.lr_limit


def outcome(found: tuple[Racer, ...], arrived: Mapping[str, int]) -> str:
    """Who has come how far, once all have ended; how far they are before. `arrived`: see `arrival`, by mode."""
    if any(racer.now.live for racer in found):
        waiting = [racer for racer in found if racer.now.phase == "preparing"]
        if waiting:  # they begin together
            return sentences.RACER_PREPARES(
                racer=waiting[0].name, activity=waiting[0].now.activity or sentences.PREPARING()
            )
        steps = max((racer.now.steps for racer in found), default=0)
        live = [racer for racer in found if racer.now.live]
        paused = all(racer.now.phase == "paused" for racer in live)
        word = sentences.PAUSED() if paused else sentences.ARE_RACING()
        at = max(racer.now.step for racer in live)
        return sentences.RACING(live=len(live), all=len(found), state=word, step=at, steps=steps)
    lost = [racer.spoken for racer in found if racer.diverged]
    told = _ranking(found, arrived) + ([sentences.SOME_DIVERGED(racers=_capital(_words(lost)))] if lost else [])
    return " ".join(told) if told else sentences.NONE_RAN()


def _ranking(found: tuple[Racer, ...], arrived: Mapping[str, int]) -> list[str]:
    good = [racer for racer in found if racer.result and not racer.diverged and racer.loss is not None]
    there = sorted((racer for racer in good if racer.mode in arrived), key=lambda racer: arrived[racer.mode])
    if there:
        first, last = there[0], there[-1]
        second = "" if last is first else sentences.LAST(racer=last.spoken, step=arrived[last.mode])
        told = sentences.FIRST(racer=_capital(first.spoken), was=first.was, step=arrived[first.mode], last=second)
        rest = [racer.spoken for racer in good if racer not in there]
        return [told, sentences.NOT_SO_FAR(racers=rest)] if rest else [told]
    known = all(racer.gap is not None for racer in good)
    # Losses that differ by last digits only stay in the order of the normalizations.
    ranked = sorted(good, key=lambda racer: float(f"{(racer.gap if known else racer.loss) or 0.0:.9e}"))
    if not ranked:
        return []
    far = _farthest(ranked[-1], known) if len(ranked) > 1 else ""
    return [sentences.CLOSEST(racer=_capital(ranked[0].spoken), measure=_measure(ranked[0], known), far=far)]


def _farthest(racer: Racer, known: bool) -> str:
    return sentences.FARTHEST(racer=racer.spoken, are=racer.are, measure=_measure(racer, known))


def _measure(racer: Racer, known: bool) -> str:
    if known and racer.gap is not None:
        return sentences.GAP_AFTER(gap=gap(racer.gap, 2), steps=count(racer.now.step))
    assert racer.loss is not None
    return sentences.LOSS_AFTER(loss=error(racer.loss, 4, racer.now.loss_size), steps=count(racer.now.step))


def _words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
