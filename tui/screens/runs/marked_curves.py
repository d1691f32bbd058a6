"""The runs that are marked in the list, as curves over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.charts.run_curves import RunCurve, Track, unit
from tui.charts.sight import AXES, MARKERS, Along, Sight
from tui.screens.runs.columns import OWN, RENAMED, fields

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from tui.look.styles import Ink

MOST = len(MARKERS)  # runs that can be told apart
SAID = 2  # choices in a label, at most


class Marked:
    """Which runs are marked, each with a colour and a sign that it keeps; and how their curves are seen."""

    def __init__(self) -> None:
        self.slots: dict[Path, int] = {}
        self.tracks: dict[Path, Track] = {}
        self.problems: dict[Path, str] = {}
        self.axis: Along = AXES[0]

    def toggle(self, path: Path) -> bool:
        """Mark a run or take its mark away; False where no more can be told apart."""
        if path in self.slots:
            for kept in (self.slots, self.tracks, self.problems):
                kept.pop(path, None)
            return True
        if len(self.slots) >= MOST:
            return False
        self.slots[path] = next(slot for slot in range(MOST) if slot not in self.slots.values())
        return True

    def clear(self) -> None:
        """Take all marks away."""
        self.slots, self.tracks, self.problems = {}, {}, {}

    def moved(self, old: Path, new: Path | None) -> None:
        """A run has another name, or is gone."""
        if old not in self.slots or old == new:
            return
        slot, track = self.slots[old], self.tracks.get(old)
        self.toggle(old)
        if new is not None:
            self.slots[new] = slot
            if track is not None:
                self.tracks[new] = track

    def take(self, tracks: Mapping[Path, Track], problems: Mapping[Path, str]) -> None:
        """What was read, as far as it is still wanted."""
        for path in self.slots:
            if path in tracks:
                self.tracks[path] = tracks[path]
                self.problems.pop(path, None)
            elif path in problems:
                self.problems[path] = problems[path]

    def turn_axis(self) -> Along:
        """To the next of step, epoch, time."""
        self.axis = AXES[(AXES.index(self.axis) + 1) % len(AXES)]
        return self.axis

    def seen(self, sight: Sight) -> Sight:
        """How the curves are seen: by the present axis."""
        of = unit(list(self.tracks.values()), self.axis)
        if (sight.axis, sight.unit) != (self.axis, of):
            sight = replace(sight, axis=self.axis, unit=of, window=None, cursor=None)
        return sight

    def curves(self, runs: Mapping[Path, RunInfo], ink: Ink) -> list[RunCurve]:
        """The curves of the runs that have been read."""
        of = unit(list(self.tracks.values()), self.axis)
        paths = [path for path in self.slots if path in self.tracks]
        names = labels([runs[path] for path in paths if path in runs])
        return [
            RunCurve(
                names.get(path, path.name),
                ink.kinds[self.slots[path] % len(ink.kinds)],
                MARKERS[self.slots[path]],
                self.tracks[path],
                self.axis,
                of,
            )
            for path in paths
        ]


def labels(runs: Sequence[RunInfo]) -> dict[Path, str]:
    """What tells the runs apart, in few words: the choices in which they differ, else their names."""
    known = fields()
    told = OWN.union(*(run.choices for run in runs)) if runs else OWN
    names = [RENAMED.get(name, name) for name in told]
    differ = [name for name in known if name in names and len({known[name].text(run) for run in runs}) > 1][:SAID]
    found = {run.path: " ".join(_said(name, known[name].text(run)) for name in differ) for run in runs}
    if len(set(found.values())) < len(runs) or not all(found.values()):
        return {run.path: run.name for run in runs}
    return found


def _said(name: str, text: str) -> str:
    """A value alone where it speaks for itself, else with the name of its column."""
    return text if name in ("normalize", "dataset", "model", "optimizer") else f"{fields()[name].heading} {text}"
