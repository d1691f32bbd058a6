"""Full-batch gradient descent on the mean squared error, every step at once.

With A = [X 1] the loss is a quadratic with the Hessian H = (2/n) A'A + l2 I (the bias without the l2). Along an
eigenvector of H with eigenvalue λ a step of learning rate r multiplies the distance to the optimum by ρ = 1 - r λ, so
k steps multiply it by ρ^k, and the loss after them is

    loss_k = floor + Σ a ρ^(2k)        a = the direction's share of the first loss.

A block of B·B steps is one matrix product: with k = i·B + j the term a ρ^(2k) is a q^(iB) times q^j, q = ρ². The
numbers are those of descent step by step without its rounding (Boyd and Vandenberghe 2004, section 9.3, on the rates).

Eigenvalues come from a singular value decomposition of A's triangular factor: A'A itself would cost half the digits.
The shares a are projections of the residuals, not of the distance to an optimum that is hardly known along flat
directions. Powers are taken as exp(k log|ρ|), whose relative error does not grow with k. Blocks are counted from
the step at which the learning rate was last changed, so that no chunking of the run changes a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.prepare import Prepared
from engine.learn import sentences
from engine.learn.curvature import LossSurfaceFacts, qr_factor
from engine.learn.kernels import measure
from engine.learn.kernels.contract import Floats, Parameters, Split, State
from engine.learn.kernels.steering import Unserved
from engine.learn.kernels.threads import limited
from engine.learn.models import init_parameters
from engine.learn.objective import unit
from engine.learn.plan import Plan
from engine.registry.modes import DEFAULT
from engine.registry.rules import SGD

SIDE = 512  # steps in a row of a block, at most; a block has as many rows
ROOM = 1 << 20  # float64 numbers that a block with an L2 penalty may take
WIDEST = 2000  # features; beyond it the decomposition takes longer than it saves
NOTHING = -340.0  # exp of less than this is put to 0: the product of two is still a normal number


def refusal(plan: Plan, facts: LossSurfaceFacts) -> str | None:
    """Why this kernel cannot follow a plan, a clause after "spectral"; None where it can."""
    if not (plan.architecture.linear and plan.objective.squared):
        return sentences.LINEAR_ONLY(model=plan.model, loss=plan.loss)
    if plan.optimizer != SGD.name:
        return sentences.DESCENT_ONLY(wanted=SGD.name, optimizer=plan.optimizer)
    if not plan.full_batch:
        return sentences.FULL_BATCHES_ONLY(batch=plan.batch)
    if plan.scheduled:
        return sentences.CONSTANT_RATE_ONLY()
    if plan.l1 or plan.clip is not None:
        return sentences.NO_L1_NOR_CLIP()
    if plan.precision != "float64":
        return sentences.FLOAT64_ONLY(precision=plan.precision)
    if plan.device != "cpu":
        return sentences.CPU_ONLY(device=plan.device)
    if facts.lr_bound is None:
        return sentences.FINITE_SQUARES(mode=DEFAULT)
    if plan.architecture.inputs > WIDEST:
        return sentences.TOO_MANY_FEATURES(most=WIDEST, features=plan.architecture.inputs)
    return None


@dataclass(frozen=True)
class Basis:
    """The loss surface seen along the r eigenvectors of its Hessian, from the first parameters.

    Attributes:
        directions: [d + 1, r], the eigenvectors; the bias comes last.
        curvature: [r], λ.
        distance: [r], what is left to go along each at first.
        residuals: [m, r], what each does to the residuals at first, rotated; its squares sum to n times the loss.
        constant: [m], the part of the rotated residuals that stays.
        floor: the part of the loss that no linear model explains.
        rows: n.
        orthogonal: whether the columns of `residuals` are so, and `constant` is 0: without a penalty.
    """

    directions: Floats
    curvature: Floats
    distance: Floats
    residuals: Floats
    constant: Floats
    floor: float
    rows: int
    orthogonal: bool


def decompose(x: Floats, y: Floats, start: Floats, l2: float) -> Basis:
    """The basis for features [n, d], scaled targets [n], first parameters [d + 1] and an L2 penalty."""
    n, d = x.shape
    residual = x @ start[:d] + start[d] - y
    size = float(np.abs(residual).max(initial=0.0)) or 1.0  # so that no square overflows before it must
    upper = qr_factor(x, residual / size)
    system = upper[: d + 1]
    if l2:
        extra = np.zeros((d, d + 2))
        extra[:, :d] = np.sqrt(n * l2 / 2) * np.eye(d)
        extra[:, -1] = np.sqrt(n * l2 / 2) * start[:d] / size
        system = np.asarray(np.linalg.qr(np.concatenate([system, extra]), mode="r"))[: d + 1]
    u, s, vt = np.linalg.svd(system[:, :-1], full_matrices=False)
    along = u.T @ system[:, -1]
    distance = np.divide(along, s, out=np.zeros_like(along), where=s > 0)
    if l2:
        turned = upper[: d + 1, :-1] @ vt.T * distance
        constant = upper[: d + 1, -1] - turned.sum(axis=1)
    else:
        turned, constant = u * along, system[:, -1] - u @ along
    left = float(upper[d + 1 :, -1] @ upper[d + 1 :, -1])
    if not l2:
        left, constant = left + float(constant @ constant), np.zeros(len(constant))
    with np.errstate(over="ignore"):
        return Basis(
            directions=vt.T,
            curvature=2 / n * s**2,
            distance=distance * size,
            residuals=turned * size,
            constant=constant * size,
            floor=left / n * size**2,
            rows=n,
            orthogonal=not l2,
        )


class Spectral:
    """Gradient descent in the eigenbasis of its loss.

    Args:
        plan: one that `refusal` has nothing against.
        prepared: the table; its arrays are used as they are.
        limit: a loss above it, in the target's own units, counts as diverged.
    """

    def __init__(self, plan: Plan, prepared: Prepared, limit: float) -> None:
        self._plan, self._prepared = plan, prepared
        self._limit = min(limit, float(np.finfo(np.float64).max))
        self._unit = unit(plan.loss, prepared.target_scale.scale)
        start = init_parameters(plan.architecture, plan.init, plan.seed)
        self._start = np.concatenate([start["weight"][:, 0], start["bias"]])
        with limited(1), np.errstate(over="ignore", invalid="ignore"):
            self._basis = decompose(prepared.train.x, prepared.train.y, self._start, plan.l2)
        count = len(self._basis.curvature)
        # A power of two, so that signs repeat in every row.
        room = int(np.sqrt(ROOM / count) if not self._basis.orthogonal else SIDE * np.sqrt(min(1, 64 / count)))
        self._side = max(16, min(SIDE, 1 << room.bit_length() - 1))
        self._lr, self._factor, self._momentum = plan.lr, 1.0, plan.momentum
        self._step = 0
        self._anchor = 0  # the step at which this learning rate began
        # What the steps before the anchor have done to each direction: its distance is `left` times the first one,
        # and `moved` is left - 1 with all its digits. `before` is `moved` one step earlier.
        self._left, self._moved, self._before = np.ones(count), np.zeros(count), np.zeros(count)
        self._back = False  # whether the run has diverged, and the parameters are those of the step before
        self._logarithms: tuple[Floats, Floats] | None = None
        self._columns: Floats | None = None
        # Whether no loss can be above one before it: no |ρ| is above 1, and all terms are positive.
        self._falling = False
        self._here: tuple[int, Floats] | None = None  # a step, and the parameters there
        # The newest block that was not wanted as a whole.
        self._block, self._number = np.empty(self._side * self._side), -1

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._step

    # Powers of ρ.

    def _logarithm(self) -> tuple[Floats, Floats]:
        """log|ρ| [r], and the sign of ρ [r]."""
        if self._logarithms is None:
            x = self._lr * self._factor * self._basis.curvature
            with np.errstate(divide="ignore", over="ignore"):
                logarithm = np.where(x < 1, np.log1p(-np.minimum(x, 1)), np.log1p(np.maximum(x, 1) - 2))
            # ρ = 0: a number so low that its product with any step but 0 is nothing.
            self._logarithms = np.maximum(logarithm, -1e300), np.where(x > 1, -1.0, 1.0)
        return self._logarithms

    def _grown(self, steps: int) -> Floats:
        """ρ^steps - 1 [r]."""
        logarithm, sign = self._logarithm()
        with np.errstate(over="ignore"):
            return np.where((sign > 0) | (steps % 2 == 0), np.expm1(steps * logarithm), -np.exp(steps * logarithm) - 1)

    def _moved_at(self, step: int) -> Floats:
        """What the steps so far have done to each direction: left - 1, [r]."""
        if step < self._anchor:
            return self._before
        grown = self._grown(step - self._anchor)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self._moved + grown * self._left)

    def _table(self) -> Floats:
        """What a step within a row of a block does to each term, [side, r + 1]; the same for every row and block."""
        basis, side = self._basis, self._side
        logarithm, sign = self._logarithm()
        j = np.arange(side, dtype=np.float64)[:, None]
        if basis.orthogonal:
            return np.column_stack([_exp(2 * j * logarithm), np.ones(side)])
        return np.where(j % 2 == 0, 1.0, sign) * _exp(j * logarithm)

    def _compute(self, number: int, out: Floats) -> None:
        """Put the losses of a block of steps, counted from the anchor, in the target's own units, into out [size]."""
        basis, side = self._basis, self._side
        i = float(number * side * side) + side * np.arange(side, dtype=np.float64)[:, None]
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            logarithm, _ = self._logarithm()
            if self._columns is None:
                self._columns = self._table()
                self._falling = basis.orthogonal and bool((logarithm <= 0).all())
            if basis.orthogonal:
                share = np.einsum("ij,ij->j", basis.residuals, basis.residuals) / basis.rows * self._left**2
                terms = np.where(share > 0, share * _exp(2 * i * logarithm), 0.0)
                rows = np.column_stack([terms, np.full(side, basis.floor)]) * self._unit
                np.matmul(rows, self._columns.T, out=out.reshape(side, side))
            else:
                rows = np.where(self._left != 0, self._left * _exp(i * logarithm), 0.0)
                powers = (rows[:, None, :] * self._columns[None, :, :]).reshape(side * side, -1)
                turned = powers @ basis.residuals.T + basis.constant
                np.einsum("ij,ij->i", turned, turned, out=out)
                out /= basis.rows
                out += basis.floor
                out *= self._unit

    # The contract.

    def advance(self, steps: int) -> Floats:
        """See `Kernel.advance`."""
        losses, size, taken = np.empty(steps), self._side * self._side, 0
        with limited(1):
            while taken < steps:
                number, offset = divmod(self._step - self._anchor, size)
                part = losses[taken : taken + size - offset]
                if len(part) == size:
                    self._compute(number, part)
                else:
                    if number != self._number:
                        self._compute(number, self._block)
                        self._number = number
                    part[:] = self._block[offset : offset + len(part)]
                # Losses that fall all the way need no second look. Whether NaN or above the limit, one is not `<=` it.
                if not (part[0] if self._falling else part.max()) <= self._limit:
                    good = int(np.argmin(part <= self._limit))
                    self._step += good
                    self._back = self._step > 0
                    return losses[: taken + good + 1].copy()
                self._step += len(part)
                taken += len(part)
        return losses

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`; takes lr, lr_factor from a plateau, and momentum for whoever takes over."""
        if field == "momentum":
            self._momentum = float(value)
            return
        if (field, value) in (("optimizer", SGD.name), ("batch_size", "full")):
            return  # as it is
        if field not in ("lr", "lr_factor"):
            raise Unserved(sentences.NOT_CHANGED_BY_SPECTRAL(field=field))
        if self._step > self._anchor:
            self._before = self._moved_at(self._step - 1)
            self._moved = self._moved_at(self._step)
            with np.errstate(over="ignore"):
                self._left = self._left * (1 + self._grown(self._step - self._anchor))
            self._anchor = self._step
        if field == "lr":
            self._lr = float(value)
        elif field == "lr_factor":
            self._factor = float(value)
        self._forget()

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`."""
        with limited(1, self._prepared.train.x.size):
            return measure.gradient(self._plan, self._prepared, self.parameters())

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        with limited(1, measure.rows_of(self._prepared, split).x.size):
            return measure.evaluate(self._plan, self._prepared, self.parameters(), split)

    def outputs(self, split: Split) -> Floats:
        """See `Kernel.outputs`."""
        with limited(1):
            return measure.outputs(self._plan, self.parameters(), measure.rows_of(self._prepared, split).x)

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`."""
        flat = self._flat()
        return Parameters({"weight": flat[:-1, None].copy(), "bias": flat[-1:].copy()})

    def _flat(self) -> Floats:
        """The parameters [d + 1]; not to be written to."""
        step, basis = self._step - self._back, self._basis
        if self._here is None or self._here[0] != step:
            with np.errstate(over="ignore", invalid="ignore"):
                moved = np.where(basis.distance == 0, 0.0, self._moved_at(step) * basis.distance)
            with limited(1, basis.directions.size):
                self._here = step, np.asarray(self._start + basis.directions @ moved)
        return self._here[1]

    def state(self) -> State:
        """See `Kernel.state`; with what another kernel needs to take over."""
        return State(
            {"parameters": self._flat().copy(), "left": self._left, "moved": self._moved, "before": self._before},
            {
                "step": self._step,
                "epoch": self._step,
                "row": 0,
                "batch": self._plan.rows,
                "lr": self._lr,
                "factor": self._factor,
                "momentum": self._momentum,
                "optimizer": SGD.name,
                "count": self._step,
                "anchor": self._anchor,
                "back": int(self._back),
            },
        )

    def restore(self, state: State) -> None:
        """See `Kernel.restore`."""
        arrays, facts = state.arrays, state.facts
        self._left, self._moved, self._before = (arrays[name].copy() for name in ("left", "moved", "before"))
        self._step, self._anchor, self._back = int(facts["step"]), int(facts["anchor"]), bool(facts["back"])
        self._lr, self._factor, self._momentum = (float(facts[name]) for name in ("lr", "factor", "momentum"))
        self._forget()

    def _forget(self) -> None:
        """Drop what was computed for another learning rate or position."""
        self._logarithms = self._columns = self._here = None
        self._number = -1


def _exp(exponent: Floats) -> Floats:
    """exp, with what is beyond use put to 0: numbers close to the smallest there are make arithmetic slow."""
    with np.errstate(over="ignore"):  # a diverging run goes to infinity, as real descent does
        return np.where(exponent < NOTHING, 0.0, np.exp(exponent))
