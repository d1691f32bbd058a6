"""The losses of whole runs as curves of an overlay: by step, by epoch, or by the time since the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from engine.base.errors import InputError
from engine.base.rounding import raised
from engine.learn.passes import EpochCounter, of_facts
from engine.recipe import read_toml
from tui.charts import sentences
from tui.charts.curve import Cut
from tui.charts.sight import Along
from tui.charts.viewport import Viewport

if TYPE_CHECKING:
    from engine.base.loss_history import History

Floats = NDArray[np.float64]
EACH = EpochCounter([(0, 1)])  # every update is a pass
REST = 10.0  # seconds between two stamps from which on a run may have been paused there
MUCH = 20  # times what the steps between would take


@dataclass(frozen=True)
class Track:
    """The losses of one run, and when they came."""

    history: History  # row k is the loss before update k
    passes: EpochCounter = EACH
    stamped: Floats | None = None  # [n] updates taken, rising …
    seconds: Floats | None = None  # [n] … after so many seconds of the run, its pauses left out

    @property
    def duration(self) -> float:
        """Seconds from the first step to the last stamp; 0 where nothing is known of time."""
        return float(self.seconds[-1]) if self.seconds is not None and len(self.seconds) else 0.0


@dataclass(frozen=True)
class RunCurve:
    """A track as a curve, and how it looks. `unit` is that of `Sight`."""

    label: str
    style: Style
    marker: str
    track: Track
    axis: Along = "steps"
    unit: float = 1.0

    @property
    def extent(self) -> tuple[float, float] | None:
        """Where the first loss and the last one lie; None without losses."""
        count = len(self.track.history)
        return (0.0, float(self._along(np.array([count - 1.0]))[0])) if count else None

    def cut(self, window: Viewport, columns: int) -> Cut:
        """The losses that show in a window: every one where there are few, else the extremes of each column."""
        history = self.track.history
        count = len(history)
        ends = self._steps(np.array([window.start, window.stop]))
        first = int(max(0, min(count, np.floor(ends[0]) - 1)))  # one beyond each edge: lines lead out
        last = int(max(first, min(count, np.ceil(ends[1]) + 2)))
        if last - first <= 2 * columns:
            values = history.values(first, last)
            places = window.place(self._along(np.arange(first, first + len(values), dtype=np.float64)))
            finite = raised(np.where(np.isfinite(values), values, np.nan), history.first)
            return Cut(places, finite, finite, finite, ~np.isfinite(values))
        if self.axis == "steps":
            edges = window.edges(columns)
            places = window.place((edges[:-1] + np.maximum(edges[1:] - 1, edges[:-1])) / 2)
        else:
            around = np.linspace(0.0, 1.0, columns + 1)
            along = np.array([window.at(place) for place in around.tolist()])
            edges = np.clip(np.ceil(self._steps(along)), 0, count).astype(np.int64)
            places = (around[:-1] + around[1:]) / 2
        found = history.columns(edges)
        kept = (np.isfinite(found.low) | found.gap) & (edges[:-1] < count)
        low, high, mean = (raised(v[kept], history.first) for v in (found.low, found.high, found.mean))
        return Cut(places[kept], low, high, mean, found.gap[kept])

    def _along(self, steps: Floats) -> Floats:
        """Where steps lie along the axis."""
        track = self.track
        if self.axis == "epochs":
            return track.passes.after(steps) * self.unit
        if self.axis == "time" and track.stamped is not None and track.seconds is not None and len(track.stamped):
            return np.asarray(np.interp(steps, track.stamped, track.seconds) * self.unit, np.float64)
        return steps

    def _steps(self, along: Floats) -> Floats:
        """The steps, whole or not, at places along the axis."""
        track = self.track
        if self.axis == "epochs":
            return track.passes.updates(along / self.unit)
        if self.axis == "time" and track.stamped is not None and track.seconds is not None and len(track.stamped):
            found = np.interp(along / self.unit, track.seconds, track.stamped)
            return np.asarray(np.where(along / self.unit > track.seconds[-1], found + 1, found), np.float64)
        return along


def unit(tracks: list[Track], axis: Along) -> float:
    """Places along the axis for one epoch or second, so that a step of the run with the closest steps is about one."""
    if axis == "epochs":
        return max((track.passes.longest for track in tracks), default=1.0)
    if axis == "time":
        return max((len(track.history) / track.duration for track in tracks if track.duration > 0), default=1.0)
    return 1.0


def read_track(run: Path) -> Track:
    """The losses of a kept run. Reads all of them: call it in a thread. Raises InputError where there are none."""
    from engine.base.loss_history import History
    from engine.runs.folder import read_facts, read_pairs

    facts = read_facts(run)
    try:
        history = History.open(run / "loss.f64")
    except FileNotFoundError:
        raise InputError(sentences.NO_LOSS_FILE(path=run / "loss.f64")) from None
    if not len(history):
        raise InputError(sentences.NO_LOSSES_YET(run=run.name))
    steps, walls = read_pairs(run / "stamps.f64")
    stamped, seconds = _clock(steps.astype(np.float64), walls)
    return Track(history, _passes(run, facts), stamped, seconds)


def follow(run: Path, track: Track) -> Track:
    """The same run, with what has been written since. In a thread."""
    from engine.runs.folder import read_facts, read_pairs

    track.history.refresh()
    steps, walls = read_pairs(run / "stamps.f64")
    return Track(track.history, _passes(run, read_facts(run)), *_clock(steps.astype(np.float64), walls))


def _passes(run: Path, facts: Mapping[str, Any]) -> EpochCounter:
    """As the run was planned, and with the changes of its batch size."""
    try:
        events = read_toml(run).events
    except InputError:  # losses and times are told without a recipe too
        events = ()
    return of_facts(facts, events)


def _clock(steps: Floats, walls: Floats) -> tuple[Floats, Floats]:
    """Steps and the seconds after which they were taken, rising; a long rest between two stamps is left out."""
    if len(steps) < 2:
        return np.empty(0), np.empty(0)
    # A run that was resumed from a checkpoint may have stamps beyond it, which were cut off; be safe all the same.
    rising = np.append(True, np.diff(np.maximum.accumulate(steps)) > 0)
    steps, walls = steps[rising], walls[rising]
    taken, passed = np.diff(steps), np.maximum(np.diff(walls), 0.0)
    if not len(taken):
        return np.empty(0), np.empty(0)
    usual = float(np.median(passed / taken)) * taken
    passed = np.where((passed > REST) & (passed > MUCH * usual), usual, passed)
    return steps, np.append(0.0, np.cumsum(passed))
