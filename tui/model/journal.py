"""What the app has told, with the time of each: a message that has gone from the screen can be read again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

KEPT = 1000  # messages


@dataclass(frozen=True)
class JournalEntry:
    """One message."""

    time: datetime
    text: str
    how: Literal["information", "warning", "error"] = "information"


class Journal:
    """The newest messages, oldest first."""

    def __init__(self) -> None:
        self._told: deque[JournalEntry] = deque(maxlen=KEPT)
        self.count = 0  # ever

    def add(self, text: str, how: Literal["information", "warning", "error"] = "information") -> None:
        """Keep a message, with the time."""
        self._told.append(JournalEntry(datetime.now(), text, how))
        self.count += 1

    @property
    def told(self) -> tuple[JournalEntry, ...]:
        """The messages."""
        return tuple(self._told)
