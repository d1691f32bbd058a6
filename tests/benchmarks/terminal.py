"""The app in a pseudo-terminal: bytes on the line, answers to keys, training beside the screen, a long run, memory.

The environment variable RAVINE_WATCHED shortens the 60 s that the line is watched for. A key's answer is the time until
the cursor of a panel has been sent anew on another line. A frame is a piece of output after at least 20 ms of silence.
"""

from __future__ import annotations

import json as notation
import os
import random
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.conftest import PROGRAM, environment
from tests.terminal.emulator import Terminal

WATCHED = float(os.environ.get("RAVINE_WATCHED", "60"))  # seconds
ROOT = Path(__file__).parents[2]
KEYS = 60  # presses for each kernel
SILENCE = 0.02  # seconds between two frames
POINTER = "▸".encode()
UP, DOWN = "\x1b[A", "\x1b[B"

KERNELS = {
    "spectral": ["houses", "--backend", "spectral", "--steps", "400000000"],
    "compiled": ["houses", "--backend", "compiled", "--batch-size", "2", "--steps", "400000000"],
    "autograd": ["houses", "--backend", "autograd", "--batch-size", "2", "--steps", "4000000"],
}
SPEED_SECONDS = 30.0  # of a run whose throughput is compared
NOTHING = subprocess.DEVNULL
TURN = 0.6  # seconds of it at a time
GAP = 0.05  # seconds at either end of a turn that do not count
PAIRS = 5  # of runs whose time is compared
SETTLED = 3.0  # seconds after which the app has looked for devices
FIXED = "10000000"  # steps of the spectral run whose time is compared


class Watch:
    """Counts what a terminal is sent, without an emulator, which would cost as much as the app."""

    def __init__(self, terminal: Terminal) -> None:
        self.fd, self.pid = terminal.fd, terminal.pid
        self.size = self.frames = 0
        self._last = 0.0

    def read(self, seconds: float) -> bytes:
        """What comes within so many seconds, at the first piece."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        content = os.read(self.fd, 1 << 16)
        now = time.perf_counter()
        self.frames += now - self._last >= SILENCE
        self._last = now
        self.size += len(content)
        return content

    def drain(self, seconds: float) -> None:
        """Take in everything for so many seconds."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def processor(self) -> float:
        """Seconds of processor time that the program has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Its private memory and its share of what others use too, in MB."""
        return memory(self.pid)


def memory(pid: int) -> float:
    """MB of a process (proportional set size, proc(5))."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def opened(folder: Path, *words: str) -> Terminal:
    """The app, ready to train."""
    own = {name: value for name, value in environment().items() if name != "COLUMNS"}  # the terminal has a size
    terminal = Terminal([*PROGRAM, *words], folder, columns=160, rows=45, environment=own)
    terminal.see("Ready")
    return terminal


def line(folder: Path) -> dict[str, float]:
    """Bytes while the axis of a run grows, and while nothing happens."""
    terminal = opened(folder, "houses", "--steps", "100000", "--pace", str(2 * WATCHED + 20))
    try:
        watch = Watch(terminal)
        watch.drain(2)
        watch.size, used = 0, watch.processor()
        watch.drain(10)
        found = {"idle (B/s)": watch.size / 10, "idle (% CPU)": 10 * (watch.processor() - used)}
        terminal.send(" ")
        watch.drain(3)
        rates: list[float] = []
        watch.frames, used, begin = 0, watch.processor(), time.perf_counter()
        for _ in range(round(WATCHED)):
            watch.size, second = 0, time.perf_counter()
            watch.drain(1)
            rates.append(watch.size / (time.perf_counter() - second) / 1000)
        seconds = time.perf_counter() - begin
        return found | {
            "growing, median (kB/s)": statistics.median(rates),
            "growing, largest (kB/s)": max(rates),
            "growing (frames/s)": watch.frames / seconds,
            "growing (% CPU)": 100 * (watch.processor() - used) / seconds,
        }
    finally:
        terminal.close()
        shutil.rmtree(folder / "runs", ignore_errors=True)


def keys(folder: Path, words: list[str]) -> dict[str, float]:
    """Milliseconds from a key to its cell on the screen, while training at full pace."""
    terminal = opened(folder, *words, "--pace", "max")
    try:
        terminal.send("2")
        terminal.send(" ")
        terminal.see("training", "steps/s")
        watch = Watch(terminal)
        watch.drain(2)
        dice, times = random.Random(0), []
        for press in range(KEYS):
            watch.drain(dice.uniform(0.03, 0.13))
            begin, got = time.perf_counter(), b""
            terminal.send(UP if press % 2 else DOWN)
            while POINTER not in got and time.perf_counter() - begin < 5:
                got += watch.read(0.5)
            times.append(1000 * (time.perf_counter() - begin))
        times.sort()
        return {"median (ms)": statistics.median(times), "95 % (ms)": times[int(0.95 * KEYS)], "worst (ms)": times[-1]}
    finally:
        terminal.close()
        shutil.rmtree(folder / "runs", ignore_errors=True)


def widget(folder: Path) -> dict[str, Any]:
    """Bytes of a growing curve in textual-plotext's own widget, which is installed with the extra `bench`."""
    if find_spec("textual_plotext") is None:
        return {"textual-plotext": "not installed"}
    own = {name: value for name, value in environment().items() if name != "COLUMNS"}
    terminal = Terminal(
        [sys.executable, "-m", "tests.benchmarks._plotext_widget"], ROOT, columns=160, rows=45, environment=own
    )
    try:
        terminal.see("loss")
        watch, rates = Watch(terminal), []
        watch.drain(2)
        watch.frames, begin = 0, time.perf_counter()
        for _ in range(max(5, round(WATCHED / 4))):
            watch.size, second = 0, time.perf_counter()
            watch.drain(1)
            rates.append(watch.size / (time.perf_counter() - second) / 1000)
        return {"median (kB/s)": statistics.median(rates), "frames/s": watch.frames / (time.perf_counter() - begin)}
    finally:
        terminal.close()


