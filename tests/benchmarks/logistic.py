"""Logistic regression on 891 rows of 9 features: batches of 32, Adam, 100 epochs, shuffled, the loss of every step.

The compiled and the autograd kernel (from opening to the last loss, float64 as by default, and float32) against a
DataLoader loop in PyTorch, scikit-learn's SGDClassifier (plain updates row by row, without losses), and where they are
installed skorch, Keras and Lightning with their defaults. Peers that take long do fewer epochs, which cost the same
each.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from engine.data.table import Table, fingerprint, numeric
from tests.benchmarks._cases import Case
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


def skorch(x: Any, y: Any) -> Callable[[], float]:
    """skorch's NeuralNetBinaryClassifier."""
    import torch
    from skorch import NeuralNetBinaryClassifier

    def fit() -> None:
        net = NeuralNetBinaryClassifier(
            torch.nn.Linear, module__in_features=FEATURES, module__out_features=1, max_epochs=FEW, lr=RATE,
            batch_size=BATCH, optimizer=torch.optim.Adam, iterator_train__shuffle=True, train_split=None, verbose=0,
        )  # fmt: skip
        net.fit(x.astype(np.float32), y.astype(np.float32))

    return lambda: seconds(fit) * EPOCHS / FEW


def keras(x: Any, y: Any) -> Callable[[], float]:
    """Keras's fit, on PyTorch unless KERAS_BACKEND says otherwise."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras as library

    def fit() -> None:
        model = library.Sequential([library.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer=library.optimizers.Adam(RATE), loss="binary_crossentropy")
        model.fit(x, y, batch_size=BATCH, epochs=FEW, verbose=0)

    return lambda: seconds(fit) * EPOCHS / FEW


def lightning(x: Any, y: Any) -> Callable[[], float]:
    """Lightning's Trainer, with nothing shown or kept."""
    import logging

    import torch
    from pytorch_lightning import LightningModule, Trainer
    from torch.utils.data import DataLoader, TensorDataset

    for name in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)

    class Model(LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Linear(FEATURES, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            return torch.nn.functional.binary_cross_entropy_with_logits(self.inner(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=RATE)

    def fit() -> None:
        data = TensorDataset(torch.from_numpy(x).float(), torch.from_numpy(y).float()[:, None])
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = Trainer(max_epochs=FEW, accelerator="cpu", enable_model_summary=False, **quiet)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(Model(), DataLoader(data, batch_size=BATCH, shuffle=True))

    return lambda: seconds(fit) * EPOCHS / FEW


PEERS = {"skorch": skorch, "keras": keras, "pytorch_lightning": lightning}


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
    for name, make in PEERS.items():
        if find_spec(name) is not None:
            tasks[name] = make(train.x, train.y)
    times = turns(tasks)
    gates: dict[str, float | None] = {"DataLoader loop": 150, "SGDClassifier": 1.5}
    gates |= {name: None for name in PEERS if name in tasks}
    return {
        "machine": machine(),
        **microseconds(times, steps),
        **against(times, "compiled", gates),
        **against(times, "compiled float32", {"DataLoader loop": None}),
        **against(times, "autograd", {"DataLoader loop": 2}),
    }
