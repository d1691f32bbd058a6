"""What the program started ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import environment, wait_for
from tui.tasks.tensorboard import TensorBoard

OPEN = """
import sys, threading
from pathlib import Path
from tui.tasks.tensorboard import TensorBoard
board = TensorBoard()
board.open(Path(sys.argv[1]), lambda found: print(found.address, found.problem, flush=True))
threading.Event().wait()
"""


def test_tensorboard_ends_with_a_program_that_was_killed(tmp_path: Path) -> None:
    line = [sys.executable, "-c", OPEN, str(tmp_path)]
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert "http://localhost:" in program.stdout.readline()
        children = psutil.Process(program.pid).children(recursive=True)
        assert children
        os.kill(program.pid, signal.SIGKILL)
        end = time.monotonic() + 60
        while any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children):
            assert time.monotonic() < end, "TensorBoard goes on without the program"
            time.sleep(0.05)


def test_a_tensorboard_that_was_ended_is_started_again(tmp_path: Path) -> None:
    found: list[Any] = []
    board = TensorBoard()
    try:
        board.open(tmp_path, lambda message: found.append(message.address))
        wait_for(lambda: len(found) == 1, "the first address")
        for child in psutil.Process().children():
            if child.status() != psutil.STATUS_ZOMBIE and "tui.tasks.tensorboard_child" in child.cmdline():
                child.terminate()
                child.wait()
        board.open(tmp_path, lambda message: found.append(message.address))
        wait_for(lambda: len(found) == 2, "the second address")
        assert found[1].startswith("http://localhost:")
    finally:
        board.close()
