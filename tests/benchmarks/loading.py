"""Loading: a file of 1,000,000 rows and 32 columns, from the disk to matrices that can be trained on.

Held against polars' own `read_csv` of the same file plus one copy into a matrix. Both take turns in one process, each
going first every other time, and the median of the ratios of the pairs counts. Before each turn as much memory is
touched and given back as either needs: a virtual machine whose host takes free pages away hands them out again at a few
seconds for a gigabyte, to whoever asks first, which says nothing about either. Memory is measured in a process of its
own: the private pages at their peak, less those held before loading, against the size of the final matrix. The
fingerprint of the table, which a run asks for when it begins, is told apart. Last, the app opens the same file in a
pseudo-terminal, and keys are pressed for as long as it is loading.
"""

from __future__ import annotations

import json as json_text
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS, COLUMNS = 1_000_000, 32
MOST_TIME, MOST_MEMORY = 1.5, 3.0
MOST_WAIT = 100.0  # milliseconds

_TIME = """
import gc, json, sys, time
import numpy as np
import polars as pl
from engine import recipe
from engine.data.prepare import prepare
from engine.data.sources import load

path, rounds = sys.argv[1], int(sys.argv[2])
data = recipe.Data(dataset=path, target="y", val=0.2)
theirs, ours, loading, prints = [], [], [], []

def warm():
    gc.collect()
    np.ones(1_200_000_000 // 8)

def polars_turn():
    warm()
    begin = time.perf_counter()
    frame = pl.read_csv(path)
    matrix = frame.to_numpy()
    theirs.append(time.perf_counter() - begin)

def our_turn():
    warm()
    begin = time.perf_counter()
    table = load(data)
    loading.append(time.perf_counter() - begin)
    prepared = prepare(data, recipe.Normalization(), table)
    ours.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    table.fingerprint
    prints.append(time.perf_counter() - begin)

for turn in range(rounds):
    for one in (polars_turn, our_turn) if turn % 2 else (our_turn, polars_turn):
        one()
middle = lambda figures: sorted(figures)[len(figures) // 2]
result = {"polars_seconds": theirs, "seconds": ours, "load_seconds": loading, "fingerprint_seconds": prints}
result = {name: middle(seconds) for name, seconds in result.items()}
result["time_ratio"] = middle([mine / other for mine, other in zip(ours, theirs)])
print(json.dumps(result))
"""

_MEMORY = """
import json, sys, threading, time
import polars as pl
from engine import recipe
from engine.data.prepare import prepare
from engine.data.sources import load

def private():
    if sys.platform != "linux":
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    kilobytes = 0
    for line in open("/proc/self/smaps_rollup"):
        if line.startswith("Private"):
            kilobytes += int(line.split()[1])
    return kilobytes * 1024

pl.read_csv(b"a\\n1\\n")
peak, done = 0, threading.Event()
def watch():
    global peak
    while not done.is_set():
        peak = max(peak, private())
        time.sleep(0.01)
before = private()
watcher = threading.Thread(target=watch)
watcher.start()
data = recipe.Data(dataset=sys.argv[1], target="y", val=0.2)
table = load(data)
loaded = peak
prepared = prepare(data, recipe.Normalization(), table)
peak = max(peak, private())
done.set()
watcher.join()
parts = (prepared.train, prepared.validation, prepared.test)
matrix = sum(part.x.nbytes for part in parts)
print(json.dumps({"peak_bytes": peak - before, "load_peak_bytes": loaded - before, "matrix_bytes": matrix}))
"""


def _write(path: Path) -> None:
    import numpy as np
    import polars as pl

    random = np.random.default_rng(0)
    columns = {f"x{j}": random.normal(size=ROWS) * 10.0 ** (j % 5) for j in range(COLUMNS - 1)}
    pl.DataFrame({**columns, "y": random.normal(size=ROWS)}).write_csv(path)


def _measure(code: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json_text.loads(done.stdout.splitlines()[-1])
    return found


def _keys(path: Path) -> dict[str, float]:
    """Milliseconds from a key to the cursor on its new line, while the app loads the file."""
    from tests.benchmarks.terminal import DOWN, POINTER, UP, Watch
    from tests.conftest import PROGRAM, environment
    from tests.terminal.emulator import Terminal

    own = {name: value for name, value in environment().items() if name != "COLUMNS"}
    terminal = Terminal([*PROGRAM, str(path), "--target", "y"], path.parent, columns=160, rows=45, environment=own)
    try:
        terminal.see("ravine")
        terminal.send("2")
        watch = Watch(terminal)
        watch.drain(0.05)
        times, seen = [], b""
        while b"lr < " not in seen and len(times) < 1000:  # the bounds show when all is known
            begin, got = time.perf_counter(), b""
            terminal.send(UP if len(times) % 2 else DOWN)
            while POINTER not in got and time.perf_counter() - begin < 5:
                got += watch.read(0.5)
            times.append(1000 * (time.perf_counter() - begin))
            seen = (seen + got)[-20_000:]
            watch.drain(0.02)
    finally:
        terminal.close()
    times.sort()
    return {"keys": len(times), "key_median_ms": times[len(times) // 2], "key_worst_ms": times[-1]}


def run(json: bool = False, rounds: int = 9) -> dict[str, Any]:
    """Measure, and print a line for each figure unless `json`.

    Returns:
        seconds, polars_seconds, time_ratio (at most 1.5), peak_bytes, matrix_bytes, memory_ratio (below 3),
        key_median_ms and key_worst_ms (at most 100), ok.
    """
    with tempfile.TemporaryDirectory(prefix="ravine-loading-") as folder:
        path = Path(folder) / "million.csv"
        _write(path)
        size = path.stat().st_size
        result: dict[str, Any] = {"benchmark": "loading", "rows": ROWS, "columns": COLUMNS, "file_bytes": size}
        result |= _measure(_TIME, str(path), str(rounds))
        result |= _measure(_MEMORY, str(path))
        result |= _keys(path)
    result["memory_ratio"] = result["peak_bytes"] / result["matrix_bytes"]
    result["ok"] = (
        result["time_ratio"] <= MOST_TIME
        and result["memory_ratio"] < MOST_MEMORY
        and result["key_worst_ms"] <= MOST_WAIT
    )
    if not json:
        print(f"loading: {ROWS:,} x {COLUMNS} CSV of {size / 2**20:,.0f} MiB")
        print(
            f"  ready to train in {result['seconds']:.2f} s (loading {result['load_seconds']:.2f} s); polars read_csv "
            f"and one copy {result['polars_seconds']:.2f} s: {result['time_ratio']:.2f}x, at most {MOST_TIME}x wanted"
        )
        print(f"  fingerprint, once for a run: {result['fingerprint_seconds']:.2f} s")
        print(
            f"  peak private memory {result['peak_bytes'] / 2**20:,.0f} MiB above the level before, final matrix "
            f"{result['matrix_bytes'] / 2**20:,.0f} MiB: {result['memory_ratio']:.2f}x, below {MOST_MEMORY:g}x wanted"
        )
        print(
            f"  {result['keys']} keys pressed while the app loaded it: answered in {result['key_median_ms']:.0f} ms "
            f"(median), {result['key_worst_ms']:.0f} ms at worst; at most {MOST_WAIT:g} ms wanted"
        )
    return result


if __name__ == "__main__":
    run()
