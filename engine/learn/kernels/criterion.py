"""The losses on torch tensors; see `engine.registry.losses` for what they mean."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from engine.registry.losses import REGISTRY, Loss


class Criterion:
    """The mean loss of a batch, in scaled units.

    Args:
        loss: its name.
    """

    def __init__(self, loss: str) -> None:
        self._classes = REGISTRY[loss].classes
        self._of_rows, self._of_batch = _functions(REGISTRY[loss])

    def __call__(self, output: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
        """The mean: a scalar.

        Args:
            output: [b, k].
            y: [b, k], for a loss by a logit for each class the class numbers [b].
            weight: [b]; None where all rows weigh the same.

        Raises:
            AssertionError: shapes that would broadcast, which torch would do without a word.
        """
        wanted = output.shape[:1] if self._classes else output.shape
        assert y.shape == wanted, f"targets {tuple(y.shape)} against {tuple(wanted)} would broadcast"
        if weight is None:
            return self._of_batch(output, y)
        return (self._of_rows(output, y).reshape(-1) * weight).mean()


def _functions(one: Loss) -> tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]:
    """The losses of rows of outputs and targets, and their mean: torch's own, or by the formula of the record."""
    if one.layer:
        layer = getattr(nn, one.layer)
        return layer(reduction="none").forward, layer().forward
    formula = one.torch
    assert formula is not None  # as there is no layer
    return partial(formula, torch), lambda output, y: formula(torch, output, y).mean()
