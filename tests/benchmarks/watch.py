"""Watching: a log of 1,000,000 scalars, read with every checksum, against tensorboard's EventAccumulator.

    python -m tests.benchmarks.watch [--json]

Each runs in a process of its own; ours is asked in slices of 20 ms, as an app asks it. The memory is what is resident
at its peak.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import environment

COUNT = 1_000_000
MOST_SECONDS, MOST_BYTES = 1.0, 150e6

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
            found |= json.loads(answer.stdout)
    return found


def main(words: list[str]) -> int:
    """Measure, tell, and fail where a bound is broken."""
    found = measure()
    good = found["whole_seconds"] < MOST_SECONDS and found["peak_resident"] < MOST_BYTES
    if "--json" in words:
        print(json.dumps(found | {"good": good}))
        return 0 if good else 1
    print(f"{found['points']:,} scalars in {found['bytes'] / 1e6:.0f} MB")
    print(f"  the first chart              {found['first_chart_seconds']:.3f} s after the start, imports included")
    print(f"  everything                   {found['whole_seconds']:.3f} s")
    print(f"  reading alone                {found['read_seconds']:.3f} s")
    print(f"  EventAccumulator             {found['event_accumulator_seconds']:.1f} s")
    print(f"  the longest call of poll     {1000 * found['longest_call']:.0f} ms (asked for 20)")
    print(f"  240 columns of the chart     {1e6 * found['columns_seconds']:.0f} µs")
    print(f"  memory of the process        {found['peak_resident'] / 1e6:.0f} MB at its peak")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
