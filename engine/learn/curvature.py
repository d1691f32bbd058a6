"""What can be known of a linear model's loss before the first step: its steepness, its stiffness, its lowest point.

With A = [X 1] (rows of features and a one for the bias) the mean squared error has the Hessian (2/n) A'A. Along the
eigenvector with eigenvalue λ a step of learning rate r multiplies the distance to the optimum by 1 - r λ: beyond
r = 2/λmax the steepest direction grows, and κ = λmax/λmin is about the number of steps that the flattest direction
needs. For logits the Hessian is at most (1/4n) A'A (two classes) or (1/2n) A'A (more; Böhning 1992).

Everything comes from a QR decomposition of A, made block by block so that no copy of a large table is needed; the
eigenvalues of A'A would cost half the digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, log

import numpy as np
from numpy.typing import NDArray

from engine.data.normalize import Normalizer
from engine.learn.objective import baseline, unit
from engine.registry.losses import MSE, REGISTRY

Floats = NDArray[np.float64]
BLOCK = 16_384  # rows decomposed at once


@dataclass(frozen=True)
class LossSurfaceFacts:
    """What is known about the loss surface of a run; losses are in the target's own units, without penalties."""

    lr_bound: float | None = None  # the largest learning rate stable for full-batch descent, 2/λmax
    condition_number: float | None = None  # κ = λmax/λmin; None where unknown, or infinite to rounding
    optimum_loss: float | None = None  # the train loss at the optimum of the (penalised) objective
    baseline_loss: float = float("nan")  # the train loss of the best constant: the mean predictor's, the class shares'
    optimum_weights: Floats | None = None  # [d, k] on normalized features
    optimum_bias: Floats | None = None  # [k]
    row_curvature: float | None = None  # the greatest λ of one row's loss
    penalised: bool = False  # whether an L2 penalty has moved the optimum
    separable: bool = False  # whether a plane parts the classes: the loss then falls to 0 as the weights grow for ever

    def stable_lr(self, batch: int, rows: int) -> float | None:
        """The learning rate below which descent on batches of `batch` of `rows` rows is stable in the mean square.

        With H_B the Hessian of a random batch of B rows, H that of all and R the greatest of one row's,
        E[H_B^2] <= (1 - 1/B) H^2 + (R/B) H, so 2/((1 - 1/B) λmax + R/B) is enough (Needell, Srebro and Ward 2016 for
        one row, Ma, Bassily and Belkin 2018 for batches). With all rows in a batch it is 2/λmax.
        """
        if self.lr_bound is None or batch >= rows or self.row_curvature is None:
            return self.lr_bound
        return 2.0 / ((1 - 1 / batch) * 2.0 / self.lr_bound + self.row_curvature / batch)

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


def qr_factor(x: Floats, y: Floats | None = None, root: Floats | None = None) -> Floats:
    """The R of a QR decomposition of [X 1] or [X 1 y], at most [d + 2, d + 2].

    Args:
        x: [n, d].
        y: [n], a further column.
        root: [n], what each row is multiplied by (square roots of row weights).
    """
    width = x.shape[1] + (1 if y is None else 2)
    upper = np.empty((0, width))
    for start in range(0, len(x), BLOCK):
        rows = slice(start, min(start + BLOCK, len(x)))
        block = np.empty((rows.stop - start, width))
        block[:, : x.shape[1]] = x[rows]
        block[:, x.shape[1]] = 1.0
        if y is not None:
            block[:, -1] = y[rows]
        if root is not None:
            block *= root[rows, None]
        upper = np.asarray(np.linalg.qr(np.concatenate([upper, block]), mode="r"))
    return upper


def measurable(loss: str, x: Floats) -> bool:
    """Whether the loss has a steepest curvature, and x [n, d] no numbers too huge to compute it from."""
    n, d = x.shape
    with np.errstate(over="ignore"):
        most = max(x.max(initial=0.0), -x.min(initial=0.0)) ** 2
    return REGISTRY[loss].steepest is not None and bool(most < np.finfo(np.float64).max / (4 * n * (d + 1)))


def _with_penalty(upper: Floats, l2: float, rows: int, steepest: float) -> Floats:
    """R of [X 1 …] with rows added that stand for an L2 penalty of the weights: H + l2 I on them, none on the bias."""
    if not l2:
        return upper
    d = upper.shape[1] - 2
    extra = np.zeros((d, upper.shape[1]))
    extra[:, :d] = np.sqrt(rows * l2 / steepest) * np.eye(d)
    return np.asarray(np.linalg.qr(np.concatenate([upper, extra]), mode="r"))


def _steepness(upper: Floats, steepest: float, rows: int) -> tuple[float | None, float]:
    """(κ, 2/λmax) from the R of [X 1]; κ is None where it is infinite to rounding."""
    width = upper.shape[1]
    singular = np.linalg.svd(upper, compute_uv=False)
    full = len(singular) == width and singular[-1] > singular[0] * max(rows, width) * np.finfo(np.float64).eps
    kappa = float((singular[0] / singular[-1]) ** 2) if full else None
    return kappa, 2.0 * rows / (steepest * float(singular[0]) ** 2)


