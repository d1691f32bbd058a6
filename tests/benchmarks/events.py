"""Writing 1,000,000 scalars to a TensorBoard event file, against `SummaryWriter.add_scalar`, which does fewer."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.runs.tensorboard import EventFile
from tests.benchmarks._turns import against, machine, microseconds, seconds, turns

SCALARS, FEW = 1_000_000, 5_000


def run(json: bool) -> dict[str, Any]:
    """The ratio, with what it must reach."""
    from torch.utils.tensorboard import SummaryWriter

    steps, values = np.arange(SCALARS, dtype=np.int64), np.random.default_rng(0).standard_normal(SCALARS)

    def ours(folder: str) -> None:
        Path(folder).mkdir(exist_ok=True)
        file = EventFile(Path(folder), time.time())
        file.scalars("loss/train", np.full(SCALARS, time.time()), steps, values)
        file.close()

    def theirs(folder: str) -> None:
        writer = SummaryWriter(folder)
        for step in range(FEW):
            writer.add_scalar("loss/train", values[step], step)
        writer.close()

    with tempfile.TemporaryDirectory() as folder:
        times = turns(
            {
                "records in bulk": lambda: seconds(lambda: ours(f"{folder}/ours")),
                "SummaryWriter": lambda: seconds(lambda: theirs(f"{folder}/theirs")) * SCALARS / FEW,
            }
        )
    return {
        "machine": machine(),
        **microseconds(times, SCALARS),
        **against(times, "records in bulk", {"SummaryWriter": 200}),
    }
