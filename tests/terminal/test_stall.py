"""A terminal that takes nothing any more: nobody reads from it, as when the network is down."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import termios
import tty
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.terminal.test_terminal import run_folder
from tui.terminal.writer import LIMIT, PIECE, TerminalWriter


def unread(master: int) -> int:
    """Bytes that a program has written and nobody has read."""
    (found,) = struct.unpack("i", fcntl.ioctl(master, termios.FIONREAD, bytes(4)))
    return int(found)


def room() -> int:
    """Bytes that a pseudo-terminal takes before whoever writes has to wait."""
    master, slave = pty.openpty()
    os.set_blocking(slave, False)
    try:
        while True:
            os.write(slave, b"x" * 256)
    except BlockingIOError:
        return unread(master)
    finally:
        os.close(master)
        os.close(slave)


def stall(app: Any) -> None:
    """Have the app draw, with nobody reading, until the terminal takes no more: a key whenever something was drawn."""
    full, keys, seen = 0.9 * room(), cycle("drt"), -1

    def is_full() -> bool:
        nonlocal seen
        now = unread(app.fd)
        if now != seen:
            seen = now
            app.send(next(keys))
        return now >= full

    wait_for(is_full, "a full terminal")


def losses(folder: Path) -> int:
    """Bytes of losses of the only run."""
    return sum(path.stat().st_size for path in folder.glob("runs/*/loss.f64"))


def test_training_goes_on_and_the_screen_is_right_afterwards(terminal: Any, tmp_path: Path) -> None:
    app = terminal("--pace", "600")
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    stall(app)
    before = losses(tmp_path)
    wait_for(lambda: losses(tmp_path) > before, "losses beside a terminal that takes nothing")
    app.send("t ")
    app.see("paused", "1 Dataset", "loss · log y", "quit")
    app.wait(lambda: not unread(app.fd) and not app.read(1.0), "silence")
    shown = app.text
    app.resize(118, 36)
    app.wait(lambda: app.read(1.0) > 0, "the other size")
    app.resize(120, 36)
    app.see("paused", "1 Dataset", "loss · log y", "quit")
    app.wait(lambda: app.text == shown, f"what was shown before everything was drawn anew:\n{shown}\n")
    app.send("qq")
    assert app.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_app_all_the_same(terminal: Any, tmp_path: Path, number: int) -> None:
    app = terminal("--pace", "600")
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    stall(app)
    os.kill(app.pid, number)
    wait_for(lambda: app.over(), "the end of the app")
    assert app.code == 130
    run_folder(tmp_path)


# The line itself.


@pytest.fixture
def line() -> Iterator[tuple[int, TerminalWriter]]:
    """A terminal that nobody reads from yet, and the line to it."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    link = TerminalWriter(slave)
    yield master, link
    os.set_blocking(master, False)
    take(master, link)
    assert link.end(10)
    os.close(master)


def take(master: int, link: TerminalWriter) -> bytes:
    """Read until the line has nothing left to send."""
    found = bytearray()

    def empty() -> bool:
        # The line is asked first: what it has sent by then is there to be read.
        behind = link.behind
        try:
            while True:
                found.extend(os.read(master, 1 << 16))
        except BlockingIOError:
            return not behind

    os.set_blocking(master, False)
    wait_for(empty, "an empty line")
    return bytes(found)


def test_what_waits_has_a_limit_and_the_screen_is_asked_for_anew(line: tuple[int, TerminalWriter]) -> None:
    master, link = line
    asked: list[bool] = []
    link.mend = lambda: asked.append(True)
    link.write("\x1b[?1049h")
    for number in range(3000):
        link.write(f"\x1b[{number % 40};1Hpicture {number} " + "x" * 1000)
        assert link.traffic.waiting <= LIMIT + PIECE
    link.write("\x1b]52;c;Y29waWVk\x07")
    link.write("\x1b[?1049l")
    lost = link.traffic.lost
    assert lost > 1000
    assert not asked
    sent = take(master, link)
    wait_for(lambda: asked, "the wish for the whole screen")
    assert sent.startswith(b"\x1b[?1049h")
    assert sent.endswith(b"\x1b]52;c;Y29waWVk\x07\x1b[?1049l"), "modes and the clipboard were thrown away"
    assert link.traffic.sent == len(sent)
    assert sent.count(b"picture") == 3000 - lost


def test_what_is_written_arrives_whole_and_in_order(line: tuple[int, TerminalWriter]) -> None:
    master, link = line
    texts = [f"{number}·é漢\n" for number in range(2000)]
    for text in texts:
        link.write(text)
    assert take(master, link).decode() == "".join(texts)
    assert link.traffic.lost == 0
    assert link.traffic.pictures == 2000


def test_the_end_does_not_wait_for_a_terminal_that_takes_nothing() -> None:
    master, slave = pty.openpty()
    link = TerminalWriter(slave)
    link.write("x" * 200_000)
    assert link.end(0.05) is False
    os.close(master)
