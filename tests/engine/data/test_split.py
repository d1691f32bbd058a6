"""Splits: who goes where, and scikit-learn's word on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedShuffleSplit

from engine.base.errors import InputError
from engine.data.split import split
from tests.engine.data.helpers import ready


def test_ordered_takes_the_last_rows() -> None:
    parts = split(10, 0.2, 0.3, shuffled=False, seed=0)
    assert (parts.train.tolist(), parts.validation.tolist(), parts.test.tolist()) == (
        [0, 1, 2, 3, 4],
        [5, 6],
        [7, 8, 9],
    )


@given(
    st.integers(2, 300),
    st.floats(0, 0.6),
    st.floats(0, 0.39),
    st.integers(0, 2**32),
    st.booleans(),
    st.integers(0, 6),
)
def test_every_row_is_in_one_part(rows: int, val: float, test: float, seed: int, shuffled: bool, classes: int) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, rows) if classes else None
    try:
        parts = split(rows, val, test, shuffled=shuffled, seed=seed, classes=labels)
    except InputError:
        sizes = [int(np.floor(rows * share + 0.5)) for share in (val, test)]
        assert sum(sizes) >= rows or any(s == 0 < share for s, share in zip(sizes, (val, test), strict=True))
        return
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert np.array_equal(np.sort(together), np.arange(rows))
    for part in (parts.train, parts.validation, parts.test):
        assert (np.diff(part) > 0).all()
    if labels is not None and shuffled:
        assert set(labels[parts.train]) == set(labels)
    else:
        assert len(parts.validation) == int(np.floor(rows * val + 0.5))


def test_seed_and_nothing_else_decides() -> None:
    one, two, other = (split(100, 0.2, 0.1, shuffled=True, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.validation, two.validation)
    assert not np.array_equal(one.validation, other.validation)
    with_another_scale = [ready("linear", mode, val=0.3).validation.index for mode in ("none", "robust")]
    assert np.array_equal(*with_another_scale)


@pytest.mark.parametrize("counts", [(50, 30, 20), (97, 2, 1), (8, 5, 4), (400, 399, 1)])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_stratified_as_scikit_learn_does_it(counts: tuple[int, ...], share: float) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = len(labels)
    size = int(np.floor(rows * share + 0.5))
    parts = split(rows, share, 0, shuffled=True, seed=1, classes=labels)
    ours = np.bincount(labels[parts.validation], minlength=len(counts))
    assert ours.sum() == size
    assert (np.abs(ours - np.array(counts) * size / rows) < 1 + 1e-9).all()
    if min(counts) > 1 and size >= len(counts):
        theirs = next(StratifiedShuffleSplit(1, test_size=size, random_state=0).split(labels, labels))[1]
        assert (np.abs(ours - np.bincount(labels[theirs], minlength=len(counts))) <= 1).all()


def test_a_class_with_one_row_trains_and_is_told() -> None:
    labels = np.array([0] * 10 + [1] * 10 + [2])
    parts = split(21, 0.3, 0.3, shuffled=True, seed=0, classes=labels)
    assert 20 in parts.train
