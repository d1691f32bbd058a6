"""Steps by PyTorch's automatic differentiation: any model, on any of its devices.

The rows lie on the device, or are streamed to it (`placement`). All parameters are views of one flat vector and all
gradients of another, so that an update is a few operations whatever the model; on a card the step is recorded once and
replayed (`graphs`). Losses stay on the device until a block of steps is done: nothing inside the loop waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pkgutil import resolve_name
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from engine.base.errors import InputError
from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.kernels import compiling, graphs, memory, networks, numerics, placement
from engine.learn.kernels.contract import Floats, Parameters, Split, State, Stepper
from engine.learn.kernels.criterion import Criterion
from engine.learn.kernels.current import on
from engine.learn.kernels.generators import Generators, hidden_changes
from engine.learn.kernels.order import rows_of_epoch
from engine.learn.kernels.placement import Batch, Resident, Streamed
from engine.learn.kernels.randomness import Masks
from engine.learn.kernels.scaling import Scaler
from engine.learn.objective import unit
from engine.learn.plan import Plan, Precision
from engine.learn.schedules import factors
from engine.registry.rules import REGISTRY, Update

BLOCK = 1024  # steps between two looks at the losses; divergence inside one is found by going over it again
SLICE = 1 << 16  # rows evaluated at once, or fewer where memory is short
Settings: TypeAlias = Any  # what `Rule.numbers` gives: numbers, or a tensor of them on the device


class Autograd:
    """A model in training.

    Args:
        plan: every choice, resolved.
        prepared: the table; its arrays are copied to the device, or streamed to it.
        limit: a loss above it, in the target's own units, counts as diverged.

    Raises:
        InputError: the device is not there, cannot compute or has too little memory, or a model of the person's own
            does not work.
    """

    def __init__(self, plan: Plan, prepared: Prepared, limit: float) -> None:
        self._plan = plan
        self._limit = limit
        self._unit = unit(plan.loss, prepared.target_scale.scale)
        self._criterion = Criterion(plan.loss)
        self._dtype = torch.float64 if plan.precision == "float64" else torch.float32
        self._device = torch.device(plan.device)
        numerics.settle(plan)
        module = networks.build(plan.architecture, plan.init, plan.seed)
        self._prepared = prepared
        try:
            with on(self._device):
                self._module = module.to(self._device, self._dtype)
                self._placement = placement.decide(placement.size(prepared, self._dtype), self._device)
                self._splits = self._place()
        except (RuntimeError, AssertionError, NotImplementedError, MemoryError) as error:
            if memory.is_exhausted(error):
                neighbour = placement.neighbour(self._device)
                raise InputError(sentences.NO_MEMORY(device=plan.device, neighbour=neighbour)) from error
            reason = str(error).strip().splitlines()[0]
            raise InputError(sentences.DEVICE_FAILED(device=plan.device, reason=reason)) from error
        if self._placement.streamed and plan.full_batch and networks.looks_across_rows(module):
            raise InputError(sentences.WHOLE_BATCHES(placement=self._placement.sentence))
        self._flat, self._gradient, self._decayed = networks.flatten(self._module)
        self._optimizer_state: list[Tensor] = []
        self._stepper: Stepper | None = None  # takes the steps of a rule that looks at the loss several times
        self._count = 0  # updates made with this optimizer state
        self._begin(plan.optimizer)
        self._lr, self._factor, self._momentum = plan.lr, 1.0, plan.momentum
        self._batch = plan.batch
        self._scaler = Scaler(plan.precision == "fp16")
        own = plan.architecture.own
        self._masks = Masks(plan.architecture.dropout > 0 or own, plan.seed, self._device)
        self._generators = Generators(self._module if own else None, plan.seed, self._device)
        self._unrepeatable: str | None = "" if own else None  # why a resumed run is another one; "" not looked at yet
        self._step = self._epoch = self._row = 0  # updates; passes done; rows of this pass already used
        self._ordered_epoch = -1
        self._previous = self._flat.clone()  # the parameters before the newest update
        self._check_output()
        self._forward: compiling.Forward = self._module
        if plan.compile:
            batch = min(plan.batch, plan.rows)
            sizes = {batch, plan.rows % batch or batch}  # of the last batch of an epoch too
            examples = [next(iter(self._splits["train"].slices(size)))[0] for size in sorted(sizes, reverse=True)]
            self._forward = compiling.compiled(self._module, examples, self._autocast, plan.model)
        self._recorded: graphs.Recorded | None = None
        self._unrecorded = graphs.refusal(plan)  # why the step is not recorded

    def _place(self) -> dict[Split, Resident | Streamed]:
        return placement.place(self._placement, self._prepared, self._plan, self._device, self._dtype)

    def _begin(self, optimizer: str) -> None:
        rule = self._rule = REGISTRY[optimizer]
        self._optimizer_state = [torch.zeros_like(self._flat) for _ in rule.state]
        self._stepper = resolve_name(rule.stepper)(self._flat, self._gradient) if rule.stepper else None
        self._count = 0
        self._recorded = None  # it would go on with the old optimizer state

    def _check_output(self) -> None:
        x = next(iter(self._splits["train"].slices(2)))[0]
        try:
            with torch.no_grad(), self._evaluating(), self._autocast():
                output = self._module(x)
        except Exception as error:
            raise InputError(
                sentences.MODEL_FAILS(
                    model=self._plan.model, shape=str(list(x.shape)), error=type(error).__name__, said=error
                )
            ) from error
        wanted = (len(x), self._plan.architecture.outputs)
        if not isinstance(output, Tensor) or tuple(output.shape) != wanted:
            found = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InputError(f"Model {self._plan.model} gives {found} for a batch {list(x.shape)}, not {list(wanted)}.")

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._step

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on where the rows lie, how steps are launched on a card, and how exactly they are computed."""
        launched = ""
        if self._device.type == "cuda":
            one = sentences.RECORDED()
            launched = one if self._unrecorded is None else sentences.LAUNCHED_ONE_BY_ONE(why=self._unrecorded)
        said = (self._placement.sentence, launched, self._resumed(), *numerics.explain(self._plan))
        return tuple(filter(None, said))

    def _resumed(self) -> str:
        """What a checkpoint did not hold, so that the run is not bit for bit the one that would have gone on."""
        if self._masks.redrawn is not None:
            return sentences.OTHER_MASKS(step=self._masks.redrawn)
        if not self._unrepeatable:
            return ""
        return sentences.NOT_BIT_FOR_BIT(why=self._unrepeatable)

    # The training loop itself: forward, loss, gradient, update.

    def _update(self, lr: float, settings: Tensor | None) -> Tensor:
        """One update on the next batch; its loss before the update, a scalar on the device.

        Args:
            settings: of this update on the device, where its step may be recorded.
        """
        pieces = self._next_batch()
        if self._stepper is not None:
            return self._stepper.step(lambda: self._unscaled(pieces), self._penalty, lr)
        self._count += 1
        if settings is None:
            return self._step_on(pieces, self._rule.numbers(lr, self._count))
        if isinstance(pieces, list):
            return self._replay(pieces[0], settings)
        return self._step_on(pieces, settings)

    def _unscaled(self, pieces: Iterable[Batch]) -> Tensor:
        """A full batch's loss, with its true gradient: a line search compares the two. A factor on the loss that
        makes the gradient overflow is lowered until it does not."""
        while True:
            loss = self._loss_and_gradient(pieces, self._plan.rows)
            if self._scaler.unscale(self._gradient) or self._scaler.scale < 1:
                return loss

    def _step_on(self, pieces: Iterable[Batch], settings: Settings) -> Tensor:
        """The step itself: forward, loss, gradient, update."""
        loss = self._loss_and_gradient(pieces, None if isinstance(pieces, list) else self._plan.rows)
        if not self._scaler.unscale(self._gradient):
            self._count -= 1  # the gradient overflowed: this update is left out, as loss scaling has it
            return loss
        if self._plan.clip is not None:
            norm = torch.linalg.vector_norm(self._gradient)
            self._gradient.mul_((self._plan.clip / (norm + 1e-6)).clamp(max=1.0))
        step = self._rule.step
        assert step is not None
        decay = self._plan.weight_decay
        step(Update(torch, self._flat, self._gradient, self._optimizer_state, settings, self._momentum, decay))
        return loss

    def _replay(self, batch: Batch, settings: Tensor) -> Tensor:
        """The step as it was recorded, with the first batch of the usual size."""
        if self._recorded is None and self._unrecorded is None and len(batch[0]) == self._batch:
            self._record(batch, settings)
        if self._recorded is None or not self._recorded.fits(batch):
            return self._step_on([batch], settings)
        return self._recorded(batch, settings)

    def _record(self, batch: Batch, settings: Tensor) -> None:
        changed = [self._flat, self._gradient, *self._optimizer_state, *self._module.buffers()]
        try:
            self._recorded = graphs.Recorded(lambda b, s: self._step_on([b], s), batch, settings, changed)
        except RuntimeError as error:
            if memory.is_exhausted(error):
                raise
            self._unrecorded = (str(error).strip().splitlines() or [type(error).__name__])[0]

    def _loss_and_gradient(self, pieces: Iterable[Batch], rows: int | None = None) -> Tensor:
        """A batch's loss without penalties; leaves the gradient, penalties included, in `_gradient`.

        Args:
            pieces: the batch, whole or in parts.
            rows: of all parts together, where there may be several.
        """
        self._gradient.zero_()
        factor = self._scaler.factor
        forward = self._forward if self._module.training else self._module
        total: Tensor | None = None
        for x, y, weight in pieces:
            with torch.enable_grad():
                with self._autocast():
                    output = forward(x)
                loss = self._objective(output.to(self._dtype), y, weight)
                if rows is not None and len(x) < rows:
                    loss = loss * (len(x) / rows)
                torch.autograd.backward(loss if factor == 1 else loss * factor)
            total = loss.detach() if total is None else total + loss.detach()
        if self._plan.l2:
            self._gradient.addcmul_(self._flat, self._decayed, value=self._plan.l2 * factor)
        if self._plan.l1:
            self._gradient.addcmul_(self._flat.sign(), self._decayed, value=self._plan.l1 * factor)
        assert total is not None
        return total

    def _penalty(self) -> Tensor:
        weights = self._flat * self._decayed
        return self._plan.l1 * weights.abs().sum() + self._plan.l2 / 2 * (weights * weights).sum()

    def _objective(self, output: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        wanted = (len(y), self._plan.architecture.outputs)
        assert tuple(output.shape) == wanted, f"{tuple(output.shape)} against {wanted} would broadcast"
        return self._criterion(output, y, weight)

    def _next_batch(self) -> list[Batch] | Streamed:
        """The rows of the next update: in one piece, or all of them in blocks."""
        rows, train = self._plan.rows, self._splits["train"]
        if self._batch >= rows and self._row == 0:
            self._epoch += 1
            return train.pieces()
        if self._ordered_epoch != self._epoch:
            plan = self._plan
            train.order(None if plan.shuffle == "none" else rows_of_epoch(plan.shuffle, plan.seed, self._epoch, rows))
            self._ordered_epoch = self._epoch
        start, stop = self._row, min(self._row + self._batch, rows)
        self._row = stop
        if self._row >= rows:
            self._row = 0
            self._epoch += 1
        return [train.batch(start, stop)]

    def _autocast(self) -> AbstractContextManager[Any]:
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
        if self._plan.precision not in kinds:
            return nullcontext()
        return torch.autocast(self._device.type, kinds[self._plan.precision])

    # The contract.

    def advance(self, steps: int) -> Floats:
        """See `Kernel.advance`."""
        with on(self._device):
            blocks, beginning = [], self._here()
            while steps > 0:
                count = min(steps, BLOCK)
                losses = self._block(count, beginning)
                blocks.append(losses)
                if len(losses) and not self._good(losses[-1]):
                    break
                steps -= count
        return np.concatenate(blocks) if blocks else np.empty(0)

    def _block(self, count: int, beginning: State) -> Floats:
        """A block of steps. Raises OutOfMemory, then standing where all of them began."""
        before = beginning if beginning.facts["step"] == self._step else self._here()
        previous, exhausted, losses = self._previous, False, np.empty(0)
        try:
            losses = self._updates(count)
        except (RuntimeError, MemoryError) as error:
            if not memory.is_exhausted(error):
                raise
            exhausted = True
        if exhausted:  # only now have the frames gone that hold on to the memory
            raise self._exhausted(beginning)
        bad = np.flatnonzero(~self._good(losses))
        if not len(bad):
            return losses
        # Go back, and again up to the last good loss: its parameters are the ones to keep.
        first = int(bad[0])
        self._stand(before)
        self._previous = previous
        self._updates(first)
        self._flat.copy_(self._previous)
        return losses[: first + 1]

    def _exhausted(self, before: State) -> memory.OutOfMemory:
        """Go back to where the steps began, and find a batch that fits."""
        self._recorded, batch = None, min(self._batch, self._plan.rows)
        for rows in self._splits.values():
            rows.close()
        memory.release()

        def attempt(size: int) -> None:
            self._loss_and_gradient([next(iter(self._splits["train"].slices(size)))])

        self._module.train()
        fitting = batch if memory.fits(lambda: attempt(batch)) else memory.largest_batch(attempt, batch)
        self._stand(before)
        return memory.OutOfMemory(self._plan.device, self._step, batch, fitting, placement.neighbour(self._device))

    def _updates(self, count: int) -> Floats:
        if not count:
            return np.empty(0)
        plan, losses = self._plan, []
        rates = self._lr * self._factor * factors(plan.schedule, plan.warmup, plan.steps, self._step, count)
        self._module.train()
        ahead = self._settings(rates) if self._unrecorded is None else [None] * count
        with torch.no_grad(), self._masks.own(), self._generators.own():
            for i, lr in enumerate(rates.tolist()):
                if i == count - 1:
                    self._previous = self._flat.clone()
                losses.append(self._update(lr, ahead[i]))
        self._step += count
        return torch.stack(losses).to("cpu", torch.float64).numpy() * self._unit

    def _settings(self, rates: Floats) -> Tensor:
        """What differs from update to update, on the device for all that are to come: [n, numbers]."""
        rows = [self._rule.numbers(lr, self._count + 1 + i) for i, lr in enumerate(rates.tolist())]
        return placement.upload(np.array(rows), self._device, self._dtype)

    def _good(self, losses: Any) -> Any:
        return np.isfinite(losses) & (losses <= self._limit)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """No dropout, and batch norm by its running statistics."""
        self._module.eval()
        try:
            yield
        finally:
            self._module.train()

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`; takes lr, momentum, optimizer, batch_size, and lr_factor from a plateau."""
        if field == "lr":
            self._lr = float(value)
        elif field == "lr_factor":
            self._factor = float(value)
        elif field == "momentum":
            self._momentum = float(value)
            self._recorded = None
        elif field == "optimizer":
            rule = REGISTRY[value]
            if not rule.takes("batch_size") and self._batch < self._plan.rows:
                raise InputError(sentences.FULL_BATCHES_FIRST(rule=rule.label))
            if not rule.takes("clip") and self._plan.clip is not None:
                raise InputError(sentences.RULE_CANNOT_CLIP(rule=rule.label))
            self._begin(value)
        elif field == "batch_size":
            if not self._rule.takes(field) and value != "full":
                raise InputError(sentences.OTHER_RULE_FIRST(rule=self._rule.label))
            self._resize(self._plan.rows if value == "full" else min(int(value), self._plan.rows))
        else:
            raise InputError(sentences.NOT_CHANGED_BY_AUTOGRAD(field=field))

    def _resize(self, batch: int) -> None:
        if batch != self._batch:
            self._batch, self._recorded = batch, None
            self._splits["train"].resize(batch)

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`; without penalties, in eval mode, by parameter name."""
        exact: Precision = "float64" if self._dtype == torch.float64 else "float32"
        plan, self._plan = self._plan, replace(self._plan, l1=0.0, l2=0.0, precision=exact)
        scaler, self._scaler = self._scaler, Scaler(False)
        rows = self._splits["train"]
        try:
            with self._evaluating():  # in which rows do not depend on each other, so that parts of them add up
                memory.halved(lambda size: self._loss_and_gradient(rows.slices(size), plan.rows), SLICE)
        finally:
            self._plan, self._scaler = plan, scaler
        named = [(n, p) for n, p in self._module.named_parameters() if p.requires_grad]
        return Parameters({name: _float64(p.grad) for name, p in named if p.grad is not None})

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        rows = self._splits[split]
        if not len(rows):
            return float("nan")
        kind = torch.float64 if self._device.type != "mps" else torch.float32

        def total(size: int) -> float:
            found = torch.zeros((), dtype=kind, device=self._device)
            for x, y, weight in rows.slices(size):
                found += self._objective(self._module(x).to(self._dtype), y, weight) * len(x)
            return float(found)

        return self._in_slices(total) / len(rows) * self._unit

    def outputs(self, split: Split) -> Floats:
        """See `Kernel.outputs`."""
        rows = self._splits[split]
        if not len(rows):
            return np.empty((0, self._plan.architecture.outputs))

        def found(size: int) -> Floats:
            return np.concatenate([_float64(self._module(x).to(self._dtype)) for x, _, _ in rows.slices(size)])

        return self._in_slices(found)

    def _in_slices(self, work: Callable[[int], memory.T]) -> memory.T:
        """What `work(rows at once)` gives, with as many rows at once as fit into memory."""
        with torch.no_grad(), self._evaluating(), self._autocast():
            return memory.halved(work, SLICE)

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`; batch norm's running statistics with them."""
        named = (*self._module.named_parameters(), *self._module.named_buffers())
        return Parameters({name: _float64(tensor) for name, tensor in named})

    def state(self) -> State:
        """See `Kernel.state`."""
        return self._here(_copy)

    def _here(self, copy: Callable[[Tensor], Any] = torch.clone) -> State:
        """The state as copies of some kind; as clones on the device, which nobody waits for."""
        arrays = {"parameters": copy(self._flat), "generator": copy(self._masks.state)}
        arrays["previous"] = copy(self._previous)  # for a run that diverges right after it has been resumed
        arrays |= {f"memory{i}": copy(vector) for i, vector in enumerate(self._optimizer_state)}
        arrays |= {f"buffer:{name}": copy(buffer) for name, buffer in self._module.named_buffers()}
        facts: dict[str, int | float | str] = {
            **self._generators.state(),
            "step": self._step,
            "epoch": self._epoch,
            "row": self._row,
            "batch": self._batch,
            "lr": self._lr,
            "factor": self._factor,
            "momentum": self._momentum,
            "optimizer": self._rule.name,
            "count": self._count,
            "scale": self._scaler.scale,
            "unharmed": self._scaler.unharmed,
            "home": self._placement.home,
        }
        if self._stepper is not None:
            more = self._stepper.state()
            arrays |= more.arrays
            facts |= more.facts
        return State(arrays, facts)

    def restore(self, state: State) -> None:
        """See `Kernel.restore`."""
        self._stand(state)
        if self._unrepeatable == "" and self._step:
            self._unrepeatable = self._look_for_hidden_state()
            self._stand(state)

    def _look_for_hidden_state(self) -> str | None:
        """Why a module of the person's own goes on otherwise than from its checkpoint; None where nothing says so."""
        x = next(iter(self._splits["train"].slices(8)))[0]
        here, found = self._here(), list[Tensor]()

        def forward() -> None:
            self._stand(here)
            self._module.train()
            with torch.no_grad(), self._masks.own(), self._generators.own(), self._autocast():
                found.append(self._module(x))

        if names := hidden_changes(self._module, forward):
            return sentences.PLAIN_ATTRIBUTES(model=self._plan.model, names=names[:3])
        forward()
        if torch.equal(*found):
            return None
        return sentences.HIDDEN_GENERATOR(model=self._plan.model)

    def _stand(self, state: State) -> None:
        """Stand where a state was taken."""
        facts, arrays = state.facts, state.arrays
        self._begin(str(facts["optimizer"]))
        self._flat.copy_(torch.as_tensor(arrays["parameters"]))
        for i, vector in enumerate(self._optimizer_state):
            vector.copy_(torch.as_tensor(arrays[f"memory{i}"]))
        networks.put(self._module, {k.removeprefix("buffer:"): v for k, v in arrays.items() if k.startswith("buffer:")})
        self._masks.restore(torch.as_tensor(arrays["generator"]), int(facts["step"]))
        self._generators.restore(facts)
        self._step, self._epoch, self._row = int(facts["step"]), int(facts["epoch"]), int(facts["row"])
        self._resize(int(facts["batch"]))
        self._count = int(facts["count"])
        self._lr, self._factor, self._momentum = (float(facts[k]) for k in ("lr", "factor", "momentum"))
        self._scaler.scale, self._scaler.unharmed = float(facts["scale"]), int(facts["unharmed"])
        if self._stepper is not None:
            self._stepper.restore(state)
        self._previous = self._flat.clone()
        if "previous" in arrays:  # a state of another kernel has none
            self._previous.copy_(torch.as_tensor(arrays["previous"]))
        self._ordered_epoch = -1
        # All rows in one piece and in several are summed in another order: go on as the run began.
        home: placement.Home = facts.get("home", self._placement.home)  # type: ignore[assignment]
        if self._batch >= self._plan.rows and (home == "device") == self._placement.streamed:
            self._placement = placement.Placement(home)
            self._splits = self._place()


def _float64(tensor: Tensor | None) -> Floats:
    assert tensor is not None
    return tensor.detach().to("cpu", torch.float64).numpy().copy()


def _copy(tensor: Tensor) -> Any:
    return tensor.detach().cpu().numpy().copy()
