"""Metrics, held to scikit-learn's."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from engine.learn import metrics

CHANCES = (0.0, 0.1, 0.25, 0.5, 0.5000001, 0.75, 1.0)  # few values, so that ties are common


@st.composite
def binary(draw: st.DrawFn) -> tuple[metrics.Ints, metrics.Floats]:
    """Labels [n] and probabilities of the second class [n], often tied, sometimes of one class only."""
    rows = draw(st.integers(1, 30))
    chance = st.one_of(st.sampled_from(CHANCES), st.floats(0, 1))
    y = draw(st.lists(st.integers(0, draw(st.sampled_from([0, 1, 1, 1]))), min_size=rows, max_size=rows))
    flip = draw(st.booleans())
    chances = draw(st.lists(chance, min_size=rows, max_size=rows))
    return np.array(y, np.int64) ^ int(flip), np.array(chances)


@st.composite
def several(draw: st.DrawFn) -> tuple[metrics.Ints, metrics.Floats]:
    """Labels [n] and probabilities [n, k] of 3 to 5 classes, some of which may not be there."""
    rows, classes = draw(st.integers(1, 30)), draw(st.integers(3, 5))
    there = draw(st.integers(1, classes))
    y = draw(st.lists(st.integers(0, there - 1), min_size=rows, max_size=rows))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    return np.array(y, np.int64), random.dirichlet(np.ones(classes), rows)


def close(found: float, wanted: float) -> None:
    assert np.isclose(found, wanted, rtol=1e-10, atol=1e-12, equal_nan=True), (found, wanted)


def quietly(function: Any, *given: Any, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*given, **more)


@settings(max_examples=120, deadline=None)
@given(case=binary())
def test_two_classes(case: tuple[metrics.Ints, metrics.Floats]) -> None:
    y, chance = case
    found = metrics.classification(y, np.column_stack([1 - chance, chance]))
    decided = (chance >= 0.5).astype(int)
    close(found["accuracy"], oracle.accuracy_score(y, decided))
    for name in ("precision", "recall", "f1"):
        score = getattr(oracle, f"{name}_score")
        close(found[name], quietly(score, y, decided, zero_division=np.nan))
    if len(set(y.tolist())) == 2:
        close(found["roc_auc"], oracle.roc_auc_score(y, chance))
        false, true, cuts = oracle.roc_curve(y, chance, drop_intermediate=False)
        curve = metrics.roc(y, chance)
        assert np.allclose(curve[0], false)
        assert np.allclose(curve[1], true)
        assert np.array_equal(metrics.cuts(y, chance).values, cuts[1:])
    else:
        assert np.isnan(found["roc_auc"])
    if y.any():
        close(found["pr_auc"], oracle.average_precision_score(y, chance))
        precision, recall, _ = oracle.precision_recall_curve(y, chance)
        mine = metrics.precision_recall(y, chance)
        assert np.allclose(mine[0][::-1], precision)
        assert np.allclose(mine[1][::-1], recall)
    else:
        assert np.isnan(found["pr_auc"])
    inside = np.clip(chance, 1e-12, 1 - 1e-12)
    both = np.column_stack([1 - inside, inside])
    close(metrics.classification(y, both)["log_loss"], oracle.log_loss(y, both, labels=[0, 1]))


@settings(max_examples=80, deadline=None)
@given(case=several())
def test_several_classes(case: tuple[metrics.Ints, metrics.Floats]) -> None:
    y, chances = case
    classes = chances.shape[1]
    found = metrics.classification(y, chances)
    decided = chances.argmax(axis=1)
    labels = sorted({*y.tolist(), *decided.tolist()})
    close(found["accuracy"], oracle.accuracy_score(y, decided))
    close(found["log_loss"], oracle.log_loss(y, chances, labels=list(range(classes))))
    for name in ("precision", "recall", "f1"):
        score = getattr(oracle, f"{name}_score")
        close(found[name], quietly(score, y, decided, labels=labels, average="macro", zero_division=0))
    if len(set(y.tolist())) == classes and classes > 2:
        close(found["roc_auc"], oracle.roc_auc_score(y, chances, multi_class="ovr", average="macro"))
        onehot = np.eye(classes)[y]
        close(found["pr_auc"], oracle.average_precision_score(onehot, chances, average="macro"))
    else:
        assert np.isnan(found["roc_auc"])
    counts = metrics.confusion(y, decided, classes)
    assert np.array_equal(counts, oracle.confusion_matrix(y, decided, labels=range(classes)))
    table = metrics.per_class(counts)
    wanted = quietly(oracle.precision_recall_fscore_support, y, decided, labels=range(classes), zero_division=np.nan)
    for name, column in zip(("precision", "recall", "f1", "support"), wanted, strict=True):
        assert np.allclose(table[name], column, equal_nan=True), name


@settings(max_examples=80, deadline=None)
@given(
    y=st.lists(st.integers(-(10**6), 10**6).map(lambda whole: whole / 7), min_size=2, max_size=30),
    shift=st.floats(-1e3, 1e3),
    seed=st.integers(0, 2**32),
)
def test_amounts(y: list[float], shift: float, seed: int) -> None:
    target = np.array(y)
    predicted = target + shift * np.random.default_rng(seed).standard_normal(len(y))
    found = metrics.regression(target, predicted)
    close(found["mse"], oracle.mean_squared_error(target, predicted))
    close(found["rmse"], oracle.root_mean_squared_error(target, predicted))
    close(found["mae"], oracle.mean_absolute_error(target, predicted))
    if len(set(y)) > 1:
        wanted = oracle.r2_score(target, predicted)
        assert np.isclose(found["r2"], wanted, rtol=1e-6, atol=1e-9)
    else:
        assert np.isnan(found["r2"])


def test_r2_is_undefined_where_the_targets_do_not_vary_however_their_mean_rounds() -> None:
    y = np.full(3, 0.1)
    assert y.mean() != 0.1
    assert np.isnan(metrics.regression(y, np.zeros(3))["r2"])


def test_nothing_is_said_of_no_rows() -> None:
    nothing = np.empty(0)
    assert metrics.regression(nothing, nothing) == {}
    assert metrics.classification(nothing.astype(np.int64), np.empty((0, 2))) == {}


def test_shapes_do_not_broadcast() -> None:
    with pytest.raises(ValueError, match="would broadcast"):
        metrics.regression(np.zeros(3), np.zeros((3, 1)))


@pytest.mark.parametrize("logit", [30.0, 40.0, 300.0])
def test_the_log_loss_of_a_row_that_is_surely_wrong_is_its_logit(logit: float) -> None:
    one = metrics.probabilities(np.array([[logit], [-logit]]))
    close(metrics.classification(np.array([0, 1]), one)["log_loss"], logit)
    three = metrics.probabilities(np.array([[logit, 0, 0]]))
    close(metrics.classification(np.array([1]), three)["log_loss"], logit)


@settings(max_examples=120, deadline=None)
@given(case=binary(), threshold=st.sampled_from((0.1, 0.25, 0.5, 0.9)), positive=st.integers(0, 1))
def test_the_figures_are_of_the_positive_class(
    case: tuple[metrics.Ints, metrics.Floats], threshold: float, positive: int
) -> None:
    y, chance = case
    chances = np.column_stack([1 - chance, chance])
    found = metrics.classification(y, chances, threshold, positive)
    decided = np.where(chances[:, positive] >= threshold, positive, 1 - positive)
    assert metrics.decide(chances, threshold, positive).tolist() == decided.tolist()
    close(found["accuracy"], oracle.accuracy_score(y, decided))
    for name in ("precision", "recall", "f1"):
        score = getattr(oracle, f"{name}_score")
        close(found[name], quietly(score, y, decided, pos_label=positive, zero_division=np.nan))
    if len(set(y.tolist())) == 2:
        close(found["roc_auc"], oracle.roc_auc_score(y == positive, chances[:, positive]))
        close(found["pr_auc"], oracle.average_precision_score(y, chances[:, positive], pos_label=positive))


@settings(max_examples=120, deadline=None)
@given(case=binary(), threshold=st.sampled_from((0.1, 0.25, 0.5, 0.9)), positive=st.integers(0, 1))
def test_the_order_of_the_classes_changes_nothing(
    case: tuple[metrics.Ints, metrics.Floats], threshold: float, positive: int
) -> None:
    y, chance = case
    chances = np.column_stack([1 - chance, chance])
    one = metrics.classification(y, chances, threshold, positive)
    other = metrics.classification(1 - y, chances[:, ::-1], threshold, 1 - positive)
    assert one.keys() == other.keys()
    for name, value in one.items():
        close(value, other[name])
    mirrored = metrics.decide(chances[:, ::-1], threshold, 1 - positive)
    assert (1 - mirrored).tolist() == metrics.decide(chances, threshold, positive).tolist()
