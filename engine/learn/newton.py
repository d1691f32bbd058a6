"""The optimum of linear models by Newton's method, to the last digits: of losses with a second derivative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.learn.objective import mean_loss, output_gradients
from engine.registry.losses import REGISTRY, Loss

Floats = NDArray[np.float64]
LARGEST = 1500  # parameters for which the Hessian is formed
WORK = 4e10  # multiplications beyond which the optimum is not worth waiting for
ITERATIONS = 100
FLAT = 1e-9  # a gradient by the outputs of a regression that is as good as nothing
LARGE = 40.0  # a logit at which a row counts as decided for ever


@dataclass(frozen=True)
class Optimum:
    """Where the penalised objective is least."""

    loss: float  # without the penalty
    weights: Floats  # [d, k]
    bias: Floats  # [k]
    condition_number: float | None
    separable: bool


def minimise(loss: str, x: Floats, y: Floats, classes: int, weight: Floats | None, l2: float) -> Optimum | None:
    """The optimum; None where the problem is too large for it, or where the steps do not lead to one.

    Without a penalty, separable classes have none: the loss falls to 0 as the weights grow. That is found by logits
    that pass ±40 on the way, and reported with loss 0. The softmax's own freedom (adding one vector to every class)
    is taken out by a tiny ridge in the solver that moves nothing else.
    """
    n, d = x.shape
    one = REGISTRY[loss]
    outputs = classes if one.classes else 1
    size = (d + 1) * outputs
    if size > LARGEST or float(n) * size * (d + 1) * 15 > WORK:
        return None
    a = np.column_stack([x, np.ones(n)])
    w = np.ones(n) if weight is None else weight
    ridge = np.zeros((d + 1, outputs))
    ridge[:d] = l2
    theta = np.zeros((d + 1, outputs))
    if one.for_regression:  # far from its targets a loss may hardly bend, and its second derivative tell no way
        theta[:, 0] = np.linalg.lstsq(a, y, rcond=None)[0]

    def objective(at: Floats) -> float:
        return mean_loss(loss, a @ at, y, weight) + float(np.sum(ridge * at**2)) / 2

    value, hessian = objective(theta), np.zeros((size, size))
    for _ in range(ITERATIONS):
        gradient, hessian = _derivatives(one, a, y, w, theta, ridge)
        flat = gradient.T.ravel()
        damped = hessian + np.eye(size) * (np.trace(hessian) / size * 1e-14 + 1e-300)
        try:
            move = np.linalg.solve(damped, flat)
        except np.linalg.LinAlgError:
            move = np.linalg.lstsq(hessian, flat, rcond=None)[0]
        direction = move.reshape(outputs, d + 1).T
        rate = 1.0
        while rate > 1e-10 and not objective(theta - rate * direction) <= value - 1e-4 * rate * float(flat @ move):
            rate /= 2
        step = theta - rate * direction
        new = objective(step)
        if not np.isfinite(new) or new > value:
            break
        done = value - new <= 1e-15 * abs(value) and float(np.abs(rate * direction).max()) <= 1e-8 * max(
            1.0, float(np.abs(theta).max())
        )
        theta, value = step, new
        if not l2 and not one.for_regression and _separates(a @ theta, y):
            return Optimum(0.0, theta[:d].copy(), theta[d].copy(), None, separable=True)
        if done:
            break
    if one.for_regression and not np.abs(_derivatives(one, a, y, w, theta, ridge)[0]).max() <= FLAT * np.abs(a).max():
        return None
    eigenvalues = np.linalg.eigvalsh(hessian)
    if one.classes:
        eigenvalues = eigenvalues[(d + 1 if not l2 else 1) :]  # the directions that change no probability
    positive = eigenvalues[0] > eigenvalues[-1] * size * np.finfo(np.float64).eps
    kappa = float(eigenvalues[-1] / eigenvalues[0]) if positive else None
    return Optimum(mean_loss(loss, a @ theta, y, weight), theta[:d].copy(), theta[d].copy(), kappa, separable=False)


def _derivatives(one: Loss, a: Floats, y: Floats, w: Floats, theta: Floats, ridge: Floats) -> tuple[Floats, Floats]:
    """Gradient [d + 1, k] and Hessian [(d + 1) k, (d + 1) k], its parameters class by class."""
    n, p = a.shape
    outputs = theta.shape[1]
    z = a @ theta
    gradient = a.T @ (output_gradients(one.name, z, y) * w[:, None]) / n + ridge * theta
    assert one.second is not None
    second = one.second(np, z, y.astype(np.int64)) if one.classes else one.second(np, z[:, 0], y)
    hessian = np.empty((p * outputs, p * outputs))
    for i in range(outputs):
        for j in range(i + 1):
            curve = (second(i, j) if one.classes else second) * w / n
            block = a.T @ (a * curve[:, None])
            hessian[i * p : (i + 1) * p, j * p : (j + 1) * p] = block
            hessian[j * p : (j + 1) * p, i * p : (i + 1) * p] = block.T
    hessian[np.diag_indices_from(hessian)] += ridge.T.ravel()
    return gradient, hessian


def _separates(z: Floats, y: Floats) -> bool:
    """Whether every row is on its own side, and one so far that its logit can only come from endless growth."""
    if z.shape[1] == 1:
        margin = np.where(y > 0, z[:, 0], -z[:, 0])
    else:
        own = z[np.arange(len(y)), y.astype(np.int64)]
        others = z.copy()
        others[np.arange(len(y)), y.astype(np.int64)] = -np.inf
        margin = own - others.max(axis=1)
    return bool(margin.min() > 0 and margin.max() > LARGE)
