"""Every activation on every backend and in every export against plain PyTorch; and one that is made up here."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional

from engine.base.errors import InputError
from engine.data.sources import load
from engine.learn import models
from engine.learn.kernels import measure
from engine.learn.kernels.contract import State
from engine.learn.kernels.loops import dispatch
from engine.recipe import build, find, read_toml
from engine.registry import activations
from engine.registry.activations import DEFAULT, REGISTRY, Activation, register, remove
from engine.runs import code, onnx_model, predictor, standalone, tensors
from tests.conftest import DEADLINE, environment, losses, made, message, prepared_run
from tests.engine.learn import descent
from tests.engine.learn.descent import assert_follows, case, classes, plain_loop
from tests.engine.registry.exports import program, record
from tests.engine.runs.test_code import DRIVER

SOFTPLUS = Activation(
    name="softplus",
    label="Softplus",
    help="log(1 + exp(z)), a smooth ReLU.",
    numpy=lambda np, z: np.logaddexp(z, 0),
    slope=lambda np, z, value: -np.expm1(-value),
    torch=lambda torch, z: torch.nn.functional.softplus(z),
    plain="functional.softplus({})",
    layer="nn.Softplus()",
    scalar="lambda z: max(z, 0.0) + math.log1p(math.exp(-abs(z)))",
    loop="t = decay(abs(z)); value = max(z, 0) + log_one_plus(t); slope = (1 if z > 0 else t) / (1 + t)",
    onnx=lambda op, z: op("Add", op("Relu", z), op("Log", op("Add", op("Exp", op("Neg", op("Abs", z))), 1.0))),
)
REFERENCE = {**descent.ACTIVATIONS, SOFTPLUS.name: functional.softplus}
NAMES = [*REGISTRY.names, SOFTPLUS.name]
COMMON = {"model": "mlp", "hidden": "7,5", "precision": "float64", "steps": 300, "optimizer": "adam", "lr": 0.002}


@pytest.fixture(autouse=True)
def softplus(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The made-up activation, registered in one place."""
    monkeypatch.setattr(descent, "ACTIVATIONS", REFERENCE)
    register(SOFTPLUS)
    yield
    remove(SOFTPLUS.name)


def test_each_has_a_reference_a_label_and_one_line_of_help() -> None:
    assert sorted(REGISTRY.names) == sorted(REFERENCE)
    for one in REGISTRY:
        assert one.label
        assert one.help.endswith(".")
        assert "\n" not in one.help


