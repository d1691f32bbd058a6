"""TensorBoard for a person in an SSH session: a server of one's own on this host's loopback, and the way to it."""

from __future__ import annotations

import atexit
import getpass
import importlib.util
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from engine.base import children
from engine.base.errors import Cancelled, InputError
from engine.base.files import read_bytes
from engine.base.temporary import temporary_file
from engine.data.parallel import Stop

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds that TensorBoard gets to answer; with a cold disk its imports alone may take 20
PORTS = range(6006, 6026)  # TensorBoard's own first, so that a tunnel that is already open keeps working


class Board:
    """A TensorBoard that runs as a child process and ends with `stop`, or when this process leaves in good order."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process, self.port, self._log = process, port, log
        atexit.register(self.stop)

    @property
    def address(self) -> str:
        """Where a browser on this host finds it."""
        return f"http://{HOST}:{self.port}/"

    @property
    def tunnel(self) -> str:
        """The command that brings it to the browser of the person's own machine."""
        return tunnel(self.port)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self, patience: float = 5.0) -> None:
        """End it. Takes no longer than `patience` seconds."""
        if self.alive:
            _signal(self._process, signal.SIGTERM)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                _signal(self._process, signal.SIGKILL)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(1.0)
        atexit.unregister(self.stop)
        with suppress(OSError):
            self._log.unlink()


def start(
    logdir: Path,
    *,
    patience: float = PATIENCE,
    cancelled: Stop | None = None,
    program: Sequence[str] | None = None,
) -> Board:
    """Start TensorBoard on a folder and wait until it answers. Call it from a thread: it takes seconds.

    Args:
        logdir: the runs folder, or one run.
        patience: seconds to wait for the first answer.
        cancelled: asked ten times a second; True gives it up.
        program: what to start instead of TensorBoard; tests give their own.

    Raises:
        InputError: it is not installed, ended at once, or did not answer in time; with its last words.
        Cancelled: when `cancelled` says so.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("TensorBoard is not installed here; install it with: pip install tensorboard")
    port = free_port()
    handle, log = temporary_file("tensorboard", ".log")
    program = children.command("tensorboard.main") if program is None else program
    words = [*program, "--logdir", str(logdir), "--host", HOST, "--port", str(port), "--reload_interval", "5"]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            # A group of its own: Ctrl+C in the terminal is not for it, and its data server ends with it.
            start_new_session=True,
            env=children.environment(PYTHONUNBUFFERED="1"),  # so that its last words come last
        )
    except OSError as error:
        log.unlink()
        raise InputError(f"TensorBoard does not start: {error.strerror or error}.") from None
    finally:
        os.close(handle)
    board = Board(process, port, log)
    try:
        _wait(board, log, patience, cancelled)
    except BaseException:
        board.stop()
        raise
    return board


def _wait(board: Board, log: Path, patience: float, cancelled: Stop | None) -> None:
    end = time.monotonic() + patience
    while True:
        if not board.alive:
            raise InputError(f"TensorBoard does not start: {_last_words(log)}.")
        with suppress(OSError), socket.create_connection((HOST, board.port), 1.0):
            return
        if cancelled is not None and cancelled():
            raise Cancelled("TensorBoard was given up.")
        if time.monotonic() > end:
            raise InputError(f"TensorBoard has not answered within {patience:.0f} s: {_last_words(log)}.")
        time.sleep(0.1)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _last_words(log: Path) -> str:
    """The last line that it wrote, which of a traceback is the error."""
    try:
        lines = [line.strip() for line in read_bytes(log).decode(errors="replace").splitlines() if line.strip()]
    except (FileNotFoundError, InputError):
        lines = []
    return lines[-1].rstrip(".")[:300] if lines else "it said nothing"


def free_port(ports: Sequence[int] = PORTS) -> int:
    """A port of the loopback that nobody listens on: one of TensorBoard's usual ones, else any."""
    for port in (*ports, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((HOST, port))
            except OSError:
                continue
            return int(attempt.getsockname()[1])
    raise InputError("No port is free on this host's loopback.")


def tunnel(port: int, environment: Mapping[str, str] | None = None) -> str:
    """The `ssh -L` line to type on one's own machine: with the user, and the address and port by which this session
    came in where SSH says so, else the host's name."""
    known = os.environ if environment is None else environment
    host, extra = socket.gethostname(), ""
    # client address, client port, server address, server port (man ssh)
    parts = known.get("SSH_CONNECTION", "").split()
    if len(parts) == 4:
        host = parts[2]
        extra = f" -p {parts[3]}" if parts[3] != "22" else ""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = known.get("USER", "")
    return f"ssh -N -L {port}:{HOST}:{port}{extra} {f'{user}@' if user else ''}{host}"
