"""Normalization: the five modes against scikit-learn, round trips, folding, hard columns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from engine import recipe
from engine.base.errors import InputError
from engine.data.normalize import Normalizer, TargetScale, fit, fit_target, under_every_mode
from engine.data.prepare import prepare
from engine.data.sources import load
from tests.engine.data.helpers import ready

MODES: tuple[str, ...] = ("none", "max", "minmax", "zscore", "robust")
NAMES = ("size", "age")
TABLE = np.random.default_rng(1).normal([0, 1e3, -5, 1e6], [1, 1e-2, 100, 1e5], (5000, 4))


def test_the_modes_are_scikit_learns() -> None:
    for mode, scaler in (
        ("max", MaxAbsScaler()),
        ("minmax", MinMaxScaler()),
        ("zscore", StandardScaler()),
        ("robust", RobustScaler()),
    ):
        ours = fit(TABLE, mode, "population")  # type: ignore[arg-type]
        assert np.allclose(ours.transform(TABLE), scaler.fit_transform(TABLE), rtol=1e-10, atol=1e-10)


def test_zscore_takes_the_sample_deviation_unless_told() -> None:
    x = np.array([[1.0], [2.0], [4.0]])
    assert fit(x, "zscore").scale[0] == pytest.approx(np.std([1, 2, 4], ddof=1), rel=1e-15)
    assert fit(x, "zscore", "population").scale[0] == pytest.approx(np.std([1, 2, 4]), rel=1e-15)
    assert fit(x[:1], "zscore").scale[0] == 1


def test_statistics_do_not_cancel_far_from_zero() -> None:
    x = 1e9 + np.array([[4.0], [7.0], [13.0], [16.0]])  # variance 30 exactly
    assert fit(x, "zscore").scale[0] == np.sqrt(30)
    single = np.full((100_000, 1), 16_777_216, dtype=np.float32)
    single[::2] += 2
    assert fit(single, "zscore", "population").scale[0] == pytest.approx(1.0, rel=1e-12)


def test_in_place_and_many_rows_give_the_same_bits() -> None:
    x = np.random.default_rng(0).normal(size=(70_001, 9)) * 1e3
    for mode in MODES:
        fitted = fit(x, mode)
        copy = x.copy()
        fitted.transform_in_place(copy)
        assert np.array_equal(copy, fitted.transform(x))
    assert np.allclose(fit(x, "zscore").scale, x.std(axis=0, ddof=1), rtol=1e-13)


@pytest.mark.parametrize("mode", MODES)
def test_constant_columns_by_a_relative_bound(mode: str) -> None:
    rounding = np.cumsum(np.full(50, 0.1)) - np.arange(1, 51) * 0.1 + 7.3
    x = np.column_stack([np.full(50, 5.0), np.zeros(50), rounding, np.arange(50) * 1e-9 + 1e3, np.full(50, -1e300)])
    fitted = fit(x, mode)
    assert fitted.constant.tolist() == [True, True, True, False, True]
    z = fitted.transform(x)
    assert np.isfinite(z).all()
    if mode == "max":
        assert fitted.scale[[0, 1, 4]].tolist() == [5, 1, 1e300]
    elif mode != "none":
        assert fitted.scale[[0, 1, 2, 4]].tolist() == [1, 1, 1, 1]
        assert np.abs(z[:, :3]).max() < 1e-12
        assert np.ptp(z[:, 3]) > 0.9


def test_robust_scales_a_column_that_is_mostly_zero() -> None:
    x = np.zeros((100, 1))
    x[:10, 0] = 50_000
    assert fit(x, "robust").scale[0] == pytest.approx(x.std(ddof=1))
    assert fit(x, "robust").offset[0] == 0


@pytest.mark.parametrize("magnitude", [1e-310, 1e-200, 1e200, 1e307])
def test_extreme_magnitudes(magnitude: float) -> None:
    x = magnitude * np.array([[1.0], [2.0], [4.0], [9.0]])
    plain = fit(x / magnitude, "zscore").transform(x / magnitude)
    assert np.allclose(fit(x, "zscore").transform(x), plain, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_refused_by_name(bad: float) -> None:
    x = np.array([[1.0, 2.0], [3.0, bad]])
    for mode in MODES:
        with pytest.raises(InputError, match="Column age holds a value that is not finite"):
            fit(x, mode, names=NAMES)


FINITE = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 20), st.integers(1, 4)),
    elements=st.floats(-1e12, 1e12, allow_subnormal=False),
)


@given(FINITE, st.sampled_from(MODES), st.sampled_from(["sample", "population"]))
def test_inverse_takes_back_what_transform_did(x: NDArray[np.float64], mode: str, std: str) -> None:
    fitted = fit(x, mode, std)  # type: ignore[arg-type]
    z = fitted.transform(x)
    assert np.isfinite(z).all()
    largest = np.abs(x).max(axis=0)
    assert (np.abs(fitted.inverse(z) - x) <= 1e-12 * (largest + np.abs(fitted.offset))).all()
    again = Normalizer.from_json(json.loads(json.dumps(fitted.to_json())))
    assert np.array_equal(again.transform(x), z)


@given(
    FINITE,
    st.sampled_from(MODES),
    st.integers(1, 3),
    st.floats(-100, 100),
    st.floats(0.01, 100),
    st.integers(0, 2**32 - 1),
)
def test_folded_weights_predict_alike(
    x: NDArray[np.float64], mode: str, outputs: int, offset: float, scale: float, seed: int
) -> None:
    fitted, target = fit(x, mode), TargetScale(offset, scale)
    random = np.random.default_rng(seed)
    weights, bias = random.normal(size=(x.shape[1], outputs)), random.normal(size=outputs)
    raw, raw_bias = fitted.fold(weights, bias, target)
    with np.errstate(over="ignore"):
        size = np.abs(raw).T @ (np.abs(x).max(axis=0) + np.abs(fitted.offset)) + np.abs(raw_bias) + 1
    difference = np.abs(x @ raw + raw_bias - target.inverse(fitted.transform(x) @ weights + bias))
    assert (difference <= 1e-11 * size).all()
    one, one_bias = fitted.fold(weights[:, 0], np.float64(bias[0]), target)  # type: ignore[arg-type]
    assert np.array_equal(one, raw[:, 0])
    assert np.isclose(one_bias, raw_bias[0], rtol=1e-10, atol=1e-10 * size[0])


def test_the_target_is_scaled_in_the_way_of_the_features() -> None:
    y = np.array([60.0, 85, 100, 120, 140, 145, 163])
    for mode in MODES:
        prepared = ready("houses", mode, normalize_target=True)
        scale = prepared.target_scale
        assert np.allclose(scale.inverse(prepared.train.y), y)
        assert scale == fit_target(y, mode)
        assert TargetScale.from_json(json.loads(json.dumps(scale.to_json()))) == scale
        assert ready("houses", mode).target_scale == TargetScale()
    assert ready("houses", "max", normalize_target=True).train.y.max() == 1


def test_the_train_rows_before_normalization_are_those_of_none() -> None:
    data = recipe.Data(dataset="titanic", degree=2, test=0.1)
    table = load(data)
    first = prepare(data, recipe.Normalization(normalize="none"), table)
    for mode in MODES:
        other = prepare(data, recipe.Normalization(normalize=mode, std="population"), table)
        assert np.array_equal(other.raw_train(), first.train.x)


@pytest.mark.parametrize("fitted", MODES)
def test_every_mode_is_known_from_columns_that_one_of_them_has_normalized(fitted: str) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(500, 5)) * [1, 1e3, 1e-4, 5, 1] + [0, 1e4, 2, -7, 3]
    x[:, 4] = 3.0  # constant
    x[:, 3] = random.random(500) < 0.1  # its interquartile range is 0
    one = fit(x, fitted)
    found = under_every_mode(one.transform(x), one)
    assert tuple(found) == MODES
    for mode, normalizer in found.items():
        wanted = fit(x, mode)
        # Each step rounds at the size of the raw numbers, up to 1e4 deviations from 0 here.
        np.testing.assert_allclose(normalizer.offset, wanted.offset, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(normalizer.scale, wanted.scale, rtol=1e-11)
        assert np.array_equal(normalizer.constant, wanted.constant)
