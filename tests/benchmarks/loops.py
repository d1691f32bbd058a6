"""Full-batch gradient descent on the notes' own sets, against the notes' own loops.

houses: 2,000,000 iterations from zero at rate 0.001, every loss kept, in float64, against a loop in plain Python and
one of eager PyTorch with `.item()` (both measured on fewer iterations, which cost the same each); then the whole
`ravine train` process against the whole script. linear3: 100,000 iterations against the notes' PyTorch loop, without
and with every step written for TensorBoard. The kernels' times include opening them.
"""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from engine.runs.tensorboard import EventFile
from tests.benchmarks._cases import Case
from tests.benchmarks._turns import against, machine, microseconds, seconds, turns
from tests.conftest import PROGRAM, environment

HOUSES, LINEAR3 = 2_000_000, 100_000
SCRIPT = '''
def descend(sizes, ages, prices, lr, iterations):
    """The notes' loop: predictions, errors, loss, gradient and update in plain Python."""
    w_size, w_age, bias, n = 0.0, 0.0, 0.0, len(prices)
    losses = []
    for _ in range(iterations):
        loss = g_size = g_age = g_bias = 0.0
        for size, age, price in zip(sizes, ages, prices):
            error = w_size * size + w_age * age + bias - price
            loss += error ** 2
            g_size += 2 * error * size
            g_age += 2 * error * age
            g_bias += 2 * error
        losses.append(loss / n)
        w_size -= lr * g_size / n
        w_age -= lr * g_age / n
        bias -= lr * g_bias / n
    return losses
'''


def torch_loop(x: Any, y: Any, lr: float, steps: int, each: Any = None) -> list[float]:
    """The notes' loop in PyTorch: explicit forward, loss, backward, update, zeroing."""
    import torch

    x, y = torch.from_numpy(x), torch.from_numpy(y)[:, None]
    w = torch.zeros(x.shape[1], 1, dtype=x.dtype, requires_grad=True)
    b = torch.zeros(1, dtype=x.dtype, requires_grad=True)
    losses = []
    for step in range(steps):
        loss = ((x @ w + b - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
        losses.append(loss.item())
        if each is not None:
            each(step, losses[-1])
    return losses


def houses() -> dict[str, Any]:
    """The kernels against loops in Python and PyTorch."""
    notes: dict[str, Any] = {}
    exec(SCRIPT, notes)
    of = Case(dataset="houses", lr=0.001)
    by_loops = Case(dataset="houses", lr=0.001, backend="compiled")
    train = of.prepared.train
    columns = (*train.x.T.tolist(), train.y.tolist())
    few = 20_000
    times = turns(
        {
            "plain Python": lambda: seconds(lambda: notes["descend"](*columns, 0.001, few)) * HOUSES / few,
            "spectral": lambda: seconds(lambda: of.train(HOUSES), 5),
            "compiled": lambda: seconds(lambda: by_loops.train(HOUSES)),
            "eager torch": lambda: seconds(lambda: torch_loop(train.x, train.y, 0.001, 2000)) * HOUSES / 2000,
        }
    )
    return {
        **microseconds(times, HOUSES),
        **against(times, "spectral", {"plain Python": 1500, "eager torch": 20_000}),
        **against(times, "compiled", {"plain Python": 50, "eager torch": 900}),
    }


def process() -> dict[str, Any]:
    """The whole program against the whole script."""
    of = Case(dataset="houses", lr=0.001)
    rows = [*of.prepared.train.x.T.tolist(), of.prepared.train.y.tolist()]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "notes.py"
        script.write_text(f"{SCRIPT}\nlosses = descend(*{rows!r}, 0.001, {HOUSES})\nprint(losses[-1])\n")
        line = f"train --dataset houses --normalize none --init zeros --lr 0.001 --steps {HOUSES} --precision float64"
        ours = [*PROGRAM, *line.split()]
        # Modules as bytecode, as an installed program has them, also where the environment says not to write any.
        kept = environment(PYTHONDONTWRITEBYTECODE="", PYTHONPYCACHEPREFIX=str(Path(folder) / "bytecode"))

        def run(command: list[str]) -> float:
            def call() -> None:
                subprocess.run(command, cwd=folder, env=kept, check=True, capture_output=True)

            return seconds(call)

        times = turns({"notes' script": lambda: run([sys.executable, str(script)]), "ravine train": lambda: run(ours)})
    medians = {f"{name} (s)": statistics.median(values) for name, values in times.items()}
    return {**medians, **against(times, "ravine train", {"notes' script": 10})}


def linear3() -> dict[str, Any]:
    """The kernels against the notes' PyTorch loop, and with every step in an event file."""
    from torch.utils.tensorboard import SummaryWriter

    of = Case(dataset="linear3", lr=0.01)
    by_loops = Case(dataset="linear3", lr=0.01, backend="compiled")
    train, few = of.prepared.train, 1000

    def loop_with_records(folder: str) -> float:
        writer, out = SummaryWriter(folder), io.StringIO()

        def each(step: int, loss: float) -> None:
            print(f"step {step} loss {loss}")
            writer.add_scalar("loss/train", loss, step)

        with redirect_stdout(out):
            took = seconds(lambda: torch_loop(train.x, train.y, 0.01, few, each))
        writer.close()
        return took * LINEAR3 / few

    def with_records(folder: str) -> None:
        file = EventFile(Path(folder), time.time())
        losses = of.train(LINEAR3)
        steps = np.arange(LINEAR3, dtype=np.int64)
        file.scalars("loss/train", np.full(LINEAR3, time.time()), steps, losses)
        file.close()

    with tempfile.TemporaryDirectory() as folder:
        times = turns(
            {
                "notes' torch loop": lambda: seconds(lambda: torch_loop(train.x, train.y, 0.01, few)) * LINEAR3 / few,
                "compiled": lambda: seconds(lambda: by_loops.train(LINEAR3), 10),
                "spectral": lambda: seconds(lambda: of.train(LINEAR3), 20),
                "notes' loop with print and add_scalar": lambda: loop_with_records(folder),
                "every step in TensorBoard": lambda: seconds(lambda: with_records(folder)),
            }
        )
    return {
        **microseconds(times, LINEAR3),
        **against(times, "compiled", {"notes' torch loop": 300}),
        **against(times, "spectral", {"notes' torch loop": 4000}),
        **against(times, "every step in TensorBoard", {"notes' loop with print and add_scalar": 200}),
    }


def run(json: bool) -> dict[str, Any]:
    """Every ratio, with what it must reach."""
    return {"machine": machine(), "houses": houses(), "process": process(), "linear3": linear3()}
