"""A model on a device, with its loss and the gradient of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.base.errors import InputError
from engine.learn import sentences
from engine.learn.kernels import compiling, memory, networks
from engine.learn.kernels.contract import Floats, Parameters
from engine.learn.kernels.criterion import Criterion
from engine.learn.kernels.placement import Batch, Resident, Streamed
from engine.learn.kernels.scaling import Scaler
from engine.learn.plan import Plan, Precision

SLICE = 1 << 16  # rows evaluated at once, or fewer where memory is short


class Differentiated:
    """A module whose parameters are views of one flat vector, and their gradients of another.

    Args:
        module: on the device, in the number format `dtype`.

    Attributes:
        flat, gradient: [p] the parameters, and the gradient of the newest loss.
    """

    def __init__(self, plan: Plan, module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        self._plan, self._device, self._dtype = plan, device, dtype
        self.module = module
        self.flat, self.gradient, self._decayed = networks.flatten(module)
        self._criterion = Criterion(plan.loss)
        self.scaler = Scaler(plan.precision == "fp16")
        self._forward: compiling.Forward = module

    def check_output(self, x: Tensor) -> None:
        """Raise InputError where the module fails on rows [b, d], or gives another shape than the plan's."""
        try:
            with torch.no_grad(), self._evaluating(), self.autocast():
                output = self.module(x)
        except Exception as error:
            raise InputError(
                sentences.MODEL_FAILS(
                    model=self._plan.model, shape=str(list(x.shape)), error=type(error).__name__, said=error
                )
            ) from error
        wanted = (len(x), self._plan.architecture.outputs)
        if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
            found = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InputError(
                sentences.MODEL_GIVES(
                    model=self._plan.model, found=str(found), shape=str(list(x.shape)), wanted=str(list(wanted))
                )
            )

    def compile(self, examples: Sequence[Tensor]) -> None:
        """Compile forward and backward for batches like the examples. Raises InputError."""
        self._forward = compiling.compiled(self.module, examples, self.autocast, self._plan.model)

    def autocast(self) -> AbstractContextManager[Any]:
        """Return what a forward pass happens inside: the precision of the plan."""
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
        if self._plan.precision not in kinds:
            return nullcontext()
        return torch.autocast(self._device.type, kinds[self._plan.precision])

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """No dropout, and batch norm by its running statistics."""
        self.module.eval()
        try:
            yield
        finally:
            self.module.train()

    # While training.

    def loss_and_gradient(self, pieces: Iterable[Batch], rows: int | None = None) -> Tensor:
        """Return a batch's loss without penalties; leave the gradient, penalties included, in `gradient`.

        Args:
            pieces: the batch, whole or in parts.
            rows: of all parts together, where there may be several.
        """
        self.gradient.zero_()
        factor = self.scaler.factor
        forward = self._forward if self.module.training else self.module
        total: Tensor | None = None
        for x, y, weight in pieces:
            with torch.enable_grad():
                with self.autocast():
                    output = forward(x)
                loss = self.objective(output.to(self._dtype), y, weight)
                if rows is not None and len(x) < rows:
                    loss = loss * (len(x) / rows)
                torch.autograd.backward(loss if factor == 1 else loss * factor)
            total = loss.detach() if total is None else total + loss.detach()
        if self._plan.l2:
            self.gradient.addcmul_(self.flat, self._decayed, value=self._plan.l2 * factor)
        if self._plan.l1:
            self.gradient.addcmul_(self.flat.sign(), self._decayed, value=self._plan.l1 * factor)
        assert total is not None
        return total

    def unscaled(self, pieces: Iterable[Batch]) -> Tensor:
        """Return a full batch's loss, with its true gradient: a line search compares the two.

        A factor on the loss that makes the gradient overflow is lowered until it does not.
        """
        while True:
            loss = self.loss_and_gradient(pieces, self._plan.rows)
            if self.scaler.unscale(self.gradient) or self.scaler.scale < 1:
                return loss

    def penalty(self) -> Tensor:
        """Return what the penalties add to the loss."""
        weights = self.flat * self._decayed
        return self._plan.l1 * weights.abs().sum() + self._plan.l2 / 2 * (weights * weights).sum()

    def objective(self, output: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        """Return the mean loss of outputs [b, k]."""
        wanted = (len(y), self._plan.architecture.outputs)
        assert tuple(output.shape) == wanted, f"{tuple(output.shape)} against {wanted} would broadcast"
        return self._criterion(output, y, weight)

    # While evaluating.

    def exact_gradient(self, rows: Resident | Streamed) -> Parameters:
        """Return the gradient of the loss of all rows; without penalties, in eval mode, by parameter name."""
        exact: Precision = "float64" if self._dtype == torch.float64 else "float32"
        plan, self._plan = self._plan, replace(self._plan, l1=0.0, l2=0.0, precision=exact)
        scaler, self.scaler = self.scaler, Scaler(False)
        try:
            with self._evaluating():  # in which rows do not depend on each other, so that parts of them add up
                memory.halved(lambda size: self.loss_and_gradient(rows.slices(size), plan.rows), SLICE)
        finally:
            self._plan, self.scaler = plan, scaler
        named = [(n, p) for n, p in self.module.named_parameters() if p.requires_grad]
        return Parameters({name: _float64(p.grad) for name, p in named if p.grad is not None})

    def loss(self, rows: Resident | Streamed) -> float:
        """Return the mean loss of rows, of which there are some."""
        kind = torch.float64 if self._device.type != "mps" else torch.float32

        def total(size: int) -> float:
            found = torch.zeros((), dtype=kind, device=self._device)
            for x, y, weight in rows.slices(size):
                found += self.objective(self.module(x).to(self._dtype), y, weight) * len(x)
            return float(found)

        return self._in_slices(total) / len(rows)

    def outputs(self, rows: Resident | Streamed) -> Floats:
        """Return what the module gives for rows, of which there are some: [n, k]."""

        def found(size: int) -> Floats:
            return np.concatenate([_float64(self.module(x).to(self._dtype)) for x, _, _ in rows.slices(size)])

        return self._in_slices(found)

    def _in_slices(self, work: Callable[[int], memory.T]) -> memory.T:
        """What `work(rows at once)` gives, with as many rows at once as fit into memory."""
        with torch.no_grad(), self._evaluating(), self.autocast():
            return memory.halved(work, SLICE)

    def parameters(self) -> Parameters:
        """Return the parameters, batch norm's running statistics with them."""
        named = (*self.module.named_parameters(), *self.module.named_buffers())
        return Parameters({name: _float64(tensor) for name, tensor in named})


def _float64(tensor: Tensor | None) -> Floats:
    assert tensor is not None
    return tensor.detach().to("cpu", torch.float64).numpy().copy()
