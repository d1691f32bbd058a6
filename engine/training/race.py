"""The normalization race: one recipe under every normalization, side by side in one worker thread.

Each racer is a session with a run and a folder of its own, and takes its steps in turns with the others, a few
milliseconds each: two thread pools never meet, and every loss is, bit for bit, that of the same run alone. A racer
that diverges ends by itself, and the others go on.

Where the learning rate is `auto`, every mode gets the one that suits it; a number is everybody's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from engine.data.table import Table
from engine.recipe import Recipe
from engine.registry.modes import REGISTRY
from engine.training.group import Group
from engine.training.session import Session
from engine.training.snapshot import Ended, Phase, Snapshot


class Race:
    """Drives a session for each normalization. Its commands are those of `Session` and go to all of them.

    Args:
        recipe: what to train; its own normalization is the one that `snapshot` shows.
        modes: the normalizations; () for all that there are.
        table: the data, where it is loaded already; else the first racer reads it for all.
        paced: whether the recipe's pace is kept.
        command: the command line of one racer, for its record.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        modes: Sequence[str] = (),
        table: Table | None = None,
        paced: bool = False,
        command: Callable[[Recipe], str] | None = None,
    ) -> None:
        own, modes = recipe.normalization.normalize, modes or REGISTRY.names
        self.own = own if own in modes else modes[0]
        self._group = Group(table=table, lanes=len(modes))
        self.lanes: Mapping[str, Session] = {
            mode: self._lane(of_mode(recipe, mode), paced, mode == self.own, command) for mode in modes
        }
        self._shown: tuple[tuple[Snapshot, ...], Snapshot] | None = None
        self._thread = threading.Thread(target=self._work, name="race", daemon=True)

    def _lane(self, recipe: Recipe, paced: bool, watched: bool, command: Callable[[Recipe], str] | None) -> Session:
        line = command(recipe) if command is not None else ""
        return Session(recipe, paced=paced, watched=paced and watched, command=line, group=self._group)

    # Commands. All return at once; from any thread.

    def start(self) -> None:
        """Begin. Once."""
        self._thread.start()

    def pause(self) -> None:
        """Stop taking steps until `resume`."""
        self._tell(Session.pause)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._tell(Session.resume)

    def step(self) -> None:
        """Take one update each and stay paused."""
        self._tell(Session.step)
        if self._thread.ident is None:
            self.start()

    def stop(self, reason: Ended = "stopped") -> None:
        """End every run at its next step boundary; the folders are then complete."""
        self._tell(lambda lane: lane.stop(reason))

    def change(self, field: str, value: Any) -> None:
        """Change a live field, such as lr, of every run. Raises InputError for a value out of bounds."""
        self._tell(lambda lane: lane.change(field, value))

    def checkpoint(self) -> None:
        """Write checkpoints."""
        self._tell(Session.checkpoint)

    def pace(self, seconds: float | None) -> None:
        """Spread the runs over so many seconds, all of them the same; None or 0 for as fast as they go."""
        self._tell(lambda lane: lane.pace(seconds))

    def _tell(self, word: Callable[[Session], None]) -> None:
        """Say it to all at once: no lane has a turn between."""
        with self._group.wake:
            for lane in self.lanes.values():
                word(lane)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of all; whether it has come."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # What can be seen.

    def snapshots(self) -> dict[str, Snapshot]:
        """Every racer as of its last turn, by its normalization."""
        return {mode: lane.snapshot() for mode, lane in self.lanes.items()}

    def snapshot(self) -> Snapshot:
        """The racer with the recipe's own normalization; it counts as going on until the last one has ended.

        The same object is given again as long as nothing has changed for any of them.
        """
        now = self.snapshots()
        parts = tuple(now.values())
        if self._shown is None or any(a is not b for a, b in zip(self._shown[0], parts, strict=True)):
            self._shown = (parts, _together(now[self.own], parts))
        return self._shown[1]

    @property
    def recipe(self) -> Recipe:
        """The recipe of the racer that `snapshot` shows, with the changes made during the race as its events."""
        return self.lanes[self.own].recipe

    # The worker thread.

    def _work(self) -> None:
        group = self._group
        turns = {mode: lane.turns() for mode, lane in self.lanes.items()}
        due = dict.fromkeys(turns, 0.0)
        try:
            while turns:
                group.lanes = len(turns)
                for mode in tuple(turns):
                    if due[mode] <= time.monotonic() or self.lanes[mode].called:
                        seconds = _turn(turns, mode)
                        due[mode] = time.monotonic() + seconds
                self._rest(min((due[mode] for mode in turns), default=0.0), turns)
        finally:
            if group.sampler is not None:
                group.sampler.stop()

    def _rest(self, until: float, turns: Mapping[str, object]) -> None:
        """Sleep until a racer's time has come, or a command."""
        seconds = until - time.monotonic()
        if seconds > 0:
            with self._group.wake:
                self._group.wake.wait_for(
                    lambda: any(self.lanes[mode].called for mode in turns), None if seconds == inf else seconds
                )


def of_mode(recipe: Recipe, mode: str) -> Recipe:
    """The recipe of one racer. A run that was given a name gets the mode behind it: folders do not share one."""
    name = recipe.recording.name
    return recipe.replace({"normalize": mode, **({"name": f"{name}_{mode}"} if name else {})})


def _turn(turns: dict[str, Iterator[float]], mode: str) -> float:
    """Let one racer have its turn; the seconds until its next. One that has ended is taken out."""
    seconds = next(turns[mode], None)
    if seconds is None:
        del turns[mode]
        return 0.0
    return seconds


def _together(own: Snapshot, parts: Sequence[Snapshot]) -> Snapshot:
    live = {part.phase for part in parts if part.live}
    if not live:
        return own
    order = (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED)
    phase = next(phase for phase in order if phase in live)
    return replace(own, phase=phase, ending=None, error="")
