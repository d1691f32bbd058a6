"""Numbers that are read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.data.table import Floats


@dataclass(eq=False)
class GrowingFloats:
    """float64 that grows; room beyond what is filled costs no memory until it is touched."""

    room: Floats = field(default_factory=lambda: np.empty(0))
    filled: int = 0

    def reserve(self, rows: int) -> None:
        """Make room for so many numbers in all."""
        if rows > len(self.room):
            room = np.empty(rows)
            room[: self.filled] = self.room[: self.filled]
            self.room = room

    def add(self, numbers: Floats) -> None:
        """Add numbers [n] to the end."""
        end = self.filled + len(numbers)
        if end > len(self.room):
            self.reserve(end + end // 8)
        self.room[self.filled : end] = numbers
        self.filled = end

    def taken(self) -> Floats:
        """Return all numbers; nothing is to be added after that."""
        numbers = self.room[: self.filled]
        numbers.flags.writeable = False
        return numbers
