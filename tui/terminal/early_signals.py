"""Signals that come before the program can obey them: no traceback, and a terminal as it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

INTERRUPTED = 130
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)  # what asks a program to end
# Keys, screen, cursor, mouse, reports and pasting as before: what Textual sends at its end.
RESTORED = b"\x1b[<u\x1b[?2004l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[?1004l"


@contextmanager
def terminal_kept(descriptor: int) -> Iterator[None]:
    """Within it a signal that ends the process first gives the terminal back; the app's own handlers overrule this.

    Args:
        descriptor: leads to the terminal.
    """
    import termios

    kept: list[Any] | None = None
    with suppress(termios.error):
        kept = termios.tcgetattr(descriptor)

    def leave(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            os.write(descriptor, RESTORED)
        with suppress(termios.error):
            if kept is not None:
                termios.tcsetattr(descriptor, termios.TCSANOW, kept)
        os._exit(INTERRUPTED)

    before = {}
    with suppress(ValueError):  # not the main thread, as in some tests
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old if old is not None else signal.SIG_DFL)
