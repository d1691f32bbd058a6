"""The terminal belongs to the screen alone: whatever else the process prints goes to a log.

Textual writes to `sys.__stderr__`. It is given its own duplicate of the terminal, and file descriptors 1 and 2 are
pointed at a log file, so that a native library or a child process that prints cannot touch the screen.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

LIMIT = 1 << 20  # bytes at which the log is begun anew


def is_terminal() -> bool:
    """Whether there is a terminal to draw on and to read keys from."""
    return os.isatty(0) and (os.isatty(2) or os.isatty(1))


def log_path() -> Path:
    """Where stray output goes."""
    from platformdirs import user_log_path

    return user_log_path("ravine", appauthor=False) / "screen.log"


def keep_copy(text: str) -> Path | None:
    """Write a copied text to a file too, for terminals that keep programs from the clipboard; None if that fails."""
    from platformdirs import user_state_path

    path = user_state_path("ravine", appauthor=False) / "clipboard.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError:
        return None
    return path


def stop_here(farewell: str) -> None:
    """Stop this process as Ctrl+Z does, with a word in the shell. Returns after fg."""
    if sys.__stderr__ is not None:
        sys.__stderr__.write(f"\r\n{farewell}\r\n")
        sys.__stderr__.flush()
    os.kill(os.getpid(), signal.SIGSTOP)


def _open_log(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = os.O_TRUNC if path.exists() and path.stat().st_size > LIMIT else 0
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | mode, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)  # a full or read-only disk is no reason not to start


@contextmanager
def own_screen(path: Path | None = None) -> Iterator[TextIO]:
    """Within it the terminal is reached only through `sys.__stderr__` and `sys.__stdout__`; 1 and 2 lead to the log.

    Gives the terminal as a text file. Everything is put back at the end.
    """
    tty = 2 if os.isatty(2) else 1
    screen = os.fdopen(os.dup(tty), "w", encoding="utf-8", errors="replace", buffering=1)
    os.set_inheritable(screen.fileno(), False)
    before = sys.__stdout__, sys.__stderr__
    kept = os.dup(1), os.dup(2)
    log = _open_log(path if path is not None else log_path())
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc]
    try:
        yield screen
    finally:
        sys.__stdout__, sys.__stderr__ = before  # type: ignore[misc]
        for stream in (sys.stdout, sys.stderr, screen):
            with suppress(OSError, ValueError):
                stream.flush()
        for descriptor, copy in enumerate(kept, start=1):
            os.dup2(copy, descriptor)
            os.close(copy)
        with suppress(OSError):
            screen.close()
