"""Every loss on every backend and in every export against plain PyTorch; and ones that are made up here."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from scipy.optimize import minimize
from torch.nn import functional

from engine.analysis import evaluation
from engine.base.errors import InputError
from engine.data.sources import load
from engine.learn.kernels import measure
from engine.learn.kernels.contract import State
from engine.learn.kernels.criterion import Criterion
from engine.learn.kernels.loops import dispatch
from engine.learn.objective import baseline, output_gradients, row_losses
from engine.recipe import build, find, read_toml
from engine.registry import losses as registry
from engine.registry.losses import REGISTRY, Loss, median, register, remove
from engine.runs import code, onnx_model, predictor, standalone, tensors
from tests.conftest import DEADLINE, environment, losses, made, message, prepared_run
from tests.engine.learn import descent
from tests.engine.learn.descent import assert_follows, case, classes, plain_loop
from tests.engine.registry.exports import program, record
from tests.engine.runs.test_code import DRIVER

LOG_COSH = Loss(
    name="log-cosh",
    label="log-cosh",
    help="log(cosh(error)): half the square of a small error, the size of a large one less log 2.",
    tasks=("regression",),
    numpy=lambda np, z, y: np.logaddexp(z - y, y - z) - np.log(2),
    gradient=lambda np, z, y: np.tanh(z - y),
    torch=lambda torch, z, y: z - y + torch.nn.functional.softplus(2 * (y - z)) - 0.6931471805599453,
    plain="outputs - {y} + functional.softplus(2 * ({y} - outputs)) - 0.6931471805599453",
    loop="""
        e = abs(z - y)
        value = e + log_one_plus(decay(2 * e)) - 0.6931471805599453
        gradient = tanh(z - y)
    """,
    constant=median,
    constant_name="median",
    steepest=1.0,
    second=lambda np, z, y: 1 - np.tanh(z - y) ** 2,
)
BRIER = Loss(
    name="brier",
    label="Brier score",
    help="The squared error of the probabilities.",
    tasks=("binary", "multiclass"),
    classes=True,
    numpy=lambda np, z, y: ((_share(np, z) - np.eye(z.shape[1])[y]) ** 2).sum(axis=1),
    gradient=lambda np, z, y: _brier_gradient(np, _share(np, z), np.eye(z.shape[1])[y]),
    torch=lambda torch, z, y: ((z.softmax(dim=1) - functional.one_hot(y, z.shape[1])) ** 2).sum(dim=1),
    plain="((outputs.softmax(dim=1) - functional.one_hot({y}, outputs.shape[1])) ** 2).sum(dim=1)",
    loop="""
        top = z[0]
        for c in range(1, classes):
            top = max(top, z[c])
        mass = 0
        for c in range(classes):
            z[c] = decay(top - z[c])
            mass += z[c]
        value, along = 0, 0
        for c in range(classes):
            z[c] /= mass
            off = z[c] - (1 if c == y else 0)
            value += off * off
            along += off * z[c]
        for c in range(classes):
            z[c] = 2 * w * z[c] * (z[c] - (1 if c == y else 0) - along)
        value *= w
    """,
    constant=lambda np, y, weight: np.log(np.bincount(y.astype(int), weight) / weight.sum()),
    steepest=2.0,
)
HINGE = Loss(
    name="squared-hinge",
    label="squared hinge",
    help="The square of what a logit lacks of 1 on its class's side.",
    tasks=("binary",),
    numpy=lambda np, z, y: np.maximum(1 - (2 * y - 1) * z, 0) ** 2,
    gradient=lambda np, z, y: -2 * (2 * y - 1) * np.maximum(1 - (2 * y - 1) * z, 0),
    torch=lambda torch, z, y: (1 - (2 * y - 1) * z).clamp(min=0) ** 2,
    plain="(1 - (2 * {y} - 1) * outputs).clamp(min=0) ** 2",
    loop="""
        side = 2 * y - 1
        lack = max(1 - side * z, 0)
        value = lack * lack
        gradient = -2 * side * lack
    """,
    constant=lambda np, y, weight: 2 * np.average(y, weights=weight) - 1,
    steepest=2.0,
)
MADE_UP = (LOG_COSH, BRIER, HINGE)
REFERENCE = {
    **descent.LOSSES,
    "log-cosh": lambda output, y: torch.log(torch.cosh(output[:, 0] - y)),
    "brier": lambda output, y: (output.softmax(dim=1) - functional.one_hot(y, output.shape[1])).square().sum(dim=1),
    "squared-hinge": lambda output, y: functional.relu(1 - (2 * y - 1) * output[:, 0]).square(),
}
NAMES = [*REGISTRY.names, *(one.name for one in MADE_UP)]
COMMON = {"precision": "float64", "steps": 120, "optimizer": "adam", "lr": 0.01}
MODELS = {"linear": {}, "mlp": {"hidden": "7,5"}}
AMOUNTS = made(90, 3)
FORMULAS = ("numpy", "gradient", "torch", "second", "loop", "plain")


def _share(np: Any, z: Any) -> Any:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _brier_gradient(np: Any, share: Any, own: Any) -> Any:
    off = share - own
    return 2 * share * (off - (off * share).sum(axis=1, keepdims=True))


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The made-up losses, registered in one place."""
    monkeypatch.setattr(descent, "LOSSES", REFERENCE)
    for one in MADE_UP:
        register(one)
    yield
    for one in MADE_UP:
        remove(one.name)