def long_run(folder: Path) -> dict[str, float]:
    """Milliseconds until a kept run of 10,000,000 steps is drawn in the app, from the key that opens it."""
    command = [*PROGRAM, "train", "--dataset", "houses", "--backend", "spectral", "--steps", FIXED, "--runs", "runs"]
    subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
    times = []
    for _ in range(5):
        terminal = opened(folder, "houses")
        try:
            terminal.send("r")
            terminal.see("houses_zscore")
            watch = Watch(terminal)
            watch.drain(1)
            begin, got = time.perf_counter(), b""
            terminal.send("\r")
            while b"8M" not in got and time.perf_counter() - begin < 10:
                got += watch.read(0.5)
            times.append(1000 * (time.perf_counter() - begin))
        finally:
            terminal.close()
    shutil.rmtree(folder / "runs", ignore_errors=True)
    return {"opened and drawn, median (ms)": statistics.median(times), "worst (ms)": max(times)}


def result(folder: Path) -> dict[str, Any]:
    """What run.json says of the only run, which is then removed."""
    (run,) = (folder / "runs").iterdir()
    found: dict[str, Any] = notation.loads((run / "run.json").read_text())["result"]
    shutil.rmtree(folder / "runs")
    return found


def wall(folder: Path) -> dict[str, float]:
    """Seconds of a run of a fixed length, in the app and without a screen, in turns; medians of `PAIRS`."""
    words = ["houses", "--backend", "spectral", "--steps", FIXED]
    alone, beside = [], []
    for _ in range(PAIRS):
        command = [*PROGRAM, "train", "--dataset", *words, "--runs", "runs"]
        subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
        alone.append(result(folder)["seconds"])
        terminal = opened(folder, *words, "--pace", "max")
        try:
            watch = Watch(terminal)
            watch.drain(SETTLED)
            terminal.send(" ")
            end = time.perf_counter() + 10 * SPEED_SECONDS
            while not any((folder / "runs").glob("*/run.json")) or not _ended(folder):
                assert time.perf_counter() < end, "the run has not ended"
                watch.drain(0.2)
        finally:
            terminal.close()
        beside.append(result(folder)["seconds"])
    found = statistics.median(alone), statistics.median(beside)
    return {
        "headless (s)": found[0],
        "in the app (s)": found[1],
        "longer than by 20 % and 50 ms (ms)": 1000 * (found[1] - 1.2 * found[0] - 0.05),
    }