@pytest.mark.parametrize("name", NAMES)
def test_values_and_derivatives_are_pytorchs(name: str) -> None:
    z = np.concatenate([np.linspace(-15, 15, 2001), [-1e-9, 0.0, 1e-9]])  # beyond 20 torch's softplus is z
    leaf = torch.from_numpy(z).requires_grad_()
    value = REFERENCE[name](leaf)
    value.sum().backward()
    found = models.activate(name, z)
    assert leaf.grad is not None
    np.testing.assert_allclose(found, value.detach().numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(models.derivative(name, z, found), leaf.grad.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(REGISTRY[name].torch(torch, leaf).detach().numpy(), value.detach().numpy())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["compiled", "autograd"])
@pytest.mark.parametrize("batch", ["full", 16])
def test_every_backend_takes_the_steps_of_a_pytorch_loop(name: str, backend: str, batch: Any) -> None:
    for rows in (made(90, 3), classes(3)):
        of = case(rows, backend=backend, activation=name, batch_size=batch, **COMMON)
        assert_follows(of.kernel().advance(300), plain_loop(of, 300))


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_in_numpy_is_that_of_autograd(name: str) -> None:
    of = case(made(90, 3), backend="autograd", activation=name, **COMMON)
    kernel = of.kernel()
    kernel.advance(5)
    for parameter, found in measure.gradient(of.plan, of.prepared, kernel.parameters()).arrays.items():
        np.testing.assert_allclose(found, kernel.gradient().arrays[parameter], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_where_it_stood(name: str) -> None:
    for backend in ("compiled", "autograd"):
        of = case(made(90, 3), backend=backend, activation=name, batch_size=16, **COMMON)
        whole = of.kernel().advance(60)
        first, second = of.kernel(), of.kernel()
        begun = first.advance(25)
        state = first.state()
        second.restore(State({key: array.copy() for key, array in state.arrays.items()}, dict(state.facts)))
        assert np.array_equal(np.concatenate([begun, second.advance(35)]), whole)


# Exports.


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run with each activation, trained by the backend that is chosen for it."""
    folder, found = tmp_path_factory.mktemp("activations"), {}
    register(SOFTPLUS)
    try:
        for name in NAMES:
            fields = {"dataset": "moons:rows=60", "activation": name, "name": name, "runs": str(folder), "val": 0}
            run = prepared_run(build(COMMON | fields | {"steps": 40}))
            run.clock(True)
            while run.advance(1000):
                pass
            run.finish("limit")
            found[name] = folder / name
    finally:
        remove(SOFTPLUS.name)
    return found


def by_torch(run: Path) -> Any:
    """The probability of the second class of every row, by PyTorch alone from the arrays in model.safetensors."""
    arrays, schema = tensors.read(run / "model.safetensors", "schema")
    model = predictor.load(run)
    matrix, _ = model.encoder.batches(load(read_toml(run).data), 1 << 15)
    x = torch.from_numpy(np.concatenate([model.normalizer.transform(part) for part in matrix]))
    of = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    for layer in ("hidden0", "hidden1"):
        x = REFERENCE[schema["architecture"]["activation"]](x @ of[f"{layer}.weight"] + of[f"{layer}.bias"])
    return torch.sigmoid(x @ of["output.weight"] + of["output.bias"])[:, 0].numpy()


@pytest.mark.parametrize("name", NAMES)
def test_every_export_predicts_what_pytorch_does(name: str, runs: dict[str, Path], tmp_path: Path) -> None:
    run, wanted = runs[name], by_torch(runs[name])
    model, table = predictor.load(run), load(read_toml(run).data)
    assert np.abs(model.predict(table)[0][:, 1] - wanted).max() < 1e-12
    session = onnxruntime.InferenceSession(onnx_model.to_onnx(model))
    feed = {column.name: table[column.name].numbers for column in model.inputs}
    assert np.abs(session.run(["probabilities"], feed)[0][:, 1] - wanted).max() < 1e-9
    script = tmp_path / "predict.py"
    script.write_text(standalone.script(model))
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(feed)
    writer.writerows(zip(*(column.tolist() for column in feed.values()), strict=True))
    line = [sys.executable, "-I", "-S", str(script)]
    answer = subprocess.run(line, input=rows.getvalue(), capture_output=True, text=True, timeout=DEADLINE, check=True)
    found = [float(row[2]) for row in [*csv.reader(io.StringIO(answer.stdout))][1:]]
    assert np.abs(np.array(found) - wanted).max() < 1e-12


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


def test_a_model_whose_activation_is_not_registered_is_named(runs: dict[str, Path]) -> None:
    remove(SOFTPLUS.name)
    try:
        assert "softplus" in message(lambda: predictor.load(runs[SOFTPLUS.name]))
    finally:
        register(SOFTPLUS)


# Where the names are shown.


def test_the_form_offers_it_with_its_help() -> None:
    choice = find("activation")
    assert choice.words == REGISTRY.names
    assert SOFTPLUS.name in choice.allowed
    assert choice.about(SOFTPLUS.name) == "Softplus: log(1 + exp(z)), a smooth ReLU."
    assert build({"activation": SOFTPLUS.name}).model.activation == SOFTPLUS.name
    remove(SOFTPLUS.name)
    try:
        assert SOFTPLUS.name not in choice.words
        assert "softplus, but must be" in message(lambda: build({"activation": SOFTPLUS.name}))
    finally:
        register(SOFTPLUS)


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
def test_a_program_that_registers_one_has_it_in_help_trains_and_resumes(backend: str, tmp_path: Path) -> None:
    given = record("test_activations.py", "SOFTPLUS = ", "REFERENCE = ")
    lines = f"from engine.registry.activations import Activation, register\n{given}\nregister(SOFTPLUS)"
    run = partial(program, tmp_path, lines)
    assert "softplus" in run("train", "--help").stdout
    words = ["train", "moons:rows=60", "--model", "mlp", "--activation", "softplus", "--backend", backend]
    words += ["--runs", str(tmp_path / "runs"), "--no-tensorboard", "--schedule", "constant"]
    for name, steps in (("whole", "30"), ("part", "20")):
        done = run(*words, "--name", name, "--steps", steps)
        assert done.returncode == 0, done.stderr
    done = run("resume", "part", "--runs", str(tmp_path / "runs"), "--steps", "30")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(losses(tmp_path / "runs" / "part"), losses(tmp_path / "runs" / "whole"))


def test_the_example_that_is_documented_works() -> None:
    assert activations.__doc__ is not None
    _, example = activations.__doc__.split("the run is made:\n\n")
    remove(SOFTPLUS.name)
    exec(dedent(example.partition("\n\nFunctions are given")[0]))
    one, z = REGISTRY[SOFTPLUS.name], np.linspace(-5, 5, 11)
    assert replace(one, **{name: getattr(SOFTPLUS, name) for name in ("numpy", "slope", "torch", "onnx")}) == SOFTPLUS
    assert np.array_equal(one.numpy(np, z), SOFTPLUS.numpy(np, z))


# Editing records.


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
def test_an_edited_record_gives_other_numbers(backend: str) -> None:
    edited = replace(
        SOFTPLUS,
        torch=lambda torch, z: 2 * torch.nn.functional.softplus(z),
        loop="t = decay(abs(z)); value = 2 * (max(z, 0) + log_one_plus(t)); slope = 2 * (1 if z > 0 else t) / (1 + t)",
    )
    of = case(made(90, 3), backend=backend, activation=SOFTPLUS.name, **COMMON)
    before, module = of.kernel().advance(20), dispatch.network()
    register(edited, replace=True)
    try:
        after = of.kernel().advance(20)
        assert not np.array_equal(before, after)
        double: Callable[[torch.Tensor], torch.Tensor] = lambda z: 2 * functional.softplus(z)  # noqa: E731
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(descent, "ACTIVATIONS", REFERENCE | {SOFTPLUS.name: double})
            assert_follows(after, plain_loop(of, 20))
    finally:
        register(SOFTPLUS, replace=True)
    assert np.array_equal(of.kernel().advance(20), before)
    assert dispatch.network() is module


def test_what_is_compiled_is_found_again_on_disk(tmp_path: Path) -> None:
    text = """
from tests.engine.learn.descent import case
from tests.conftest import made
from engine.learn.kernels.loops import dispatch
of = case(made(90, 3), model="mlp", backend="compiled", activation="gelu", steps=5)
of.kernel().advance(5)
stats = dispatch.network().run.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
    own = environment(NUMBA_CACHE_DIR=str(tmp_path))
    answers = [
        subprocess.run([sys.executable, "-c", text], env=own, capture_output=True, text=True, timeout=DEADLINE).stdout
        for _ in range(2)
    ]
    assert answers == ["0 1\n", "1 0\n"]


def test_what_a_record_has_no_formula_for_is_refused(runs: dict[str, Path]) -> None:
    register(replace(SOFTPLUS, loop="", onnx=None), replace=True)
    try:
        with pytest.raises(InputError, match="has no loop for the activation softplus"):
            case(made(), backend="compiled", activation=SOFTPLUS.name, **COMMON)
        assert case(made(), activation=SOFTPLUS.name, **COMMON).plan.backend == "autograd"
        assert "softplus has no ONNX" in message(lambda: onnx_model.to_onnx(predictor.load(runs[SOFTPLUS.name])))
    finally:
        register(SOFTPLUS, replace=True)


@pytest.mark.parametrize(("name", "words"), [(DEFAULT, "already"), ("Soft Plus", "must be small letters")])
def test_a_name_that_is_taken_or_no_name_is_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        register(replace(SOFTPLUS, name=name))
