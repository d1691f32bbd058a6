"""Work in a thread, one piece at a time: of what waits meanwhile only the newest is done."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from tui.tasks.background import in_background, unexpected


class LatestOnly:
    """For questions that are out of date as soon as there is another one, such as what is under a cursor that moves.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._next: tuple[Callable[[], None], Callable[[str], object]] | None = None
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._busy

    def ask(self, work: Callable[[], None], failed: Callable[[str], object]) -> None:
        """Do it as soon as what is being done is through. Returns at once.

        Args:
            failed: takes the sentence where it raises what it should not.
        """
        with self._lock:
            self._next = work, failed
            if self._busy:
                return
            self._busy = True
        in_background(self._work, self._name)

    def _work(self) -> None:
        while True:
            with self._lock:
                following, self._next = self._next, None
                if following is None:
                    self._busy = False
                    return
            work, failed = following
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - told to the person, and what waits is done
                traceback.print_exception(error)
                failed(unexpected(error))
