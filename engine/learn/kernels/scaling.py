"""fp16's loss scaling: gradients that fp16 would round to zero are made large, as torch.amp.GradScaler does it."""

from __future__ import annotations

import torch
from torch import Tensor

FIRST, GROWTH, PATIENCE = 2.0**16, 2.0, 2000  # GradScaler's own


class Scaler:
    """The factor on the loss: halved when a gradient overflows, doubled when none has for a while.

    Args:
        wanted: whether the run computes in fp16; else the factor is 1 for ever.
    """

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.scale, self.unharmed = FIRST, 0

    @property
    def factor(self) -> float:
        """What the loss is multiplied with."""
        return self.scale if self.wanted else 1.0

    def unscale(self, gradient: Tensor) -> bool:
        """Take the factor out of the gradient; False when it overflowed and the factor was lowered."""
        if not self.wanted:
            return True
        if not bool(torch.isfinite(gradient).all()):
            self.scale, self.unharmed = self.scale / GROWTH, 0
            return False
        gradient.div_(self.scale)
        self.unharmed += 1
        if self.unharmed >= PATIENCE:
            self.scale, self.unharmed = self.scale * GROWTH, 0
        return True
