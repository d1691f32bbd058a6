"""When a run stops, and since when its loss is flat."""

import numpy as np
import pytest

from engine.base.loss_history import History
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.stopping import EarlyStopping, flat_since
from engine.recipe import Stopping


def history(*parts: np.ndarray) -> History:
    kept = History()
    for part in parts:
        kept.append(np.asarray(part, np.float64))
    return kept


@pytest.mark.parametrize("flat", [50, 1000, 65_535, 65_536, 65_537, 200_000])
def test_the_flat_stretch_begins_where_the_loss_came_to_rest(flat: int) -> None:
    falling = np.linspace(10, 2, 777)
    assert flat_since(history(falling, np.full(flat, 1.0))) == 777
    assert flat_since(history(falling, 1 + 5e-5 * np.sin(np.arange(flat)))) in range(777, 780)


def test_a_falling_a_short_and_a_broken_stretch_are_not_flat() -> None:
    assert flat_since(history(np.linspace(10, 2, 1000))) is None
    assert flat_since(history(np.linspace(10, 2, 1000), np.ones(49))) is None
    assert flat_since(history(np.ones(200), [np.nan])) is None
    assert flat_since(history(np.ones(200), [np.inf], np.ones(300))) == 201
    assert flat_since(history()) is None
    assert flat_since(history(np.zeros(60))) == 0


@pytest.mark.parametrize("seed", range(20))
def test_the_stretch_is_that_of_a_look_at_every_step(seed: int) -> None:
    random = np.random.default_rng(seed)
    losses = 1 + np.cumsum(random.standard_normal(3000)) * 10.0 ** random.uniform(-8, -4)
    losses[random.integers(0, 2900, 2)] = random.choice([1.0, np.nan, np.inf, 1.01], 2)
    rest = next(k for k in range(3001) if k == 3000 or _flat(losses[k:]))
    assert flat_since(history(*np.split(losses, [10, 700, 2345]))) == (rest if 3000 - rest >= 50 else None)


def _flat(losses: np.ndarray) -> bool:
    return bool(np.isfinite(losses).all() and np.ptp(losses) <= 1e-4 * losses.max())


def test_patience_counts_evaluations_that_are_not_better_by_the_minimum_delta() -> None:
    watch = EarlyStopping(Stopping(patience=2, min_delta=0.1), LossSurfaceFacts(), validates=True)
    said = [watch.evaluated(step, None, loss) for step, loss in enumerate([1.0, 0.8, 0.75, 0.74])]
    assert said == [None, None, None, "patience"]
    assert (watch.best, watch.best_step) == (0.74, 3)


def test_a_watch_goes_on_where_it_stood() -> None:
    losses = [1.0, 0.5, 0.6, 0.7, 0.4, 0.5, 0.6, 0.7, 0.8]
    whole = EarlyStopping(Stopping(patience=4), LossSurfaceFacts(), validates=True)
    said = [whole.evaluated(step, None, loss) for step, loss in enumerate(losses)]
    parted = EarlyStopping(Stopping(patience=4), LossSurfaceFacts(), validates=True)
    again = [parted.evaluated(step, None, loss) for step, loss in enumerate(losses[:6])]
    second = EarlyStopping(Stopping(patience=4), LossSurfaceFacts(), validates=True)
    second.restore(parted.state())
    again += [second.evaluated(step, None, loss) for step, loss in enumerate(losses[6:], 6)]
    assert again == said
    assert said[-1] == "patience"


def test_the_target_and_the_tolerance() -> None:
    known = LossSurfaceFacts(optimum_loss=1.0, baseline_loss=11.0)
    assert EarlyStopping(Stopping(target_loss=2.0), known, False).evaluated(0, 2.0, None) == "target"
    tolerant = EarlyStopping(Stopping(tol=1e-3), known, False)
    assert tolerant.evaluated(0, 1.02, None) is None  # a gap of 2e-3
    assert tolerant.evaluated(1, 1.009, None) == "tol"
    unknown = EarlyStopping(Stopping(tol=1e-3), LossSurfaceFacts(), False)
    assert [unknown.evaluated(i, loss, None) for i, loss in enumerate([5.0, 4.0, 3.998])] == [None, None, "tol"]
