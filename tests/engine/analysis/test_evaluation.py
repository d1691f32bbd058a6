"""A model looked at closely: figures against baselines, curves, worst rows, health."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from engine.analysis.evaluation import Case, Evaluation, Part, evaluate, examine
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.learn import backward, health
from engine.learn.models import Architecture, init_parameters
from tests.conftest import message, near, prepared_run, recipe, train


def trained(folder: Path, **fields: Any) -> tuple[Path, dict[str, Any]]:
    session = train(recipe(folder, **fields))
    run = session.snapshot().run
    assert run is not None
    return run, session.result


def same(found: dict[str, float], wanted: dict[str, Any]) -> None:
    assert set(found) == set(wanted)
    for name, value in found.items():
        assert np.isclose(value, wanted[name], rtol=1e-9, atol=1e-12, equal_nan=True), name


@pytest.fixture(scope="module")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, dict[str, Any]]:
    run, result = trained(tmp_path_factory.mktemp("titanic"), dataset="titanic", test=0.1, epochs=20)
    return evaluate(run, worst=5), result


@pytest.fixture(scope="module")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("diabetes")
    run, result = trained(folder, dataset="diabetes", normalize_target=True, steps=200)
    return evaluate(run), result


def test_the_figures_are_those_of_the_run(
    titanic: tuple[Evaluation, dict[str, Any]], diabetes: tuple[Evaluation, dict[str, Any]]
) -> None:
    for found, result in (titanic, diabetes):
        for split, part in found.parts.items():
            same(part.figures, result["metrics"][split])
    assert set(titanic[0].parts) == {"train", "validation", "test"}
    assert set(diabetes[0].parts) == {"train", "validation"}
    assert titanic[0].decision is not None
    assert titanic[0].decision.threshold == titanic[1]["threshold"] == 0.5
    assert titanic[0].decision.name == titanic[1]["positive"] == "1"


def test_amounts_stand_against_the_mean_of_the_train_rows(diabetes: tuple[Evaluation, dict[str, Any]]) -> None:
    found, result = diabetes
    near(found.parts["train"].baseline["mse"], result["baseline_loss"], 1e-9)
    near(found.parts["train"].baseline["r2"], 0.0, 0, 1e-12)
    train_mean = found.parts["train"].target.mean()
    part = found.parts["validation"]
    near(part.baseline["mse"], float(np.mean((part.target - train_mean) ** 2)), 1e-9)
    assert part.figures["rmse"] < part.baseline["rmse"]
    near(float(np.mean(part.residuals**2)), part.figures["mse"], 1e-9)
    assert part.probabilities is None
    assert part.confusion is None
    assert part.curves == ()


def test_classes_stand_against_the_greatest_class_and_the_shares(titanic: tuple[Evaluation, dict[str, Any]]) -> None:
    found, _ = titanic
    share = found.parts["train"].target.mean()
    part = found.parts["validation"]
    near(part.baseline["accuracy"], float(np.mean(part.target == 0)), 1e-12)
    near(part.baseline["log_loss"], float(-np.mean(np.where(part.target == 1, np.log(share), np.log(1 - share)))), 1e-9)
    assert part.baseline["roc_auc"] == 0.5
    near(part.baseline["pr_auc"], float(part.target.mean()), 1e-9)
    assert np.isnan(part.baseline["precision"])  # nobody is decided to have survived
    assert part.figures["accuracy"] > part.baseline["accuracy"]
    assert part.figures["f1"] >= part.at_half["f1"]


def test_confusion_and_curves_are_scikit_learns(titanic: tuple[Evaluation, dict[str, Any]]) -> None:
    for part in titanic[0].parts.values():
        assert part.confusion is not None
        assert part.probabilities is not None
        assert part.per_class is not None
        assert np.array_equal(part.confusion, oracle.confusion_matrix(part.target, part.predicted))
        assert part.per_class["support"].sum() == part.rows
        (curve,) = part.curves
        false, true, _ = oracle.roc_curve(part.target, part.probabilities[:, 1], drop_intermediate=False)
        assert np.allclose(curve.false, false)
        assert np.allclose(curve.true, true)
        near(curve.roc_auc, part.figures["roc_auc"], 1e-12)
        near(float(np.trapezoid(curve.true, curve.false)), curve.roc_auc, 1e-9)
        assert len(curve.thresholds) == len(curve.recall) == len(curve.precision) == len(curve.true)


def _shown(case: Case, prepared: Prepared) -> dict[str, str]:
    table = prepared.plan.table
    return {name: table[name].show(case.row - 1, case.row)[0] for name in case.values}


def test_the_worst_rows_come_first_in_raw_units(titanic: tuple[Evaluation, dict[str, Any]], tmp_path: Path) -> None:
    part = titanic[0].parts["validation"]
    chosen = recipe(tmp_path, dataset="titanic", test=0.1)
    prepared = prepare(chosen.data, chosen.normalization, load(chosen.data))
    assert part.probabilities is not None
    own = part.probabilities[np.arange(part.rows), part.target.astype(int)]
    losses = np.sort(-np.log(own))[::-1]
    assert np.allclose([case.loss for case in part.worst], losses[:5])
    for case in part.worst:
        assert case.row - 1 in prepared.validation.index
        assert case.values == _shown(case, prepared)
        assert case.target != case.predicted
        assert case.probability > 0.5
        assert case.place == f"titanic, row {case.row}"


def test_the_worst_amounts(diabetes: tuple[Evaluation, dict[str, Any]]) -> None:
    part: Part = diabetes[0].parts["train"]
    worst = part.worst[0]
    near(worst.loss, float(np.max(part.residuals**2)), 1e-9)
    assert isinstance(worst.target, float)
    assert isinstance(worst.predicted, float)
    near((worst.target - worst.predicted) ** 2, worst.loss, 1e-9)
    assert np.isnan(worst.probability)
    assert len(part.worst) == 20


def test_more_classes_have_a_curve_each(tmp_path: Path) -> None:
    run, result = trained(tmp_path, dataset="iris", epochs=5)
    found = evaluate(run)
    assert [curve.name for curve in found.parts["train"].curves] == result["classes"]
    assert found.parts["validation"].at_half == {}
    mean = np.mean([curve.roc_auc for curve in found.parts["validation"].curves])
    near(float(mean), result["metrics"]["validation"]["roc_auc"], 1e-9)


def test_a_live_run_is_evaluated_from_its_outputs(tmp_path: Path) -> None:
    run = prepared_run(recipe(tmp_path, dataset="moons", model="mlp", hidden="4", epochs=2))
    run.advance(5)
    outputs = {"train": run.kernel.outputs("train"), "test": run.kernel.outputs("test")}
    found = examine(run.prepared, outputs, run.plan.loss)  # type: ignore[arg-type]
    assert set(found.parts) == {"train"}
    near(found.parts["train"].figures["log_loss"], run.kernel.evaluate("train"), 1e-5)


def test_a_changed_table_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "\n".join(f"{i},{2 * i + i % 3}" for i in range(30)))
    run, _ = trained(tmp_path, dataset=str(table), target="y", steps=3)
    assert evaluate(run).parts["train"].worst[0].place.startswith("table.csv, line ")
    table.write_text("x,y\n" + "\n".join(f"{i},{3 * i + 1}" for i in range(30)))
    assert "no longer the table" in message(lambda: evaluate(run))


# Gradients in numpy, and health.


@pytest.mark.parametrize(
    "fields",
    [
        {"dataset": "diabetes", "normalize_target": True, "loss": "huber"},
        {"dataset": "diabetes", "loss": "mae"},
        {"dataset": "titanic", "class_weight": "balanced"},
        {"dataset": "iris", "init": "uniform"},
        *(
            {"dataset": "moons", "model": "mlp", "hidden": "5,4", "activation": name, "batch_norm": name == "gelu"}
            for name in ("relu", "leaky-relu", "gelu", "silu", "tanh", "sigmoid")
        ),
    ],
)
def test_the_gradient_is_the_kernels(fields: dict[str, Any], tmp_path: Path) -> None:
    run = prepared_run(recipe(tmp_path, precision="float64", backend="autograd", **fields))
    run.advance(3)
    now, data = run.kernel.parameters().arrays, run.prepared.train
    found = backward.gradient(run.plan.architecture, run.plan.loss, now, data.x, data.y, data.weight)
    wanted = run.kernel.gradient().arrays
    assert set(found) == set(wanted)
    for name, values in wanted.items():
        assert np.allclose(found[name], values, rtol=1e-9, atol=1e-12), name


SHAPE = Architecture("mlp", 3, 1, (6, 6))


def network(**changed: Any) -> dict[str, Any]:
    return init_parameters(SHAPE, "kaiming", 2) | changed  # a seed under which every unit lives


def states(arrays: dict[str, Any], gradient: dict[str, Any] | None = None, x: Any = None) -> dict[str, health.State]:
    found = health.examine(SHAPE, arrays, gradient, x)
    assert all(bool(one.words) == (one.state != "well") for one in found)
    return {one.name: one.state for one in found}


def test_a_new_network_is_well() -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    slopes = backward.gradient(SHAPE, "mse", network(), x, x[:, 0])
    assert set(states(network(), slopes, x).values()) == {"well"}


def test_numbers_that_are_none_are_named() -> None:
    start = network()
    found = states(
        network(
            **{
                "hidden0.weight": start["hidden0.weight"] * np.nan,
                "hidden1.weight": start["hidden1.weight"] * np.inf,
                "output.bias": np.array([1e9]),
            }
        )
    )
    assert found["hidden0.weight"] == "NaN"
    assert found["hidden1.weight"] in ("NaN", "infinite")
    assert found["output.bias"] == "exploding"
    assert found["hidden0.bias"] == "well"


def test_dead_units_are_counted() -> None:
    x = np.random.default_rng(0).standard_normal((50, 3))
    bias = np.array([-1e3, -1e3, 0, 0, 0, 0.0])
    arrays = network(**{"hidden0.bias": bias})
    (first, *_) = health.examine(SHAPE, arrays, None, x)
    assert (first.state, first.words) == ("dead", "2 of 6 units of hidden0 are 0 for every train row")
    near(first.dead, 1 / 3, 1e-12)


def test_a_first_layer_that_stands_still_while_the_last_moves_is_vanishing() -> None:
    shape = Architecture("mlp", 3, 1, (8,) * 12, activation="sigmoid")
    arrays = init_parameters(shape, "kaiming", 0)
    x = np.random.default_rng(0).standard_normal((50, 3))
    slopes = backward.gradient(shape, "mse", arrays, x, x[:, 0])
    found = {one.name: one for one in health.examine(shape, arrays, slopes, x)}
    assert found["hidden0.weight"].state == "vanishing"
    assert "vanishing" in found["hidden0.weight"].words
    assert found["output.weight"].state == "well"
    still = {name: values * 1e-9 for name, values in backward.gradient(SHAPE, "mse", network(), x, x[:, 0]).items()}
    assert set(states(network(), still, x).values()) == {"well"}  # at an optimum all of them stand still


def test_an_evaluation_tells_the_health(tmp_path: Path) -> None:
    run, _ = trained(tmp_path, dataset="moons", model="mlp", hidden="8", epochs=3)
    found = evaluate(run)
    assert {one.name for one in found.health} == {"hidden0.weight", "hidden0.bias", "output.weight", "output.bias"}
    assert len(found.complaints) == sum(one.state != "well" for one in found.health)
