"""From wishes to figures: every `auto` of a recipe resolved for the table at hand, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.data.prepare import Prepared
from engine.errors import InputError
from engine.learn.curvature import Facts
from engine.recipe import Recipe

Precision = Literal["float32", "float64"]
SMALL_BATCH = 256  # rows, where there are more than FULL_BATCH_ROWS
FULL_BATCH_ROWS = 10_000
FALLBACK_LR = 0.01  # where no bound is known


@dataclass(frozen=True)
class Plan:
    """A recipe made definite. Everything a kernel needs beside the data."""

    model: Literal["linear"]
    optimizer: Literal["sgd"]
    backend: Literal["autograd"]
    backend_reason: str  # why this backend, in a sentence for the person
    device: str  # "cpu", "cuda:0", …
    precision: Precision
    threads: int
    deterministic: bool
    batch: int  # rows of a batch, at most `rows`
    rows: int  # train rows
    steps: int  # updates in all
    lr: float
    lr_reason: str
    init: Literal["zeros", "ones", "uniform"]
    shuffle: Literal["full", "none"]
    seed: int
    eval_every: int  # steps between evaluations; 0 without validation rows

    @property
    def batches(self) -> int:
        """Updates in an epoch; the last batch may be smaller."""
        return -(-self.rows // self.batch)

    @property
    def full_batch(self) -> bool:
        """Whether every update sees all rows."""
        return self.batch >= self.rows


def make_plan(recipe: Recipe, prepared: Prepared, facts: Facts, device: str) -> Plan:
    """Resolve a recipe.

    Args:
        device: the device that `recipe.device.device` stands for on this machine.

    Raises:
        InputError: choices that contradict each other or the table.
    """
    if prepared.task != "regression":
        raise InputError(
            f"The target {prepared.target} is for {prepared.task} classification; choose a numeric target, "
            "or say --task regression if its numbers are amounts."
        )
    rows = len(prepared.train.y)
    wish = recipe.optimizer.batch_size
    if wish == "auto":
        batch = rows if rows <= FULL_BATCH_ROWS else SMALL_BATCH
    else:
        batch = rows if wish == "full" else min(int(wish), rows)
    batches = -(-rows // batch)
    if recipe.stopping.steps is not None:
        steps = recipe.stopping.steps
    elif recipe.stopping.epochs == "auto":
        steps = 1000 if batch >= rows else 100 * batches
    else:
        steps = int(recipe.stopping.epochs) * batches
    precision: Precision = "float32" if device.startswith("mps") else "float64"
    if recipe.device.precision != "auto":
        if recipe.device.precision == "float64" and device.startswith("mps"):
            raise InputError("The device mps has no float64; choose --precision float32 or --device cpu.")
        precision = recipe.device.precision
    lr, reason = _learning_rate(recipe, facts, batch, rows)
    every = 0
    if len(prepared.validation.y):
        wished = recipe.stopping.eval_every
        every = max(batches, -(-steps // 1000)) if wished == "auto" else int(wished)
    return Plan(
        model="linear",
        optimizer="sgd",
        backend="autograd",
        backend_reason="autograd: PyTorch computes the gradient, on any device.",
        device=device,
        precision=precision,
        threads=1 if recipe.device.threads == "auto" else int(recipe.device.threads),
        deterministic=recipe.device.deterministic,
        batch=batch,
        rows=rows,
        steps=steps,
        lr=lr,
        lr_reason=reason,
        init="zeros" if recipe.model.init == "auto" else recipe.model.init,
        shuffle=recipe.optimizer.shuffle,
        seed=recipe.device.seed,
        eval_every=every,
    )


def _learning_rate(recipe: Recipe, facts: Facts, batch: int, rows: int) -> tuple[float, str]:
    if recipe.optimizer.lr != "auto":
        return float(recipe.optimizer.lr), "as given"
    bound = facts.stable_lr(batch, rows)
    if bound is None:
        return FALLBACK_LR, "no stability bound is known for these features"
    kind = "full batches" if batch >= rows else f"batches of {batch}"
    return bound / 2, f"half of {bound:.4g}, the largest stable rate for {kind}"


def starting_point(plan: Plan, d: int, k: int) -> dict[str, NDArray[np.float64]]:
    """Initial parameters {"weight": [d, k], "bias": [k]}, the same for every kernel and device.

    Uniform draws from (-1/sqrt(d), 1/sqrt(d)), as torch.nn.Linear does.
    """
    from engine.streams import stream

    if plan.init == "uniform":
        random = stream(plan.seed, "initial parameters")
        edge = 1 / np.sqrt(d)
        return {"weight": random.uniform(-edge, edge, (d, k)), "bias": random.uniform(-edge, edge, k)}
    value = 1.0 if plan.init == "ones" else 0.0
    return {"weight": np.full((d, k), value), "bias": np.full(k, value)}