def fields(name: str, model: str, **more: Any) -> dict[str, Any]:
    """Recipe fields of a loss with a linear model or a network."""
    family = "linear" if REGISTRY[name].for_regression else "softmax" if REGISTRY[name].classes else "logistic"
    return COMMON | {"loss": name, "model": family if model == "linear" else model} | MODELS[model] | more


def tables(name: str) -> list[Any]:
    """A table for each task that a loss fits."""
    found = {"regression": AMOUNTS, "binary": classes(2), "multiclass": classes(3)}
    return [found[task] for task in REGISTRY[name].tasks]


def drawn(name: str, rows: int = 400) -> tuple[Any, Any]:
    """Outputs, from far off to near, and targets."""
    random = np.random.default_rng(1)
    count = 3 if REGISTRY[name].classes else 1
    outputs = random.standard_normal((rows, count)) * np.logspace(-3, 1, rows)[:, None]
    y = random.standard_normal(rows) if REGISTRY[name].for_regression else random.integers(0, max(count, 2), rows)
    return outputs, y.astype(np.float64)


# What it computes.


def test_each_has_a_reference_a_label_and_one_line_of_help() -> None:
    assert sorted(REGISTRY.names) == sorted(REFERENCE)
    for one in REGISTRY:
        assert one.label
        assert one.help.endswith(".")
        assert "\n" not in one.help


@pytest.mark.parametrize("name", NAMES)
def test_values_and_derivatives_are_pytorchs(name: str) -> None:
    outputs, y = drawn(name)
    one, leaf = REGISTRY[name], torch.from_numpy(outputs).requires_grad_()
    target = torch.from_numpy(y.astype(np.int64) if one.classes else y)
    value = REFERENCE[name](leaf, target)
    (slope,) = torch.autograd.grad(value.sum(), leaf, create_graph=True)
    np.testing.assert_allclose(row_losses(name, outputs, y), value.detach().numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(output_gradients(name, outputs, y), slope.detach().numpy(), rtol=1e-7, atol=1e-12)
    weight = torch.linspace(0, 2, len(y), dtype=torch.float64)
    shaped = target if one.classes else target[:, None]
    for share in (None, weight):
        wanted = (value if share is None else value * share).mean()
        assert Criterion(name)(leaf, shaped, share).item() == pytest.approx(wanted.item(), rel=1e-12)
    if one.second is None:
        return
    for i in range(outputs.shape[1]):
        (found,) = torch.autograd.grad(slope[:, i].sum(), leaf, create_graph=True)
        given = target.numpy()
        mine = (
            [one.second(np, outputs, given)(i, j) for j in range(3)]
            if one.classes
            else [one.second(np, outputs[:, 0], given)]
        )
        np.testing.assert_allclose(np.transpose(mine), found.detach().numpy(), rtol=1e-6, atol=1e-11)
        assert one.steepest is not None
        assert np.max(mine) <= one.steepest * (1 + 1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("huber", "log-cosh")])  # theirs is near it
