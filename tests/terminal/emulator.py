"""A real pseudo-terminal with a program in it, and an emulator that knows what is on its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

DEADLINE = 120.0  # seconds that anything may take on a slow and busy machine


class Terminal:
    """Runs a command in a terminal of `columns` times `rows` cells. Close it at the end."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, columns: int = 100, rows: int = 30,
        environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.raw = bytearray()
        self.code: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            # COLUMNS and LINES, which pytest's readline has set, would overrule the terminal's own size.
            kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
            try:
                os.execvpe(command[0], list(command), kept)
            finally:
                os._exit(127)
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.fd, keys.encode())

    def read(self, seconds: float) -> int:
        """Take in what the program writes within so many seconds; bytes taken. Returns at the first piece."""
        if self.fd < 0:
            time.sleep(min(seconds, 0.01))
            return 0
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return 0
        try:
            content = os.read(self.fd, 1 << 16)
        except OSError:  # the program is gone
            time.sleep(0.01)
            return 0
        self.received += len(content)
        self.raw += content
        # pyte takes a private mode report for text and stops at it.
        self._stream.feed(content.replace(b"\x1b[?2048$p", b"").replace(b"\x1b[?2026$p", b""))
        return len(content)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, line by line; half of a wide character that is being written over is nothing."""
        screen = self.screen
        return ["".join(screen.buffer[y][x].data for x in range(screen.columns)) for y in range(screen.lines)]

    def wait(self, condition: Callable[[], bool], what: str = "") -> None:
        """Take in output until a condition holds. AssertionError with the screen when it does not in time."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"{what or condition} did not come about; the screen:\n{self.text}"
            self.read(0.05)

    def see(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        self.wait(lambda: all(text in self.text for text in texts), f"{texts}")

    def ended(self) -> int:
        """Wait for the program's end; its exit code, negative for a signal."""
        self.wait(lambda: self._reap(os.WNOHANG), "the end")
        assert self.code is not None
        return self.code

    def _reap(self, how: int) -> bool:
        if self.code is not None:
            return True
        pid, status = os.waitpid(self.pid, how)
        if pid:
            self.code = os.waitstatus_to_exitcode(status)
        return bool(pid)

    def over(self) -> bool:
        """Whether the program has ended, without reading what it writes."""
        return self._reap(os.WNOHANG)

    def children(self) -> list[int]:
        """The processes that the program has started."""
        import psutil

        try:
            return [child.pid for child in psutil.Process(self.pid).children()]
        except psutil.Error:
            return []

    def cut(self) -> None:
        """Cut the line, as a lost SSH connection does: the terminal is gone, and the system sends SIGHUP."""
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        """End the program, kindly or not, and give the terminal back."""
        if self.code is None and not self._reap(os.WNOHANG):
            os.kill(self.pid, signal.SIGKILL)
            self._reap(0)
        if self.fd >= 0:
            os.close(self.fd)
