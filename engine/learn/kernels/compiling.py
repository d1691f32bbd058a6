"""torch.compile, for those who ask for it: a model's forward and backward as one piece of generated code.

It takes ten seconds and more at first, and a compiler on the machine. On small models the calls between Python and the
generated code cost more than the code saves, so nobody gets it unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from engine.base.errors import InputError
from engine.learn import sentences

Forward = Callable[[Tensor], Tensor]


def compiled(
    module: nn.Module, examples: Sequence[Tensor], around: Callable[[], AbstractContextManager[object]], name: str
) -> Forward:
    """The module compiled, forward and backward, for batches like the examples [rows, inputs]; parameters are shared.

    It is tried on them, which leaves the gradient changed, and buffers and random numbers as they were. Random numbers
    are drawn as the module itself draws them.

    Args:
        around: what a forward pass happens inside.
        name: of the model, for messages.

    Raises:
        InputError: it cannot be compiled here.
    """
    kept = [buffer.clone() for buffer in module.buffers()]
    devices = [x.device for x in examples[:1] if x.device.type == "cuda"]
    try:
        forward: Forward = torch.compile(module, options={"fallback_random": True})
        with torch.random.fork_rng(devices=devices), torch.enable_grad():
            for x in examples:
                with around():
                    output = forward(x)
                torch.autograd.backward(output.float().sum() * 0.0)
    except Exception as error:  # its failures are of many classes, most of them private
        raise InputError(sentences.NOT_COMPILED(model=name, reason=_reason(error))) from error
    finally:
        for buffer, before in zip(module.buffers(), kept, strict=True):
            buffer.copy_(before)
    return forward


def _reason(error: BaseException) -> str:
    """The first line that says something, of the error that began it."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
