"""Compiling: how long the first run of its kind on a machine waits for its loops, and the same run once they are kept.

Each figure is the median of ROUNDS processes, from opening the kernel (the import of numba included) to its first loss,
with an empty cache of compiled code and then with the one that this left.
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
begin = time.perf_counter()
case.train(1)
print(time.perf_counter() - begin)
"""


def seconds(run: str, folder: str) -> float:
    """How long a process takes to its first loss, with a cache of compiled code."""
    command = [sys.executable, "-c", CHILD.format(run)]
    kept = environment(NUMBA_CACHE_DIR=folder)
    return float(subprocess.run(command, env=kept, check=True, capture_output=True, text=True).stdout)


def run(json: bool) -> dict[str, Any]:
    """Seconds by kind of model."""
    found: dict[str, Any] = {"machine": machine()}
    cold: dict[str, list[float]] = {name: [] for name in RUNS}
    warm: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(ROUNDS):
        for name, line in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                cold[name].append(seconds(line, folder))
                warm[name].append(seconds(line, folder))
    for name in RUNS:
        first = statistics.median(cold[name])
        found[name] = {"cold (s)": first, "kept (s)": statistics.median(warm[name])}
        found[name] |= {"must be at most (s)": MOST, "reached": first <= MOST}
    return found
