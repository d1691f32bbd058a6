"""Steps by PyTorch's automatic differentiation, on any of its devices.

The table lies on the device as whole tensors; an epoch's row order is gathered once and its batches are slices. Losses
stay on the device until a block of steps is done: nothing inside the loop waits for it.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.data.prepare import Prepared, Rows
from engine.errors import InputError
from engine.learn.kernels.contract import Floats, Parameters, Split, State
from engine.learn.plan import Plan, starting_point
from engine.streams import stream

BLOCK = 1024  # steps between two looks at the losses; divergence inside one is found by going over it again


class Autograd:
    """Gradient descent on the mean squared error of a linear model.

    Args:
        plan: every choice, resolved.
        prepared: the table; its arrays are copied to the device.
        limit: a loss above it, in the target's own units, counts as diverged.

    Raises:
        InputError: the device is not there or cannot compute.
    """

    def __init__(self, plan: Plan, prepared: Prepared, limit: float) -> None:
        self._plan = plan
        self._lr = plan.lr
        self._batch = plan.batch
        self._unit = prepared.target_scale.scale**2  # from squared scaled units to the target's own
        self._limit = limit
        self._dtype = {"float32": torch.float32, "float64": torch.float64}[plan.precision]
        self._device = torch.device(plan.device)
        torch.set_num_threads(plan.threads)
        if plan.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(plan.deterministic)
        try:
            self._splits: dict[Split, tuple[Tensor, Tensor]] = {
                "train": self._table(prepared.train),
                "validation": self._table(prepared.validation),
                "test": self._table(prepared.test),
            }
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"The device {plan.device} cannot be used: {reason} Try --device cpu.") from error
        start = starting_point(plan, prepared.train.x.shape[1], 1)
        self._parameters = [
            torch.tensor(start[name], dtype=self._dtype, device=self._device, requires_grad=True)
            for name in ("weight", "bias")
        ]
        self._previous = self._copy()  # the parameters before the newest update
        self._step = 0
        self._epoch = 0
        self._row = 0  # rows of this epoch already used
        self._ordered_epoch = -1
        self._ordered = self._splits["train"]

    def _table(self, rows: Rows) -> tuple[Tensor, Tensor]:
        """(x [n, d], y [n, 1]) on the device."""
        x = torch.from_numpy(rows.x).to(self._device, self._dtype)
        y = torch.from_numpy(np.asarray(rows.y, np.float64)).to(self._device, self._dtype).unsqueeze(1)
        return x, y

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._step

    # The training loop itself: forward, loss, gradient, update.

    def _loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Mean squared error of x [b, d] against y [b, 1], a scalar in squared scaled units."""
        weight, bias = self._parameters
        output = torch.addmm(bias, x, weight)
        assert output.shape == y.shape, f"{output.shape} against {y.shape} would broadcast"
        return torch.nn.functional.mse_loss(output, y)

    def _update(self) -> Tensor:
        """One step of gradient descent on the next batch; its loss before the update, a scalar on the device."""
        x, y = self._next_batch()
        loss = self._loss(x, y)
        gradients = torch.autograd.grad(loss, self._parameters)
        with torch.no_grad():
            for parameter, gradient in zip(self._parameters, gradients, strict=True):
                parameter -= self._lr * gradient
        return loss.detach()

    def _next_batch(self) -> tuple[Tensor, Tensor]:
        rows = self._plan.rows
        if self._batch >= rows and self._row == 0:
            self._epoch += 1
            return self._splits["train"]
        if self._ordered_epoch != self._epoch:
            self._ordered = self._order(self._epoch)
            self._ordered_epoch = self._epoch
        x, y = self._ordered
        part = slice(self._row, min(self._row + self._batch, rows))
        self._row = part.stop
        if self._row >= rows:
            self._row = 0
            self._epoch += 1
        return x[part], y[part]

    def _order(self, epoch: int) -> tuple[Tensor, Tensor]:
        x, y = self._splits["train"]
        if self._plan.shuffle == "none":
            return x, y
        order = stream(self._plan.seed, "order", epoch).permutation(self._plan.rows)
        index = torch.from_numpy(order).to(self._device)
        return x[index], y[index]

    # The contract.

    def advance(self, steps: int) -> Floats:
        """See `Kernel.advance`."""
        blocks = []
        while steps > 0:
            count = min(steps, BLOCK)
            losses = self._block(count)
            blocks.append(losses)
            if len(losses) and not self._good(losses[-1]):
                break
            steps -= count
        return np.concatenate(blocks) if blocks else np.empty(0)

    def _block(self, count: int) -> Floats:
        before, previous = self.state(), self._previous
        losses = self._updates(count)
        bad = np.flatnonzero(~self._good(losses))
        if not len(bad):
            return losses
        # Go back, and again up to the last good loss: its parameters are the ones to keep.
        first = int(bad[0])
        self.restore(before)
        self._previous = previous
        self._updates(first)
        self._put(self._previous)
        return losses[: first + 1]

    def _updates(self, count: int) -> Floats:
        losses = []
        for i in range(count):
            if i == count - 1:
                self._previous = self._copy()
            losses.append(self._update())
        self._step += count
        if not losses:
            return np.empty(0)
        return torch.stack(losses).to("cpu", torch.float64).numpy() * self._unit

    def _good(self, losses: Any) -> Any:
        return np.isfinite(losses) & (losses <= self._limit)

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`; takes lr."""
        if field != "lr":
            raise InputError(f"The autograd backend cannot change {field} during a run.")
        self._lr = float(value)

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`; in scaled units squared for each unit of a scaled parameter."""
        weight, bias = torch.autograd.grad(self._loss(*self._splits["train"]), self._parameters)
        return Parameters({"weight": _float64(weight), "bias": _float64(bias)})

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        with torch.no_grad():
            return float(self._loss(*self._splits[split])) * self._unit

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`."""
        weight, bias = self._parameters
        return Parameters({"weight": _float64(weight), "bias": _float64(bias)})

    def state(self) -> State:
        """See `Kernel.state`."""
        weight, bias = (p.detach().cpu().numpy().copy() for p in self._parameters)
        facts: dict[str, int | float | str] = {
            "step": self._step,
            "epoch": self._epoch,
            "row": self._row,
            "batch": self._batch,
            "lr": self._lr,
        }
        return State({"weight": weight, "bias": bias}, facts)

    def restore(self, state: State) -> None:
        """See `Kernel.restore`."""
        self._put([torch.from_numpy(state.arrays[name].copy()) for name in ("weight", "bias")])
        self._previous = self._copy()
        self._step, self._epoch = int(state.facts["step"]), int(state.facts["epoch"])
        self._row, self._batch = int(state.facts["row"]), int(state.facts["batch"])
        self._lr = float(state.facts["lr"])

    def _copy(self) -> list[Tensor]:
        return [p.detach().clone() for p in self._parameters]

    def _put(self, values: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._parameters, values, strict=True):
                parameter.copy_(value)


def _float64(tensor: Tensor) -> Floats:
    return tensor.detach().to("cpu", torch.float64).numpy().copy()
