"""The snapshots of a run, made by its thread between two chunks of steps."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from engine import devices
from engine.learn.kernels.contract import Parameters
from engine.runs import tags
from engine.training.group import Group
from engine.training.pacing import Pacer
from engine.training.run import Run
from engine.training.snapshot import Phase, Snapshot, Weights

if TYPE_CHECKING:
    from engine.telemetry import Feed

LOOK = 1.0  # seconds of training after which the machine is looked at
WEIGHTS = 0.1  # seconds between two looks at the weights, at least
WEIGHTS_SHARE = 20  # and at least so many times what a look costs


class Publisher:
    """Makes the snapshots of one run.

    Args:
        watched: whether they carry the weights while training, which costs a look at all train rows.
    """

    def __init__(self, run: Run, group: Group, pacer: Pacer, *, watched: bool) -> None:
        self._run, self._group, self._pacer, self._watched = run, group, pacer, watched
        self._weights: Weights | None = None
        self._parameters: Parameters | None = None
        self._weights_due = 0.0
        self._speed: deque[tuple[float, int]] = deque(maxlen=64)  # (seconds of training, step)
        self._feed: Feed | None = None

    def forget_speed(self) -> None:
        """Measure the speed anew, after a pause."""
        self._speed.clear()

    def snapshot(
        self,
        phase: Phase,
        refused: tuple[tuple[str, str], ...],
        stalls: int,
        *,
        weights: bool = False,
        last: bool = False,
    ) -> Snapshot:
        """Make a snapshot of the run as it is now.

        Args:
            refused, stalls: of the snapshot.
            weights: whether it must carry the weights of now.
            last: whether it is one of the last, which tell the speed of the whole run.
        """
        run = self._run
        assert run.folder is not None
        seconds = run.seconds
        if weights or last or (self._watched and seconds >= self._weights_due):
            began = time.perf_counter()
            self._weights, self._parameters = run.weights(), run.kernel.parameters()
            self._weights_due = seconds + max(WEIGHTS, WEIGHTS_SHARE * (time.perf_counter() - began))
        self._look_at_machine(seconds, tell=not last)
        speed = self._speed_now(seconds)
        if last:
            speed = run.step / seconds if seconds > 0 else 0.0
        left, sampler = run.plan.steps - run.step, self._group.sampler
        history, tracks = run.folder.history, run.recorder.tracks
        return Snapshot(
            phase=phase,
            step=run.step,
            steps=run.plan.steps,
            epoch=run.epochs(run.step),
            epochs=run.epochs(run.plan.steps),
            loss=history.last if len(history) else None,
            validation_loss=tracks[tags.VALIDATION].last if tags.VALIDATION in tracks else None,
            lr=run.rate,
            seconds=seconds,
            steps_per_second=speed,
            eta=self._pacer.eta(left, run.plan.steps, speed, self._group.lanes) if speed > 0 and not last else None,
            history=history,
            validation=tracks.get(tags.VALIDATION),
            tracks=dict(tracks),
            weights=self._weights,
            parameters=self._parameters,
            facts=run.facts,
            plan=run.plan,
            machine=sampler.latest if sampler is not None else None,
            decision=run.decision,
            marks=tuple(run.marks),
            refused=refused,
            notes=tuple(dict.fromkeys((*run.prepared.notes, *run.plan.notes, *run.warnings))),
            full=run.full,
            stalls=stalls,
            run=run.folder.path,
            ending=run.ending,
        )

    def _speed_now(self, seconds: float) -> float:
        """Steps per second of the last chunks."""
        step = self._run.step
        self._speed.append((seconds, step))
        then, before = self._speed[0]
        return (step - before) / (seconds - then) if seconds > then else 0.0

    def _look_at_machine(self, seconds: float, *, tell: bool) -> None:
        """Begin to look at the machine, where the run is long enough; tell TensorBoard what there is to tell."""
        group = self._group
        if seconds > LOOK and group.sampler is None:  # a run that is over at once needs no thread that watches it
            from engine.telemetry import Sampler

            group.sampler = Sampler({device.name: device.uuid for device in devices.known() if device.uuid})
            group.sampler.start()
        if self._feed is None and group.sampler is not None:
            from engine.telemetry import Feed

            self._feed = Feed(group.sampler)
        if self._feed is not None and tell:
            self._run.recorder.telemetry(self._run.step, self._feed.fresh())
