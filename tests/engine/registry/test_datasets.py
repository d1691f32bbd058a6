"""Every built-in table and generator in lists and in runs; and three that are made up here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from sklearn import datasets as scikit

from engine.data.prepare import prepare
from engine.data.sources import builtin_sets, file_of, load, module_of
from engine.data.table import Table
from engine.recipe import build
from engine.registry import datasets
from engine.registry.datasets import DEFAULT, REGISTRY, ROWS, SEED, Dataset, Parameter, register, remove
from engine.runs import predictor
from tests.conftest import losses, message
from tests.engine.registry.exports import losses_of_scripts, predictions, program, record, trained

SINE = Dataset(
    name="sine",
    label="Sine",
    help="a sine wave with noise",
    rows=80,
    features=1,
    task="regression",
    parameters={
        "rows": ROWS(80),
        "noise": Parameter(0.1, "standard deviation of the noise on y", 0, 1e6),
        "seed": SEED,
    },
    make=lambda np, random, p: {
        "x": (x := random.uniform(-3, 3, int(p["rows"]))),
        "y": np.sin(x) + p["noise"] * random.standard_normal(len(x)),
    },
)
STRIPES = Dataset(
    name="stripes",
    label="Stripes",
    help="classes side by side",
    rows=90,
    features=2,
    task="multiclass",
    parameters={
        "rows": ROWS(90),
        "classes": Parameter(3, "number of stripes", 2, 9, whole=True),
        "seed": SEED,
    },
    check=lambda p: "that many stripes need more rows." if p["classes"] * 2 > p["rows"] else "",
    make=lambda np, random, p: {
        "kind": (
            (codes := np.arange(int(p["rows"])) % int(p["classes"])).astype(np.int32),
            tuple(f"stripe {number}" for number in range(int(p["classes"]))),
        ),
        "x1": codes + 0.3 * random.standard_normal(len(codes)),
        "x2": random.standard_normal(len(codes)),
    },
    target="kind",
)
THREE_POINTS = Dataset(
    name="three-points",
    label="Three points",
    help="three points on a line",
    rows=3,
    features=1,
    task="regression",
    make=lambda np, random, p: {"x": np.array([1.0, 2, 4]), "y": np.array([3.0, 5, 9])},
    kind="notes",
    source="this file, MIT",
)
MADE_UP = (SINE, STRIPES, THREE_POINTS)


@pytest.fixture(autouse=True)
def made_up() -> Iterator[None]:
    """The made-up tables, registered in one place."""
    for one in MADE_UP:
        register(one)
    yield
    for one in MADE_UP:
        remove(one.name)


def read(asked: str) -> Table:
    return load(build({"dataset": asked}).data)


@pytest.mark.parametrize("name", [*REGISTRY.names, *(one.name for one in MADE_UP)])
def test_each_is_what_its_record_says(name: str) -> None:
    one, table = REGISTRY[name], read(name)
    recipe = build({"dataset": name})
    prepared = prepare(recipe.data, recipe.normalization, table)
    assert (table.rows, len(table.columns) - 1, prepared.task) == (one.rows, one.features, one.task)
    assert prepared.target == (one.target or table.columns[-1].name)
    assert table.origin == one.kind
    assert one.label
    assert one.help
    assert one.source or one.kind == "generator"
    assert len(prepared.validation) == (0 if one.kind == "notes" else round(0.2 * one.rows))
    for key, parameter in one.parameters.items():
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.help
        assert read(f"{name}:{key}={parameter.default:g}").fingerprint == table.fingerprint
        beyond = message(lambda key=key, least=parameter.low: read(f"{name}:{key}={least - 1:g}"))  # type: ignore[misc]
        assert f"{name}: {key} is" in beyond


@pytest.mark.parametrize("name", [one.name for one in REGISTRY if one.make == "engine.data.bundled:from_sklearn"])
def test_the_classics_are_scikit_learns(name: str) -> None:
    bunch, table = getattr(scikit, f"load_{name}")(), read(name)
    x = np.stack([table.columns[j].numbers for j in range(bunch.data.shape[1])], axis=1)
    assert np.array_equal(x, bunch.data)
    assert np.array_equal(table.columns[-1].codes, bunch.target)


def test_a_made_up_generator_takes_its_parameters_and_refuses_others() -> None:
    wave = read("sine: rows=50 , noise=0")
    assert wave.rows == 50
    np.testing.assert_allclose(wave["y"].numbers, np.sin(wave["x"].numbers))
    assert read("sine:seed=1").fingerprint != read("sine").fingerprint
    assert message(lambda: read("sine:rows=1")) == ("sine: rows is 1, but must be a whole number from 2 to 10,000,000.")
    assert (
        message(lambda: read("sine:nois=1"))
        == "sine has no parameter 'nois'; did you mean noise? They are rows, noise, seed."
    )
    assert message(lambda: read("stripes:rows=4")) == "stripes: that many stripes need more rows."
    assert message(lambda: read("three-points:rows=4")) == "three-points has no parameters; ask for it as three-points."
    assert read("stripes:classes=2").task == "binary"
    assert read("stripes")["kind"].categories == ("stripe 0", "stripe 1", "stripe 2")


def test_it_is_listed_and_no_file_or_module() -> None:
    assert [one.name for one in builtin_sets()] == list(REGISTRY.names)
    data = build({"dataset": "sine:rows=50"}).data
    assert module_of(data) == ""
    assert file_of(data) is None
    assert "did you mean sine?" in message(lambda: read("sinne"))
    remove("sine")
    try:
        assert "There is no file sine and no built-in set of that name" in message(lambda: read("sine"))
    finally:
        register(SINE)


@pytest.mark.parametrize("backend", ["spectral", "compiled", "autograd"])
@pytest.mark.parametrize("name", ["sine", "stripes"])
def test_it_is_trained_on_predicted_with_and_exported(name: str, backend: str, tmp_path: Path) -> None:
    if name == "stripes" and backend == "spectral":
        fields: dict[str, Any] = {"task": "regression", "target": "x1"}
    else:
        fields = {}
    run = trained(tmp_path, "it", dataset=f"{name}:rows=60", backend=backend, steps=20, lr=0.05, **fields)
    for found in losses_of_scripts([run], tmp_path, ("plain", "torch")).values():
        np.testing.assert_allclose(found, losses(run), rtol=1e-6)
    if name == "sine":
        ways = predictions(run, tmp_path)
        for found in ways.values():
            np.testing.assert_allclose(found, ways["predictor"], rtol=1e-6)  # onnxruntime rounds a single column
    assert predictor.load(run).table_name == name


def test_a_program_that_registers_one_trains_and_resumes(tmp_path: Path) -> None:
    registering = "from engine.registry.datasets import ROWS, SEED, Dataset, Parameter, register\n"
    registering += record("test_datasets.py", "SINE = ", "STRIPES = ") + "register(SINE)"
    words = ["train", "sine:rows=40,noise=0.2", "--runs", str(tmp_path / "runs"), "--no-tensorboard", "--lr", "0.1"]
    for name, steps in (("whole", "30"), ("part", "20")):
        done = program(tmp_path, registering, *words, "--name", name, "--steps", steps)
        assert done.returncode == 0, done.stderr
    done = program(tmp_path, registering, "resume", "part", "--runs", str(tmp_path / "runs"), "--steps", "30")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(losses(tmp_path / "runs" / "part"), losses(tmp_path / "runs" / "whole"))


def test_the_example_that_is_documented_works() -> None:
    assert datasets.__doc__ is not None
    _, example = datasets.__doc__.split("the run is made:\n\n")
    before = read("sine").fingerprint
    remove("sine")
    exec(dedent(example.partition("\n\nA maker is given")[0]))
    assert read("sine").fingerprint == before


def test_the_default_is_there() -> None:
    assert build({}).data.dataset == DEFAULT
    assert DEFAULT in REGISTRY