def speed(folder: Path, words: list[str]) -> dict[str, float]:
    """The same run in the app and without a screen. Each is stopped while the other has its turn, 30 s of turns in all.

    A machine that others use too is faster in one second and slower in the next; neighbouring turns are compared.
    """
    beside, alone = folder / "app", folder / "alone"
    for one in (beside, alone):
        one.mkdir()
    command = [*PROGRAM, "train", "--dataset", *words, "--runs", "runs"]
    turns: dict[Path, list[tuple[float, float]]] = {beside: [], alone: []}
    pictures = 0.0
    terminal = opened(beside, *words, "--pace", "max")
    watch = Watch(terminal)
    with subprocess.Popen(command, cwd=alone, env=environment(), stdout=NOTHING, stderr=NOTHING) as headless:
        try:
            while not len(stamps(alone)):
                watch.drain(0.1)
            headless.send_signal(signal.SIGSTOP)
            watch.drain(SETTLED)
            terminal.send(" ")
            terminal.see("training", "steps/s")
            watch.drain(1)
            for _ in range(round(SPEED_SECONDS / TURN)):
                watch.frames, begin = 0, time.time()
                watch.drain(TURN)
                turns[beside].append((begin + GAP, time.time() - GAP))
                pictures += watch.frames / TURN / round(SPEED_SECONDS / TURN)
                os.kill(terminal.pid, signal.SIGSTOP)
                headless.send_signal(signal.SIGCONT)
                begin = time.time()
                time.sleep(TURN)
                turns[alone].append((begin + GAP, time.time() - GAP))
                headless.send_signal(signal.SIGSTOP)
                os.kill(terminal.pid, signal.SIGCONT)
        finally:
            terminal.close()
            headless.kill()
    app, other = (rates(one, turns[one]) for one in (beside, alone))
    for one in (beside, alone):
        shutil.rmtree(one)
    shares = [2 * app[i] / (other[i - 1] + other[i]) for i in range(1, len(app))]
    return {
        "headless, median (steps/s)": statistics.median(other),
        "in the app, median (steps/s)": statistics.median(app),
        "pictures (frames/s)": pictures,
        "share, median of neighbouring turns (%)": 100 * statistics.median(shares),
    }


def stamps(folder: Path) -> Any:
    """How many losses the only run had written at which time: [n, 2]."""
    import numpy as np

    found = list((folder / "runs").glob("*/stamps.f64"))
    held = np.fromfile(found[0]) if found else np.empty(0)
    return held[: len(held) // 2 * 2].reshape(-1, 2)


def rates(folder: Path, turns: list[tuple[float, float]]) -> list[float]:
    """Steps in a second between two times, for each of the turns."""
    import numpy as np

    steps, times = stamps(folder).T
    return [float(np.diff(np.interp(turn, times, steps))[0]) / (turn[1] - turn[0]) for turn in turns]


def _ended(folder: Path) -> bool:
    (path,) = (folder / "runs").glob("*/run.json")
    return bool(notation.loads(path.read_text()).get("state") == "ended")


ENGINE = (
    "from engine.analysis.survey import survey; from engine.recipe import Recipe; survey(Recipe()); print('there'); "
    "input()"
)


def weight(folder: Path) -> dict[str, float]:
    """Memory of the app that is ready, and of the engine alone with the same table."""
    terminal = opened(folder, "houses")
    try:
        watch = Watch(terminal)
        watch.drain(2)
        app = watch.memory()
    finally:
        terminal.close()
    with subprocess.Popen(
        [sys.executable, "-c", ENGINE], cwd=folder, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        alone = memory(engine.pid)
        engine.communicate(b"\n")
    return {"app (MB)": app, "engine alone (MB)": alone, "on top (MB)": app - alone}


def run(json: bool) -> dict[str, Any]:
    """All figures, by part."""
    folder = Path(tempfile.mkdtemp(prefix="ravine-terminal-"))
    try:
        return {
            "line": line(folder),
            "textual-plotext's own widget": widget(folder),
            "keys": {name: keys(folder, words) for name, words in KERNELS.items()},
            "speed": {
                "spectral": wall(folder),
                **{name: speed(folder, KERNELS[name]) for name in ("compiled", "autograd")},
            },
            "10,000,000 steps": long_run(folder),
            "memory": weight(folder),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
