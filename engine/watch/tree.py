"""A folder of logs: which runs there are, and what they have logged so far. Asked again, it goes on where it was.

tree = LogTree(Path("logs"))
while tree.poll(0.02).busy: ...        # 20 ms of work at a time, in a thread or between two frames
tree.runs["lr=0.1"].curves["loss"].points()
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.base.errors import InputError
from engine.base.files import check_regular
from engine.watch import sentences
from engine.watch.run import WatchedRun

MARK = "tfevents"  # what TensorBoard looks for in a file's name
LOOK_AGAIN = 0.5  # seconds between two looks at the folders, at least
SHARE = 10  # and at least so many times what a look takes


@dataclass(frozen=True)
class Progress:
    """How far the reading is."""

    changed: bool  # whether runs, curves or anything else is not what it was before the call
    read: int  # bytes
    size: int  # bytes there are, as far as is known
    busy: bool  # whether there is more to do at once

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.read / self.size if self.size else 1.0


class LogTree:
    """The runs under a folder; a single event file is a run of its own. One thread polls, any thread reads.

    Raises:
        InputError: there is no such folder, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs: dict[str, WatchedRun] = {}  # by name, as they were found; replaced when one is added
        self.problems: dict[Path, str] = {}  # folders that cannot be read
        self._walk: Iterator[tuple[Path, dict[str, int]]] | None = None
        self._found: set[str] = set()  # runs that the present walk has come by
        self._looked = float("-inf")  # when the last walk ended
        self._cost = 0.0  # seconds that it took
        self._turn = 0
        try:
            info = path.stat()
            self._file = not stat.S_ISDIR(info.st_mode)
            if self._file:
                check_regular(path)
            else:
                os.scandir(path).close()
        except FileNotFoundError:
            raise InputError(sentences.NO_FOLDER(path=path)) from None
        except OSError as error:
            raise InputError(sentences.FOLDER_UNREADABLE(path=path, reason=error.strerror or error)) from None

    def poll(self, budget: float = 0.02) -> Progress:
        """Look for new runs and files and read on, for `budget` seconds and at most one piece of a file longer.

        Every run gets its turn, so that curves of all of them are there soon.
        """
        end = time.monotonic() + budget
        changed = self._look(end)
        while True:
            waiting = [run for run in self.runs.values() if run.waiting is not None]
            if not waiting:
                break
            for place in range(len(waiting)):
                waiting[(self._turn + place) % len(waiting)].read()
                changed = True
                if time.monotonic() >= end:
                    self._turn = (self._turn + place + 1) % len(waiting)
                    return self._progress(changed)
        return self._progress(changed)

    def _progress(self, changed: bool) -> Progress:
        files = [file for run in self.runs.values() for file in run.files]
        busy = self._walk is not None or any(file.waiting for file in files)
        done = sum(file.size if file.damaged else file.offset for file in files)
        return Progress(changed, done, sum(file.size for file in files), busy)

    # Looking for files.

    def _look(self, end: float) -> bool:
        """Go on with a walk over the folders, or begin one when it is time; whether runs were found or lost."""
        began = time.monotonic()
        if self._walk is None:
            if began - self._looked < max(LOOK_AGAIN, SHARE * self._cost):
                return False
            self._walk, self._found, self._cost = self._folders(), set(), 0.0
            self.problems = {}
        changed = False
        for folder, sizes in self._walk:
            changed |= self._note(folder, sizes)
            if time.monotonic() >= end:
                self._cost += time.monotonic() - began
                return changed
        for name, run in self.runs.items():
            if name not in self._found and not run.gone:
                run.gone = changed = True
        self._walk, self._looked = None, time.monotonic()
        self._cost += self._looked - began
        return changed

    def _note(self, folder: Path, sizes: dict[str, int]) -> bool:
        if not sizes:
            return False
        name = "." if folder == self.path or self._file else folder.relative_to(self.path).as_posix()
        self._found.add(name)
        new = name not in self.runs
        if new:
            # A new dictionary: another thread may be going through the old one.
            self.runs = {**self.runs, name: WatchedRun(name, folder)}
        run = self.runs[name]
        back, run.gone = run.gone, False
        run.files_are(sizes)
        return new or back

    def _folders(self) -> Iterator[tuple[Path, dict[str, int]]]:
        """Every folder with the sizes of its event files. Links are followed, but no folder is visited twice."""
        if self._file:
            try:
                yield self.path.parent, {self.path.name: self.path.stat().st_size}
            except OSError:
                yield self.path.parent, {}
            return
        waiting, visited = [self.path], set()
        while waiting:
            folder = waiting.pop()
            sizes: dict[str, int] = {}
            inside: list[Path] = []
            try:
                info = folder.stat()
                if (info.st_dev, info.st_ino) in visited:
                    continue
                visited.add((info.st_dev, info.st_ino))
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if MARK in entry.name and entry.is_file():
                            sizes[entry.name] = entry.stat().st_size
                        elif entry.is_dir() and not entry.name.startswith("."):
                            inside.append(Path(entry.path))
            except OSError as error:
                self.problems[folder] = sentences.UNREADABLE(path=folder, reason=error.strerror or error)
            yield folder, sizes
            waiting += sorted(inside, reverse=True)
