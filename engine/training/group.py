"""What sessions that take turns in one thread have in common; see `engine.training.race`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.data.table import Table
from engine.training.pacing import CHUNK

if TYPE_CHECKING:
    from engine.telemetry import Sampler


@dataclass
class Group:
    """Sessions that take turns, or one alone."""

    wake: threading.Condition = field(default_factory=threading.Condition)
    lanes: int = 1  # sessions that take turns
    table: Table | None = None  # read by the first, for all
    sampler: Sampler | None = None

    @property
    def chunk(self) -> float:
        """Seconds of steps in one turn, so that a whole round is no longer than the turn of a session alone."""
        return CHUNK / max(1, self.lanes)
