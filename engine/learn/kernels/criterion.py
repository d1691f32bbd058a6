"""The losses on torch tensors; see `engine.learn.objective` for what they mean."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from engine.learn.objective import HUBER, Loss


def mean_loss(loss: Loss, output: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """The mean loss of a batch, in scaled units: a scalar.

    Args:
        output: [b, k].
        y: [b, k], for cross-entropy class numbers [b].
        weight: [b]; None where all rows weigh the same.

    Raises:
        AssertionError: shapes that would broadcast, which torch would do without a word.
    """
    wanted = output.shape[:1] if loss == "cross-entropy" else output.shape
    assert y.shape == wanted, f"targets {tuple(y.shape)} against {tuple(wanted)} would broadcast"
    how = "mean" if weight is None else "none"
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
