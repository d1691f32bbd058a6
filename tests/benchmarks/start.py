"""Starting: how long commands take, and how long until the app's first paint.

Every figure is the median of ROUNDS processes that take turns with `python -c "import textual"`, the yardstick of the
same machine in the same minutes. First paint is the time until the screen, in a real pseudo-terminal, shows the title.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import PROGRAM, environment
from tests.terminal.emulator import Terminal

ROUNDS = 5
TITLE = "ravine"  # what the first paint shows

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "import textual": [sys.executable, "-c", "import textual"],
    "ravine --help": [*PROGRAM, "--help"],
    "ravine runs": [*PROGRAM, "runs"],
    "ravine predict": [*PROGRAM, "predict", "run", "--values", "10,3"],
    "ravine train": [*PROGRAM, "train", "--steps", "1"],
}


def seconds(command: list[str], folder: Path) -> float:
    """How long a process takes from start to end."""
    begin = time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - begin


def first_paint(folder: Path) -> float:
    """How long until the app shows its title in a terminal."""
    own = {name: value for name, value in environment().items() if name != "COLUMNS"}  # the terminal has a size
    begin = time.perf_counter()
    terminal = Terminal(list(PROGRAM), folder, columns=160, rows=45, environment=own)
    try:
        while TITLE not in terminal.text:
            if time.perf_counter() - begin > 30:
                raise TimeoutError(f"the app has painted nothing:\n{terminal.text}")
            terminal.read(0.01)
        return time.perf_counter() - begin
    finally:
        terminal.close()


def quitting(folder: Path) -> float:
    """How long from the answer "save and quit", in a run at full speed, until the process has ended."""
    own = {name: value for name, value in environment().items() if name != "COLUMNS"}
    words = ["linear3", "--steps", "1000000000", "--batch-size", "10", "--pace", "max"]
    terminal = Terminal([*PROGRAM, *words], folder, columns=160, rows=45, environment=own)
    try:
        terminal.see("linear3", "ready")
        terminal.send(" ")
        terminal.see("training")
        terminal.send("q")
        terminal.see("save")
        begin = time.perf_counter()
        terminal.send("\r")
        terminal.ended()
        return time.perf_counter() - begin
    finally:
        terminal.close()


def run(json: bool) -> dict[str, Any]:
    """Seconds by command, and the first paint as a share of the yardstick."""
    folder = Path(tempfile.mkdtemp(prefix="ravine-start-"))
    try:
        subprocess.run(
            [*PROGRAM, "train", "--steps", "10", "--name", "run"], cwd=folder, env=environment(), check=True,
            capture_output=True,
        )  # fmt: skip
        tasks: dict[str, Callable[[], float]] = {
            name: (lambda command=command: seconds(command, folder))  # type: ignore[misc]
            for name, command in COMMANDS.items()
        }
        tasks["first paint"] = lambda: first_paint(folder)
        tasks["quitting"] = lambda: quitting(folder)
        times: dict[str, list[float]] = {name: [] for name in tasks}
        for task in tasks.values():
            task()  # once for the disk's cache
        for _ in range(ROUNDS):
            for name, task in tasks.items():
                times[name].append(task())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found = {f"{name} (s)": statistics.median(values) for name, values in times.items()}
    found["first paint / import textual"] = found["first paint (s)"] / found["import textual (s)"]
    return found
