"""Kernels without a run around them, and the textbook loop that all of them are held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from engine.data.prepare import Prepared, prepare
from engine.data.table import Table
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.kernels.choose import choose, open_kernel
from engine.learn.kernels.contract import Kernel
from engine.learn.kernels.order import rows_of_epoch
from engine.learn.models import init_parameters
from engine.learn.objective import unit
from engine.learn.plan import Plan, make_architecture, make_facts, make_plan
from engine.learn.schedules import factors
from engine.recipe import build
from tests.conftest import table

Floats = NDArray[np.float64]


@dataclass
class Case:
    """A recipe made definite on a table."""

    plan: Plan
    prepared: Prepared
    facts: LossSurfaceFacts

    def kernel(self) -> Kernel:
        """A kernel at the initial parameters."""
        return open_kernel(self.plan, self.prepared, self.facts)


def case(rows: Table, **fields: Any) -> Case:
    """What a run would make of flat recipe fields, without a folder."""
    recipe = build({"val": 0, "l2": 0, "schedule": "constant"} | fields)
    prepared = prepare(recipe.data, recipe.normalization, rows)
    architecture, loss = make_architecture(recipe, prepared)
    facts = make_facts(recipe, prepared, architecture, loss)
    return Case(choose(recipe, make_plan(recipe, prepared, facts, "cpu"), facts), prepared, facts)


def classes(count: int, rows: int = 120, features: int = 4, seed: int = 0) -> Table:
    """Rows of overlapping classes of unequal size."""
    random = np.random.default_rng(seed)
    label = np.minimum(random.integers(0, count + 1, rows), count - 1)
    x = random.standard_normal((rows, features)) + 0.8 * random.standard_normal((count, features))[label]
    return replace(table(x, label.astype(np.float64)), task="binary" if count == 2 else "multiclass")


Maker = Callable[[list[nn.Parameter], Plan], torch.optim.Optimizer]
OPTIMIZERS: Mapping[str, Maker] = {
    "sgd": lambda over, plan: torch.optim.SGD(over, lr=plan.lr),
    "momentum": lambda over, plan: torch.optim.SGD(over, lr=plan.lr, momentum=plan.momentum),
    "nesterov": lambda over, plan: torch.optim.SGD(over, lr=plan.lr, momentum=plan.momentum, nesterov=True),
    "adagrad": lambda over, plan: torch.optim.Adagrad(over, lr=plan.lr),
    "rmsprop": lambda over, plan: torch.optim.RMSprop(over, lr=plan.lr),
    "adam": lambda over, plan: torch.optim.Adam(over, lr=plan.lr),
    "adamw": lambda over, plan: torch.optim.AdamW(over, lr=plan.lr, weight_decay=plan.weight_decay),
}  # PyTorch's own, with its defaults


ACTIVATIONS: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "leaky-relu": functional.leaky_relu,
    "gelu": lambda z: functional.gelu(z, approximate="tanh"),
    "silu": functional.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


LOSSES: Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {  # of each row, by outputs [n, k]
    "mse": lambda output, y: functional.mse_loss(output[:, 0], y, reduction="none"),
    "mae": lambda output, y: functional.l1_loss(output[:, 0], y, reduction="none"),
    "huber": lambda output, y: functional.huber_loss(output[:, 0], y, reduction="none"),
    "bce": lambda output, y: functional.binary_cross_entropy_with_logits(output[:, 0], y, reduction="none"),
    "cross-entropy": lambda output, y: functional.cross_entropy(output, y, reduction="none"),
}


def plain_loop(of: Case, steps: int, changes: Mapping[int, Mapping[str, Any]] | None = None) -> Floats:
    """The losses of a PyTorch loop on the same recipe: forward, loss, backward, penalties, clipping, step.

    Args:
        changes: fields that take new values before an update.
    """
    plan, train = of.plan, of.prepared.train
    dtype = getattr(torch, plan.precision)
    torch.set_num_threads(1)
    x = torch.from_numpy(train.x).to(dtype)
    y = torch.from_numpy(train.y).to(torch.int64 if plan.architecture.outputs > 1 else dtype)
    weight = None if train.weight is None else torch.from_numpy(train.weight).to(dtype)
    start = init_parameters(plan.architecture, plan.init, plan.seed)
    parameters = [nn.Parameter(torch.from_numpy(array).to(dtype)) for array in start.values()]
    matrices = [p for p in parameters if p.dim() == 2]
    activation = ACTIVATIONS[plan.architecture.activation]
    optimizer = OPTIMIZERS[plan.optimizer](parameters, plan)
    rates = factors(plan.schedule, plan.warmup, plan.steps, 0, steps)
    losses, epoch, row, lr, batch = [], 0, 0, plan.lr, plan.batch
    order = torch.arange(plan.rows)
    per = unit(plan.loss, of.prepared.target_scale.scale)
    for step in range(steps):
        for field, value in (changes or {}).get(step, {}).items():
            if field == "optimizer":
                optimizer = OPTIMIZERS[value](parameters, plan)
            elif field == "batch_size":
                batch = plan.rows if value == "full" else value
            elif field == "lr":
                lr = value
            else:
                optimizer.param_groups[0][field] = value
        if row == 0:
            order = torch.arange(plan.rows)
            if batch < plan.rows:
                order = torch.from_numpy(rows_of_epoch(plan.shuffle, plan.seed, epoch, plan.rows))
        chosen = order[row : row + batch]
        row += len(chosen)
        if row >= plan.rows:
            row, epoch = 0, epoch + 1
        output = x[chosen]
        for number in range(0, len(parameters), 2):
            output = output @ parameters[number] + parameters[number + 1]
            if number + 2 < len(parameters):
                output = activation(output)
        loss = _mean_loss(plan.loss, output, y[chosen], None if weight is None else weight[chosen])
        optimizer.zero_grad()
        penalty = sum((plan.l2 / 2 * (p * p).sum() + plan.l1 * p.abs().sum() for p in matrices), torch.zeros(()))
        (loss + penalty).backward()
        if plan.clip is not None:
            nn.utils.clip_grad_norm_(parameters, plan.clip)
        optimizer.param_groups[0]["lr"] = lr * rates[step]
        optimizer.step()
        losses.append(loss.item() * per)
    return np.array(losses)


def _mean_loss(name: str, output: torch.Tensor, y: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    found = LOSSES[name](output, y)
    assert found.shape == y.shape
    return (found if weight is None else found * weight).mean()


def assert_follows(found: Floats, wanted: Floats) -> None:
    """The project's oracle tolerance, for float64: only the order of additions differs."""
    assert len(found) == len(wanted)
    with np.errstate(invalid="ignore"):
        off = np.abs(found - wanted) - (1e-6 * np.abs(wanted) + 1e-12 * wanted[0])
    worst = int(np.argmax(off))
    assert off[worst] <= 0, f"step {worst}: {found[worst]!r} against {wanted[worst]!r}"
