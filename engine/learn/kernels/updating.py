"""The updates of a model by an update rule, step by step; on a GPU the step is recorded once and replayed."""

from __future__ import annotations

from collections.abc import Iterable
from pkgutil import resolve_name
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from engine.learn.kernels import graphs, memory, placement
from engine.learn.kernels.contract import Floats, Stepper
from engine.learn.kernels.differentiation import Differentiated
from engine.learn.kernels.placement import Batch, Streamed
from engine.learn.plan import Plan
from engine.registry.rules import REGISTRY, Update

Settings: TypeAlias = Any  # what `Rule.numbers` gives: numbers, or a tensor of them on the device


class Updater:
    """Takes the steps of one model.

    Attributes:
        rule: the update rule.
        state: its vectors [p].
        stepper: takes the steps of a rule that looks at the loss several times; else None.
        count: updates made with this optimizer state.
        momentum: as chosen.
        unrecorded: why the step is not recorded; None where it is.
    """

    def __init__(self, plan: Plan, model: Differentiated) -> None:
        self._plan, self._model = plan, model
        self.momentum = plan.momentum
        self.state: list[Tensor] = []
        self.stepper: Stepper | None = None
        self._recorded: graphs.Recorded | None = None
        self.unrecorded = graphs.refusal(plan)
        self.begin(plan.optimizer)

    def begin(self, optimizer: str) -> None:
        """Begin with an update rule, as if no update had been made."""
        rule = self.rule = REGISTRY[optimizer]
        self.state = [torch.zeros_like(self._model.flat) for _ in rule.state]
        self.stepper = resolve_name(rule.stepper)(self._model.flat, self._model.gradient) if rule.stepper else None
        self.count = 0
        self.forget()  # it would go on with the old optimizer state

    def forget(self) -> None:
        """Forget the recorded step: something in it is another one now."""
        self._recorded = None

    def settings(self, rates: Floats) -> list[Tensor | None] | Tensor:
        """Return what differs from update to update, for all that are to come: [n, numbers] on the device, or Nones."""
        if self.unrecorded is not None:
            return [None] * len(rates)
        rows = [self.rule.numbers(lr, self.count + 1 + i) for i, lr in enumerate(rates.tolist())]
        return placement.upload(np.array(rows), self._model.flat.device, self._model.flat.dtype)

    def update(self, pieces: list[Batch] | Streamed, size: int, lr: float, settings: Tensor | None) -> Tensor:
        """Make one update on a batch; its loss before the update, a scalar on the device.

        Args:
            size: rows of a usual batch.
            settings: of this update on the device, where its step may be recorded.
        """
        if self.stepper is not None:
            return self.stepper.step(lambda: self._model.unscaled(pieces), self._model.penalty, lr)
        self.count += 1
        if settings is None:
            return self._step_on(pieces, self.rule.numbers(lr, self.count))
        if isinstance(pieces, list):
            return self._replay(pieces[0], size, settings)
        return self._step_on(pieces, settings)

    def _step_on(self, pieces: Iterable[Batch], settings: Settings) -> Tensor:
        """The step itself: forward, loss, gradient, update."""
        model = self._model
        loss = model.loss_and_gradient(pieces, None if isinstance(pieces, list) else self._plan.rows)
        if not model.scaler.unscale(model.gradient):
            self.count -= 1  # the gradient overflowed: this update is left out, as loss scaling has it
            return loss
        if self._plan.clip is not None:
            norm = torch.linalg.vector_norm(model.gradient)
            model.gradient.mul_((self._plan.clip / (norm + 1e-6)).clamp(max=1.0))
        step = self.rule.step
        assert step is not None
        decay = self._plan.weight_decay
        step(Update(torch, model.flat, model.gradient, self.state, settings, self.momentum, decay))
        return loss

    def _replay(self, batch: Batch, size: int, settings: Tensor) -> Tensor:
        """The step as it was recorded, with the first batch of the usual size."""
        if self._recorded is None and self.unrecorded is None and len(batch[0]) == size:
            self._record(batch, settings)
        if self._recorded is None or not self._recorded.fits(batch):
            return self._step_on([batch], settings)
        return self._recorded(batch, settings)

    def _record(self, batch: Batch, settings: Tensor) -> None:
        changed = [self._model.flat, self._model.gradient, *self.state, *self._model.module.buffers()]
        try:
            self._recorded = graphs.Recorded(lambda b, s: self._step_on([b], s), batch, settings, changed)
        except RuntimeError as error:
            if memory.is_exhausted(error):
                raise
            self.unrecorded = (str(error).strip().splitlines() or [type(error).__name__])[0]