def under(upper: Floats, loss: str, rows: int, old: Normalizer, new: Normalizer) -> tuple[float | None, float | None]:
    """(κ, 2/λmax) of a linear model under another normalization than the one that its features have; None if unknown.

    The columns of one are linear in those of the other and the column of ones, so the R of the one is that of the
    other times a small matrix.

    Args:
        upper: the `qr_factor` of the features under the old one, and of anything beside them.
        rows: how many there are.
    """
    steepest, d = REGISTRY[loss].steepest, len(old.scale)
    if steepest is None:
        return None, None
    change = np.eye(d + 1)
    change[np.arange(d), np.arange(d)] = old.scale / new.scale
    change[d, :d] = (old.offset - new.offset) / new.scale
    with np.errstate(over="ignore", invalid="ignore"):
        moved = upper[:, : d + 1] @ change
        most = np.abs(moved).max(initial=0.0)
    if not most < np.sqrt(np.finfo(np.float64).max) / (2 * (d + 1)):
        return None, None
    return _steepness(moved, steepest, rows)


def _solve(upper: Floats) -> Floats:
    """The least squares solution [d + 1] from the R of [X 1 y]. Columns are brought to one length first."""
    a, b = upper[:, :-1], upper[:, -1]
    lengths = np.sqrt(np.einsum("ij,ij->j", a, a))
    lengths[lengths == 0] = 1.0
    solution: Floats = np.linalg.lstsq(a / lengths, b, rcond=None)[0]
    return np.asarray(solution / lengths)


def survey_loss(
    loss: str,
    x: Floats,
    y: Floats,
    *,
    classes: int = 0,
    weight: Floats | None = None,
    scale: float = 1.0,
    l1: float = 0.0,
    l2: float = 0.0,
    optimum: bool = True,
    upper: Floats | None = None,
) -> LossSurfaceFacts:
    """Facts of a linear model under one of the losses.

    Args:
        x: [n, d] normalized features of the train rows.
        y: [n] scaled targets, or class numbers.
        classes: number of classes, for cross-entropy.
        weight: [n] row weights, None for ones.
        scale: the target's scale; losses are given in the target's own units. The stable learning rate belongs to the
            scaled target, on which descent is done.
        l1, l2: penalties; with an L1 penalty the optimum is not computed.
        optimum: whether to find the optimum too.
        upper: the `qr_factor` of these x, y and weights, where it is known already.
    """
    with np.errstate(over="ignore"):  # numbers beyond computing are what the next lines look for
        per = unit(loss, scale)
        base = baseline(loss, y, classes, weight) * per
    n, one = len(x), REGISTRY[loss]
    if not measurable(loss, x) or one.steepest is None:
        return LossSurfaceFacts(baseline_loss=base)
    steepest = one.steepest
    root = None if weight is None else np.sqrt(weight)
    upper = _with_penalty(qr_factor(x, y, root) if upper is None else upper, l2, n, steepest)
    kappa, bound = _steepness(upper[:, :-1], steepest, n)
    longest = float(np.max((np.einsum("ij,ij->i", x, x) + 1) * (1.0 if weight is None else weight)))
    facts = LossSurfaceFacts(bound, kappa, baseline_loss=base, row_curvature=steepest * longest + l2, penalised=l2 > 0)
    if l1 or not optimum or not (one.squared or one.second):
        return facts
    if not one.squared:
        return _with_newton(facts, loss, x, y, max(classes, 2), weight, l2, per)
    return _with_solution(facts, upper, x, y, weight, l2, per)


def _with_newton(
    facts: LossSurfaceFacts, loss: str, x: Floats, y: Floats, classes: int, weight: Floats | None, l2: float, per: float
) -> LossSurfaceFacts:
    """The facts with the optimum that Newton's method finds, where it finds one; `per` is the unit of the loss."""
    from engine.learn.newton import minimise

    found = minimise(loss, x, y, classes, weight, l2)
    if found is None:
        return facts
    return replace(
        facts,
        condition_number=found.condition_number,
        optimum_loss=found.loss * per,
        optimum_weights=found.weights,
        optimum_bias=found.bias,
        separable=found.separable,
    )


def _with_solution(
    facts: LossSurfaceFacts, upper: Floats, x: Floats, y: Floats, weight: Floats | None, l2: float, per: float
) -> LossSurfaceFacts:
    """The facts with the least squares solution, from the R of [X 1 y]; `per` is the unit of the loss."""
    d, solution = x.shape[1], _solve(upper)
    if not l2:
        # One step of refinement: what is left over is fitted again, with an error of second order.
        root = None if weight is None else np.sqrt(weight)
        solution = solution + _solve(qr_factor(x, y - x @ solution[:d] - solution[d], root))
    residual = y - x @ solution[:d] - solution[d]
    with np.errstate(over="ignore"):
        square = residual**2 if weight is None else residual**2 * weight
    return replace(
        facts,
        optimum_loss=float(np.mean(square)) * per,
        optimum_weights=solution[:d, None].copy(),
        optimum_bias=solution[d:].copy(),
    )


def stiffness(x: Floats, loss: str = MSE.name) -> tuple[float | None, float | None]:
    """(κ, 2/λmax) of a linear model on features [n, d] by its steepest possible Hessian; None where unknown."""
    facts = survey_loss(loss, x, np.zeros(len(x)), optimum=False, classes=2)
    return facts.condition_number, facts.lr_bound
