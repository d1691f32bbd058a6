"""Curvature: bounds, condition numbers and optima against dense linear algebra, and against descent itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.data.normalize import fit
from engine.learn.curvature import BLOCK, LossSurfaceFacts, qr_factor, stiffness, survey_loss, under
from tests.conftest import near

Floats = NDArray[np.float64]
HOUSES = np.array([[10, 3], [20, 3], [25, 3], [28, 2.5], [30, 2], [35, 2.5], [40, 2.5]])
PRICES = np.array([60.0, 85, 100, 120, 140, 145, 163])


def least_squares(x: Floats, y: Floats, scale: float = 1.0) -> LossSurfaceFacts:
    return survey_loss("mse", x, y, scale=scale)


def descend(x: Floats, y: Floats, lr: float, steps: int) -> Floats:
    """Losses of plain full-batch descent from zeros."""
    a = np.column_stack([x, np.ones(len(x))])
    t, losses = np.zeros(a.shape[1]), []
    for _ in range(steps):
        error = a @ t - y
        losses.append(float(np.mean(error**2)))
        t -= lr * 2 / len(x) * (a.T @ error)
    return np.array(losses)


def test_houses() -> None:
    facts = least_squares(HOUSES, PRICES)
    assert facts.lr_bound is not None
    assert facts.condition_number is not None
    assert facts.optimum_loss is not None
    near(facts.lr_bound, 0.00123203, 1e-5)  # the digits given in the notes
    near(facts.condition_number, 141_217, 1e-5)
    near(facts.optimum_loss, 6.102774177, 1e-9)
    assert stiffness(HOUSES) == (facts.condition_number, facts.lr_bound)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(2, 60), features=st.integers(1, 6), spread=st.floats(0, 3), away=st.floats(-50, 50),
    seed=st.integers(0, 2**32),
)  # fmt: skip
def test_everything_agrees_with_dense_linear_algebra(
    rows: int, features: int, spread: float, away: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = away + random.standard_normal((rows, features)) * 10.0 ** random.uniform(-spread, spread, features)
    y = random.standard_normal(rows) + 3
    facts = least_squares(x, y)
    a = np.column_stack([x, np.ones(rows)])
    singular = np.linalg.svd(a, compute_uv=False)
    assert facts.lr_bound is not None
    near(facts.lr_bound, rows / singular[0] ** 2, 1e-9)
    if rows > features and singular[-1] > 1e-9 * singular[0]:
        # Rounding moves the least singular value by some ε of the greatest: its own relative error is ε κ^½.
        assert facts.condition_number is not None
        share = singular[0] / singular[-1]
        near(facts.condition_number, share**2, 1e-13 * share * len(x) + 1e-10)
    if rows <= features:
        assert facts.condition_number is None  # more unknowns than rows: the valley is flat
    solution = np.linalg.lstsq(a, y, rcond=None)[0]
    least = float(np.mean((y - a @ solution) ** 2))
    assert facts.optimum_loss is not None
    assert facts.optimum_loss <= least * (1 + 1e-9) + 1e-20  # nobody is better; rounding of a loss near zero aside
    near(facts.baseline_loss, float(np.var(y)), 1e-12)
    assert facts.gap(facts.baseline_loss) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_parts_falling_from_rising(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.standard_normal((40, 3)) * [1, 4, 0.5] + 1, random.standard_normal(40)
    bound = least_squares(x, y).lr_bound
    assert bound is not None
    stable, unstable = descend(x, y, 0.999 * bound, 3000), descend(x, y, 1.001 * bound, 30_000)
    assert (np.diff(stable) <= 1e-12 * stable[0]).all()
    assert unstable[-1] > 1e6 * unstable[0]


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_the_rate_for_batches_is_stable_and_not_timid(batch: int) -> None:
    random = np.random.default_rng(3)
    x = random.standard_normal((64, 3))
    y = x @ [1.0, -2, 0.5] + 1  # without noise, so that a stable rate comes to rest
    facts = least_squares(x, y)
    rate = facts.stable_lr(batch, 64)
    assert rate is not None
    assert facts.lr_bound is not None
    assert rate < facts.lr_bound
    a, t = np.column_stack([x, np.ones(64)]), np.zeros(4)
    for _ in range(400):
        order = random.permutation(64)
        for start in range(0, 64, batch):
            rows = order[start : start + batch]
            t -= 0.95 * rate * 2 / len(rows) * a[rows].T @ (a[rows] @ t - y[rows])
    assert np.mean((a @ t - y) ** 2) < 1e-6
    assert facts.stable_lr(64, 64) == facts.lr_bound
    rates = [facts.stable_lr(size, 64) or 0.0 for size in range(1, 65)]
    assert all(b >= a for a, b in pairwise(rates))  # larger batches bear larger steps


def test_the_steps_foretold_are_enough() -> None:
    mean, std = HOUSES.mean(axis=0), HOUSES.std(axis=0, ddof=1)
    x = (HOUSES - mean) / std
    facts = least_squares(x, PRICES)
    assert facts.lr_bound is not None
    for share in (1e-2, 1e-4, 1e-8):
        for rate in (facts.lr_bound / 2, facts.lr_bound / 10):
            steps = facts.steps_to(share, rate)
            assert steps is not None
            losses = descend(x, PRICES, rate, int(np.ceil(steps)) + 1)
            first, last = facts.gap(losses[0]), facts.gap(losses[-1])
            assert first is not None
            assert last is not None
            assert last <= share * first * (1 + 1e-6)
    assert facts.steps_to(1e-3, 2 * facts.lr_bound) == np.inf


def test_collinear_features_have_an_optimum_and_no_condition_number() -> None:
    a = np.arange(20.0)
    facts = least_squares(np.column_stack([a, 2 * a, np.ones(20)]), 3 * a + 1)
    assert facts.condition_number is None
    assert facts.optimum_loss is not None
    assert facts.optimum_loss < 1e-20


@pytest.mark.parametrize("huge", [1e200, np.inf, np.nan])
def test_numbers_beyond_computing_give_no_facts_and_no_error(huge: float) -> None:
    x = np.array([[1.0], [2.0], [huge]])
    facts = least_squares(x, np.array([1.0, 2.0, 3.0]))
    assert facts.lr_bound is None
    assert facts.condition_number is None
    assert facts.optimum_loss is None
    assert facts.gap(1.0) is None


@pytest.mark.parametrize("rows", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])
def test_blocks_of_rows_change_nothing(rows: int) -> None:
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, 3)) + [0, 10, 100]
    y = random.standard_normal(rows)
    facts = least_squares(x, y)
    a = np.column_stack([x, np.ones(rows)])
    wanted = np.linalg.lstsq(a, y, rcond=None)[0]
    assert facts.optimum_weights is not None
    # κ^½ is about 500 here: 1e-16 times it, times the square root of the rows' number.
    assert facts.optimum_weights[:, 0] == pytest.approx(wanted[:3], abs=1e-11)
    near(facts.condition_number or 0, float(np.linalg.cond(a)) ** 2, 1e-9)


def test_losses_are_in_the_targets_own_units() -> None:
    scale = 42.0
    plain, scaled = least_squares(HOUSES, PRICES), least_squares(HOUSES, PRICES / scale, scale)
    for name in ("optimum_loss", "baseline_loss", "lr_bound", "condition_number"):
        near(getattr(scaled, name), getattr(plain, name), 1e-9)


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_stiffness_under_another_normalization_is_that_of_the_columns_made_anew(loss: str) -> None:
    random = np.random.default_rng(4)
    x = random.normal(size=(300, 4)) * [1, 100, 1e-3, 5] + [0, 300, 2, -7]
    every: tuple[str, ...] = ("none", "max", "minmax", "zscore", "robust")
    modes = {mode: fit(x, mode) for mode in every}
    for old in modes.values():
        upper = qr_factor(old.transform(x), random.normal(size=300))
        for new in modes.values():
            kappa, bound = under(upper, loss, 300, old, new)
            wanted_kappa, wanted_bound = stiffness(new.transform(x), loss)
            # Rounding moves a singular value by ε times the greatest of the worst scaled columns: κ^½ is up to 1e6.
            assert kappa == pytest.approx(wanted_kappa, rel=1e-7)
            assert bound == pytest.approx(wanted_bound, rel=1e-9)
