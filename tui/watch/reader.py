"""The thread that reads a log tree for `ravine watch`."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from tui.watch import sentences

if TYPE_CHECKING:
    from engine.watch.tree import LogTree, Progress

BUDGET = 0.005  # seconds of reading at a time
OPENING = 1.0  # seconds that the rest of the files waits for the first picture, at most
PAUSE = 0.25  # seconds between two looks at files that were read to their ends


class Reader:
    """Reads a log tree in a thread, a little at a time. `progress` and `problem` tell how it goes.

    Raises InputError: there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        from engine.watch.tree import LogTree

        self.tree: LogTree = LogTree(path)
        self.progress: Progress | None = None
        self.version = 0  # changes with everything that was read
        self.problem = ""
        self.painted = Event()  # the first curves are on the screen: reading takes no time from that any more
        self.calm = Event()  # nothing is being drawn
        self.calm.set()
        self._end = Event()
        self._thread = Thread(target=self._go, name="watching", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self, seconds: float = 2.0) -> None:
        """Stop reading, within `seconds` or not at all: a folder far away may not answer."""
        self._end.set()
        self.painted.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def loaded(self) -> bool:
        """Whether everything that was there has been read once."""
        return self.progress is not None and not self.progress.busy

    def _go(self) -> None:
        pause = 0.0
        while not self._end.wait(pause):
            self.calm.wait(OPENING)
            try:
                now = self.tree.poll(BUDGET)
            except Exception as error:  # noqa: BLE001 - told on the screen; what was read stays there
                self.version += 1
                self.problem = sentences.READING_FAILED(error=type(error).__name__, reason=error)
                return
            before, self.progress = self.progress, now
            if now.changed or before is None or before.busy != now.busy or before.size != now.size:
                self.version += 1
            if now.read:
                self.painted.wait(OPENING)
            pause = 0.0005 if now.busy else PAUSE
