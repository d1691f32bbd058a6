"""The learning-rate finder: a curve that falls and blows up, and a rate that trains well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import Cancelled
from engine.data.prepare import prepare
from engine.data.sources import load
from engine.learn import finder
from engine.learn.kernels.choose import choose, open_kernel
from engine.learn.plan import make_architecture, make_facts, make_plan
from engine.recipe import build
from tests.conftest import message, table

CLOSE = 0.05  # of what the mean predictor, or the class shares, would leave

CASES: dict[str, dict[str, Any]] = {
    "houses": {"dataset": "houses"},
    "raw houses": {"dataset": "houses", "normalize": "none"},
    "titanic": {"dataset": "titanic"},
    "digits": {"dataset": "digits", "model": "mlp"},
    "digits by momentum": {"dataset": "digits", "model": "mlp", "optimizer": "momentum"},
    "moons": {"dataset": "moons", "model": "mlp"},
    "moons by nesterov": {"dataset": "moons", "model": "mlp", "optimizer": "nesterov"},
    "diabetes by plain descent": {"dataset": "diabetes", "model": "mlp", "optimizer": "sgd"},
}


@pytest.mark.parametrize("name", CASES)
def test_the_suggested_rate_is_better_than_ten_times_more_or_less_or_close(name: str) -> None:
    recipe = build(CASES[name])
    rows = load(recipe.data)
    prepared = prepare(recipe.data, recipe.normalization, rows)
    architecture, loss = make_architecture(recipe, prepared)
    facts = make_facts(recipe, prepared, architecture, loss)
    plan = choose(recipe, make_plan(recipe, prepared, facts, "cpu"), facts)
    rate, reason = finder.suggest(plan, prepared, facts)
    assert reason.startswith("a thirtieth of" if plan.optimizer == "adam" else "a tenth of")
    steps = 20 * plan.batches if plan.batches > 1 else 200

    def trained(lr: float) -> float:
        kernel = open_kernel(replace(plan, lr=lr, steps=steps), prepared, facts)
        kernel.advance(steps)
        return kernel.evaluate("train") if kernel.step == steps else np.inf

    at, slower, faster = (trained(rate * times) for times in (1, 0.1, 10))
    assert at < 0.7 * facts.baseline_loss
    assert at <= min(slower, faster) + CLOSE * facts.baseline_loss


def test_the_suggestion_is_below_the_stability_bound_where_that_is_known() -> None:
    recipe = build(CASES["houses"])
    prepared = prepare(recipe.data, recipe.normalization, load(recipe.data))
    facts = make_facts(recipe, prepared, *make_architecture(recipe, prepared))
    assert facts.lr_bound is not None
    assert 0.2 * facts.lr_bound < finder.find(recipe).suggestion < facts.lr_bound


def test_the_curve_is_there_to_be_drawn() -> None:
    found = finder.find(build(CASES["moons"]))
    assert len(found.rates) == len(found.losses) == len(found.smoothed)
    assert found.rates[0] == finder.LOWEST
    assert np.allclose(np.diff(np.log10(found.rates)), 1 / finder.DECADE)
    assert found.smoothed[-1] > 2 * np.nanmin(found.smoothed)  # it went on until the blow-up
    assert found.rates[0] < found.suggestion < found.rates[-1]
    again = finder.find(build(CASES["moons"]))
    assert np.array_equal(found.losses, again.losses, equal_nan=True)
    assert found.suggestion == again.suggestion


def test_where_no_rate_makes_the_loss_fall_the_usual_one_stays() -> None:
    x = np.array([[1.0], [1.0], [-1.0], [-1.0]])
    found = finder.find(build({"val": 0, "lr": 0.125}), table(x, np.array([1.0, -1.0, 1.0, -1.0])))
    assert found.suggestion == 0.125
    assert "fell at no rate" in found.reason


def test_features_so_large_that_everything_blows_up_leave_the_usual_one() -> None:
    random = np.random.default_rng(0)
    x = 1e9 * random.standard_normal((50, 2))
    found = finder.find(build({"val": 0, "normalize": "none", "lr": 0.125}), table(x, x[:, 0]))
    assert found.suggestion == 0.125
    assert "blew up" in found.reason


def test_what_has_no_use_for_a_rate_is_refused() -> None:
    assert "L-BFGS" in message(lambda: finder.find(build({"dataset": "houses", "optimizer": "lbfgs"})))


def test_it_can_be_given_up() -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 30

    with pytest.raises(Cancelled):
        finder.find(build(CASES["moons"]), cancelled=cancelled)
    assert asked == 31


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finder.find(build(CASES["houses"]))
    assert not list(tmp_path.iterdir())
