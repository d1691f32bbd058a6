"""A run in a worker thread: commands in, snapshots out.

Commands only leave a note and return; the thread reads the notes between chunks of steps, which are sized to take
about CHUNK seconds. The thread never waits for whoever watches, and whoever watches never waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from math import inf
from typing import Any

from engine.base.errors import Cancelled, InputError
from engine.data.table import Table
from engine.recipe import Recipe, steered
from engine.runs.origin import Origin
from engine.training import sentences
from engine.training.group import Group
from engine.training.pacing import Pacer, seconds_of
from engine.training.publishing import Publisher
from engine.training.run import Run
from engine.training.snapshot import Ended, Phase, Snapshot

MOST = 1 << 20  # steps in a chunk, however fast they are
CHECKPOINT = 30.0  # seconds between checkpoints where no interval in steps is given


class Session:
    """Drives one `Run`.

    Args:
        recipe: what to train.
        table: the data, where it is loaded already.
        paced: whether the recipe's pace is kept (the app) or the run goes as fast as it can (headless).
        watched: whether snapshots carry the weights while training, which costs a look at all train rows.
        command: the command line, for the record.
        origin: the checkpoint to go on from.
        given: the names of the fields that were given on the command line; one that does not apply is refused.
        group: of a session that has no thread of its own but takes turns with others, see `turns`.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        table: Table | None = None,
        paced: bool = False,
        watched: bool | None = None,
        command: str = "",
        origin: Origin | None = None,
        given: Collection[str] = (),
        group: Group | None = None,
    ) -> None:
        self._alone = group is None
        self._group = group or Group()
        self._run = Run(recipe, table, command, origin, given=given, screen=paced, locks=True)
        self._pacer = Pacer(seconds_of(recipe.recording.pace) if paced else None)
        self._publisher = Publisher(self._run, self._group, self._pacer, watched=paced if watched is None else watched)
        self._wake = self._group.wake
        self._notes: deque[tuple[str, Any]] = deque()
        self._halt: Ended | None = None
        self._paused = False
        self._singles = 0  # single steps asked for
        self._snapshot = Snapshot(Phase.PREPARING)
        self._stalls = 0
        self._refused: tuple[tuple[str, str], ...] = ()
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="training", daemon=True)

    # Commands. All return at once; from any thread.

    def start(self) -> None:
        """Begin. Once."""
        self._thread.start()

    def pause(self) -> None:
        """Stop taking steps until `resume`."""
        self._note("pause")

    def resume(self) -> None:
        """Go on after `pause`."""
        self._note("resume")

    def step(self) -> None:
        """Take one update and stay paused."""
        with self._wake:
            self._paused = True
            self._singles += 1
            self._wake.notify()
        if self._alone and self._thread.ident is None:
            self.start()

    def stop(self, reason: Ended = "stopped") -> None:
        """End the run at the next step boundary; its folder is then complete."""
        with self._wake:
            self._halt = self._halt or reason
            self._wake.notify()

    def change(self, field: str, value: Any) -> None:
        """Change a live field, such as lr, at the next step boundary. Raises InputError for a value out of bounds."""
        self._note("change", (field, steered(field, value)))

    def cut_short(self) -> None:
        """The process ends now, without waiting for the run: have the folder say so. From any thread."""
        folder = self._run.folder
        if folder is not None:
            folder.cut_short()

    def checkpoint(self) -> None:
        """Write a checkpoint at the next step boundary."""
        self._note("checkpoint")

    def pace(self, seconds: float | None) -> None:
        """Spread the whole run over so many seconds; None or 0 for as fast as it goes."""
        self._note("pace", seconds or None)

    def snapshot(self) -> Snapshot:
        """The run as of its last chunk."""
        return self._snapshot

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; whether it has come."""
        if self._thread.ident is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def recipe(self) -> Recipe:
        """The recipe, with the changes made during the run as its events."""
        return self._run.recipe

    @property
    def result(self) -> dict[str, Any]:
        """What `train --json` prints; empty before the end."""
        return self._run.result

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know of the run's appetite for disk and memory, once its plan is made."""
        return self._run.warnings

    def _note(self, name: str, value: Any = None) -> None:
        with self._wake:
            self._notes.append((name, value))
            self._wake.notify()

    # The worker thread.

    def _work(self) -> None:
        for seconds in self.turns():
            if seconds > 0:
                self._sleep(seconds)

    @property
    def called(self) -> bool:
        """Whether a command waits to be obeyed."""
        return bool(self._notes or self._halt or self._singles)

    def turns(self) -> Iterator[float]:
        """The whole run, cut where another one may have its turn. For the thread that drives it.

        Each turn gives the seconds for which there is nothing to do, unless a command comes: 0 for none, infinity
        while paused. It is to be called again after them, or when `called`.
        """
        run = self._run
        try:
            if run.table is None:
                run.table = self._group.table
            run.prepare(self._say, lambda: self._halt is not None)
            if run.folder is not None and run.folder.room.refused is not None:
                raise run.folder.room.refused  # not even a beginning has room
            self._group.table = run.table
            self._publish(Phase.TRAINING, weights=True)
            yield from self._give_way()
            run.clock(True)
            yield from self._loop()
            self._publish(Phase.TRAINING, last=True)
            halt = self._halt
            run.finish(halt or "limit", self._say, lambda: self._halt != halt)
            self._publish(Phase.ENDED, last=True)
        except GeneratorExit:
            raise
        except (InputError, Cancelled) as error:
            self.failure = error
            text = str(error) or sentences.CANCELLED()
            if run.folder is not None:
                run.fail(error)
            run.let_go()  # whoever sees that it is over may go on with it
            path = run.folder.path if run.folder is not None else None
            self._snapshot = replace(self._snapshot, phase=Phase.FAILED, error=text, run=path)
        except BaseException as error:  # noqa: BLE001 (it is told, logged, and the folder kept valid)
            self.failure = error
            text = run.fail(error)
            run.let_go()
            path = run.folder.path if run.folder else None
            self._snapshot = replace(self._snapshot, phase=Phase.FAILED, error=text, run=path, ending=run.ending)
        finally:
            run.let_go()
            if self._alone and self._group.sampler is not None:
                self._group.sampler.stop()

    def _give_way(self, seconds: float = 0.0) -> Iterator[float]:
        """Let the others have their turns, which are no time of this run's."""
        if not self._alone:
            self._run.clock(False)
        yield seconds
        if not self._alone:
            self._run.clock(True)

    def _say(self, activity: str) -> None:
        self._snapshot = replace(self._snapshot, activity=activity)

    def _loop(self) -> Iterator[float]:
        run, most = self._run, 1
        while True:
            self._obey()
            if self._halt is not None:
                return
            if self._paused and not self._singles:
                yield from self._rest()
                continue
            wait = 0.0 if self._singles else self._pacer.wait(run.plan.steps)
            if wait > 0:
                yield from self._give_way(wait)
                if self.called:
                    continue
            if self._singles:
                self._singles -= 1
                count = 1
            else:
                count = self._pacer.allowance(most, run.plan.steps)
            began, at = time.perf_counter(), run.step
            going = run.advance(count)
            took = max(time.perf_counter() - began, 1e-6)
            if run.step - at == count:
                most = max(1, min(MOST, 4 * most, int(count * self._group.chunk / took)))
            if run.recipe.recording.checkpoint_every is None and run.checkpoint_age > CHECKPOINT:
                run.checkpoint()
            if run.full and not self._paused:
                self._paused, self._stalls = True, self._stalls + 1
            self._publish(Phase.PAUSED if self._paused else Phase.TRAINING)
            if not going:
                return
            if not self._alone:
                yield from self._give_way()

    def _obey(self) -> None:
        run = self._run
        while self._notes:
            name, value = self._notes.popleft()
            if name == "pause":
                self._paused = True
            elif name == "resume":
                self._paused, self._singles = bool(run.full) and not run.make_good(), 0
                self._stalls += self._paused
            elif name == "change":
                try:
                    run.change(*value)
                except InputError as error:
                    assert run.folder is not None
                    run.folder.log(str(error))  # the run goes on as it was
                    self._refused = (*self._refused, (value[0], str(error)))
            elif name == "checkpoint":
                run.checkpoint()
            elif name == "pace":
                self._pacer.seconds = value
            self._publish(Phase.PAUSED if self._paused else Phase.TRAINING, weights=self._paused)

    def _rest(self) -> Iterator[float]:
        """Nothing to do while paused, with everything on disk."""
        run = self._run
        run.clock(False)
        if not run.full:
            run.checkpoint()
        assert run.folder is not None
        run.folder.record(state="paused")
        self._publish(Phase.PAUSED, weights=True)
        while not self.called:
            yield inf
        run.folder.record(state="running")
        run.clock(True)
        self._publisher.forget_speed()

    def _sleep(self, seconds: float) -> None:
        """Wait so long, or until a command comes."""
        with self._wake:
            self._wake.wait_for(lambda: self.called, None if seconds == inf else seconds)

    def _publish(self, phase: Phase, *, weights: bool = False, last: bool = False) -> None:
        self._snapshot = self._publisher.snapshot(phase, self._refused, self._stalls, weights=weights, last=last)
