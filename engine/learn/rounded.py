"""Which weights of a linear model are no more than rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.base.rounding import SHARE
from engine.data.inputs import Input
from engine.data.normalize import Normalizer


def reach(
    normalizer: Normalizer, inputs: Sequence[Input]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """About the root mean square [d] of features, normalized and in their own units, where the rows are not at hand.

    (None, None) where they are neither normalized nor the columns of the `inputs` themselves.
    """
    if not normalizer.scales:
        each = np.array([_far(one, name) for one in inputs for name in one.columns])
        return (each, each) if len(each) == len(normalizer.scale) else (None, None)
    ones = np.where(normalizer.constant, 0.0, 1.0)
    return ones, np.abs(normalizer.offset) + np.abs(normalizer.scale) * ones


def _far(one: Input, column: str) -> float:
    """How far from 0 the train rows of an encoded column of an input go."""
    if one.is_coded or column != one.name or one.low is None or one.high is None:
        return 1.0
    return max(abs(one.low), abs(one.high))


@dataclass(frozen=True)
class Rounded:
    """Which weights and biases are rounding: what they add to an output is, beside what others add to it."""

    weights: NDArray[np.bool_]  # [d, k]
    bias: NDArray[np.bool_]  # [k]

    @classmethod
    def of(cls, weights: NDArray[np.float64], bias: NDArray[np.float64], reach: NDArray[np.float64] | None) -> Rounded:
        """Look at weights [d, k] and bias [k]; nothing is said to be rounding where `reach` is not known."""
        if reach is None or not len(weights):
            return cls(np.zeros(weights.shape, np.bool_), np.zeros(bias.shape, np.bool_))
        with np.errstate(over="ignore", invalid="ignore"):
            adds, alone = np.abs(weights) * reach[:, None], np.abs(bias)
            limit = SHARE * np.maximum(adds.max(axis=0), alone)
            return cls((adds > 0) & (adds < limit), (alone > 0) & (alone < limit))
