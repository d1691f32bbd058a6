"""Logistic regression on 891 rows of 9 features: batches of 32, Adam, 100 epochs, shuffled, the loss of every step.

The compiled and the autograd kernel (from opening to the last loss, float64 as by default, and float32) against a
DataLoader loop in PyTorch, scikit-learn's SGDClassifier (plain updates row by row, without losses), and where they are
installed skorch, Keras and Lightning with their defaults. Peers that take long do fewer epochs, which cost the same
each.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.data.table import Table, fingerprint, numeric
from tests.benchmarks._cases import Case
from tests.benchmarks._peers import Task, installed
from tests.benchmarks._turns import against, machine, microseconds, seconds, turns

ROWS, FEATURES, BATCH, EPOCHS, RATE = 891, 9, 32, 100, 0.001
FEW = 5  # epochs of the slow ones


def rows() -> Table:
    """Two overlapping classes."""
    random = np.random.default_rng(0)
    x = random.standard_normal((ROWS, FEATURES))
    y = (x @ random.standard_normal(FEATURES) + random.standard_normal(ROWS) > 0).astype(np.float64)
    columns = (*(numeric(f"x{j}", x[:, j]) for j in range(FEATURES)), numeric("y", y))
    return Table("rows", "rows", columns, ROWS, "y", fingerprint(columns), origin="function", task="binary")


def loader_loop(x: Any, y: Any, epochs: int) -> list[float]:
    """The usual PyTorch loop."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.from_numpy(x).float(), torch.from_numpy(y).float()[:, None])
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    model, loss_of = torch.nn.Linear(FEATURES, 1), torch.nn.BCEWithLogitsLoss()
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


def run(json: bool) -> dict[str, Any]:
    """Every ratio, with what it must reach."""
    from sklearn.linear_model import SGDClassifier

    fields = {"batch_size": BATCH, "optimizer": "adam", "lr": RATE, "epochs": EPOCHS}
    table = rows()
    cases = {
        "compiled": Case(table, **fields, backend="compiled"),
        "compiled float32": Case(table, **fields, backend="compiled", precision="float32"),
    }
    by_autograd = Case(table, **fields, backend="autograd", precision="float32")
    train, steps = cases["compiled"].prepared.train, cases["compiled"].plan.steps
    share = FEW / EPOCHS

    def classifier() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not settled after so many epochs, and need not
            SGDClassifier(loss="log_loss", max_iter=EPOCHS, tol=None, penalty=None).fit(train.x, train.y)

    tasks: dict[str, Callable[[], float]] = {
        name: (lambda of=of: seconds(lambda: of.train(steps), 10))  # type: ignore[misc]
        for name, of in cases.items()
    }
    tasks |= {
        "autograd": lambda: seconds(lambda: by_autograd.train(int(steps * share))) / share,
        "DataLoader loop": lambda: seconds(lambda: loader_loop(train.x, train.y, FEW)) / share,
        "SGDClassifier": lambda: seconds(classifier),
    }
    peers = installed(Task(train.x, train.y, (), True, BATCH, RATE, FEW))
    tasks |= {name: (lambda fit=fit: seconds(fit) / share) for name, fit in peers.items()}  # type: ignore[misc]
    times = turns(tasks)
    gates: dict[str, float | None] = {"DataLoader loop": 150, "SGDClassifier": 1.5}
    gates |= dict.fromkeys(peers)
    return {
        "machine": machine(),
        **microseconds(times, steps),
        **against(times, "compiled", gates),
        **against(times, "compiled float32", {"DataLoader loop": None}),
        **against(times, "autograd", {"DataLoader loop": 2}),
    }
