"""How often a live run is looked at: as often as the terminal takes pictures and as drawing them costs little."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

BEAT = 1 / 30  # seconds until a terminal that has not taken the last picture is looked at again
MOST = 15.0  # looks in a second, at most
LEAST = 1.0  # looks in a second, of a terminal that takes pictures slowly
CALM = 10.0  # looks in a second that it does not fall below on account of drawing
SHARE = 0.04  # of the time that drawing may take before it becomes rarer: a key that is pressed meanwhile waits for it
ROOM = 3.0  # a picture that the terminal took a second for is followed by the next after this many


class FrameRate:
    """Says when the next look is due.

    Args:
        behind: whether the terminal has not taken the last picture yet.
        drain: the seconds that it took for the last one.
        clock: seconds; tests give their own.
    """

    def __init__(
        self,
        behind: Callable[[], bool] = lambda: False,
        drain: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._behind, self._drain, self._clock = behind, drain, clock
        self._begun = self._next = self._cost = 0.0

    def look(self, draw: Callable[[], None]) -> bool:
        """Draw if a picture is due; whether it was."""
        begun = self._clock()
        if begun < self._next or self._behind():
            return False
        self._begun = begun
        draw()
        self._next = begun + self.every
        return True

    @property
    def rest(self) -> float:
        """Seconds until it is to be asked again. To be woken for nothing would cost a training loop time."""
        left = max(0.001, self._next - self._clock())
        return max(BEAT, left) if self._behind() else left

    def drawn(self) -> None:
        """What was drawn has been put together and is on its way."""
        cost = self._clock() - self._begun
        self._cost = cost if not self._cost else 0.8 * self._cost + 0.2 * cost
        self._next = self._begun + self.every

    @property
    def every(self) -> float:
        """Seconds from one look to the next."""
        drawing = min(1 / CALM, self._cost / SHARE)
        return max(1 / MOST, drawing, min(1 / LEAST, ROOM * self._drain()))
