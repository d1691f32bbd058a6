"""Many runs: 5,000 run folders listed, cold and with their index, by the whole command and on the runs screen."""

from __future__ import annotations

import json as notation
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.conftest import environment

COUNT = 5000
MOST = 0.2


def make(folder: Path, count: int) -> None:
    """Run folders as ravine leaves them, but for the numbers."""
    for number in range(count):
        run = folder / f"20260101-{number:06}_houses_zscore"
        (run / "checkpoints").mkdir(parents=True)
        result = {"ended": "limit", "steps": 1000 + number, "seconds": 0.5, "train_loss": 1 / (1 + number), "gap": 1e-9}
        metrics = {split: dict.fromkeys(("mse", "rmse", "mae", "r2"), 0.5) for split in ("train", "validation", "test")}
        choices = {"dataset": "houses", "normalize": "zscore", "model": "linear", "optimizer": "sgd", "lr": 0.1}
        facts = {"format": 1, "host": "h", "pid": 1, "state": "ended", "created": 1.7e9 + number, "choices": choices}
        data = {"source": "houses", "fingerprint": "0" * 64, "features": [f"x{i}" for i in range(10)]}
        facts |= {"result": result | {"metrics": metrics}, "data": data, "ending": "All steps are done."}
        (run / "run.json").write_text(notation.dumps(facts, indent=1))
        for name in ("recipe.toml", "loss.f64", "model.safetensors", "events.out.tfevents.1", "checkpoints/last"):
            (run / name).write_bytes(b"x" * 100)


def screen(folder: Path, newest: str) -> float:
    """Seconds from the key of the runs screen to the newest run on it."""
    from tests.benchmarks.terminal import Watch
    from tests.conftest import PROGRAM
    from tests.terminal.emulator import Terminal

    own = {name: value for name, value in environment().items() if name != "COLUMNS"}
    command = [*PROGRAM, "houses", "--runs", str(folder)]
    terminal = Terminal(command, folder.parent, columns=160, rows=45, environment=own)
    try:
        terminal.see("Ready")
        watch = Watch(terminal)
        watch.drain(1)
        begin, got = time.perf_counter(), b""
        terminal.send("r")
        while newest.encode() not in got and time.perf_counter() - begin < 20:
            got += watch.read(0.5)
        return time.perf_counter() - begin
    finally:
        terminal.close()


def measure(count: int = COUNT) -> dict[str, Any]:
    """Seconds by name."""
    from engine.runs.store import list_runs

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, count)
        begin = time.perf_counter()
        assert len(list_runs(folder)) == count
        cold = time.perf_counter() - begin
        turns = []
        for _ in range(7):
            begin = time.perf_counter()
            assert len(list_runs(folder)) == count
            turns.append(time.perf_counter() - begin)
        commands = []
        for _ in range(3):
            begin = time.perf_counter()
            line = [sys.executable, "-m", "tui.main", "runs", "--json", "--runs", name]
            subprocess.run(line, env=environment(), stdout=subprocess.DEVNULL, check=True)
            commands.append(time.perf_counter() - begin)
        screens = [screen(folder, f"{count - 1:06}") for _ in range(3)]
    return {
        "runs": count,
        "screen_seconds": min(screens),
        "cold_seconds": cold,
        "seconds": min(turns),
        "command_seconds": min(commands),
    }


def run(json: bool = False) -> dict[str, Any]:
    """Measure, and print a line for each figure unless `json`; `ok` says whether the bound holds."""
    found = measure()
    found["ok"] = found["seconds"] < MOST and found["screen_seconds"] < MOST
    if not json:
        print(f"{found['runs']:,} runs")
        print(f"  without an index     {1000 * found['cold_seconds']:.0f} ms")
        print(f"  with its index       {1000 * found['seconds']:.0f} ms")
        print(f"  the runs screen      {1000 * found['screen_seconds']:.0f} ms from the key to the list")
        print(f"  ravine runs --json   {1000 * found['command_seconds']:.0f} ms, start of the interpreter included")
    return found


if __name__ == "__main__":
    run()
