"""What is rounding is told as ≈ 0 and decides nothing; numbers that say something are left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base.rounding import ZERO, alike, cleared, is_rounding, least, margin, raised, vanishes
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.diagnosis import number
from engine.learn.stopping import EarlyStopping, flat_since
from engine.recipe import Stopping
from engine.registry import metrics
from tests.conftest import facts, recipe, table, train
from tests.engine.learn.test_stopping import history
from tui.look.numbers import error, figures, fixed, gap

SIZES = st.floats(1e-200, 1e200)
SIGNED = st.floats(-1e200, 1e200)


@given(SIGNED, SIZES)
def test_a_number_is_told_as_zero_only_below_a_share_of_its_first_size(value: float, size: float) -> None:
    tiny = 0 < abs(value) < 1e-12 * size
    assert is_rounding(value, size) == tiny
    for told in (figures(value, 4, size), fixed(value, 4, size)):
        assert (told == ZERO) == tiny
    assert (error(value, 4, size) == ZERO) == (tiny or value == 0) == (number(value, size) == ZERO)
    assert figures(value, 4, None) == figures(value, 4) != ZERO


@pytest.mark.parametrize("size", [None, float("nan"), float("inf"), 0.0])
def test_without_a_size_nothing_is_rounding(size: float | None) -> None:
    assert not is_rounding(1e-300, size)
    assert not vanishes(0.0, size)
    assert not is_rounding(None, 1.0)
    assert not is_rounding(float("nan"), 1.0)


def test_gaps_of_either_sign_and_the_sizes_of_metrics() -> None:
    assert [gap(value) for value in (0.0, 3e-15, -3e-15, -0.00018, 2e-12)] == [ZERO] * 3 + ["-0.00018", "2e-12"]
    assert least((None, float("nan"), 0.0, 4.0, 2.0)) == 2.0
    assert least((None,)) is None
    assert metrics.size("rmse", 9.0) == 3.0
    assert metrics.size("mae", 9.0, "mae") == 9.0
    assert metrics.size("r2", None) == 1.0
    assert metrics.size("mse", None) is None


@given(st.lists(st.floats(-200, 200), min_size=1, max_size=30), st.floats(1e-6, 1e6), st.integers(0, 2**32 - 1))
def test_last_digits_do_not_choose_the_best_step(noise: list[float], level: float, seed: int) -> None:
    eps = np.finfo(np.float64).eps
    losses = [level * (1 + eps * one) for one in noise]  # a loss that has come to rest, on some machine

    def best(values: list[float]) -> int:
        watch = EarlyStopping(Stopping(), LossSurfaceFacts(baseline_loss=1.0), validates=True, size=max(1.0, level))
        for step, loss in enumerate([2 * level, *values]):
            watch.evaluated(step, None, loss)
        return watch.best_step

    other = np.random.default_rng(seed).permutation(losses).tolist()  # and on another one
    assert best(losses) == best(other) == 1


def test_losses_that_are_nothing_but_rounding_are_alike() -> None:
    watch = EarlyStopping(Stopping(patience=3), LossSurfaceFacts(), validates=True, size=2500.0)
    said = [watch.evaluated(step, None, loss) for step, loss in enumerate([10.0, 6e-26, 2e-26, 0.0, 1e-26])]
    assert said == [None, None, None, None, "patience"]
    assert watch.best_step == 1


@given(st.floats(1e-9, 0.5), st.floats(1e-9, 1e9))
def test_a_loss_that_is_better_by_more_than_rounding_is_the_best(better: float, loss: float) -> None:
    watch = EarlyStopping(Stopping(), LossSurfaceFacts(baseline_loss=loss), validates=True, size=4 * loss)
    watch.evaluated(0, None, loss)
    watch.evaluated(1, None, loss * (1 - better))
    assert watch.best_step == 1


def test_many_small_gains_are_a_gain() -> None:
    watch = EarlyStopping(Stopping(), LossSurfaceFacts(), validates=True, size=1.0)
    for step in range(1000):
        watch.evaluated(step, None, 1.0 - step * 1e-13)
    assert watch.best_step > 900


@given(SIZES, SIZES)
def test_the_margin_is_small_and_finite(loss: float, size: float) -> None:
    found = margin(loss, size)
    assert 0 <= found <= max(1.001e-12 * max(loss, size), 1e-300)
    assert margin(float("inf"), size) == 0.0
    assert margin(float("nan"), size) == 0.0


@given(st.integers(0, 2**32 - 1))
def test_a_loss_that_is_rounding_is_flat_from_one_step_on_however_it_flickers(seed: int) -> None:
    falling = 2500.0 * 0.5 ** np.arange(60)
    flicker = 1e-26 * np.random.default_rng(seed).uniform(0, 5, 200)
    assert flat_since(history(falling, flicker), 1e-24 * 2500) == 60


def test_the_ending_says_that_what_is_left_is_rounding(tmp_path: Path) -> None:
    x = np.stack([np.arange(40.0), np.arange(40.0) % 7], axis=1)
    rows = table(x, 60 + 2 * x[:, 0] - 3 * x[:, 1])
    end = train(recipe(tmp_path, steps=400, val=0), rows).snapshot()
    assert end.ending is not None
    assert "Train loss ≈ 0 (what is left is rounding); optimum ≈ 0 (gap to optimum ≈ 0)" in end.ending.sentence
    assert "e-" not in end.ending.sentence
    assert end.run is not None
    kept = facts(end.run)["result"]
    assert isinstance(kept["train_loss"], float), "files keep the number"
    assert 0 <= kept["train_loss"] < 1e-18


def test_a_loss_that_is_small_beside_a_huge_first_one_is_told(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    x = 1e7 * random.standard_normal((50, 2))
    rows = table(x, x @ [1e-7, 2e-7] + 0.01 * random.standard_normal(50))
    run = train(recipe(tmp_path, normalize="none", init="ones", optimizer="lbfgs", steps=60), rows).snapshot()
    assert run.history is not None
    assert run.loss is not None
    assert run.loss < 1e-12 * run.history.first  # far less than 1e-12 of the first, and yet no rounding
    assert run.ending is not None
    assert "≈" not in run.ending.sentence.split(";")[0]


@given(st.lists(st.sampled_from([1.0, 1.5, 2.25, 7e-9, 3e12, 0.0, np.inf]), max_size=20), st.integers(0, 2**32 - 1))
def test_equal_values_sort_as_equal_whatever_their_last_digits(values: list[float], seed: int) -> None:
    exact = np.array(values)
    off = 1 + np.finfo(np.float64).eps * np.random.default_rng(seed).integers(-8, 9, len(values))
    with np.errstate(invalid="ignore"):
        assert np.array_equal(np.argsort(-alike(exact * off), kind="stable"), np.argsort(-exact, kind="stable"))


def test_a_logarithmic_axis_ends_above_rounding() -> None:
    found = raised(np.array([100.0, 1e-3, 1e-30, 0.0, -1.0, np.nan]), 100.0)
    assert np.allclose(found, [100.0, 1e-3, 1e-22, 1e-22, -1.0, np.nan], rtol=1e-9, atol=0, equal_nan=True)
    for unknown in (None, np.nan, np.inf):
        assert raised(np.array([1e-30]), unknown)[0] == 1e-30


def test_what_is_rounding_beside_a_size_is_cleared() -> None:
    assert cleared(np.array([1e-14, -1e-14, 0.5]), 1.0).tolist() == [0.0, 0.0, 0.5]
    assert cleared(np.array([1e-14]), np.inf).tolist() == [1e-14]
