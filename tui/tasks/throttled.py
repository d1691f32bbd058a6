"""Work that is done beside the screen, one piece at a time, and seldom enough to leave a training run its processor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from tui.tasks.background import in_background

Key = TypeVar("Key")
Answer = TypeVar("Answer")
REST = 19.0  # after a piece of work the next one waits so many times as long as it took: a share of a twentieth
SHORTEST, LONGEST = 0.5, 3.0  # seconds that it waits at least and at most


class Throttled(Generic[Key, Answer]):
    """Does the newest piece of work that was asked for, in a thread.

    Args:
        tell: takes (key, answer) of each piece that was done, or (key, the exception), in that thread.
        rest: how many times as long as a piece of work took the next one waits.
    """

    def __init__(self, tell: Callable[[Key, Answer | BaseException], Any], *, rest: float = REST) -> None:
        self._tell, self._share = tell, rest
        self._lock = threading.Lock()
        self._waiting: tuple[Key, Callable[[], Answer]] | None = None
        self._busy = False
        self._at_once = threading.Event()
        self._rest = 0.0  # no work before this moment, by the monotonic clock

    def ask(self, key: Key, work: Callable[[], Answer], *, at_once: bool = False) -> None:
        """Have a piece of work done; one that has not begun yet is given up for it.

        Args:
            at_once: a person waits for it, so it is not put off.
        """
        with self._lock:
            self._waiting = (key, work)
            if at_once:
                self._at_once.set()
            if self._busy:
                return
            self._busy = True
        in_background(self._work, "looking")

    def _work(self) -> None:
        while True:
            self._at_once.wait(max(0.0, self._rest - time.monotonic()))
            with self._lock:
                self._at_once.clear()
                if self._waiting is None:
                    self._busy = False
                    return
                key, work = self._waiting
                self._waiting = None
            began = time.monotonic()
            answer: Answer | BaseException
            try:
                answer = self._alone(work)
            except BaseException as error:  # noqa: BLE001 - shown where the answer would have been
                answer = error
            ended = time.monotonic()
            self._rest = ended + self._pause(ended - began)
            with suppress(RuntimeError):  # the app has gone meanwhile
                self._tell(key, answer)

    def _pause(self, took: float) -> float:
        """Seconds until the next piece of work, unless somebody waits for it."""
        return min(LONGEST, max(SHORTEST, self._share * took)) if self._share else 0.0

    @staticmethod
    def _alone(work: Callable[[], Answer]) -> Answer:
        """On one thread: a second pool beside that of the training run would stop both."""
        from engine.learn.kernels.threads import limited

        with limited(1):
            return work()
