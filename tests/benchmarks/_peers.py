"""Other people's trainers with their defaults, for a model and a loss: skorch, Keras and Lightning where installed.

Each gives a function that trains for some epochs with Adam and shuffled batches, shows nothing and keeps nothing.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Task:
    """What is trained: rows x [n, d] and targets y [n], in float32 for the peers.

    Attributes:
        hidden: units of the hidden ReLU layers; none for logistic regression.
        classes: whether y is 0 or 1, and the loss binary cross-entropy; the mean squared error otherwise.
    """

    x: Any
    y: Any
    hidden: tuple[int, ...]
    classes: bool
    batch: int
    rate: float
    epochs: int

    def network(self) -> Any:
        """The model in PyTorch."""
        from torch import nn

        sizes, layers = (self.x.shape[1], *self.hidden), []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], 1))


def skorch(task: Task) -> Callable[[], None]:
    """skorch's net."""
    import torch
    from skorch import NeuralNetBinaryClassifier, NeuralNetRegressor

    net = NeuralNetBinaryClassifier if task.classes else NeuralNetRegressor
    x, y = task.x.astype(np.float32), task.y.astype(np.float32)

    def fit() -> None:
        net(
            task.network(), max_epochs=task.epochs, lr=task.rate, batch_size=task.batch, optimizer=torch.optim.Adam,
            iterator_train__shuffle=True, train_split=None, verbose=0,
        ).fit(x, y if task.classes else y[:, None])  # fmt: skip

    return fit


def keras(task: Task) -> Callable[[], None]:
    """Keras's fit, on PyTorch unless KERAS_BACKEND says otherwise."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras as library

    def fit() -> None:
        hidden = [library.layers.Dense(units, activation="relu") for units in task.hidden]
        last = library.layers.Dense(1, activation="sigmoid" if task.classes else None)
        model = library.Sequential([*hidden, last])
        loss = "binary_crossentropy" if task.classes else "mse"
        model.compile(optimizer=library.optimizers.Adam(task.rate), loss=loss)
        model.fit(task.x, task.y, batch_size=task.batch, epochs=task.epochs, verbose=0)

    return fit


def lightning(task: Task) -> Callable[[], None]:
    """Lightning's Trainer."""
    import torch
    from pytorch_lightning import LightningModule, Trainer
    from torch.nn import functional
    from torch.utils.data import DataLoader, TensorDataset

    for name in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    loss = functional.binary_cross_entropy_with_logits if task.classes else functional.mse_loss

    class Model(LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = task.network()

        def training_step(self, batch: Any, _: int) -> Any:
            return loss(self.inner(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=task.rate)

    def fit() -> None:
        data = TensorDataset(torch.from_numpy(task.x).float(), torch.from_numpy(task.y).float()[:, None])
        quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        trainer = Trainer(max_epochs=task.epochs, accelerator="cpu", enable_model_summary=False, **quiet)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(Model(), DataLoader(data, batch_size=task.batch, shuffle=True))

    return fit


PEERS = {"skorch": skorch, "keras": keras, "pytorch_lightning": lightning}


def installed(task: Task) -> dict[str, Callable[[], None]]:
    """The peers that are there, by name."""
    return {name: make(task) for name, make in PEERS.items() if find_spec(name) is not None}
