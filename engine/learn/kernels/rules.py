"""The first-order update rules on flat torch vectors; see `engine.learn.optimizers` for their constants."""

from __future__ import annotations

from math import sqrt
from typing import Any, TypeAlias

from torch import Tensor

from engine.learn import optimizers as o

Settings: TypeAlias = Any  # three numbers, or a tensor [3] on the device: what differs from update to update


def settings(lr: float, count: int) -> tuple[float, float, float]:
    """The learning rate, and Adam's corrections of its two means for having begun at zero.

    Args:
        count: updates made with this memory, this one included (1 at first).
    """
    return lr, lr / (1 - o.BETA1**count), sqrt(1 - o.BETA2**count)


def update(
    rule: o.FirstOrder,
    parameters: Tensor,
    gradient: Tensor,
    memory: list[Tensor],
    now: Settings,
    momentum: float,
    weight_decay: float,
) -> None:
    """One update in place.

    Args:
        parameters, gradient: [p]; the gradient may be overwritten.
        memory: `optimizers.MEMORY[rule]` vectors [p], zero at first.
        now: `settings` of this update; as a tensor the update can be recorded (see `graphs`).
        weight_decay: of adamw only, decoupled from the gradient.
    """
    lr, corrected, root = now
    if rule == "sgd":
        parameters.sub_(gradient.mul_(lr))
    elif rule in ("momentum", "nesterov"):
        velocity = memory[0].mul_(momentum).add_(gradient)
        direction = gradient.add_(velocity, alpha=momentum) if rule == "nesterov" else velocity
        parameters.sub_(direction * lr)
    elif rule == "adagrad":
        total = memory[0].addcmul_(gradient, gradient)
        _descend(parameters, gradient, total.sqrt().add_(o.ADAGRAD_EPSILON), lr)
    elif rule == "rmsprop":
        square = memory[0].mul_(o.RMSPROP_DECAY).addcmul_(gradient, gradient, value=1 - o.RMSPROP_DECAY)
        _descend(parameters, gradient, square.sqrt().add_(o.RMSPROP_EPSILON), lr)
    else:
        if rule == "adamw":
            parameters.mul_(1 - lr * weight_decay)
        mean = memory[0].lerp_(gradient, 1 - o.BETA1)
        square = memory[1].mul_(o.BETA2).addcmul_(gradient, gradient, value=1 - o.BETA2)
        _descend(parameters, mean, square.sqrt().div_(root).add_(o.ADAM_EPSILON), corrected)


def _descend(parameters: Tensor, above: Tensor, below: Tensor, size: float | Tensor) -> None:
    """parameters -= size * above / below."""
    if isinstance(size, Tensor):
        parameters.sub_(above.div(below).mul_(size))
    else:
        parameters.addcdiv_(above, below, value=-size)
