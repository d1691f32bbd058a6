"""Runs that stand still: real ones, looked at as if they went on, were paused or had failed, always at one step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engine.recipe import Recipe
from engine.telemetry.sampler import Sample
from engine.training.session import Session
from engine.training.snapshot import Phase, Snapshot

SPEED, LEFT = 1.2e6, 3.0  # what a run that stands still says of its speed (steps/s) and of the time left (s)


class StillRun:
    """Takes some of the planned steps at once, then shows the same snapshot for ever."""

    def __init__(
        self, recipe: Recipe, taken: int, phase: Phase, error: str, machine: Sample | None, options: dict[str, Any]
    ) -> None:
        self.recipe, self._machine = recipe, machine
        planned = {"epochs": "auto", "steps": taken, "pace": "max"}
        self._session = Session(recipe.replace(planned), **{**options, "paced": True})
        self._planned = recipe.stopping.steps or 10 * taken
        self._phase, self._error = phase, error
        self._still: Snapshot | None = None
        self._stopped = False

    def start(self) -> None:
        """Train, in the background."""
        self._session.start()

    def snapshot(self) -> Snapshot:
        """What it looks like once the steps are taken."""
        if self._still is None:
            now = self._session.snapshot()
            if now.live:
                return Snapshot(Phase.PREPARING, activity="preparing")
            self._still = replace(
                now,
                phase=self._phase,
                steps=self._planned,
                steps_per_second=SPEED,
                eta=LEFT if self._phase is Phase.TRAINING else None,
                machine=self._machine,
                lr=now.plan.lr if now.plan is not None else None,
                ending=None,
                error=self._error,
            )
        return replace(self._still, phase=Phase.ENDED if self._stopped else self._phase)

    def stop(self, reason: Any = None) -> None:
        """End it: the app is left."""
        self._stopped = True

    def change(self, field: str, value: Any) -> None:
        """Nothing changes a run that stands still."""

    def pause(self) -> None:
        """It stands still."""

    resume = step = checkpoint = pause

    def pace(self, seconds: float | None) -> None:
        """It has none."""

    def join(self, timeout: float) -> bool:
        """Wait for the steps."""
        return self._session.join(timeout)


@dataclass(frozen=True)
class Opener:
    """Opens runs that stand still after `taken` steps."""

    taken: int
    phase: Phase = Phase.TRAINING
    error: str = ""
    machine: Sample | None = None

    def __call__(self, recipe: Recipe, **options: Any) -> StillRun:
        """See `StillRun`."""
        return StillRun(recipe, self.taken, self.phase, self.error, self.machine, options)
