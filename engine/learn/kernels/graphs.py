"""A step recorded once and replayed: on a GPU the launches of a step's small kernels cost more than their work.

A CUDA graph replays the same kernels on the same addresses. So a batch is copied into a fixed place, and what changes
from step to step (the learning rate, Adam's corrections) is read from the GPU, not from the host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from engine.learn import sentences
from engine.learn.kernels.current import on
from engine.learn.plan import Plan

Batch = tuple[Tensor, Tensor, Tensor | None]
Step = Callable[[Batch, Tensor], Tensor]  # a batch and its settings to the loss before the update

WARM_UP = 3  # steps before the recording, in which libraries allocate what they need (torch's manual, "CUDA Graphs")


def refusal(plan: Plan) -> str | None:
    """Why the steps of a plan are not recorded, in words that follow "not recorded: "; None where they are."""
    if not plan.device.startswith("cuda"):
        return sentences.ONLY_NVIDIA()
    if not plan.architecture.chain:
        return sentences.PYTHON_ONCE()
    if plan.rule.stepper:
        return sentences.RULE_DECIDES(rule=plan.rule.label)
    if plan.architecture.dropout:
        return sentences.DROPOUT_DRAWS()
    if plan.precision == "fp16":
        return sentences.SCALING_LOOKS()
    return None


class Recorded:
    """A step on batches of one shape.

    Args:
        step: the step itself; everything it reads and writes beside its arguments must stay in its place.
        batch: a batch of the shape; its content does not matter.
        settings: what changes from step to step, likewise.
        keep: every tensor that a step changes: the warm-up leaves them as they were.

    Raises:
        RuntimeError: something in the step cannot be recorded.
    """

    def __init__(self, step: Step, batch: Batch, settings: Tensor, keep: Sequence[Tensor]) -> None:
        x, y, weight = batch
        self._batch: Batch = (x.clone(), y.clone(), None if weight is None else weight.clone())
        self._settings = settings.clone()
        before = [tensor.clone() for tensor in keep]
        try:
            self._replay, self._loss = record(lambda: step(self._batch, self._settings), x.device)
        finally:
            for tensor, value in zip(keep, before, strict=True):
                tensor.copy_(value)

    def fits(self, batch: Batch) -> bool:
        """Whether a batch has the recorded shape; the last one of an epoch may not."""
        return batch[0].shape == self._batch[0].shape

    def __call__(self, batch: Batch, settings: Tensor) -> Tensor:
        """One step; the loss before it."""
        for place, value in zip((*self._batch, self._settings), (*batch, settings), strict=True):
            if place is not None and value is not None:
                place.copy_(value)
        self._replay()
        return self._loss.clone()


def record(work: Callable[[], Tensor], device: torch.device) -> tuple[Callable[[], Any], Tensor]:
    """Do some work a few times, then record it: what replays it, and the place of its result.

    The recording is made on a stream of the device itself: torch's own choice is one stream for the whole process, on
    the device that was current when it was made. Another thread may wait for the device meanwhile (the one that sends
    rows does), so only what this thread calls may spoil the recording.
    """
    with on(device):
        now = torch.cuda.current_stream(device)
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side.wait_stream(now)
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                work()
        now.wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=side, capture_error_mode="thread_local"):
            result = work()
        now.wait_stream(side)

    def replay() -> None:
        with on(device):
            graph.replay()

    return replay, result
