"""Linear regression on 2,000,000 rows of 32 features, float32: batches of 8192, 3 epochs, the loss of every step.

The compiled kernel with `--shuffle blocks` against a DataLoader with batched indices and a PyTorch loop with
`index_select` (both shuffle fully, which costs them most of their time), and against one `torch.sum` over the data for
each epoch: what it takes to read them once. The slow ones do a tenth of an epoch, or one. The kernel's time is that of
its steps, after its copy of the table has been made, as the peers' tensors are ready too.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine.data.prepare import Rows
from engine.data.table import Table, fingerprint, numeric
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.kernels.choose import open_kernel
from engine.learn.plan import Plan
from tests.benchmarks._cases import Case
from tests.benchmarks._turns import against, machine, microseconds, seconds, turns

ROWS, FEATURES, BATCH, EPOCHS, RATE = 2_000_000, 32, 8192, 3, 0.01


def plan_and_data() -> tuple[Plan, Any]:
    """A plan and its table, without the way through files: the plan of a small table, for more rows."""
    random = np.random.default_rng(0)
    x = random.standard_normal((ROWS, FEATURES), np.float32).astype(np.float64)
    y = x @ random.standard_normal(FEATURES) + random.standard_normal(ROWS)
    few = 2 * BATCH
    columns = (*(numeric(f"x{j}", x[:few, j]) for j in range(FEATURES)), numeric("y", y[:few]))
    table = Table("rows", "rows", columns, few, "y", fingerprint(columns), origin="function", task="regression")
    small = Case(table, batch_size=BATCH, shuffle="blocks", precision="float32", optimizer="sgd", lr=RATE)
    none = Rows(np.empty((0, FEATURES)), np.empty(0), None, np.empty(0, np.int64))
    rows = Rows(x, y, None, np.arange(ROWS))
    prepared = SimpleNamespace(train=rows, validation=none, test=none, target_scale=SimpleNamespace(scale=1.0))
    return replace(small.plan, rows=ROWS, steps=EPOCHS * -(-ROWS // BATCH)), prepared


def run(json: bool) -> dict[str, Any]:
    """Every ratio, with what it must reach."""
    import torch
    from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

    plan, prepared = plan_and_data()
    kernel = open_kernel(plan, prepared, LossSurfaceFacts())
    x = torch.from_numpy(prepared.train.x).float()
    y = torch.from_numpy(prepared.train.y).float()[:, None]
    batches, steps = -(-ROWS // BATCH), plan.steps

    def step(model: Any, optimizer: Any, batch: Any, target: Any) -> float:
        loss = torch.nn.functional.mse_loss(model(batch), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    def made() -> tuple[Any, Any]:
        model = torch.nn.Linear(FEATURES, 1)
        return model, torch.optim.SGD(model.parameters(), lr=RATE)

    def loader(few: int) -> None:
        model, optimizer = made()
        data = TensorDataset(x, y)
        sampler = BatchSampler(RandomSampler(data), BATCH, drop_last=False)
        for number, (batch, target) in enumerate(DataLoader(data, sampler=sampler, batch_size=None)):
            step(model, optimizer, batch, target)
            if number + 1 == few:
                return

    def selected() -> None:
        model, optimizer = made()
        order = torch.randperm(ROWS)
        for start in range(0, ROWS, BATCH):
            chosen = order[start : start + BATCH]
            step(model, optimizer, x.index_select(0, chosen), y.index_select(0, chosen))

    few = batches // 10
    times = turns(
        {
            "compiled": lambda: seconds(lambda: kernel.advance(steps)),
            "torch.sum": lambda: seconds(lambda: x.sum(), 5) * EPOCHS,
            "index_select": lambda: seconds(selected) * EPOCHS,
            "DataLoader": lambda: seconds(lambda: loader(few)) * steps / few,
        }
    )
    limit = against(times, "compiled", {"torch.sum": None})["compiled / torch.sum"]["times"]
    return {
        "machine": machine(),
        **microseconds(times, steps),
        **against(times, "compiled", {"DataLoader": 40, "index_select": 6}),
        "compiled, times the memory limit": {"times": 1 / limit, "at most": 2.2, "reached": 1 / limit <= 2.2},
    }
