"""How fast a run is let go on: in chunks of steps, spread over as many seconds as its pace says."""

from __future__ import annotations

import time

CHUNK = 0.04  # seconds of steps between two looks at the commands
AUTO = 3.0  # seconds over which the pace "auto" spreads a run


def seconds_of(pace: str | float) -> float | None:
    """Return the seconds over which a pace of the recipe spreads a run; None for as fast as it goes."""
    return None if pace == "max" else AUTO if pace == "auto" else float(pace)


class Pacer:
    """Spreads a run over some seconds.

    Args:
        seconds: for the whole run; None for as fast as it goes.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._due = 0.0  # when the next steps are allowed, by the monotonic clock

    def wait(self, steps: int) -> float:
        """Return the seconds until the next steps are allowed, of a run of so many steps."""
        if self.seconds is None:
            return 0.0
        return min(self._due - time.monotonic(), self._interval(self.seconds, steps))

    def allowance(self, most: int, steps: int) -> int:
        """Return how many of `most` steps are allowed at once, and count them as taken."""
        if self.seconds is None:
            return most
        interval = self._interval(self.seconds, steps)
        allowed = max(1, round(max(steps, 1) * interval / self.seconds))
        count = min(most, allowed)
        self._due = max(self._due, time.monotonic() - interval) + interval * count / allowed
        return count

    def eta(self, left: int, steps: int, speed: float, lanes: int) -> float:
        """Return the seconds to the planned end.

        Args:
            left: steps of `steps` that are still to be taken.
            speed: steps per second of the run while it has its turn.
            lanes: runs that take turns.
        """
        paced = 0.0 if self.seconds is None else self.seconds * left / max(steps, 1)
        return max(paced, left / speed * lanes)

    @staticmethod
    def _interval(seconds: float, steps: int) -> float:
        """Seconds between two chunks of a run that is spread over `seconds`."""
        return max(CHUNK, seconds / max(steps, 1))