def test_no_constant_is_better_than_the_best_one(name: str) -> None:
    outputs, y = drawn(name)
    weight = np.ones(len(y)) if REGISTRY[name].for_regression else np.linspace(0.5, 2, len(y))

    def at(constant: Any) -> float:
        return float(np.mean(row_losses(name, np.tile(constant, (len(y), 1)), y) * weight))

    found = minimize(at, np.zeros(outputs.shape[1]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
    best = baseline(name, y, outputs.shape[1], weight)
    assert best == pytest.approx(found.fun, rel=1e-6)
    assert best <= found.fun * (1 + 1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_optimum_of_a_linear_model_is_where_the_gradient_is_nothing(name: str) -> None:
    rows = tables(name)[0]
    of = case(rows, **fields(name, "linear", l2=0.01))
    one = REGISTRY[name]
    assert (of.facts.optimum_loss is not None) == (one.squared or one.second is not None)
    if of.facts.optimum_loss is None:
        return
    weights, bias = of.facts.optimum_weights, of.facts.optimum_bias
    assert weights is not None
    assert bias is not None
    train = of.prepared.train
    slope = output_gradients(name, train.x @ weights + bias, train.y) / len(train.y)
    np.testing.assert_allclose(train.x.T @ slope + 0.01 * weights, 0, atol=1e-10)
    np.testing.assert_allclose(slope.sum(axis=0), 0, atol=1e-10)


# Training.


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["compiled", "autograd"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("batch", ["full", 16, 1])
def test_every_backend_takes_the_steps_of_a_pytorch_loop(name: str, backend: str, model: str, batch: Any) -> None:
    for rows in tables(name):
        of = case(rows, **fields(name, model, backend=backend, batch_size=batch))
        assert_follows(of.kernel().advance(120), plain_loop(of, 120))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["compiled", "autograd"])
@pytest.mark.parametrize("model", MODELS)
def test_units_weights_penalties_and_row_orders_are_those_of_a_pytorch_loop(
    name: str, backend: str, model: str
) -> None:
    more: dict[str, Any] = {
        "l2": 0.01,
        "batch_size": 16,
        "shuffle": "none",
        "optimizer": "sgd",
        "normalize_target": True,
    }
    more |= {} if REGISTRY[name].for_regression else {"class_weight": "balanced"}
    of = case(tables(name)[-1], **fields(name, model, backend=backend, **more))
    assert_follows(of.kernel().advance(120), plain_loop(of, 120))


def test_the_squared_error_is_followed_in_its_eigenbasis() -> None:
    for one in REGISTRY:
        if one.for_regression:
            of = case(AMOUNTS, loss=one.name, steps=50, lr=0.1)
            assert (of.plan.backend == "spectral") == one.squared
            assert_follows(of.kernel().advance(50), plain_loop(of, 50))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", MODELS)
def test_the_gradient_in_numpy_is_that_of_autograd(name: str, model: str) -> None:
    of = case(tables(name)[-1], **fields(name, model, backend="autograd"))
    kernel = of.kernel()
    kernel.advance(5)
    for parameter, found in measure.gradient(of.plan, of.prepared, kernel.parameters()).arrays.items():
        np.testing.assert_allclose(found, kernel.gradient().arrays[parameter], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_where_it_stood(name: str) -> None:
    for backend in ("compiled", "autograd"):
        for model in MODELS:
            of = case(tables(name)[-1], **fields(name, model, backend=backend, batch_size=16))
            whole = of.kernel().advance(60)
            first, second = of.kernel(), of.kernel()
            begun = first.advance(25)
            state = first.state()
            second.restore(State({key: array.copy() for key, array in state.arrays.items()}, dict(state.facts)))
            assert np.array_equal(np.concatenate([begun, second.advance(35)]), whole)


# Exports.

DATASETS = {"regression": "linear:rows=60", "binary": "moons:rows=60", "multiclass": "iris"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run with each loss, trained by the backend that is chosen for it."""
    folder, found = tmp_path_factory.mktemp("losses"), {}
    for one in MADE_UP:
        register(one)
    try:
        for name in NAMES:
            own = {"dataset": DATASETS[REGISTRY[name].tasks[-1]], "name": name, "runs": str(folder), "val": 0.2}
            run = prepared_run(
                build(fields(name, "mlp", batch_size=16) | own | {"steps": 40, "normalize_target": True})
            )
            run.clock(True)
            while run.advance(1000):
                pass
            run.finish("limit")
            found[name] = folder / name
    finally:
        for one in MADE_UP:
            remove(one.name)
    return found


def by_torch(run: Path) -> Any:
    """Amounts [n] or probabilities [n, classes] of every row, by PyTorch alone from the arrays in model.safetensors."""
    arrays, _ = tensors.read(run / "model.safetensors", "schema")
    model = predictor.load(run)
    matrix, _ = model.encoder.batches(load(read_toml(run).data), 1 << 15)
    x = torch.from_numpy(np.concatenate([model.normalizer.transform(part) for part in matrix]))
    of = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    for layer in ("hidden0", "hidden1"):
        x = torch.relu(x @ of[f"{layer}.weight"] + of[f"{layer}.bias"])
    outputs = x @ of["output.weight"] + of["output.bias"]
    if model.task == "regression":
        return (outputs[:, 0] * model.target_scale.scale + model.target_scale.offset).numpy()
    if outputs.shape[1] == 1:
        return torch.cat([torch.sigmoid(-outputs), torch.sigmoid(outputs)], dim=1).numpy()
    return torch.softmax(outputs, dim=1).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_every_export_predicts_what_pytorch_does(name: str, runs: dict[str, Path], tmp_path: Path) -> None:
    run, wanted = runs[name], by_torch(runs[name])
    model, table = predictor.load(run), load(read_toml(run).data)
    size = np.abs(wanted).max()
    assert np.abs(model.predict(table)[0] - wanted).max() < 1e-12 * size
    session = onnxruntime.InferenceSession(onnx_model.to_onnx(model))
    feed = {column.name: table[column.name].numbers for column in model.inputs}
    output = "prediction" if model.task == "regression" else "probabilities"
    assert np.abs(session.run([output], feed)[0] - wanted).max() < 1e-9 * size
    script = tmp_path / "predict.py"
    script.write_text(standalone.script(model))
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(feed)
    writer.writerows(zip(*(column.tolist() for column in feed.values()), strict=True))
    line = [sys.executable, "-I", "-S", str(script)]
    answer = subprocess.run(line, input=rows.getvalue(), capture_output=True, text=True, timeout=DEADLINE, check=True)
    first = 0 if model.task == "regression" else 1  # before the probabilities is the class
    found = [[float(cell) for cell in row[first:]] for row in [*csv.reader(io.StringIO(answer.stdout))][1:]]
    assert np.abs(np.array(found).reshape(wanted.shape) - wanted).max() < 1e-12 * size


def test_scripts_in_both_styles_find_the_losses_of_their_runs(runs: dict[str, Path], tmp_path: Path) -> None:
    scripts: dict[str, Path] = {}
    for name, run in runs.items():
        for style in ("plain", "torch"):
            path = tmp_path / f"{style}-{name}.py"
            path.write_text(code.of_run(run, style, path), encoding="utf-8")  # type: ignore[arg-type]
            scripts[str(path)] = run
    program = [sys.executable, "-c", DRIVER, *scripts]
    done = subprocess.run(program, env=environment(), capture_output=True, text=True, timeout=2 * DEADLINE)
    assert done.returncode == 0, done.stderr
    for path, found in json.loads(done.stderr.strip().splitlines()[-1]).items():
        np.testing.assert_allclose(found["losses"], losses(scripts[path]), rtol=1e-6, err_msg=path)
        validation = np.fromfile(scripts[path] / "validation.f64", "<f8").reshape(-1, 2)[:, 1]
        np.testing.assert_allclose([loss for _, loss in found["validation"]], validation, rtol=1e-6, err_msg=path)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_evaluated_by_its_loss(name: str, runs: dict[str, Path]) -> None:
    found = evaluation.evaluate(runs[name], worst=10**6)
    facts = json.loads((runs[name] / "run.json").read_text())["result"]
    mean = np.mean([case.loss for case in found.parts["train"].worst])
    assert mean == pytest.approx(facts["train_loss"], rel=1e-9)
    assert found.parts["train"].size(name) is not None
    assert [one.state for one in found.health]


def test_a_model_whose_loss_is_not_registered_still_predicts_and_is_named(runs: dict[str, Path]) -> None:
    wanted = by_torch(runs["log-cosh"])
    remove("log-cosh")
    try:
        table = load(build({"dataset": DATASETS["regression"]}).data)
        assert np.allclose(predictor.load(runs["log-cosh"]).predict(table)[0], wanted)
        assert "log-cosh" in message(lambda: evaluation.evaluate(runs["log-cosh"]))
    finally:
        register(LOG_COSH)


# Where the names are shown.


def test_the_form_offers_it_with_its_help() -> None:
    choice = find("loss")
    assert choice.words == ("auto", *REGISTRY.names)
    assert "log-cosh" in choice.allowed
    assert choice.about("log-cosh") == f"{LOG_COSH.label}: {LOG_COSH.help}"
    assert build({"loss": "log-cosh"}).model.loss == "log-cosh"
    remove("log-cosh")
    try:
        assert "log-cosh" not in choice.words
        assert "log-cosh, but must be" in message(lambda: build({"loss": "log-cosh"}))
    finally:
        register(LOG_COSH)


def test_a_loss_is_offered_for_its_tasks_alone() -> None:
    with pytest.raises(InputError, match="choose mse, huber, mae or log-cosh"):
        case(AMOUNTS, loss="bce")
    with pytest.raises(InputError, match="choose bce, cross-entropy, brier or squared-hinge"):
        case(classes(2), loss="log-cosh", model="mlp")
    with pytest.raises(InputError, match="choose bce or squared-hinge"):
        case(classes(2), loss="brier", model="logistic")
    assert [case(rows).plan.loss for rows in (AMOUNTS, classes(2), classes(3))] == ["mse", "bce", "cross-entropy"]


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
def test_a_program_that_registers_one_has_it_in_help_trains_and_resumes(backend: str, tmp_path: Path) -> None:
    given = record("test_losses.py", "LOG_COSH = ", "BRIER = ")
    lines = f"from engine.registry.losses import Loss, median, register\n{given}\nregister(LOG_COSH)"
    run = partial(program, tmp_path, lines)
    assert "log-cosh" in run("train", "--help").stdout
    words = ["train", "linear:rows=60", "--loss", "log-cosh", "--backend", backend, "--batch-size", "16"]
    words += ["--runs", str(tmp_path / "runs"), "--no-tensorboard", "--schedule", "constant"]
    for name, steps in (("whole", "30"), ("part", "20")):
        done = run(*words, "--name", name, "--steps", steps)
        assert done.returncode == 0, done.stderr
    done = run("resume", "part", "--runs", str(tmp_path / "runs"), "--steps", "30")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(losses(tmp_path / "runs" / "part"), losses(tmp_path / "runs" / "whole"))


def test_the_example_that_is_documented_works() -> None:
    assert registry.__doc__ is not None
    _, example = registry.__doc__.split("the run is made:\n\n")
    remove("log-cosh")
    exec(dedent(example.partition("\n\nFunctions are given")[0]))
    one, (outputs, y) = REGISTRY["log-cosh"], drawn("log-cosh")
    values, gradients = row_losses("log-cosh", outputs, y), output_gradients("log-cosh", outputs, y)
    register(LOG_COSH, replace=True)
    assert dedent(one.loop) == dedent(LOG_COSH.loop)
    assert one.source("y") == LOG_COSH.source("y")
    assert replace(one, **{name: getattr(LOG_COSH, name) for name in FORMULAS}) == LOG_COSH
    assert np.array_equal(values, row_losses("log-cosh", outputs, y))
    assert np.array_equal(gradients, output_gradients("log-cosh", outputs, y))


# Editing records.


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
@pytest.mark.parametrize("model", MODELS)
def test_an_edited_record_gives_other_numbers(backend: str, model: str) -> None:
    edited = replace(
        LOG_COSH, torch=lambda torch, z, y: 3 * (z - y) ** 2, loop="e = z - y; value = 3 * e * e; gradient = 6 * e"
    )
    of = case(AMOUNTS, **fields("log-cosh", model, backend=backend))
    loop = dispatch.single if model == "linear" else dispatch.network
    before, module = of.kernel().advance(20), loop()
    register(edited, replace=True)
    try:
        after = of.kernel().advance(20)
        assert not np.array_equal(before, after)
        with pytest.MonkeyPatch.context() as patch:
            other = {"log-cosh": lambda output, y: 3 * (output[:, 0] - y).square()}
            patch.setattr(descent, "LOSSES", REFERENCE | other)
            assert_follows(after, plain_loop(of, 20))
    finally:
        register(LOG_COSH, replace=True)
    assert np.array_equal(of.kernel().advance(20), before)
    assert loop() is module


def test_what_a_record_has_no_formula_for_is_refused() -> None:
    with pytest.raises(ValueError, match="a formula for torch"):
        replace(LOG_COSH, torch=None)
    register(replace(LOG_COSH, loop="", second=None), replace=True)
    try:
        with pytest.raises(InputError, match="has no loop for the loss log-cosh"):
            case(AMOUNTS, **fields("log-cosh", "linear", backend="compiled"))
        of = case(AMOUNTS, **fields("log-cosh", "linear"))
        assert of.plan.backend == "autograd"
        assert of.facts.optimum_loss is None
    finally:
        register(LOG_COSH, replace=True)
