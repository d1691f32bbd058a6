"""The terminal belongs to the screen alone: whatever else the process prints goes to a log.

Textual writes to `sys.__stderr__`. It is given a line of its own to the terminal, and file descriptors 1 and 2 are
pointed at a log file, so that a native library or a child process that prints cannot touch the screen.
"""

from __future__ import annotations

import locale
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine.base.printable import printable_lines
from tui.terminal.writer import TerminalWriter

LIMIT = 1 << 20  # bytes at which the log is begun anew
PATIENCE = 1.0  # seconds that the terminal gets to take the last of what it is sent


def is_terminal() -> bool:
    """Whether there is a terminal to draw on and to read keys from."""
    return os.isatty(0) and (os.isatty(2) or os.isatty(1)) and os.environ.get("TERM", "dumb") not in ("dumb", "")


@dataclass(frozen=True)
class Abilities:
    """What the terminal can show."""

    colours: bool = True
    unicode: bool = True


ALL = Abilities()


def shows(environment: Mapping[str, str], *, ascii: bool = False) -> Abilities:
    """What the person and the locale say of the terminal (https://no-color.org; POSIX, Base Definitions, 8.2)."""
    return Abilities(not environment.get("NO_COLOR"), not ascii and _unicode(environment))


def _unicode(environment: Mapping[str, str]) -> bool:
    """Whether the locale takes UTF-8. Where none is set it is taken to, as Python does (PEP 538)."""
    named = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if sys.flags.utf8_mode and named[1] == "C.UTF-8":
        named[1] = ""  # which Python has put there itself
    name = next((value for value in named if value), "")
    if not name or re.search("utf-?8", name, re.IGNORECASE):
        return True
    if name in ("C", "POSIX") or "." in name:
        return False
    return "utf" in locale.getencoding().lower().replace("-", "")  # "de_DE" means what the system says


def log_path() -> Path:
    """Where stray output goes."""
    from platformdirs import user_log_path

    return user_log_path("ravine", appauthor=False) / "screen.log"


_begun: int | None = None


def log_begun() -> int:
    """How large that log was when the terminal was taken; what it is now where none was."""
    if _begun is not None:
        return _begun
    try:
        return log_path().stat().st_size
    except OSError:
        return 0


def keep_copy(text: str) -> Path | None:
    """Write a copied text to a file too, for terminals that keep programs from the clipboard; None if that fails."""
    from platformdirs import user_state_path

    from engine.base.files import write_text

    path = user_state_path("ravine", appauthor=False) / "clipboard.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, printable_lines(text) + "\n")
    except OSError:
        return None
    return path


def has_shell() -> bool:
    """Whether a shell started this, which can take over and bring it back: job control."""
    import psutil

    group = os.getpgrp()
    try:
        parent = psutil.Process(group).ppid()
        return os.getsid(parent) == os.getsid(0) and os.getpgid(parent) != group
    except (psutil.Error, OSError):
        return False


def stop_here(farewell: str) -> None:
    """Stop this process, and those that were started with it, as Ctrl+Z does, with a word in the shell.

    Returns after fg.
    """
    screen = sys.__stderr__
    if screen is not None:
        screen.write(f"\r\n{farewell}\r\n")
        if isinstance(screen, TerminalWriter):
            screen.drained(PATIENCE)
    os.kill(0, signal.SIGSTOP)


def _open_log(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = os.O_TRUNC if path.exists() and path.stat().st_size > LIMIT else 0
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | mode, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)  # a full or read-only disk is no reason not to start


@contextmanager
def own_screen(path: Path | None = None, *, ascii: bool = False) -> Iterator[TerminalWriter]:
    """Within it the terminal is reached only through `sys.__stderr__` and `sys.__stdout__`; 1 and 2 lead to the log.

    Gives the line to the terminal. Everything is put back at the end; where the terminal takes nothing any more, 1 and
    2 go on leading to the log, so that nobody waits for it.
    """
    tty = 2 if os.isatty(2) else 1
    screen = TerminalWriter(os.dup(tty), plain=ascii)
    os.set_inheritable(screen.fileno(), False)
    before = sys.__stdout__, sys.__stderr__
    kept = os.dup(1), os.dup(2)
    log = _open_log(path if path is not None else log_path())
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    global _begun
    _begun = os.fstat(log).st_size
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    sys.__stdout__ = sys.__stderr__ = screen  # type: ignore[misc, assignment]
    try:
        yield screen
    finally:
        sys.__stdout__, sys.__stderr__ = before  # type: ignore[misc]
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        if screen.end(PATIENCE):
            for descriptor, copy in enumerate(kept, start=1):
                os.dup2(copy, descriptor)
        for copy in kept:
            os.close(copy)
