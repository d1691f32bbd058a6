"""Steps by PyTorch's automatic differentiation: any model, on any of its devices.

The table lies on the device as whole tensors; an epoch's row order is gathered once and its batches are slices. All
parameters are views of one flat vector and all gradients of another, so that an update is a few operations whatever the
model. Losses stay on the device until a block of steps is done: nothing inside the loop waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.data.prepare import Prepared, Rows
from engine.errors import InputError
from engine.learn import optimizers
from engine.learn.kernels import lbfgs, networks, rules
from engine.learn.kernels.contract import Floats, Parameters, Split, State
from engine.learn.kernels.order import rows_of_epoch
from engine.learn.objective import HUBER, unit
from engine.learn.plan import Plan
from engine.learn.schedules import factors
from engine.streams import stream

BLOCK = 1024  # steps between two looks at the losses; divergence inside one is found by going over it again
SLICE = 1 << 16  # rows evaluated at once
FIRST_SCALE, GROWTH, PATIENCE = 2.0**16, 2.0, 2000  # fp16's loss scaling, as torch.amp.GradScaler has it

Batch = tuple[Tensor, Tensor, Tensor | None]  # x [b, d], y [b, 1] or [b] class numbers, row weights [b]


class Autograd:
    """A model in training.

    Args:
        plan: every choice, resolved.
        prepared: the table; its arrays are copied to the device.
        limit: a loss above it, in the target's own units, counts as diverged.

    Raises:
        InputError: the device is not there or cannot compute, or a model of the person's own does not work.
    """

    def __init__(self, plan: Plan, prepared: Prepared, limit: float) -> None:
        self._plan = plan
        self._limit = limit
        self._unit = unit(plan.loss, prepared.target_scale.scale)
        self._dtype = torch.float64 if plan.precision == "float64" else torch.float32
        self._device = torch.device(plan.device)
        torch.set_num_threads(plan.threads)
        if plan.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(plan.deterministic)
        module = networks.build(plan.architecture, plan.init, plan.seed)
        try:
            self._module = module.to(self._device, self._dtype)
            self._splits: dict[Split, Batch] = {
                "train": self._tensors(prepared.train),
                "validation": self._tensors(prepared.validation),
                "test": self._tensors(prepared.test),
            }
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(f"The device {plan.device} cannot be used: {reason} Try --device cpu.") from error
        self._flat, self._gradient = self._flatten()
        self._decayed = self._weights_only()
        self._memory: list[Tensor] = []
        self._lbfgs: lbfgs.LBFGS | None = None
        self._count = 0  # updates made with this memory
        self._begin(plan.optimizer)
        self._lr, self._factor, self._momentum = plan.lr, 1.0, plan.momentum
        self._batch = plan.batch
        self._scale, self._unharmed = FIRST_SCALE, 0
        self._random = plan.architecture.dropout > 0 or plan.architecture.family == "module"
        torch_seed = int(stream(plan.seed, "dropout").integers(2**63))
        self._generator = torch.Generator().manual_seed(torch_seed).get_state()
        self._step = self._epoch = self._row = 0  # updates; passes done; rows of this pass already used
        self._ordered_epoch, self._ordered = -1, self._splits["train"]
        self._previous = self._flat.clone()  # the parameters before the newest update
        self._check_output()

    def _tensors(self, rows: Rows) -> Batch:
        x = torch.from_numpy(rows.x).to(self._device, self._dtype)
        y = torch.from_numpy(rows.y)
        if self._plan.loss == "cross-entropy":
            y = y.to(torch.int64).to(self._device)
        else:
            y = y.to(self._device, self._dtype).unsqueeze(1)
        weight = None if rows.weight is None else torch.from_numpy(rows.weight).to(self._device, self._dtype)
        return x, y, weight

    def _flatten(self) -> tuple[Tensor, Tensor]:
        """Move all parameters into one vector and their gradients into another."""
        trained = self._trained()
        flat = torch.cat([p.detach().reshape(-1) for p in trained])
        gradient = torch.zeros_like(flat)
        at = 0
        for parameter in trained:
            part = slice(at, at + parameter.numel())
            parameter.data = flat[part].view(parameter.shape)
            parameter.grad = gradient[part].view(parameter.shape)
            at = part.stop
        return flat, gradient

    def _trained(self) -> list[nn.Parameter]:
        return [p for p in self._module.parameters() if p.requires_grad]

    def _weights_only(self) -> Tensor:
        """1 for weights and 0 for biases and the like, which no penalty touches: [p]."""
        return torch.cat([torch.full_like(p.detach().reshape(-1), float(p.dim() >= 2)) for p in self._trained()])

    def _begin(self, optimizer: optimizers.Optimizer) -> None:
        self._rule = optimizer
        self._memory = [torch.zeros_like(self._flat) for _ in range(optimizers.MEMORY.get(optimizer, 0))]
        self._lbfgs = lbfgs.LBFGS(self._flat, self._gradient) if optimizer == "lbfgs" else None
        self._count = 0

    def _check_output(self) -> None:
        x = self._splits["train"][0][:2]
        try:
            with torch.no_grad(), self._evaluating(), self._autocast():
                output = self._module(x)
        except Exception as error:
            raise InputError(
                f"Model {self._plan.model} fails on a batch {list(x.shape)}: {type(error).__name__}: {error}."
            ) from error
        wanted = (len(x), self._plan.architecture.outputs)
        if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
            found = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InputError(f"Model {self._plan.model} gives {found} for a batch {list(x.shape)}, not {list(wanted)}.")

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._step

    # The training loop itself: forward, loss, gradient, update.

    def _update(self, lr: float) -> Tensor:
        """One update on the next batch; its loss before the update, a scalar on the device."""
        batch = self._next_batch()
        if self._lbfgs is not None:
            return self._lbfgs.step(lambda: self._loss_and_gradient(batch), self._penalty, lr)
        loss = self._loss_and_gradient(batch)
        if self._plan.precision == "fp16" and not self._unscale():
            return loss  # the gradient overflowed: this update is left out, as loss scaling has it
        if self._plan.clip is not None:
            norm = torch.linalg.vector_norm(self._gradient)
            self._gradient.mul_((self._plan.clip / (norm + 1e-6)).clamp(max=1.0))
        self._count += 1
        rules.update(
            self._rule,  # type: ignore[arg-type]
            self._flat,
            self._gradient,
            self._memory,
            self._count,
            lr,
            self._momentum,
            self._plan.weight_decay,
        )
        return loss

    def _loss_and_gradient(self, batch: Batch) -> Tensor:
        """The batch's loss without penalties; leaves the gradient, penalties included, in `_gradient`."""
        x, y, weight = batch
        self._gradient.zero_()
        with torch.enable_grad():
            with self._autocast():
                output = self._module(x)
            loss = self._objective(output.to(self._dtype), y, weight)
            torch.autograd.backward(loss * self._scale if self._plan.precision == "fp16" else loss)
        factor = self._scale if self._plan.precision == "fp16" else 1.0
        if self._plan.l2:
            self._gradient.addcmul_(self._flat, self._decayed, value=self._plan.l2 * factor)
        if self._plan.l1:
            self._gradient.addcmul_(self._flat.sign(), self._decayed, value=self._plan.l1 * factor)
        return loss.detach()

    def _penalty(self) -> Tensor:
        weights = self._flat * self._decayed
        return self._plan.l1 * weights.abs().sum() + self._plan.l2 / 2 * (weights * weights).sum()

    def _objective(self, output: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        """The mean loss of a batch, in scaled units."""
        expected = (len(y), self._plan.architecture.outputs)
        assert tuple(output.shape) == expected, f"{tuple(output.shape)} against {expected} would broadcast"
        how = "mean" if weight is None else "none"
        loss = self._plan.loss
        if loss == "mse":
            losses = functional.mse_loss(output, y, reduction=how)
        elif loss == "bce":
            losses = functional.binary_cross_entropy_with_logits(output, y, reduction=how)
        elif loss == "cross-entropy":
            losses = functional.cross_entropy(output, y, reduction=how)
        elif loss == "mae":
            losses = functional.l1_loss(output, y, reduction=how)
        else:
            losses = functional.huber_loss(output, y, reduction=how, delta=HUBER)
        return losses if weight is None else (losses.reshape(-1) * weight).mean()

    def _next_batch(self) -> Batch:
        rows = self._plan.rows
        if self._batch >= rows and self._row == 0:
            self._epoch += 1
            return self._splits["train"]
        if self._ordered_epoch != self._epoch:
            self._ordered = self._order(self._epoch)
            self._ordered_epoch = self._epoch
        x, y, weight = self._ordered
        part = slice(self._row, min(self._row + self._batch, rows))
        self._row = part.stop
        if self._row >= rows:
            self._row = 0
            self._epoch += 1
        return x[part], y[part], None if weight is None else weight[part]

    def _order(self, epoch: int) -> Batch:
        x, y, weight = self._splits["train"]
        if self._plan.shuffle == "none":
            return x, y, weight
        order = rows_of_epoch(self._plan.shuffle, self._plan.seed, epoch, self._plan.rows)
        index = torch.from_numpy(order).to(self._device)
        return x[index], y[index], None if weight is None else weight[index]

    def _autocast(self) -> AbstractContextManager[Any]:
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
        if self._plan.precision not in kinds:
            return nullcontext()
        return torch.autocast(self._device.type, kinds[self._plan.precision])

    def _unscale(self) -> bool:
        """Take fp16's loss scale out of the gradient; False when it overflowed and the scale was lowered."""
        if not bool(torch.isfinite(self._gradient).all()):
            self._scale, self._unharmed = self._scale / GROWTH, 0
            return False
        self._gradient.div_(self._scale)
        self._unharmed += 1
        if self._unharmed >= PATIENCE:
            self._scale, self._unharmed = self._scale * GROWTH, 0
        return True

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
        self._flat.copy_(self._previous)
        return losses[: first + 1]

    def _updates(self, count: int) -> Floats:
        if not count:
            return np.empty(0)
        plan, losses = self._plan, []
        rates = self._lr * self._factor * factors(plan.schedule, plan.warmup, plan.steps, self._step, count)
        self._module.train()
        with torch.no_grad(), self._own_randomness():
            for i, lr in enumerate(rates.tolist()):
                if i == count - 1:
                    self._previous = self._flat.clone()
                losses.append(self._update(lr))
        self._step += count
        return torch.stack(losses).to("cpu", torch.float64).numpy() * self._unit

    def _good(self, losses: Any) -> Any:
        return np.isfinite(losses) & (losses <= self._limit)

    @contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """Draw dropout masks from this kernel's own generator, whatever else draws in the process."""
        if not self._random:
            yield
            return
        cuda = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda):
            if cuda:
                torch.cuda.set_rng_state(self._generator, self._device) if self._step else torch.manual_seed(
                    self._plan.seed
                )
            else:
                torch.set_rng_state(self._generator)
            yield
            self._generator = torch.cuda.get_rng_state(self._device) if cuda else torch.get_rng_state()

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """No dropout, and batch norm by its running statistics."""
        self._module.eval()
        yield
        self._module.train()

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`; takes lr, momentum, optimizer, batch_size, and lr_factor from a plateau."""
        if field == "lr":
            self._lr = float(value)
        elif field == "lr_factor":
            self._factor = float(value)
        elif field == "momentum":
            self._momentum = float(value)
        elif field == "optimizer":
            if value == "lbfgs" and self._batch < self._plan.rows:
                raise InputError("L-BFGS works on full batches; change the batch size to full first.")
            self._begin(value)
        elif field == "batch_size":
            if self._rule == "lbfgs" and value != "full":
                raise InputError("L-BFGS works on full batches; change the optimizer first.")
            self._batch = self._plan.rows if value == "full" else min(int(value), self._plan.rows)
        else:
            raise InputError(f"The autograd backend cannot change {field} during a run.")

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`; without penalties, in eval mode, by parameter name."""
        plan, self._plan = self._plan, replace(self._plan, l1=0.0, l2=0.0, precision=self._exact())
        with self._evaluating():
            self._loss_and_gradient(self._splits["train"])
        self._plan = plan
        named = [(n, p) for n, p in self._module.named_parameters() if p.requires_grad]
        return Parameters({name: _float64(p.grad) for name, p in named if p.grad is not None})

    def _exact(self) -> Any:
        return "float64" if self._dtype == torch.float64 else "float32"

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        x, y, weight = self._splits[split]
        if not len(x):
            return float("nan")
        total = torch.zeros((), dtype=torch.float64 if self._device.type != "mps" else torch.float32)
        total = total.to(self._device)
        with torch.no_grad(), self._evaluating(), self._autocast():
            for start in range(0, len(x), SLICE):
                part = slice(start, start + SLICE)
                output = self._module(x[part]).to(self._dtype)
                loss = self._objective(output, y[part], None if weight is None else weight[part])
                total += loss * len(output)
        return float(total) / len(x) * self._unit

    def outputs(self, split: Split) -> Floats:
        """See `Kernel.outputs`."""
        x = self._splits[split][0]
        with torch.no_grad(), self._evaluating(), self._autocast():
            parts = [self._module(x[start : start + SLICE]).to(self._dtype) for start in range(0, len(x), SLICE)]
        return _float64(torch.cat(parts)) if parts else np.empty((0, self._plan.architecture.outputs))

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`; batch norm's running statistics with them."""
        named = (*self._module.named_parameters(), *self._module.named_buffers())
        return Parameters({name: _float64(tensor) for name, tensor in named})

    def state(self) -> State:
        """See `Kernel.state`."""
        arrays = {"parameters": _copy(self._flat), "generator": _copy(self._generator)}
        arrays |= {f"memory{i}": _copy(vector) for i, vector in enumerate(self._memory)}
        arrays |= {f"buffer:{name}": _copy(buffer) for name, buffer in self._module.named_buffers()}
        facts: dict[str, int | float | str] = {
            "step": self._step,
            "epoch": self._epoch,
            "row": self._row,
            "batch": self._batch,
            "lr": self._lr,
            "factor": self._factor,
            "momentum": self._momentum,
            "optimizer": self._rule,
            "count": self._count,
            "scale": self._scale,
            "unharmed": self._unharmed,
        }
        if self._lbfgs is not None:
            more = self._lbfgs.state()
            arrays |= more.arrays
            facts |= more.facts
        return State(arrays, facts)

    def restore(self, state: State) -> None:
        """See `Kernel.restore`."""
        facts, arrays = state.facts, state.arrays
        self._begin(facts["optimizer"])  # type: ignore[arg-type]
        self._flat.copy_(torch.from_numpy(arrays["parameters"]))
        for i, vector in enumerate(self._memory):
            vector.copy_(torch.from_numpy(arrays[f"memory{i}"]))
        networks.put(self._module, {k.removeprefix("buffer:"): v for k, v in arrays.items() if k.startswith("buffer:")})
        self._generator = torch.from_numpy(arrays["generator"].copy())
        self._step, self._epoch, self._row = int(facts["step"]), int(facts["epoch"]), int(facts["row"])
        self._batch, self._count = int(facts["batch"]), int(facts["count"])
        self._lr, self._factor, self._momentum = (float(facts[k]) for k in ("lr", "factor", "momentum"))
        self._scale, self._unharmed = float(facts["scale"]), int(facts["unharmed"])
        if self._lbfgs is not None:
            self._lbfgs.restore(state)
        self._previous = self._flat.clone()


def _float64(tensor: Tensor | None) -> Floats:
    assert tensor is not None
    return tensor.detach().to("cpu", torch.float64).numpy().copy()


def _copy(tensor: Tensor) -> Any:
    return tensor.detach().cpu().numpy().copy()
