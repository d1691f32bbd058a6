"""Compiling: how long the first run of its kind on a machine waits for its loops, and the same run once they are kept.

Each figure is the median of ROUNDS processes, from opening the kernel (the import of numba included) to its first loss,
with an empty cache of compiled code and then with the one that this left. One thread does it all, so that its processor
time is what a person waits on an idle machine: that is held to the limit, and the wall time is told beside it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from typing import Any

from tests.benchmarks._turns import machine
from tests.conftest import environment

ROUNDS, MOST = 3, 5.0
RUNS = {
    "linear": "dataset='houses', optimizer='adam', precision='float64'",
    "logistic": "dataset='breast_cancer', precision='float64', batch_size=32",
    "softmax": "dataset='iris', precision='float64', batch_size=32",
    "mlp": "dataset='diabetes', model='mlp', batch_size=32, precision='float32'",
}
CHILD = """
import time
from tests.benchmarks._cases import Case
case = Case({}, backend="compiled", lr=0.01)
begin, spent = time.perf_counter(), time.process_time()
case.train(1)
print(time.perf_counter() - begin, time.process_time() - spent)
"""


def seconds(run: str, folder: str) -> tuple[float, ...]:
    """How long a process takes to its first loss, with a cache of compiled code: by the clock, and of the processor."""
    command = [sys.executable, "-c", CHILD.format(run)]
    kept = environment(NUMBA_CACHE_DIR=folder)
    told = subprocess.run(command, env=kept, check=True, capture_output=True, text=True).stdout
    return tuple(map(float, told.split()))


def run(json: bool) -> dict[str, Any]:
    """Seconds by kind of model."""
    found: dict[str, Any] = {"machine": machine()}
    cold: dict[str, list[tuple[float, ...]]] = {name: [] for name in RUNS}
    warm: dict[str, list[tuple[float, ...]]] = {name: [] for name in RUNS}
    for _ in range(ROUNDS):
        for name, line in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                cold[name].append(seconds(line, folder))
                warm[name].append(seconds(line, folder))
    for name in RUNS:
        first, spent = map(statistics.median, zip(*cold[name], strict=True))
        kept = statistics.median(wall for wall, _ in warm[name])
        found[name] = {"cold (s)": first, "cold (processor s)": spent, "kept (s)": kept}
        found[name] |= {"must be at most (s)": MOST, "reached": spent <= MOST}
    return found
