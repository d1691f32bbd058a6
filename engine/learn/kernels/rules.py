"""The first-order update rules on flat torch vectors; see `engine.learn.optimizers` for their constants."""

from __future__ import annotations

from math import sqrt

from torch import Tensor

from engine.learn import optimizers as o


def update(
    rule: o.FirstOrder,
    parameters: Tensor,
    gradient: Tensor,
    memory: list[Tensor],
    count: int,
    lr: float,
    momentum: float,
    weight_decay: float,
) -> None:
    """One update in place.

    Args:
        parameters, gradient: [p]; the gradient may be overwritten.
        memory: `optimizers.MEMORY[rule]` vectors [p], zero at first.
        count: updates made with this memory, this one included (1 at first).
        weight_decay: of adamw only, decoupled from the gradient.
    """
    if rule == "sgd":
        parameters.sub_(gradient.mul_(lr))
    elif rule in ("momentum", "nesterov"):
        velocity = memory[0].mul_(momentum).add_(gradient)
        direction = gradient.add_(velocity, alpha=momentum) if rule == "nesterov" else velocity
        parameters.sub_(direction * lr)
    elif rule == "adagrad":
        total = memory[0].addcmul_(gradient, gradient)
        parameters.addcdiv_(gradient, total.sqrt().add_(o.ADAGRAD_EPSILON), value=-lr)
    elif rule == "rmsprop":
        square = memory[0].mul_(o.RMSPROP_DECAY).addcmul_(gradient, gradient, value=1 - o.RMSPROP_DECAY)
        parameters.addcdiv_(gradient, square.sqrt().add_(o.RMSPROP_EPSILON), value=-lr)
    else:
        if rule == "adamw":
            parameters.mul_(1 - lr * weight_decay)
        mean = memory[0].lerp_(gradient, 1 - o.BETA1)
        square = memory[1].mul_(o.BETA2).addcmul_(gradient, gradient, value=1 - o.BETA2)
        width = square.sqrt().div_(sqrt(1 - o.BETA2**count)).add_(o.ADAM_EPSILON)
        parameters.addcdiv_(mean, width, value=-lr / (1 - o.BETA1**count))
