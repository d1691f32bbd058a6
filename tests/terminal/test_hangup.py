"""A terminal that goes away without a word, and signals that come before the app is there."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import PROGRAM, facts, wait_for
from tests.terminal.conftest import own_folders

Begin = Callable[..., "Silent"]


class Silent:
    """A program on a terminal that is not its controlling one: no signal tells when the terminal goes."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.fd, theirs = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            words, cwd=folder, env={**kept, "TERM": "xterm-256color", **own_folders(folder)}, stdin=theirs,
            stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.seen = b""

    def sees(self, text: bytes) -> bool:
        """Whether it has written this."""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                self.seen += os.read(self.fd, 1 << 16)
            except OSError:
                break
        return text in self.seen

    def cut(self) -> None:
        """Take the terminal away."""
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.fd >= 0:
            self.cut()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    started: list[Silent] = []

    def start(*words: str, program: tuple[str, ...] = PROGRAM) -> Silent:
        started.append(Silent([*program, *words], tmp_path))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_terminal_that_is_gone_ends_the_app_as_a_hang_up_does(begin: Begin, tmp_path: Path) -> None:
    app = begin("--pace", "600")
    wait_for(lambda: app.sees(b"Ready"), "the app")
    os.write(app.fd, b" ")
    runs = tmp_path / "runs"
    wait_for(lambda: list(runs.glob("*/run.json")), "the run")
    (run,) = (path.parent for path in runs.glob("*/run.json"))
    wait_for(lambda: (run / "loss.f64").stat().st_size > 0, "a step")
    app.cut()
    assert app.process.wait(60) == 130
    assert facts(run)["state"] == "interrupted"
    assert facts(run)["result"]["steps"] == (run / "loss.f64").stat().st_size // 8
    assert not (run / "lock").exists()


def test_a_terminal_that_is_gone_ends_an_idle_app(begin: Begin) -> None:
    app = begin()
    wait_for(lambda: app.sees(b"Ready"), "the app")
    app.cut()
    assert app.process.wait(60) == 130


def test_a_terminal_that_is_gone_ends_watch_too(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    app = begin("watch", "logs")
    wait_for(lambda: app.sees(b"quit"), "the app")
    app.cut()
    assert app.process.wait(60) == 130


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_watch_and_gives_the_terminal_back(begin: Begin, tmp_path: Path, number: int) -> None:
    (tmp_path / "logs").mkdir()
    app = begin("watch", "logs")
    wait_for(lambda: app.sees(b"quit"), "the app")
    app.process.send_signal(number)
    wait_for(lambda: app.sees(b"\x1b[?1049l") and app.process.poll() is not None, "the end")
    assert app.process.returncode == 130
    assert b"Traceback" not in app.seen


EARLY = """
import os, signal, sys
from textual.drivers.linux_driver import LinuxDriver
where, number = sys.argv[1], int(sys.argv[2])
begin = LinuxDriver.start_application_mode
def start(self):
    if where == "before":
        os.kill(os.getpid(), number)
    begin(self)
    os.kill(os.getpid(), number)
LinuxDriver.start_application_mode = start
sys.argv[:] = ["ravine"]
from tui.main import main
sys.exit(main())
"""


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_while_the_app_is_made_gives_the_terminal_back(begin: Begin, number: int, where: str) -> None:
    import termios

    app = begin(where, str(int(number)), program=(sys.executable, "-c", EARLY))
    before = termios.tcgetattr(app.fd)
    wait_for(lambda: app.sees(b"\x1b[?1049l") and app.process.poll() is not None, "the end")
    assert app.process.returncode == 130
    assert b"Traceback" not in app.seen
    assert termios.tcgetattr(app.fd)[3] == before[3], "the terminal does not show what is typed"


def test_textual_s_driver_is_as_we_know_it() -> None:
    """What `hangup` and `early_signals` of `tui.terminal` rely on; a newer Textual that changes it is told of here."""
    import inspect

    from textual.app import App
    from textual.drivers.linux_driver import LinuxDriver

    assert "driver_class" in inspect.signature(App.__init__).parameters
    assert "self.exit_event.is_set()" in inspect.getsource(LinuxDriver.run_input_thread)
    assert "self.run_input_thread()" in inspect.getsource(LinuxDriver._run_input_thread)
    assert "exit_event" in inspect.getsource(LinuxDriver.disable_input)
    assert {"send_message"} <= set(dir(LinuxDriver))
