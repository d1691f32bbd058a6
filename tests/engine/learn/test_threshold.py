"""The threshold of two classes that is chosen for F1."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.learn import threshold

from .test_metrics import binary


def test_a_threshold_between_two_neighbouring_probabilities() -> None:
    high = float(np.nextafter(0.25, 1))
    assert threshold.best(np.array([1, 1, 0, 0]), np.array([high, high, 0.25, 0.25])) == high


@settings(max_examples=120, deadline=None)
@given(case=binary())
def test_no_threshold_has_a_greater_f1_than_the_best(case: tuple[threshold.Ints, threshold.Floats]) -> None:
    y, chance = case
    if len(set(y.tolist())) == 1:
        return

    def f1(cut: float) -> float:
        decided = chance >= cut
        return 2 * float(y[decided].sum()) / float(decided.sum() + y.sum())

    best = threshold.best(y, chance)
    assert 0 <= best <= 1
    assert np.isclose(f1(best), max(f1(value) for value in (*chance.tolist(), 0.5)), rtol=1e-10)


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(10, 400), share=st.floats(0.05, 0.95), seed=st.integers(0, 2**32))
def test_folds_deal_every_class_out_and_know_no_names(rows: int, share: float, seed: int) -> None:
    y = (np.random.default_rng(seed).random(rows) < share).astype(np.int64)
    fold = threshold.folds(y, seed)
    assert fold.tolist() == threshold.folds(1 - y, seed).tolist()
    for one in (0, 1):
        sizes = np.bincount(fold[y == one], minlength=threshold.FOLDS)
        assert sizes.max() - sizes.min() <= 1


def _labels_and_chances(rows: int, share: float, signal: float, seed: int) -> tuple[threshold.Ints, threshold.Floats]:
    """Labels, and a probability that knows `signal` of them and is well calibrated where it is 0."""
    random = np.random.default_rng(seed)
    logit = np.log(share / (1 - share)) + signal * random.standard_normal(rows)
    chance = 1 / (1 + np.exp(-logit))
    return (random.random(rows) < chance).astype(np.int64), chance + 0.01 * random.random(rows)


def test_a_model_that_knows_nothing_is_decided_at_one_half() -> None:
    tuned = [
        threshold.tune(y, chance, threshold.folds(y, seed)).threshold
        for seed in range(60)
        for y, chance in [_labels_and_chances(1000, 0.1, 0.0, seed)]
    ]
    assert sum(value != 0.5 for value in tuned) <= 3


def test_rare_rows_that_a_model_knows_are_found() -> None:
    for seed in range(10):
        y, chance = _labels_and_chances(3000, 0.02, 2.0, seed)
        found = threshold.tune(y, chance, threshold.folds(y, seed))
        assert found.threshold < 0.5, found
        assert "chosen for F1" in found.why


def test_a_threshold_that_gains_nothing_is_left() -> None:
    """Half of the rows are positive and the probabilities are right: 0.5 is as good as any other."""
    y = np.array([0, 1] * 200)
    chance = np.where(y == 1, 0.9, 0.1)
    assert threshold.tune(y, chance, threshold.folds(y, 0)).threshold == 0.5


def test_few_rows_choose_nothing() -> None:
    y = np.array([1] * 9 + [0] * 200)
    found = threshold.tune(y, np.linspace(1, 0, len(y)), threshold.folds(y, 0))
    assert found.threshold == 0.5
    assert "too few" in found.why
