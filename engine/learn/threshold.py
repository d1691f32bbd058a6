"""The threshold of two classes that is chosen for F1, and only where that gains more than chance would.

It is chosen on out-of-fold probabilities: of every train row the probability that a model gives which has not seen the
row. What it gains is measured as it was chosen, out of sample: the rows of each fold are decided at the threshold that
the other folds choose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.base.random_streams import stream
from engine.learn import sentences
from engine.learn.metrics import cuts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HALF = 0.5
FOLDS = 5
LEAST = 10  # rows of each class, below which F1 is noise


@dataclass(frozen=True)
class Tuned:
    """A threshold and why it is that one, in half a sentence."""

    threshold: float
    why: str


def folds(y: Ints, seed: int) -> Ints:
    """The fold of each row [n], 0 to FOLDS - 1: every class dealt out evenly in an order drawn from the seed.

    Which rows fall together depends neither on the names of the classes nor on their order.
    """
    order = stream(seed, "folds").permutation(len(y))
    found = np.empty(len(y), np.int64)
    for one in np.unique(y):
        rows = order[y[order] == one]
        found[rows] = np.arange(len(rows)) % FOLDS
    return found


def few(y: Ints) -> bool:
    """Whether too few rows of a class are among labels [n] 0 or 1 to choose a threshold by them."""
    return _rarer(y) < LEAST


def _rarer(y: Ints) -> int:
    return min(int(y.sum()), len(y) - int(y.sum()))


def best(y: Ints, probability: Floats) -> float:
    """The threshold with the greatest F1, of equals the one nearest to 0.5.

    Args:
        y: [n] 1 for the positive class, else 0; both occur.
        probability: [n] probability of the positive class.
    """
    found = cuts(y, probability)
    f1 = 2 * found.hits / (found.decided + found.positives)
    below = np.append(found.values[1:], 0.0)
    middle = (found.values + below) / 2
    middle = np.where(middle > below, middle, found.values)  # between two neighbouring numbers there is no middle
    good = np.flatnonzero(f1 >= f1.max() * (1 - 1e-12))
    return float(middle[good[np.abs(middle[good] - HALF).argmin()]])


def tune(y: Ints, probability: Floats, fold: Ints) -> Tuned:
    """The threshold for out-of-fold probabilities.

    It is the one with the greatest F1 where the F1 that is reached so out of sample exceeds that at 0.5 by more than
    the standard error of the difference, and that of deciding every row for the positive class by more than two; else
    0.5. The second condition keeps 0.5 for a model that knows nothing, whose F1 is greatest where all is positive.

    Args:
        y: [n] 1 for the positive class, else 0.
        probability: [n] out-of-fold probability of the positive class.
        fold: [n] the fold in which each row was left out.
    """
    if few(y):
        return Tuned(HALF, sentences.TOO_FEW_OF_CLASS(rows=_rarer(y)))
    decided = np.empty(len(y), np.bool_)
    for one in range(FOLDS):
        mine = fold == one
        decided[mine] = probability[mine] >= best(y[~mine], probability[~mine])
    gain, error = _gain(y, decided, probability >= HALF)
    over, spread = _gain(y, decided, np.ones(len(y), np.bool_))
    half, chosen = _f1(y, probability >= HALF), _f1(y, decided)
    told = sentences.SCORES(half=half, chosen=chosen)
    if gain > error and over > 2 * spread:
        return Tuned(best(y, probability), sentences.CHOSEN_FOR_F1(folds=FOLDS, scores=told))
    if gain > error:
        return Tuned(HALF, sentences.NO_BETTER(scores=told))
    return Tuned(HALF, sentences.NO_GAIN(error=error, scores=told))


def _f1(y: Ints, decided: Bools) -> float:
    """F1 of decisions for the positive class, which occurs."""
    return float(2 * (decided & (y == 1)).sum() / (decided.sum() + y.sum()))


def _gain(y: Ints, one: Bools, other: Bools) -> tuple[float, float]:
    """By how much the F1 of one way to decide exceeds that of another, and the standard error of the difference.

    F1 = 2 TP / (decided + positives) is a ratio of means over the rows; the error is that of its linearization (the
    delta method), with the rows of both ways paired.
    """
    parts = []
    for decided in (one, other):
        f1 = _f1(y, decided)
        parts.append((2.0 * (decided & (y == 1)) - f1 * (decided.astype(np.float64) + y)) / np.mean(decided + y))
    return _f1(y, one) - _f1(y, other), float(np.std(parts[0] - parts[1], ddof=1) / np.sqrt(len(y)))
