"""What is shown of the logs: which runs and tags are listed, and which curves, each with a sign that it keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.charts.sight import MARKERS

if TYPE_CHECKING:
    from engine.watch.curve import LoggedCurve
    from engine.watch.tree import LogTree

Names = Literal["runs", "tags"]
MOST = len(MARKERS)  # curves that can be told apart
FIRST_TAGS = ("loss/train", "train/loss", "train_loss", "loss", "epoch_loss", "Loss/train")


def natural(name: str) -> list[tuple[int, float, str]]:
    """Sorts run_2 before run_10, and lr=0.01 before lr=0.1."""
    parts = re.split(r"([0-9]+(?:\.[0-9]+)?)", name)
    return [(0, float(part), part) if part[0].isdigit() else (1, 0.0, part) for part in parts if part]


@dataclass(frozen=True)
class ShownCurve:
    """A curve that shows."""

    run: str
    tag: str
    label: str
    slot: int  # its colour and its marker, of `MOST`
    curve: LoggedCurve


class Selection:
    """Knows no widget: names, what is under the cursors, filters, what is hidden and what stays.

    Args:
        tree: the logs, which grow meanwhile.
    """

    def __init__(self, tree: LogTree) -> None:
        self._tree = tree
        self.runs: list[str] = []  # those that are listed
        self.tags: list[str] = []
        self.run = self.tag = ""  # what the cursors are on
        self.hidden: set[str] = set()  # runs
        self.pinned: set[str] = set()  # tags that show whatever the cursor is on
        self.filters: dict[Names, str] = {"runs": "", "tags": ""}
        self.curves: list[ShownCurve] = []  # those that show
        self.left_out = 0  # curves for which there is no colour left
        self._slots: dict[str, int] = {}

    def look(self) -> None:
        """The lists anew, the cursors where they were."""
        runs = self._tree.runs
        self.runs = self._passing("runs", runs)
        tags = {tag for name in self.runs for tag in tuple(runs[name].curves)}
        self.tags = self._passing("tags", tags)
        if self.tag not in self.tags:
            wanted = [tag for tag in FIRST_TAGS if tag in tags and tag in self.tags]
            wanted += [tag for tag in self.tags if "loss" in tag.lower()]
            self.tag = next(iter([*wanted, *self.tags]), "")
        if self.run not in self.runs:
            self.run = self.runs[0] if self.runs else ""

    def _passing(self, what: Names, names: Iterable[str]) -> list[str]:
        words = self.filters[what].lower().split()
        return sorted((name for name in names if all(word in name.lower() for word in words)), key=natural)

    @property
    def shown_tags(self) -> list[str]:
        """The tags of which curves show."""
        return [tag for tag in self.tags if tag in self.pinned or tag == self.tag]

    def choose(self) -> None:
        """The curves of the tags that show, of the runs that are not hidden; the run under the cursor for certain."""
        runs, tags = self._tree.runs, self.shown_tags
        names = [name for name in self.runs if name not in self.hidden]
        if self.run in names:
            names = [self.run, *(name for name in names if name != self.run)]
        pairs = [(name, tag) for name in names for tag in tags if tag in runs[name].curves]
        self.left_out = max(0, len(pairs) - MOST)
        pairs = pairs[:MOST]
        keys = {pair: (pair[0] if len(tags) == 1 else "\0".join(pair)) for pair in pairs}
        taken = {key: slot for key, slot in self._slots.items() if key in keys.values()}
        for pair in sorted(pairs, key=lambda pair: (natural(pair[0]), natural(pair[1]))):
            if keys[pair] not in taken:
                taken[keys[pair]] = next(slot for slot in range(MOST) if slot not in taken.values())
        self._slots = taken

        def label(name: str, tag: str) -> str:
            return name if len(tags) == 1 else tag if len(self.runs) == 1 else f"{name} {tag}"

        self.curves = [
            ShownCurve(name, tag, label(name, tag), taken[keys[name, tag]], runs[name].curves[tag])
            for name, tag in pairs
        ]

    def toggle_run(self) -> None:
        """Hide the run under the cursor, or show it again."""
        self.hidden ^= {self.run}

    def toggle_tag(self) -> bool:
        """Have the tag under the cursor stay on the chart, or take it off; whether it stays."""
        self.pinned ^= {self.tag}
        return self.tag in self.pinned
