"""What the list of runs reads from the disk, in threads: the folder, the run under the cursor, the marked ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from engine.base.errors import InputError
from tui.screens import sentences
from tui.screens.runs.columns import FOREIGN, LIVE
from tui.tasks.latest_only import LatestOnly

if TYPE_CHECKING:
    from engine.runs.store import Lister, RunInfo
    from tui.charts.run_curves import Track

OFTEN = 20  # times what looking took that pass before the next look at a folder with live runs


@dataclass
class RunsFolderRead(Message):
    """The runs of a folder, newest first, and the folders in it that are none; or why it cannot be read."""

    folder: Path
    runs: tuple[RunInfo, ...] = ()
    problem: str = ""


@dataclass
class TracksRead(Message):
    """The losses of marked runs; and of those without, why not."""

    tracks: Mapping[Path, Track] = field(default_factory=dict)
    problems: Mapping[Path, str] = field(default_factory=dict)


class Reading:
    """Asks, and watches over what it has been told. Every answer is posted as a message.

    Args:
        post: takes the answers, from any thread.
        lister: one that knows the folder already.
    """

    def __init__(self, post: Callable[[Message], Any], lister: Lister | None = None) -> None:
        self._post = post
        self._list, self._one = LatestOnly("runs"), LatestOnly("run")
        self._marked = LatestOnly(sentences.MARKED_RUNS())
        self._stamp: tuple[Path, int] | None = None  # the folder, and its time of change, as they were listed
        self._lister = lister
        self._foreign: tuple[object, tuple[RunInfo, ...]] = (None, ())  # of which names, and what is said of them
        self._live = False  # whether one of the runs may still be going on
        self._due = 0.0

    def list(self, folder: Path, *, anew: bool = True) -> None:
        """Read the folder. With `anew` false only if something may have changed since. Answers with RunsFolderRead."""
        if anew or not self._list.busy:
            self._list.ask(
                lambda: self._look(folder, anew), lambda words: self._post(RunsFolderRead(folder, problem=words))
            )

    def _look(self, folder: Path, anew: bool) -> None:
        from engine.runs.store import Lister

        if self._lister is None:
            self._lister = Lister()
        same = self._stamp == (folder, _changed(folder))
        if not anew and same and not (self._live and time.monotonic() >= self._due):
            return
        began = time.monotonic()
        try:
            found = self._lister.list(folder)
            if (folder, self._lister.others) != self._foreign[0]:
                self._foreign = (folder, self._lister.others), _others(folder, self._lister.others)
            read = RunsFolderRead(folder, found + self._foreign[1])
        except InputError as error:
            read = RunsFolderRead(folder, problem=str(error))
        self._stamp = folder, _changed(folder)
        self._live = any(run.state in (*LIVE, "unknown") for run in read.runs)
        took = time.monotonic() - began
        self._due = time.monotonic() + OFTEN * took
        self._post(read)

    def run(self, path: Path) -> None:
        """Read one run. Answers with RunRead."""
        from tui.model.saved_run import RunRead, read_kept

        def work() -> None:
            try:
                self._post(RunRead(path, read_kept(path)))
            except InputError as error:
                self._post(RunRead(path, None, str(error)))

        self._one.ask(work, lambda words: self._post(RunRead(path, None, words)))

    def tracks(self, paths: tuple[Path, ...], known: Mapping[Path, Track]) -> None:
        """Read the losses of these runs; of known ones only what is new. Answers with TracksRead."""
        from tui.charts.run_curves import follow, read_track

        def work() -> None:
            found: dict[Path, Track] = {}
            problems: dict[Path, str] = {}
            for path in paths:
                try:
                    found[path] = follow(path, known[path]) if path in known else read_track(path)
                except InputError as error:
                    problems[path] = str(error)
            self._post(TracksRead(found, problems))

        self._marked.ask(work, lambda words: self._post(TracksRead(problems=dict.fromkeys(paths, words))))

    @property
    def following(self) -> bool:
        """Whether marked runs are being read."""
        return self._marked.busy


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def _others(folder: Path, names: tuple[str, ...]) -> tuple[RunInfo, ...]:
    """The folders that are no runs, each with its sentence."""
    from engine.runs.store import RunInfo

    return tuple(
        RunInfo(name, folder / name, FOREIGN, problem=sentences.NOT_A_RUN(path=folder / name)) for name in names
    )
