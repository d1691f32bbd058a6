"""What the terminal can do: asked where it answers, read from the environment where it does not."""

from __future__ import annotations

import os
import re
import select
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from engine.doctor import sentences
from engine.doctor import tmux as multiplexer

WAIT = 0.5  # seconds for an answer, which a slow SSH link may need
ASK = b"\x1b[?2026$p\x1b[c"  # is there synchronized output (DECRQM); which device is it (DA1), which every one answers
CLIPBOARD = "52"  # the attribute of DA1 by which a terminal says that programs may fill its clipboard
# Terminals that take OSC 52, by a word in TERM or TERM_PROGRAM, and some that do not.
WITH = ("kitty", "alacritty", "foot", "ghostty", "wezterm", "contour", "rio", "vscode", "warp")
WITHOUT = ("apple_terminal", "linux")


@dataclass(frozen=True)
class TerminalAnswers:
    """What the terminal itself answered; None where it did not."""

    synchronized: bool | None = None
    clipboard: bool | None = None


@dataclass(frozen=True)
class Terminal:
    """What the terminal can do."""

    name: str  # TERM
    columns: int
    rows: int
    colours: str
    unicode: bool
    tmux: str  # its version, "tmux 3.3a"; "" outside of it
    interactive: bool
    program: str = ""  # TERM_PROGRAM, which SSH does not pass on
    locale: str = ""
    synchronized: bool | None = None  # whether a frame is shown whole; None unknown
    clipboard: bool | None = None  # whether copying reaches the clipboard of the person's own machine; None unknown
    remote: bool = False  # over SSH
    tmux_settings: dict[str, str] = field(default_factory=dict)


def look(environment: Mapping[str, str] | None = None) -> Terminal:
    """Look at the terminal that the process is attached to. Takes up to WAIT seconds."""
    given = os.environ if environment is None else environment
    size = shutil.get_terminal_size()
    inside = multiplexer.look(given)
    name = given.get("TERM", "unknown")
    said = TerminalAnswers() if name in ("dumb", "unknown", "linux") else ask()
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return Terminal(
        name=name,
        columns=size.columns,
        rows=size.lines,
        colours=colours(given, inside),
        unicode=encoding == "utf8",
        tmux=inside.version if inside is not None else "",
        interactive=sys.stdin.isatty(),
        program=given.get("TERM_PROGRAM", ""),
        locale=given.get("LC_ALL") or given.get("LC_CTYPE") or given.get("LANG") or "",
        synchronized=said.synchronized,
        clipboard=clipboard(given, inside, said),
        remote="SSH_CONNECTION" in given or "SSH_TTY" in given,
        tmux_settings=inside.settings if inside is not None else {},
    )


def colours(given: Mapping[str, str], inside: multiplexer.Tmux | None) -> str:
    """How many colours there are, in words."""
    name = given.get("TERM", "unknown")
    if given.get("NO_COLOR"):
        return sentences.NO_COLOUR()
    deep = given.get("COLORTERM", "") in ("truecolor", "24bit") or name.endswith("-direct")
    if inside is not None and inside.features is not None:
        deep = deep and "RGB" in inside.features
    if deep:
        return sentences.TRUE_COLOUR()
    return sentences.COLOURS(count=256 if "256" in name or any(word in name for word in WITH) else 16)


def clipboard(given: Mapping[str, str], inside: multiplexer.Tmux | None, said: TerminalAnswers) -> bool | None:
    """Whether OSC 52 reaches the clipboard; None unknown."""
    if inside is not None:
        return inside.clipboard
    if said.clipboard:
        return True
    words = f"{given.get('TERM', '')} {given.get('TERM_PROGRAM', '')}".lower()
    if any(word in words for word in WITHOUT):
        return False
    return True if any(word in words for word in WITH) or "WT_SESSION" in given else None


def ask(path: str = "/dev/tty") -> TerminalAnswers:
    """Put the questions to the terminal; at most WAIT seconds. Without one, or without an answer: nothing known."""
    try:
        import termios
        import tty

        tube = os.open(path, os.O_RDWR | os.O_NOCTTY)
    except (ImportError, OSError):
        return TerminalAnswers()
    try:
        before = termios.tcgetattr(tube)
        if os.tcgetpgrp(tube) != os.getpgrp():
            return TerminalAnswers()  # in the background, where reading would stop the process
        try:
            tty.setcbreak(tube, termios.TCSAFLUSH)
            os.write(tube, ASK)
            return read(_until_identified(tube))
        finally:
            termios.tcsetattr(tube, termios.TCSAFLUSH, before)
    except (OSError, termios.error):
        return TerminalAnswers()
    finally:
        with suppress(OSError):
            os.close(tube)


def _until_identified(tube: int) -> bytes:
    """What comes until the answer to DA1, which is the last one, or until it has taken too long."""
    found, end = b"", time.monotonic() + WAIT
    while not re.search(rb"\x1b\[\?[\d;]*c", found):
        left = end - time.monotonic()
        if left <= 0 or not select.select([tube], [], [], left)[0]:
            break
        part = os.read(tube, 256)
        if not part:
            break
        found += part
    return found


def read(text: bytes) -> TerminalAnswers:
    """The meaning of the answers: DECRPM 1 or 2 knows the mode (3 always on); 0 does not and 4 never will."""
    mode = re.search(rb"\x1b\[\?2026;(\d)\$y", text)
    device = re.search(rb"\x1b\[\?([\d;]*)c", text)
    synchronized = mode.group(1) in (b"1", b"2", b"3") if mode else False if device else None
    return TerminalAnswers(synchronized, CLIPBOARD in device.group(1).decode().split(";") if device else None)


def fixes(seen: Terminal) -> list[str]:
    """What to mend, each with the command."""
    found = []
    if not seen.unicode:
        found.append(sentences.NOT_UTF8())
    if seen.interactive and (seen.columns < 80 or seen.rows < 24):
        found.append(sentences.TOO_SMALL())
    if seen.name == "dumb":
        found.append(sentences.DUMB())
    elif seen.interactive and seen.colours == "16 colours" and not seen.tmux:
        found.append(sentences.FEW_COLOURS(name=seen.name))
    return found
