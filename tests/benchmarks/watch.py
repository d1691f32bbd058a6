"""Watching: a log of 1,000,000 scalars, read with every checksum, against tensorboard's EventAccumulator.

Each runs in a process of its own; ours is asked in slices of 20 ms, as an app asks it. The memory is what is resident
at its peak. Then the screen of `ravine watch` opens the same log in a pseudo-terminal.
"""

from __future__ import annotations

import json as notation
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.conftest import environment

COUNT = 1_000_000
MOST_SECONDS, MOST_BYTES = 1.0, 150e6
MOST_FIRST = 0.5  # seconds
MOST_KEY = 50.0  # milliseconds
LOADED = "● live".encode()

_OURS = """
import json, sys, time
begin = time.perf_counter()
import numpy as np
from pathlib import Path
from engine.watch.tree import LogTree

def memory(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return 1024 * int(line.split()[1])
    return 0

tree = LogTree(Path(sys.argv[1]))
tree.poll(0.02)
while not tree.runs or not tree.runs["."].curves:
    tree.poll(0.02)
tree.runs["."].curves["loss/train"].columns(np.linspace(0, 1e6, 241))
first = time.perf_counter() - begin
longest = 0.0
while True:
    at = time.perf_counter()
    busy = tree.poll(0.02).busy
    longest = max(longest, time.perf_counter() - at)
    if not busy:
        break
whole = time.perf_counter() - begin
curve = tree.runs["."].curves["loss/train"]
assert len(curve) == int(sys.argv[2]), len(curve)
best = whole
for _ in range(5):
    at = time.perf_counter()
    again = LogTree(Path(sys.argv[1]))
    while again.poll(1.0).busy:
        pass
    best = min(best, time.perf_counter() - at)
    del again
curve.columns(np.linspace(0, 1e6, 241))
at = time.perf_counter()
for _ in range(20):
    curve.columns(np.linspace(0, 1e6, 241))
draw = (time.perf_counter() - at) / 20
print(json.dumps({"first_chart_seconds": first, "whole_seconds": whole, "read_seconds": best, "longest_call": longest,
                  "columns_seconds": draw, "peak_resident": memory("VmHWM")}))
"""

_THEIRS = """
import json, sys, time
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

begin = time.perf_counter()
found = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "tensors": 0})
found.Reload()
assert len(found.Scalars("loss/train")) == int(sys.argv[2])
print(json.dumps({"event_accumulator_seconds": time.perf_counter() - begin}))
"""


def measure(count: int = COUNT) -> dict[str, Any]:
    """Seconds and bytes by name."""
    import numpy as np

    from engine.runs import records

    with tempfile.TemporaryDirectory() as folder:
        steps = np.arange(count)
        values = np.random.default_rng(0).standard_normal(count)
        content = records.scalars("loss/train", 1.7e9 + steps / 100, steps, values)
        path = Path(folder) / "events.out.tfevents.1700000000.host"
        path.write_bytes(records.file_version(1.7e9) + content)
        found: dict[str, Any] = {"points": count, "bytes": path.stat().st_size}
        for script in (_OURS, _THEIRS):
            line = [sys.executable, "-c", script, folder, str(count)]
            answer = subprocess.run(line, env=environment(), capture_output=True, text=True, check=True)
            found |= notation.loads(answer.stdout)
        found |= screen(Path(folder))
    return found


def screen(folder: Path) -> dict[str, float]:
    """`ravine watch` in a pseudo-terminal: seconds to its first chart and to the last point, answers to keys."""
    from engine.runs import records
    from tests.benchmarks.terminal import DOWN, POINTER, UP, Watch
    from tests.conftest import PROGRAM
    from tests.terminal.emulator import Terminal

    firsts, wholes, waits, memories = [], [], [], []
    dice = random.Random(0)
    own = {name: value for name, value in environment().items() if name != "COLUMNS"}
    (folder / "other").mkdir()
    other = folder / "other" / "events.out.tfevents.1700000001.host"
    other.write_bytes(records.file_version(1.7e9) + records.scalar("accuracy", 1.7e9, 0, 0.5))
    for _ in range(5):
        begin = time.perf_counter()
        command = [*PROGRAM, "watch", str(folder)]
        terminal = Terminal(command, folder.parent, columns=160, rows=45, environment=own)
        try:
            watch, got = Watch(terminal), b""
            while "└┬".encode() not in got and time.perf_counter() - begin < 20:  # the corner of the axes
                got += watch.read(0.5)
            firsts.append(time.perf_counter() - begin)
            while b"accuracy" not in got and time.perf_counter() - begin < 20:
                got += watch.read(0.5)
            press = 0
            while LOADED not in got and time.perf_counter() - begin < 20:
                end = time.perf_counter() + dice.uniform(0.005, 0.03)
                while (rest := end - time.perf_counter()) > 0:
                    got += watch.read(rest)
                at, answer = time.perf_counter(), b""
                terminal.send(DOWN if press % 2 else UP)  # the first line is that of the accuracy
                while POINTER not in answer and time.perf_counter() - at < 5:
                    answer += watch.read(0.5)
                waits.append(1000 * (time.perf_counter() - at))
                got = (got + answer)[-50_000:]
                press += 1
            wholes.append(time.perf_counter() - begin)
            watch.drain(0.5)
            memories.append(watch.memory())
        finally:
            terminal.close()
    return {
        "screen_first_chart_seconds": statistics.median(firsts),
        "screen_whole_seconds": statistics.median(wholes),
        "screen_keys": len(waits),
        "screen_key_median_ms": statistics.median(waits),
        "screen_key_worst_ms": max(waits),
        "screen_memory_mb": max(memories),
    }


def run(json: bool = False) -> dict[str, Any]:
    """Measure, and print a line for each figure unless `json`; `ok` says whether every bound holds."""
    found = measure()
    found["ok"] = (
        found["whole_seconds"] < MOST_SECONDS
        and found["peak_resident"] < MOST_BYTES
        and found["screen_first_chart_seconds"] < MOST_FIRST
        and found["screen_key_worst_ms"] < MOST_KEY
    )
    if not json:
        print(f"{found['points']:,} scalars in {found['bytes'] / 1e6:.0f} MB")
        print(f"  the first chart              {found['first_chart_seconds']:.3f} s after the start, imports included")
        print(f"  everything                   {found['whole_seconds']:.3f} s")
        print(f"  reading alone                {found['read_seconds']:.3f} s")
        print(f"  EventAccumulator             {found['event_accumulator_seconds']:.1f} s")
        print(f"  the longest call of poll     {1000 * found['longest_call']:.0f} ms (asked for 20)")
        print(f"  240 columns of the chart     {1e6 * found['columns_seconds']:.0f} µs")
        print(f"  memory of the reading        {found['peak_resident'] / 1e6:.0f} MB at its peak")
        print(f"  `ravine watch`: first chart  {found['screen_first_chart_seconds']:.3f} s after the command")
        print(f"  every point                  {found['screen_whole_seconds']:.3f} s")
        print(f"  the slowest of {found['screen_keys']} keys meanwhile {found['screen_key_worst_ms']:.0f} ms")
        print(f"  memory of the app            {found['screen_memory_mb']:.0f} MB")
    return found


if __name__ == "__main__":
    run()
