"""A run in a worker thread: commands in, snapshots out.

Commands only leave a note and return; the thread reads the notes between chunks of steps, which are sized to take
about CHUNK seconds. The thread never waits for whoever watches, and whoever watches never waits for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any

from engine import devices
from engine.base.errors import Cancelled, InputError
from engine.data.table import Table
from engine.learn.kernels.contract import Parameters
from engine.recipe import Recipe, find
from engine.runs.origin import Origin
from engine.training.run import Run
from engine.training.snapshot import Ended, Phase, Snapshot, Weights

if TYPE_CHECKING:
    from engine.telemetry import Feed, Sampler

CHUNK = 0.04  # seconds of steps between two looks at the commands
MOST = 1 << 20  # steps in a chunk, however fast they are
AUTO_PACE = 3.0  # seconds over which `--pace auto` spreads a run
CHECKPOINT = 30.0  # seconds between checkpoints where no interval in steps is given
LOOK = 1.0  # seconds of training after which the machine is looked at
WEIGHTS = 0.1  # seconds between two looks at the weights, at least
WEIGHTS_SHARE = 20  # and at least so many times what a look costs


@dataclass
class Company:
    """What sessions that take turns in one thread have in common; see `engine.training.race`."""

    wake: threading.Condition = field(default_factory=threading.Condition)
    lanes: int = 1  # sessions that take turns
    table: Table | None = None  # read by the first, for all
    sampler: Sampler | None = None

    @property
    def chunk(self) -> float:
        """Seconds of steps in one turn, so that a whole round is no longer than the turn of a session alone."""
        return CHUNK / max(1, self.lanes)


class Session:
    """Drives one `Run`.

    Args:
        recipe: what to train.
        table: the data, where it is loaded already.
        paced: whether the recipe's pace is kept (the app) or the run goes as fast as it can (headless).
        watched: whether snapshots carry the weights while training, which costs a look at all train rows.
        command: the command line, for the record.
        origin: the checkpoint to go on from.
        company: of a session that has no thread of its own but takes turns with others, see `turns`.
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
        company: Company | None = None,
    ) -> None:
        self._alone = company is None
        self._company = company or Company()
        self._run = Run(recipe, table, command, origin, locks=True)
        self._watched = paced if watched is None else watched
        pace = recipe.recording.pace
        self._pace = None if not paced or pace == "max" else AUTO_PACE if pace == "auto" else float(pace)
        self._due = 0.0  # when the pace allows the next steps, by the monotonic clock
        self._wake = self._company.wake
        self._notes: deque[tuple[str, Any]] = deque()
        self._halt: Ended | None = None
        self._paused = False
        self._singles = 0  # single steps asked for
        self._snapshot = Snapshot(Phase.PREPARING)
        self._weights: Weights | None = None
        self._parameters: Parameters | None = None
        self._weights_due = 0.0
        self._stalls = 0
        self._refused: tuple[tuple[str, str], ...] = ()
        self._speed: deque[tuple[float, int]] = deque(maxlen=64)  # (seconds of training, step)
        self._feed: Feed | None = None
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
        if not find(field).live:
            raise InputError(f"{find(field).label.capitalize()} cannot be changed during a run.")
        if Recipe().replace({field: value}).get(field) == "auto":
            raise InputError(f"{find(field).label.capitalize()} needs a definite value during a run, not auto.")
        self._note("change", (field, value))

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
                run.table = self._company.table
            run.prepare(self._say, lambda: self._halt is not None)
            if run.folder is not None and run.folder.room.refused is not None:
                raise run.folder.room.refused  # not even a beginning has room
            self._company.table = run.table
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
            text = str(error) or "Given up before the first step."
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
            if self._alone and self._company.sampler is not None:
                self._company.sampler.stop()

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
            wait = self._wait()
            if wait > 0:
                yield from self._give_way(wait)
                if self.called:
                    continue
            count = self._allowance(most)
            if self._singles:
                self._singles -= 1
                count = 1
            began, at = time.perf_counter(), run.step
            going = run.advance(count)
            took = max(time.perf_counter() - began, 1e-6)
            if run.step - at == count:
                most = max(1, min(MOST, 4 * most, int(count * self._company.chunk / took)))
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
                self._pace = value
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
        self._speed.clear()

    def _wait(self) -> float:
        """Seconds until the pace allows the next steps."""
        if self._pace is None or self._singles:
            return 0.0
        return min(self._due - time.monotonic(), self._interval(self._pace))

    def _interval(self, pace: float) -> float:
        """Seconds between two chunks of a run that is spread over `pace` seconds."""
        return max(CHUNK, pace / max(self._run.plan.steps, 1))

    def _allowance(self, most: int) -> int:
        """How many of `most` steps the pace allows at once."""
        if self._pace is None or self._singles:
            return most
        interval = self._interval(self._pace)
        steps = max(1, round(max(self._run.plan.steps, 1) * interval / self._pace))
        count = min(most, steps)
        self._due = max(self._due, time.monotonic() - interval) + interval * count / steps
        return count

    def _sleep(self, seconds: float) -> None:
        """Wait so long, or until a command comes."""
        with self._wake:
            self._wake.wait_for(lambda: self.called, None if seconds == inf else seconds)

    def _publish(self, phase: Phase, *, weights: bool = False, last: bool = False) -> None:
        run = self._run
        assert run.folder is not None
        seconds = run.seconds
        if weights or last or (self._watched and seconds >= self._weights_due):
            began = time.perf_counter()
            self._weights, self._parameters = run.weights(), run.kernel.parameters()
            self._weights_due = seconds + max(WEIGHTS, WEIGHTS_SHARE * (time.perf_counter() - began))
        company = self._company
        if seconds > LOOK and company.sampler is None:  # a run that is over at once needs no thread that watches it
            from engine.telemetry import Sampler

            company.sampler = Sampler({device.name: device.uuid for device in devices.known() if device.uuid})
            company.sampler.start()
        if self._feed is None and company.sampler is not None:
            from engine.telemetry import Feed

            self._feed = Feed(company.sampler)
        if self._feed is not None and not last:
            run.recorder.telemetry(run.step, self._feed.fresh())
        self._speed.append((seconds, run.step))
        then, before = self._speed[0]
        speed = (run.step - before) / (seconds - then) if seconds > then else 0.0
        if last:
            speed = run.step / seconds if seconds > 0 else 0.0
        history, tracks = run.folder.history, run.recorder.tracks
        self._snapshot = Snapshot(
            phase=phase,
            step=run.step,
            steps=run.plan.steps,
            epoch=run.epochs(run.step),
            epochs=run.epochs(run.plan.steps),
            loss=history.last if len(history) else None,
            validation_loss=tracks["loss/validation"].last if "loss/validation" in tracks else None,
            lr=run.rate,
            seconds=seconds,
            steps_per_second=speed,
            eta=self._eta(speed) if speed > 0 and not last else None,
            history=history,
            validation=tracks.get("loss/validation"),
            tracks=dict(tracks),
            weights=self._weights,
            parameters=self._parameters,
            facts=run.facts,
            plan=run.plan,
            machine=company.sampler.latest if company.sampler is not None else None,
            decision=run.decision,
            marks=tuple(run.marks),
            refused=self._refused,
            notes=tuple(dict.fromkeys((*run.prepared.notes, *run.plan.notes, *run.warnings))),
            full=run.full,
            stalls=self._stalls,
            run=run.folder.path,
            ending=run.ending,
        )

    def _eta(self, speed: float) -> float:
        """Seconds to the planned end, the turns of others and the pace counted in."""
        left = self._run.plan.steps - self._run.step
        paced = 0.0 if self._pace is None else self._pace * left / max(self._run.plan.steps, 1)
        return max(paced, left / speed * self._company.lanes)
