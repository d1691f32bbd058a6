"""A network of 64-64 ReLU units on 20,640 rows of 8 features: batches of 256, Adam, 20 epochs, float32, every loss.

The compiled kernel and the autograd kernel, with one thread each, against a DataLoader loop in PyTorch, the
fastest loop that one writes by hand (rows permuted once an epoch, batches as slices, fused Adam, losses kept on the
device), scikit-learn's MLPRegressor, and skorch, Keras and Lightning where installed. The slow ones do fewer epochs,
which cost the same each.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engine.data.table import Table, fingerprint, numeric
from tests.benchmarks._cases import Case
from tests.benchmarks._peers import Task, installed
from tests.benchmarks._turns import against, machine, microseconds, seconds, turns

ROWS, FEATURES, BATCH, EPOCHS, RATE = 20_640, 8, 256, 20, 0.001
FEW = 3


def rows() -> Table:
    """A smooth function with noise."""
    random = np.random.default_rng(0)
    x = random.standard_normal((ROWS, FEATURES))
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * random.standard_normal(ROWS)
    columns = (*(numeric(f"x{j}", x[:, j]) for j in range(FEATURES)), numeric("y", y))
    return Table("rows", "rows", columns, ROWS, "y", fingerprint(columns), origin="function", task="regression")


def network() -> Any:
    """The network in PyTorch."""
    from torch import nn

    return nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))


def loader_loop(x: Any, y: Any, epochs: int) -> list[float]:
    """The usual PyTorch loop."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.from_numpy(x).float(), torch.from_numpy(y).float()[:, None])
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    model, loss_of = network(), torch.nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for _ in range(epochs):
        for batch, target in loader:
            loss = loss_of(model(batch), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def by_hand(x: Any, y: Any, epochs: int) -> Any:
    """Slices of an epoch's permutation, fused Adam, nothing read back before the end."""
    import torch

    x, y = torch.from_numpy(x).float(), torch.from_numpy(y).float()[:, None]
    model, loss_of = network(), torch.nn.functional.mse_loss
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    losses = []
    for _ in range(epochs):
        order = torch.randperm(len(x))
        xs, ys = x[order], y[order]
        for start in range(0, len(x), BATCH):
            loss = loss_of(model(xs[start : start + BATCH]), ys[start : start + BATCH])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return torch.stack(losses).numpy()


def run(json: bool) -> dict[str, Any]:
    """Every ratio, with what it must reach."""
    import torch
    from sklearn.neural_network import MLPRegressor

    fields = {"model": "mlp", "batch_size": BATCH, "optimizer": "adam", "lr": RATE, "epochs": EPOCHS, "threads": 1}
    table = rows()
    of = Case(table, **fields, backend="compiled")
    by_autograd = Case(table, **fields, backend="autograd").kernel()
    train, steps = of.prepared.train, of.plan.steps
    x, y = train.x, train.y

    def regressor() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not settled after so many epochs, and need not
            MLPRegressor(hidden_layer_sizes=(64, 64), batch_size=BATCH, max_iter=FEW, alpha=0.0, tol=0.0).fit(x, y)

    def threads(count: int, work: Any) -> float:
        torch.set_num_threads(count)
        return seconds(work) * EPOCHS / FEW

    few = of.plan.batches * FEW
    peers = installed(Task(x, y, (64, 64), False, BATCH, RATE, FEW))
    times = turns(
        {
            "compiled": lambda: seconds(lambda: of.train(steps)),
            "autograd": lambda: threads(1, lambda: by_autograd.advance(few)),
            "by hand": lambda: threads(1, lambda: by_hand(x, y, FEW)),
            "by hand, two threads": lambda: threads(2, lambda: by_hand(x, y, FEW)),
            "DataLoader loop": lambda: threads(1, lambda: loader_loop(x, y, FEW)),
            "MLPRegressor": lambda: seconds(regressor) * EPOCHS / FEW,
            **{name: (lambda fit=fit: threads(1, fit)) for name, fit in peers.items()},  # type: ignore[misc]
        }
    )
    best = [min(pair) for pair in zip(times["by hand"], times["by hand, two threads"], strict=True)]
    times |= {"best by hand": best}
    gates: dict[str, float | None] = {"DataLoader loop": 12, "best by hand": 3.5, "MLPRegressor": 4}
    gates |= dict.fromkeys(peers)
    return {
        "machine": machine(),
        **microseconds(times, steps),
        **against(times, "compiled", gates),
        **against(times, "autograd", {"by hand": 0.95}),
    }
