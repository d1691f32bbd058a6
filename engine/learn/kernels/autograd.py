"""Steps by PyTorch's automatic differentiation: any model, on any of its devices.

The rows lie on the device, or are streamed to it (`batches`). All parameters are views of one flat vector and all
gradients of another (`differentiation`), so that an update is a few operations whatever the model (`updating`); on a
GPU the step is recorded once and replayed (`graphs`). Losses stay on the device until a block of steps is done: nothing
inside the loop waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.base.errors import InputError
from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.kernels import memory, networks, numerics, placement
from engine.learn.kernels.batches import Batches
from engine.learn.kernels.contract import Floats, Parameters, Split, State
from engine.learn.kernels.current import on
from engine.learn.kernels.differentiation import Differentiated
from engine.learn.kernels.generators import Generators, hidden_changes
from engine.learn.kernels.randomness import Masks
from engine.learn.kernels.updating import Updater
from engine.learn.objective import unit
from engine.learn.plan import Plan
from engine.learn.schedules import factors
from engine.registry.rules import REGISTRY

BLOCK = 1024  # steps between two looks at the losses; divergence inside one is found by going over it again


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
        dtype = torch.float64 if plan.precision == "float64" else torch.float32
        self._device = torch.device(plan.device)
        numerics.settle(plan)
        module = networks.build(plan.architecture, plan.init, plan.seed)
        try:
            with on(self._device):
                module = module.to(self._device, dtype)
                self._batches = Batches(plan, prepared, self._device, dtype)
        except (RuntimeError, AssertionError, NotImplementedError, MemoryError) as error:
            if memory.is_exhausted(error):
                neighbour = placement.neighbour(self._device)
                raise InputError(sentences.NO_MEMORY(device=plan.device, neighbour=neighbour)) from error
            reason = str(error).strip().splitlines()[0]
            raise InputError(sentences.DEVICE_FAILED(device=plan.device, reason=reason)) from error
        where = self._batches.placement
        if where.streamed and plan.full_batch and networks.looks_across_rows(module):
            raise InputError(sentences.WHOLE_BATCHES(placement=where.sentence))
        self._model = Differentiated(plan, module, self._device, dtype)
        self._updater = Updater(plan, self._model)
        self._lr, self._factor = plan.lr, 1.0
        own = plan.architecture.own
        self._masks = Masks(plan.architecture.dropout > 0 or own, plan.seed, self._device)
        self._generators = Generators(module if own else None, plan.seed, self._device)
        self._unrepeatable: str | None = "" if own else None  # why a resumed run is another one; "" not looked at yet
        self._step = 0  # updates
        self._previous = self._model.flat.clone()  # the parameters before the newest update
        self._model.check_output(self._batches.first(2)[0])
        if plan.compile:
            batch = min(plan.batch, plan.rows)
            sizes = {batch, plan.rows % batch or batch}  # of the last batch of an epoch too
            self._model.compile([self._batches.first(size)[0] for size in sorted(sizes, reverse=True)])

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._step

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on where the rows lie, how steps are launched on a GPU, and how exactly they are computed."""
        launched = ""
        if self._device.type == "cuda":
            why = self._updater.unrecorded
            launched = sentences.RECORDED() if why is None else sentences.LAUNCHED_ONE_BY_ONE(why=why)
        said = (self._batches.placement.sentence, launched, self._resumed(), *numerics.explain(self._plan))
        return tuple(filter(None, said))

    def _resumed(self) -> str:
        """What a checkpoint did not hold, so that the run is not bit for bit the one that would have gone on."""
        if self._masks.redrawn is not None:
            return sentences.OTHER_MASKS(step=self._masks.redrawn)
        if not self._unrepeatable:
            return ""
        return sentences.NOT_BIT_FOR_BIT(why=self._unrepeatable)

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
        self._model.flat.copy_(self._previous)
        return losses[: first + 1]

    def _exhausted(self, before: State) -> memory.OutOfMemory:
        """Go back to where the steps began, and find a batch that fits."""
        batches, batch = self._batches, min(self._batches.size, self._plan.rows)
        self._updater.forget()
        batches.close()
        memory.release()

        def attempt(size: int) -> None:
            self._model.loss_and_gradient([batches.first(size)])

        self._model.module.train()
        fitting = batch if memory.fits(lambda: attempt(batch)) else memory.largest_batch(attempt, batch)
        self._stand(before)
        return memory.OutOfMemory(self._plan.device, self._step, batch, fitting, placement.neighbour(self._device))

    def _updates(self, count: int) -> Floats:
        if not count:
            return np.empty(0)
        plan, batches, losses = self._plan, self._batches, []
        rates = self._lr * self._factor * factors(plan.schedule, plan.warmup, plan.steps, self._step, count)
        self._model.module.train()
        settings = self._updater.settings(rates)
        with torch.no_grad(), self._masks.own(), self._generators.own():
            for i, lr in enumerate(rates.tolist()):
                if i == count - 1:
                    self._previous = self._model.flat.clone()
                losses.append(self._updater.update(batches.next(), batches.size, lr, settings[i]))
        self._step += count
        return torch.stack(losses).to("cpu", torch.float64).numpy() * self._unit

    def _good(self, losses: Any) -> Any:
        return np.isfinite(losses) & (losses <= self._limit)

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`; takes lr, momentum, optimizer, batch_size, and lr_factor from a plateau."""
        updater, rows = self._updater, self._plan.rows
        if field == "lr":
            self._lr = float(value)
        elif field == "lr_factor":
            self._factor = float(value)
        elif field == "momentum":
            updater.momentum = float(value)
            updater.forget()
        elif field == "optimizer":
            rule = REGISTRY[value]
            if not rule.takes("batch_size") and self._batches.size < rows:
                raise InputError(sentences.FULL_BATCHES_FIRST(rule=rule.label))
            if not rule.takes("clip") and self._plan.clip is not None:
                raise InputError(sentences.RULE_CANNOT_CLIP(rule=rule.label))
            updater.begin(value)
        elif field == "batch_size":
            if not updater.rule.takes(field) and value != "full":
                raise InputError(sentences.OTHER_RULE_FIRST(rule=updater.rule.label))
            self._resize(rows if value == "full" else min(int(value), rows))
        else:
            raise InputError(sentences.NOT_CHANGED_BY_AUTOGRAD(field=field))

    def _resize(self, batch: int) -> None:
        if self._batches.resize(batch):
            self._updater.forget()

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`; without penalties, in eval mode, by parameter name."""
        return self._model.exact_gradient(self._batches.splits["train"])

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        rows = self._batches.splits[split]
        return self._model.loss(rows) * self._unit if len(rows) else float("nan")

    def outputs(self, split: Split) -> Floats:
        """See `Kernel.outputs`."""
        rows = self._batches.splits[split]
        return self._model.outputs(rows) if len(rows) else np.empty((0, self._plan.architecture.outputs))

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`; batch norm's running statistics with them."""
        return self._model.parameters()

    def state(self) -> State:
        """See `Kernel.state`."""
        return self._here(_copy)

    def _here(self, copy: Callable[[Tensor], Any] = torch.clone) -> State:
        """The state as copies of some kind; as clones on the device, which nobody waits for."""
        arrays = {"parameters": copy(self._model.flat), "generator": copy(self._masks.state)}
        arrays["previous"] = copy(self._previous)  # for a run that diverges right after it has been resumed
        arrays |= {f"memory{i}": copy(vector) for i, vector in enumerate(self._updater.state)}
        arrays |= {f"buffer:{name}": copy(buffer) for name, buffer in self._model.module.named_buffers()}
        facts: dict[str, int | float | str] = {
            **self._generators.state(),
            "step": self._step,
            "epoch": self._batches.epoch,
            "row": self._batches.row,
            "batch": self._batches.size,
            "lr": self._lr,
            "factor": self._factor,
            "momentum": self._updater.momentum,
            "optimizer": self._updater.rule.name,
            "count": self._updater.count,
            "scale": self._model.scaler.scale,
            "unharmed": self._model.scaler.unharmed,
            "home": self._batches.placement.home,
        }
        if self._updater.stepper is not None:
            more = self._updater.stepper.state()
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
        x = self._batches.first(8)[0]
        here, found = self._here(), list[Tensor]()

        def forward() -> None:
            self._stand(here)
            self._model.module.train()
            with torch.no_grad(), self._masks.own(), self._generators.own(), self._model.autocast():
                found.append(self._model.module(x))

        if names := hidden_changes(self._model.module, forward):
            return sentences.PLAIN_ATTRIBUTES(model=self._plan.model, names=names[:3])
        forward()
        if torch.equal(*found):
            return None
        return sentences.HIDDEN_GENERATOR(model=self._plan.model)

    def _stand(self, state: State) -> None:
        """Stand where a state was taken."""
        facts, arrays = state.facts, state.arrays
        self._updater.begin(str(facts["optimizer"]))
        self._model.flat.copy_(torch.as_tensor(arrays["parameters"]))
        for i, vector in enumerate(self._updater.state):
            vector.copy_(torch.as_tensor(arrays[f"memory{i}"]))
        buffers = {k.removeprefix("buffer:"): v for k, v in arrays.items() if k.startswith("buffer:")}
        networks.put(self._model.module, buffers)
        self._masks.restore(torch.as_tensor(arrays["generator"]), int(facts["step"]))
        self._generators.restore(facts)
        self._step = int(facts["step"])
        self._resize(int(facts["batch"]))
        self._updater.count = int(facts["count"])
        self._lr, self._factor, self._updater.momentum = (float(facts[k]) for k in ("lr", "factor", "momentum"))
        self._model.scaler.scale, self._model.scaler.unharmed = float(facts["scale"]), int(facts["unharmed"])
        if self._updater.stepper is not None:
            self._updater.stepper.restore(state)
        self._previous = self._model.flat.clone()
        if "previous" in arrays:  # a state of another kernel has none
            self._previous.copy_(torch.as_tensor(arrays["previous"]))
        home: placement.Home | None = facts.get("home")  # type: ignore[assignment]
        self._batches.restore(int(facts["epoch"]), int(facts["row"]), home)


def _copy(tensor: Tensor) -> Any:
    return tensor.detach().cpu().numpy().copy()
