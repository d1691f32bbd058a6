"""Every model family on every backend and in every export against plain PyTorch; and three that are made up here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch

from engine.analysis.evaluation import evaluate
from engine.data.sources import load
from engine.learn.kernels.contract import State
from engine.learn.models import init_parameters
from engine.learn.shapes import describe
from engine.recipe import Known, build, find, read_toml
from engine.registry import families
from engine.registry.families import REGISTRY, Family, register, remove
from engine.runs import code, onnx_model, predictor, standalone, tensors
from tests.conftest import losses, made, message
from tests.engine.learn.descent import Case, case, classes
from tests.engine.registry.exports import losses_of_scripts, predictions, program, record, trained


def pairs(library: Any, shape: Any, p: Any, x: Any, bend: Any) -> Any:
    products = [x[:, i : i + 1] * x[:, j : j + 1] for i in range(shape.inputs) for j in range(i)]
    return library.concatenate([x, *products], 1) @ p["weight"] + p["bias"]


def pair_nodes(op: Any, shape: Any, p: Any, x: str, bend: Any) -> str:
    both = [(i, j) for i in range(shape.inputs) for j in range(i)]
    first, second = ([pair[side] for pair in both] for side in (0, 1))
    products = op("Mul", op("Gather", x, first, axis=1), op("Gather", x, second, axis=1))
    return str(op("Add", op("MatMul", op("Concat", x, products, axis=1), p["weight"]), p["bias"]))


PAIRWISE = Family(
    name="pairwise",
    label="Pairwise",
    help="A plane over the features and the products of each two of them.",
    noun="a pairwise model",
    tasks=("regression", "binary", "multiclass"),
    parameters=lambda shape: (
        ("weight", (shape.inputs * (shape.inputs + 1) // 2, shape.outputs)),
        ("bias", (shape.outputs,)),
    ),
    numpy=pairs,
    torch=pairs,
    script="""
        products = [x[:, i : i + 1] * x[:, j : j + 1] for i in range(x.shape[1]) for j in range(i)]
        return torch.cat([x, *products], 1) @ weight + bias
    """,
    onnx=pair_nodes,
    scalar="""
        x = x + [x[i] * x[j] for i in range(len(x)) for j in range(i)]
        return [math.fsum(a * row[k] for a, row in zip(x, p["weight"])) + b for k, b in enumerate(p["bias"])]
    """,
)
SKIPPING = Family(
    name="skipping",
    label="Skipping",
    help="One hidden layer, and the features past it.",
    noun="a network with a skip connection",
    tasks=("regression", "binary", "multiclass"),
    hidden=True,
    parameters=lambda shape: (
        ("inner.weight", (shape.inputs, sum(shape.hidden))),
        ("inner.bias", (sum(shape.hidden),)),
        ("past.weight", (shape.inputs, shape.outputs)),
        ("outer.weight", (sum(shape.hidden), shape.outputs)),
        ("outer.bias", (shape.outputs,)),
    ),
    numpy=lambda np, shape, p, x, bend: (
        x @ p["past.weight"] + bend(x @ p["inner.weight"] + p["inner.bias"]) @ p["outer.weight"] + p["outer.bias"]
    ),
    torch=lambda torch, shape, p, x, bend: (
        x @ p["past.weight"] + bend(x @ p["inner.weight"] + p["inner.bias"]) @ p["outer.weight"] + p["outer.bias"]
    ),
    script="""
        inside = bend(x @ inner_weight + inner_bias)
        return x @ past_weight + inside @ outer_weight + outer_bias
    """,
    onnx=lambda op, shape, p, x, bend: op(
        "Add",
        op("MatMul", x, p["past.weight"]),
        op(
            "Add",
            op("MatMul", bend(op("Add", op("MatMul", x, p["inner.weight"]), p["inner.bias"])), p["outer.weight"]),
            p["outer.bias"],
        ),
    ),
    scalar="""
        dense = lambda x, name: [math.fsum(a * row[k] for a, row in zip(x, p[name])) for k in range(len(p[name][0]))]
        inside = [bend(z + b) for z, b in zip(dense(x, "inner.weight"), p["inner.bias"])]
        return [a + b + c for a, b, c in zip(dense(x, "past.weight"), dense(inside, "outer.weight"), p["outer.bias"])]
    """,
)
RENAMED = Family(
    name="robust-line",
    label="Robust line",
    help="A plane, offered under another name.",
    noun="a plane",
    tasks=("regression",),
)
MADE_UP = (PAIRWISE, SKIPPING, RENAMED)
OWN = (PAIRWISE, SKIPPING)


def dense(p: Mapping[str, Any], x: Any) -> Any:
    for name in [name.removesuffix("weight") for name in p if name.endswith("weight")]:
        x = x @ p[f"{name}weight"] + p[f"{name}bias"]
        x = torch.relu(x) if name.startswith("hidden") else x
    return x


def paired(p: Mapping[str, Any], x: Any) -> Any:
    both = [x[:, i] * x[:, j] for i in range(x.shape[1]) for j in range(i)]
    return torch.column_stack([x, *both]) @ p["weight"] + p["bias"]


def skipped(p: Mapping[str, Any], x: Any) -> Any:
    inside = torch.nn.functional.relu(torch.addmm(p["inner.bias"], x, p["inner.weight"]))
    return torch.addmm(p["outer.bias"], inside, p["outer.weight"]) + x @ p["past.weight"]


REFERENCE: Mapping[str, Callable[[Mapping[str, Any], Any], Any]] = {
    "linear": dense,
    "logistic": dense,
    "softmax": dense,
    "mlp": dense,
    "pairwise": paired,
    "skipping": skipped,
    "robust-line": dense,
}
CASES = [(one.name, task) for one in (*REGISTRY, *MADE_UP) for task in one.tasks]
TABLES = {
    "regression": "linear:rows=60,condition=9",
    "binary": "moons:rows=60",
    "multiclass": "blobs",
}


@pytest.fixture(autouse=True)
def made_up() -> Iterator[None]:
    """The made-up families, registered in one place."""
    for one in MADE_UP:
        register(one)
    yield
    for one in MADE_UP:
        remove(one.name)


def of(name: str, task: str, **fields: Any) -> Case:
    rows = {"regression": lambda: made(90, 3), "binary": lambda: classes(2), "multiclass": lambda: classes(3)}[task]()
    given = {"hidden": "5"} if REGISTRY[name].hidden else {}
    common = {"precision": "float64", "steps": 100, "optimizer": "sgd", "lr": 0.02, "init": "uniform"}
    return case(rows, model=name, **(common | given | fields))


def by_torch(one: Case, steps: int) -> np.ndarray[Any, Any]:
    """The losses of a plain PyTorch loop of full batches."""
    plan, train = one.plan, one.prepared.train
    start = init_parameters(plan.architecture, plan.init, plan.seed)
    p = {name: torch.from_numpy(values.copy()).requires_grad_() for name, values in start.items()}
    x, y = torch.from_numpy(train.x), torch.from_numpy(np.asarray(train.y))
    optimizer = torch.optim.SGD(p.values(), lr=plan.lr)
    found = []
    for _ in range(steps):
        outputs = REFERENCE[plan.architecture.family](p, x)
        if plan.loss == "mse":
            loss = torch.nn.functional.mse_loss(outputs[:, 0], y)
        elif plan.loss == "bce":
            loss = torch.nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y.double())
        else:
            loss = torch.nn.functional.cross_entropy(outputs, y.long())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        found.append(loss.item())
    return np.array(found)


def test_each_has_a_reference_a_label_and_one_line_of_help() -> None:
    assert sorted(REGISTRY.names) == sorted(REFERENCE)
    for one in REGISTRY:
        assert one.label
        assert one.noun
        assert one.help.endswith(".")
        assert "\n" not in one.help
    for task in ("regression", "binary", "multiclass"):
        assert sum(task in one.usual for one in REGISTRY) == 1


@pytest.mark.parametrize(("name", "task"), CASES)
@pytest.mark.parametrize("backend", ["spectral", "compiled", "autograd"])
def test_every_backend_takes_the_steps_of_a_pytorch_loop_or_refuses(name: str, task: str, backend: str) -> None:
    one = REGISTRY[name]
    claims = {"spectral": one.linear and task == "regression", "compiled": one.chain, "autograd": True}
    if not claims[backend]:
        told = message(lambda: of(name, task, backend=backend, batch_size="full"))
        assert name in told
        return
    found = of(name, task, backend=backend, batch_size="full")
    np.testing.assert_allclose(found.kernel().advance(100), by_torch(found, 100), rtol=1e-8)


@pytest.mark.parametrize("name", [one.name for one in MADE_UP])
def test_a_run_goes_on_where_it_stood(name: str) -> None:
    one = of(name, "regression", batch_size=16, optimizer="adam")
    whole = one.kernel().advance(60)
    first, second = one.kernel(), one.kernel()
    begun = first.advance(25)
    state = first.state()
    second.restore(State({key: array.copy() for key, array in state.arrays.items()}, dict(state.facts)))
    assert np.array_equal(np.concatenate([begun, second.advance(35)]), whole)


# Runs and exports.


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """A run of each family on each task that it fits."""
    folder, found = tmp_path_factory.mktemp("families"), {}
    for one in MADE_UP:
        register(one)
    try:
        for name, task in CASES:
            fields = {"hidden": "5"} if REGISTRY[name].hidden else {}
            fields |= {"dataset": TABLES[task], "steps": 25, "init": "kaiming", "l2": 0.01, "batch_size": 16}
            found[name, task] = trained(folder, f"{name}-{task}", model=name, **fields)
    finally:
        for one in MADE_UP:
            remove(one.name)
    return found


@pytest.mark.parametrize(("name", "task"), CASES)
def test_every_export_predicts_what_pytorch_does(
    name: str, task: str, runs: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    run = runs[name, task]
    arrays, _ = tensors.read(run / "model.safetensors", "schema")
    model = predictor.load(run)
    matrix, _ = model.encoder.batches(load(read_toml(run).data), 1 << 15)
    x = torch.from_numpy(np.concatenate([model.normalizer.transform(part) for part in matrix]))
    outputs = REFERENCE[name]({key: torch.from_numpy(np.array(array)) for key, array in arrays.items()}, x)
    if task == "regression":
        wanted = outputs[:, 0].numpy()
    elif outputs.shape[1] == 1:
        wanted = torch.sigmoid(outputs)[:, 0].numpy()
    else:
        wanted = torch.softmax(outputs, 1)[:, -1].numpy()
    for way, found in predictions(run, tmp_path).items():
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11, err_msg=way)


def test_scripts_in_both_styles_find_the_losses_of_their_runs(
    runs: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    for (name, style), found in losses_of_scripts(runs.values(), tmp_path, ("plain", "torch")).items():
        run = next(run for run in runs.values() if run.name == name)
        np.testing.assert_allclose(found, losses(run), rtol=1e-6, err_msg=f"{name} {style}")


@pytest.mark.parametrize("one", OWN, ids=lambda one: one.name)
def test_what_a_record_has_no_lines_for_is_refused_in_one_sentence(
    one: Family, runs: dict[tuple[str, str], Path]
) -> None:
    run = runs[one.name, "regression"]
    register(replace(one, script="", scalar="", onnx=None), replace=True)
    try:
        assert message(lambda: code.of_run(run, "torch", None)) == (
            f"The model {one.name} has no lines for a script; use --format predictor instead."
        )
        assert f"The model {one.name} has no ONNX nodes" in message(lambda: onnx_model.to_onnx(predictor.load(run)))
        assert f"The model {one.name} has no lines for predict.py" in message(
            lambda: standalone.script(predictor.load(run))
        )
    finally:
        register(one, replace=True)


def test_a_model_whose_family_is_not_registered_is_named(runs: dict[tuple[str, str], Path]) -> None:
    remove("pairwise")
    try:
        assert "pairwise" in message(lambda: predictor.load(runs["pairwise", "binary"]))
    finally:
        register(PAIRWISE)


def test_a_model_of_no_layers_is_evaluated_and_described(runs: dict[tuple[str, str], Path]) -> None:
    for one in OWN:
        assert evaluate(runs[one.name, "binary"]) is not None
        assert describe(of(one.name, "regression").plan, 16)[0].startswith(f"{one.name}(inputs [16, 3]")


# Where the names are shown, and what fits together.


def test_help_offers_it() -> None:
    choice = find("model")
    assert "linear, logistic, softmax, mlp, pairwise, skipping, robust-line, or module:Class" in choice.help
    assert choice.about("pairwise") == "Pairwise: A plane over the features and the products of each two of them."
    assert build({"model": "pairwise"}).model.model == "pairwise"
    remove("pairwise")
    try:
        assert "Model (--model) is pairwise, but must be auto" in message(lambda: build({"model": "pairwise"}))
    finally:
        register(PAIRWISE)


def test_a_target_that_it_does_not_fit_is_refused() -> None:
    told = message(lambda: case(classes(2), model="robust-line"))
    assert "Model robust-line does not fit the target" in told
    assert all(name in told for name in ("logistic", "mlp", "pairwise", "skipping"))
    known = Known(build({"model": "skipping", "dropout": 0.5}))
    assert "no hidden layers" in message(lambda: known.refuse(["dropout"]))
    assert not known.why_not("hidden")
    assert of("skipping", "regression", dropout=0.5).plan.architecture.dropout == 0


def test_parameters_without_outputs_are_no_family() -> None:
    with pytest.raises(ValueError, match="needs both numpy and torch"):
        replace(PAIRWISE, torch=None)


def test_a_program_that_registers_one_has_it_in_help_trains_and_resumes(tmp_path: Path) -> None:
    registering = "from typing import Any\nfrom engine.registry.families import Family, register\n"
    registering += record("test_families.py", "def pairs(", "SKIPPING = ") + "register(PAIRWISE)"
    assert "pairwise" in program(tmp_path, registering, "train", "--help").stdout
    words = ["train", "moons:rows=60", "--model", "pairwise", "--no-tensorboard", "--runs", str(tmp_path / "runs")]
    words += ["--schedule", "constant"]
    for name, steps in (("whole", "30"), ("part", "20")):
        done = program(tmp_path, registering, *words, "--name", name, "--steps", steps)
        assert done.returncode == 0, done.stderr
    done = program(tmp_path, registering, "resume", "part", "--runs", str(tmp_path / "runs"), "--steps", "30")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(losses(tmp_path / "runs" / "part"), losses(tmp_path / "runs" / "whole"))


def test_the_example_that_is_documented_works() -> None:
    assert families.__doc__ is not None
    _, example = families.__doc__.split("the run is made:\n\n")
    before = of("pairwise", "binary").kernel().advance(20)
    remove("pairwise")
    exec(dedent(example.partition("\n\nFunctions are given")[0]), {})
    assert np.array_equal(of("pairwise", "binary").kernel().advance(20), before)
