"""The line to the terminal: what is written goes out in a thread of its own, is counted, and never piles up.

A terminal may stop taking what it is sent: the network is down, somebody holds the screen. Whoever writes to it then
waits, and with Textual's own writer soon the whole event loop does, keys and signals included. Here nobody waits: what
the terminal has not taken stays in memory up to a limit, beyond which pictures are thrown away, and the whole screen is
asked for anew once the terminal takes something again. The app looks at `behind` and draws no faster than that.
"""

from __future__ import annotations

import io
import os
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic

LIMIT = 1 << 18  # bytes that may wait for the terminal
PIECE = 1 << 13  # bytes that are written at once
# Modes of the terminal, its title, its clipboard: short, and lost for good if they were thrown away.
_CONTROL = re.compile(r"(\x1b(\[[?<>=][0-9;$]*[a-zA-Z]|\].*(\x07|\x1b\\)))+", re.DOTALL)


@dataclass(frozen=True)
class Traffic:
    """What has gone over the line so far."""

    sent: int  # bytes that the terminal has taken
    pictures: int  # pieces of the screen that were written
    lost: int  # pictures that were thrown away
    waiting: int  # bytes that the terminal has not taken yet
    drain: float  # seconds that it took the terminal to take the last picture


class TerminalWriter(io.TextIOBase):
    """A text file that leads to a terminal.

    Args:
        descriptor: of the terminal; it is closed with the link.
        plain: only ASCII can be shown; whatever else still comes becomes a question mark.
    """

    encoding = "utf-8"

    def __init__(self, descriptor: int, *, plain: bool = False) -> None:
        self._descriptor = descriptor
        self._code = "ascii" if plain else "utf-8"
        self._waiting: deque[tuple[bytes, bool]] = deque()  # (bytes, whether it is part of a picture)
        self._queued = self._flying = 0  # bytes that wait, and bytes that are being written
        self._sent = self._pictures = self._lost = 0
        self._drain, self._begun = 0.0, 0.0
        self._stale = False  # pictures were thrown away, and the screen is not what it should be
        self._ended = False
        self._change = Condition()
        self.mend: Callable[[], object] | None = None  # asks for the whole screen; called from the writing thread
        self._thread = Thread(target=self._go, name="terminal", daemon=True)
        self._thread.start()

    # What a text file does.

    def write(self, text: str) -> int:
        """Have a text sent. Never waits."""
        control = len(text) < LIMIT and _CONTROL.fullmatch(text) is not None
        content = text.encode(self._code, "replace")
        with self._change:
            if not self.behind:
                self._begun = monotonic()
            self._waiting.append((content, not control))
            self._queued += len(content)
            self._pictures += not control
            if self._queued > LIMIT:
                self._shed()
            self._change.notify_all()
        return len(text)

    def flush(self) -> None:
        """Nothing: everything is on its way."""

    def fileno(self) -> int:
        """The terminal."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Yes."""
        return True

    # What an app wants to know.

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken everything yet."""
        return self._queued + self._flying > 0

    @property
    def traffic(self) -> Traffic:
        """What has gone over the line."""
        with self._change:
            return Traffic(self._sent, self._pictures, self._lost, self._queued + self._flying, self._drain)

    def drained(self, seconds: float) -> bool:
        """Wait until the terminal has taken everything; False where it has not within so many seconds."""
        with self._change:
            return self._change.wait_for(lambda: not self.behind, seconds)

    def end(self, seconds: float) -> bool:
        """Send what is left and close; False where the terminal does not take it in time: then it stays open."""
        done = self.drained(seconds)
        with self._change:
            self._ended = True
            self._change.notify_all()
        if done:
            self._thread.join(seconds)
            os.close(self._descriptor)
        return done

    # The thread.

    def _shed(self) -> None:
        """Throw away the pictures that wait."""
        before = len(self._waiting)
        self._waiting = deque(one for one in self._waiting if not one[1])
        self._lost += before - len(self._waiting)
        self._stale = True
        self._queued = sum(len(content) for content, _ in self._waiting)

    def _next(self) -> bytes:
        """Take what waits first, and what comes after it as far as it goes out with it."""
        content, _ = self._waiting.popleft()
        while self._waiting and len(content) + len(self._waiting[0][0]) <= PIECE:
            content += self._waiting.popleft()[0]
        self._queued -= len(content)
        self._flying = len(content)
        return content

    def _go(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                content = self._next()
            for start in range(0, len(content), PIECE):
                self._send(content[start : start + PIECE])
            with self._change:
                mend = self._settled()
                self._change.notify_all()
            if mend and self.mend is not None:
                self.mend()

    def _send(self, content: bytes) -> None:
        view = memoryview(content)
        while view:
            try:
                taken = os.write(self._descriptor, view)
            except BlockingIOError:
                _wait_for(self._descriptor)
                continue
            except OSError:  # the terminal is gone; the signal that tells of it ends the app
                taken = len(view)
            view = view[taken:]
            with self._change:
                self._sent += taken
                self._flying -= taken

    def _settled(self) -> bool:
        """Take note of how long it took once nothing waits any more; whether the whole screen is due."""
        if self._waiting:
            return False
        self._drain = monotonic() - self._begun
        stale, self._stale = self._stale, False
        return stale


def _wait_for(descriptor: int) -> None:
    """Wait until a terminal that somebody made non-blocking takes something."""
    import select

    select.select([], [descriptor], [], 1.0)
