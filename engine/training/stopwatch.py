"""The clock of a run: seconds of training, pauses and the turns of others left out."""

from __future__ import annotations

import time


class Stopwatch:
    """Counts seconds while it runs."""

    def __init__(self) -> None:
        self._counted = 0.0
        self._since: float | None = None  # when it was last started

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        running = time.perf_counter() - self._since if self._since is not None else 0.0
        return self._counted + running

    def preset(self, seconds: float) -> None:
        """Go on from the seconds of an earlier part of the run."""
        self._counted = seconds

    def run(self, running: bool) -> None:
        """Start or stop."""
        now = time.perf_counter()
        if self._since is not None:
            self._counted += now - self._since
        self._since = now if running else None
