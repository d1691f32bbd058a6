"""Work in a thread, one piece at a time: of what waits meanwhile only the newest is done."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tui.surveyor import in_background


class Newest:
    """For questions that are out of date as soon as there is another one, such as what is under a cursor that moves.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._next: Callable[[], None] | None = None
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._busy

    def ask(self, work: Callable[[], None]) -> None:
        """Do it as soon as what is being done is through. Returns at once."""
        with self._lock:
            self._next = work
            if self._busy:
                return
            self._busy = True
        in_background(self._work, self._name)

    def _work(self) -> None:
        while True:
            with self._lock:
                work, self._next = self._next, None
                if work is None:
                    self._busy = False
                    return
            try:
                work()
            except BaseException:
                with self._lock:
                    self._busy = False
                raise
