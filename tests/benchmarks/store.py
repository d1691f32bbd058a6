"""Many runs: `ravine runs` with 5,000 run folders, cold and with its index, and the whole command.

python -m tests.benchmarks.store [--json]
"""

from __future__ import annotations

import json
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
        (run / "run.json").write_text(json.dumps(facts, indent=1))
        for name in ("recipe.toml", "loss.f64", "model.safetensors", "events.out.tfevents.1", "checkpoints/last"):
            (run / name).write_bytes(b"x" * 100)


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
    return {"runs": count, "cold_seconds": cold, "seconds": min(turns), "command_seconds": min(commands)}


def main(words: list[str]) -> int:
    """Measure, tell, and fail where the bound is broken."""
    found = measure()
    good = found["seconds"] < MOST
    if "--json" in words:
        print(json.dumps(found | {"good": good}))
        return 0 if good else 1
    print(f"{found['runs']:,} runs")
    print(f"  without an index     {1000 * found['cold_seconds']:.0f} ms")
    print(f"  with its index       {1000 * found['seconds']:.0f} ms")
    print(f"  ravine runs --json   {1000 * found['command_seconds']:.0f} ms, start of the interpreter included")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
