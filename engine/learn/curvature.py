"""What can be known of a linear model's loss before the first step: its steepness, its stiffness, its lowest point.

The loss is (1/n) sum (y - A t)^2 with A = [X 1] (rows of features and a one for the bias), so its Hessian is
(2/n) A'A. Along the eigenvector with eigenvalue λ a step of learning rate r multiplies the distance to the optimum by
1 - r λ: beyond r = 2/λmax the steepest direction grows, and κ = λmax/λmin is about the number of steps that the
flattest direction needs. All of it comes from the singular values of A; those of A'A would cost half the digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Facts:
    """What is known about the loss surface of a run; losses are in the target's own units."""

    lr_bound: float | None  # the largest stable learning rate of full-batch descent, 2/λmax
    condition_number: float | None  # κ = λmax/λmin; None where λmin is zero to rounding (it is then infinite)
    optimum_loss: float | None  # the least train loss that the model can reach
    baseline_loss: float  # the train loss of the constant that fits best: the mean predictor's
    optimum_weights: Floats | None  # [d, k] on normalized features
    optimum_bias: Floats | None  # [k]
    row_bound: float | None  # the largest learning rate stable for batches of one row, 1/max |a|^2

    def stable_lr(self, batch: int, rows: int) -> float | None:
        """The learning rate below which descent on batches of `batch` of `rows` rows is stable in the mean square.

        For rows a and loss (y - a't)^2, E[H_B^2] <= (1 - 1/B) H^2 + (2 R^2/B) H with R^2 the greatest |a|^2, so
        2/((1 - 1/B) λmax + 2 R^2/B) is enough. (Needell, Srebro and Ward 2016 treat one row, Ma, Bassily and Belkin
        2018 batches.) With all rows in a batch it is 2/λmax.
        """
        if self.lr_bound is None or batch >= rows or self.row_bound is None:
            return self.lr_bound
        return 2.0 / ((1 - 1 / batch) * 2.0 / self.lr_bound + 2.0 / (batch * self.row_bound))

    def gap(self, loss: float) -> float | None:
        """How far a train loss is from the optimum, as a share of what the mean predictor leaves to gain."""
        if self.optimum_loss is None or not isfinite(loss):
            return None
        room = self.baseline_loss - self.optimum_loss
        return (loss - self.optimum_loss) / room if room > 0 else None

    def steps_to(self, share: float, lr: float) -> float | None:
        """Full-batch steps after which the gap has certainly shrunk to `share` of what it was; inf if never."""
        if self.lr_bound is None:
            return None
        if self.condition_number is None:
            return inf
        steepest = 2.0 / self.lr_bound
        factor = max(abs(1 - lr * steepest), abs(1 - lr * steepest / self.condition_number))
        return log(share) / (2 * log(factor)) if 0 < factor < 1 else (0.0 if factor == 0 else inf)


def least_squares(x: Floats, y: Floats, scale: float = 1.0) -> Facts:
    """Facts of the mean squared error of a linear model.

    Args:
        x: float64 [n, d] normalized features of the train rows.
        y: float64 [n] scaled target.
        scale: the target's scale s_y; losses are given in the target's own units, that is times s_y^2. The stable
            learning rate belongs to the scaled target, on which descent is done.
    """
    n, d = x.shape
    mean_loss = float(np.mean((y - y.mean()) ** 2))
    with np.errstate(over="ignore", invalid="ignore"):
        a = np.column_stack([x, np.ones(n)])
        if not np.isfinite(a).all():
            return Facts(None, None, None, mean_loss * scale**2, None, None, None)
        s = np.linalg.svd(_reduced(a), compute_uv=False)
        steepest = 2.0 * float(s[0]) ** 2 / n
        threshold = s[0] * max(n, d + 1) * np.finfo(np.float64).eps
        full = d + 1 <= n and s[-1] > threshold
        solution: Floats = np.linalg.lstsq(a, y, rcond=None)[0].astype(np.float64, copy=False)
        residual = y - a @ solution
        # One step of refinement: the correction's own error is of second order.
        solution += np.linalg.lstsq(a, residual, rcond=None)[0]
        residual = y - a @ solution
        row_bound = 1.0 / float(np.max(np.einsum("ij,ij->i", a, a)))
    if not isfinite(steepest):
        return Facts(None, None, None, mean_loss * scale**2, None, None, None)
    return Facts(
        lr_bound=2.0 / steepest,
        condition_number=float((s[0] / s[-1]) ** 2) if full else None,
        optimum_loss=float(np.mean(residual**2)) * scale**2,
        baseline_loss=mean_loss * scale**2,
        optimum_weights=solution[:d, None].copy(),
        optimum_bias=solution[d:].copy(),
        row_bound=row_bound,
    )


def _reduced(a: Floats) -> Floats:
    """A matrix with the singular values of a tall one, by QR: the decomposition then costs d^3 rather than n d^2."""
    n, d = a.shape
    return np.asarray(np.linalg.qr(a, mode="r")) if n > 4 * d else a


def stiffness(x: Floats) -> tuple[float | None, float | None]:
    """(κ, 2/λmax) of a linear model on features [n, d]; None where infinite or unknown."""
    facts = least_squares(x, np.zeros(len(x)))
    return facts.condition_number, facts.lr_bound
