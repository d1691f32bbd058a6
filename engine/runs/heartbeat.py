"""The heartbeat of a run: a file that its writer replaces every two seconds, for readers on other hosts.

Clocks of two hosts are never compared. A reader makes a file beside the heartbeat, and the file server gives both their
times; where it cannot make one, it watches whether the heartbeat changes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.base.errors import InputError
from engine.base.files import open_regular, write_bytes
from engine.runs.leftovers import PROBE

NAME = "heartbeat"
BEAT = 2.0  # seconds between two beats
FRESH = 20.0  # seconds that a beat counts for: a process may be kept from its threads for a while
AGAIN = 5.0  # seconds after which a silent run is asked again
WATCH = 3 * BEAT  # seconds in which a heartbeat changes that can only be watched

News = Literal["fresh", "silent", "none"]


class Heart(threading.Thread):
    """Beats for as long as the process lives and `going` says yes, whatever the training is doing."""

    def __init__(self, run: Path, token: str, going: Callable[[], bool]) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._run, self._token, self._going = run, token, going
        self._end = threading.Event()

    def run(self) -> None:
        """Beat until the end."""
        while True:
            try:
                if not self._going():
                    return
                self._beat()
            except FileNotFoundError:
                return  # the folder is gone, which the run will find too
            except OSError:
                pass  # a full or a lost disk may come back; the run itself tells of it
            if self._end.wait(BEAT):
                return

    def _beat(self) -> None:
        """Put another file in its place: on a network disk a new name is seen sooner than a new time."""
        write_bytes(self._run / NAME, f"{self._token}\n".encode(), sync=False)

    def stop(self) -> None:
        """Beat no more."""
        self._end.set()
        if self.ident is not None:
            self.join()


@dataclass
class _Seen:
    """What was seen of a heartbeat, and when by the monotonic clock."""

    mark: tuple[str, int, int]  # token, time, inode
    news: News
    at: float
    changed: float  # when it was last seen to change; minus infinity for never
    watched: bool = False  # whether nothing can be made beside it


_known: dict[str, _Seen] = {}


def news(run: Path, token: str) -> News:
    """What the heartbeat of a lock's owner says: fresh, silent, or none where nothing can be told."""
    mark = _mark(run)
    if mark is None or mark[0] != token:
        return "none"
    key, now = os.path.abspath(run), time.monotonic()
    before = _known.get(key)
    if before is not None and before.mark[0] == token:
        if before.mark != mark:
            _known[key] = _Seen(mark, "fresh", now, now, before.watched)
            return "fresh"
        if before.watched:
            return "fresh" if now - before.changed < FRESH else "none"
        if now - before.at < AGAIN:
            return before.news
    made = _probe(run)
    if made is None:
        _known[key] = _Seen(mark, "none", now, float("-inf"), True)
        return "none"
    mark = _mark(run) or mark  # the folder has just changed, so this is no answer from a cache
    found: News = "fresh" if abs(made - mark[1]) / 1e9 < FRESH else "silent"  # a copy may be of any time
    _known[key] = _Seen(mark, found, now, float("-inf"))
    return found if mark[0] == token else "none"


def watched(run: Path) -> bool:
    """Whether only watching tells of this run, for nothing can be written beside its heartbeat."""
    known = _known.get(os.path.abspath(run))
    return known is not None and known.watched


def _mark(run: Path) -> tuple[str, int, int] | None:
    """Token, time of change in ns and inode of the heartbeat; None where there is none."""
    try:
        with open_regular(run / NAME, 256) as file:  # opened, for a network disk looks anew then
            info = os.fstat(file.fileno())
            return file.read(256).decode("ascii", "replace").strip(), info.st_mtime_ns, info.st_ino
    except (OSError, InputError):
        return None


def _probe(run: Path) -> int | None:
    """The time that the file server gives a file made now, in ns since 1970; None where none can be made."""
    import tempfile

    try:
        handle, name = tempfile.mkstemp(dir=run, prefix=PROBE)
    except OSError:
        return None
    try:
        os.write(handle, b"\n")
        os.fsync(handle)  # until then a network disk may tell this host's own time
        return os.fstat(handle).st_mtime_ns
    except OSError:
        return None
    finally:
        os.close(handle)
        with suppress(OSError):
            os.unlink(name)
