"""Run folders that somebody edited or a crash damaged: one sentence for whatever reads them, and no other exception."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from engine.base.errors import InputError
from engine.recipe import build, read_toml
from engine.runs import checkpoint, export, formats, predictor
from engine.runs.facts import read_facts
from engine.runs.origin import Origin
from engine.runs.store import list_runs
from engine.training.run import Run
from tests.conftest import DEADLINE, prepared_run

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fields = {"dataset": "linear:rows=60,features=3", "optimizer": "adam", "batch_size": "16", "steps": "20"}
    run = prepared_run(build(fields | {"runs": str(tmp_path_factory.mktemp("whole")), "name": "whole"}))
    while run.advance(100):
        pass
    run.finish("limit")
    assert run.folder is not None
    return run.folder.path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "runs" / "damaged"))


@contextmanager
def deadline() -> Iterator[None]:
    """End what hangs, in the main thread."""

    def ring(number: int, frame: object) -> None:
        raise AssertionError("it waits")

    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def put(tree: Any, place: str, value: Any) -> None:
    """Set the value at a place such as "result.metrics.train" or "encoder.inputs.0.kind"."""
    *way, last = [int(step) if step.isdigit() else step for step in place.split(".")]
    for step in way:
        tree = tree[step]
    if value is ...:
        del tree[last]
    else:
        tree[last] = value


def edit_metadata(path: Path, key: str, change: Change, arrays: Callable[[dict[str, Any]], Any] | None = None) -> None:
    with safe_open(path, framework="np") as file:
        held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        tree = json.loads(file.metadata()[key])
    change(tree)
    if arrays is not None:
        held = arrays(held)
    save_file(held, path, metadata={key: json.dumps(tree)})


RUN_JSON = [
    ("result", []),
    ("result", "done"),
    ("result.metrics", {"train": [1]}),
    ("result.metrics.train", "good"),
    ("result.weights_raw", [1, 2]),
    ("result.weights_raw", [[1], [2, 3], [4]]),
    ("result.weights_raw", {"a": 1}),
    ("result.bias_raw", "x"),
    ("result.features", None),
    ("result.features", [1, 2, 3]),
    ("result.steps", 1e300),
    ("result.steps", "many"),
    ("result.lr_bound", "x"),
    ("result.seconds", [1]),
    ("choices", [1]),
    ("choices.lr", "fast"),
    ("choices.batch_size", [1]),
    ("data", "x"),
    ("data.rows", [1]),
    ("data.features", {"a": 1}),
    ("data.notes", 7),
    ("versions", []),
    ("resumed", [1]),
    ("resumed", [{"step": "x"}]),
    ("origin", {"run": "x", "step": "y"}),
    ("created", "yesterday"),
    ("precision", "float99"),
    ("device", ["cpu"]),
    ("kept_step", "last"),
    ("format", "1"),
    ("format", True),
]


@pytest.mark.parametrize(("place", "value"), RUN_JSON)
def test_an_edited_run_json_is_told_in_a_sentence(run: Path, place: str, value: Any) -> None:
    tree = json.loads((run / "run.json").read_text())
    put(tree, place, value)
    (run / "run.json").write_text(json.dumps(tree))
    with pytest.raises(InputError, match=r"run\.json"):
        read_facts(run)
    (listed,) = list_runs(run.parent)
    assert listed.state == "damaged"
    assert "run.json" in listed.problem
    for each in formats.REGISTRY:
        if each.name in ("safetensors", "onnx", "predictor"):
            continue  # they need no run.json
        with pytest.raises(InputError):
            export.whole(run, each.name)


def _places(tree: Any, way: str = "") -> Iterator[str]:
    """Where the plain values of a tree stand."""
    named = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for name, value in named:
        yield f"{way}{name}"
        yield from _places(value, f"{way}{name}.")


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, -1, None, True, {}, ["x"]])
def test_any_value_of_run_json_may_be_anything_and_the_runs_are_listed_all_the_same(run: Path, value: Any) -> None:
    written = (run / "run.json").read_text()
    for place in _places(json.loads(written)):
        tree = json.loads(written)
        put(tree, place, value)
        (run / "run.json").write_text(json.dumps(tree))
        (listed,) = list_runs(run.parent)
        assert listed.name == run.name, place
        assert json.dumps(dict(listed.choices), allow_nan=False), place


MODEL = [
    ("architecture", []),
    ("architecture.family", "quantum"),
    ("architecture.family", "mlp"),
    ("architecture.inputs", 99),
    ("architecture.inputs", 10**30),
    ("architecture.outputs", 0),
    ("architecture.hidden", 3),
    ("architecture.hidden", [-1]),
    ("architecture.activation", ...),
    ("encoder", {}),
    ("encoder.inputs", {}),
    ("encoder.inputs", []),
    ("encoder.inputs.0", 1),
    ("encoder.inputs.0.kind", "fruit"),
    ("encoder.inputs.0.kind", "categorical"),
    ("encoder.inputs.0.typical", "x"),
    ("encoder.inputs.0.categories", [1]),
    ("encoder.inputs.0.low", None),
    ("encoder.inputs.0.marked", 1),
    ("encoder.inputs.0.name", ...),
    ("encoder.degree", 2),
    ("encoder.terms", [[99]]),
    ("encoder.terms", [[]]),
    ("normalizer.mode", "magic"),
    ("normalizer.scale", [1.0]),
    ("normalizer.scale", [0.0, 1.0, 1.0]),
    ("normalizer.offset", "x"),
    ("normalizer.constant", [1, 2, 3]),
    ("target_scale", {"offset": 1}),
    ("target_scale.scale", 0),
    ("features", ["a"]),
    ("features", "abc"),
    ("classes", ["a", "b", "c"]),
    ("classes", None),
    ("task", "guessing"),
    ("task", "binary"),
    ("threshold", "half"),
    ("threshold", None),
    ("table", 1),
    ("target", None),
    ("format", "1"),
    ("format", ...),
]


@pytest.mark.parametrize(("place", "value"), MODEL)
def test_an_edited_model_is_told_in_a_sentence(run: Path, place: str, value: Any) -> None:
    edit_metadata(run / "model.safetensors", "schema", lambda tree: put(tree, place, value))
    with pytest.raises(InputError, match=r"model\.safetensors"):
        predictor.load(run)


def test_what_a_newer_ravine_added_to_a_model_is_passed_over(run: Path) -> None:
    def add(tree: dict[str, Any]) -> None:
        for part in (tree, tree["architecture"], tree["encoder"], tree["encoder"]["inputs"][0], tree["normalizer"]):
            part["of a newer version"] = {"any": ["thing"]}

    model = predictor.load(run)
    row = {given.name: 0.5 for given in model.inputs}
    before = model.predict_rows([row])[0]
    edit_metadata(run / "model.safetensors", "schema", add)
    np.testing.assert_array_equal(predictor.load(run).predict_rows([row])[0], before)


ARRAYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "missing": lambda held: {"bias": held["bias"]},
    "another shape": lambda held: held | {"weight": held["weight"][:1]},
    "a scalar": lambda held: held | {"weight": np.ones(())},
    "whole numbers": lambda held: held | {"weight": held["weight"].astype(np.int64)},
    "bits": lambda held: held | {"bias": held["bias"].astype(np.bool_)},
}


@pytest.mark.parametrize("how", ARRAYS)
def test_arrays_of_another_model_are_told_in_a_sentence(run: Path, how: str) -> None:
    edit_metadata(run / "model.safetensors", "schema", lambda tree: None, ARRAYS[how])
    with pytest.raises(InputError, match=r"model\.safetensors"):
        predictor.load(run)


def _header(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    size = struct.unpack("<Q", content[:8])[0]
    tree = json.loads(content[8 : 8 + size])
    change(tree)
    text = json.dumps(tree).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


def _first(tree: dict[str, Any]) -> dict[str, Any]:
    return tree[next(name for name in tree if name != "__metadata__")]


BYTES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda held: b"",
    "eight bytes": lambda held: held[:8],
    "cut": lambda held: held[:-1],
    "a huge header": lambda held: struct.pack("<Q", 2**63) + held[8:],
    "a header of a gigabyte": lambda held: struct.pack("<Q", 2**30) + held[8:],
    "no JSON": lambda held: held[:8] + b"\xff" * (len(held) - 8),
    "deep": lambda held: struct.pack("<Q", 100_000) + b"[" * 100_000,
    "a short format": lambda held: _header(held, lambda tree: _first(tree).update(dtype="BF16")),
    "a format there is not": lambda held: _header(held, lambda tree: _first(tree).update(dtype="F1")),
    "a shape too large": lambda held: _header(held, lambda tree: _first(tree).update(shape=[2**62])),
    "no metadata": lambda held: _header(held, lambda tree: tree.pop("__metadata__")),
    "other metadata": lambda held: _header(held, lambda tree: tree.update(__metadata__={"a": "b"})),
    "deep metadata": lambda held: _header(
        held, lambda tree: tree.update(__metadata__=dict.fromkeys(("schema", "facts"), "[" * 10**5))
    ),
}


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoints/last.safetensors"])
@pytest.mark.parametrize("how", BYTES)
def test_damaged_bytes_are_told_in_a_sentence(run: Path, name: str, how: str) -> None:
    path = run / name
    path.write_bytes(BYTES[how](path.read_bytes()))
    with pytest.raises(InputError, match=name):
        predictor.load(run) if name.startswith("model") else checkpoint.load(path)


CHECKPOINT = [
    ("step", "x"),
    ("step", ...),
    ("step", -1),
    ("step", True),
    ("row", 10**9),
    ("row", -5),
    ("batch", 0),
    ("epoch", -1),
    ("lr", "fast"),
    ("lr", float("inf")),
    ("lr", ...),
    ("factor", ...),
    ("optimizer", "magic"),
    ("optimizer", "lbfgs"),
    ("backend", "abacus"),
    ("count", 1.5),
    ("run", "{"),
    ("run", "[1]"),
    ("run", json.dumps({"watch": {"best": 1}})),
    ("run", json.dumps({"seconds": "x"})),
    ("run", json.dumps({"plateau": [1]})),
    ("run", 3),
    ("best", "{}"),
    ("best", ...),
    ("anything", [1]),
]


def resumed(run: Path) -> None:
    going = Run(read_toml(run), origin=Origin.read(run))
    going.prepare(lambda text: None, lambda: False)


@pytest.mark.parametrize(("place", "value"), CHECKPOINT)
def test_an_edited_checkpoint_is_told_in_a_sentence(run: Path, place: str, value: Any) -> None:
    edit_metadata(run / "checkpoints" / "last.safetensors", "facts", lambda tree: put(tree, place, value))
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(InputError, match=run.name):
        resumed(run)
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before  # nothing is touched


CHECKPOINT_ARRAYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "none": lambda held: {"x": np.zeros(3)},
    "one is missing": lambda held: {name: held[name] for name in held if name != "parameters"},
    "one number for all": lambda held: held | {"parameters": np.zeros(1)},
    "too many": lambda held: held | {"parameters": np.zeros(99)},
    "whole numbers": lambda held: held | {"parameters": held["parameters"].astype(np.int64)},
    "a matrix": lambda held: held | {"parameters": np.zeros((2, 2))},
    "best of another shape": lambda held: held | {"best:parameters": np.zeros(99)},
}


@pytest.mark.parametrize("how", CHECKPOINT_ARRAYS)
def test_arrays_of_another_run_are_told_in_a_sentence(run: Path, how: str) -> None:
    path = run / "checkpoints" / "last.safetensors"
    edit_metadata(path, "facts", lambda tree: None, CHECKPOINT_ARRAYS[how])
    with pytest.raises(InputError, match=run.name):
        resumed(run)


@pytest.mark.parametrize(
    "name",
    ["run.json", "note.json", "loss.f64", "stamps.f64", "validation.f64", "evaluations.jsonl", "recipe.toml"]
    + ["model.safetensors", "checkpoints/last.safetensors"],
)
@pytest.mark.parametrize("kind", ["pipe", "folder", "circle", "zeros"])
def test_nothing_waits_for_what_is_no_file(run: Path, name: str, kind: str) -> None:
    path = run / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path.name if kind == "circle" else "/dev/zero")
    list_runs(run.parent)
    read = [resumed, predictor.load]
    read += [lambda run, name=each.name: export.whole(run, name) for each in formats.REGISTRY]
    for act in read:
        with deadline(), suppress(InputError):
            act(run)


def test_losses_that_a_power_cut_took_leave_their_rows(run: Path) -> None:
    path = run / "loss.f64"
    losses = path.read_bytes()
    path.write_bytes(losses[: 8 * 3 + 5])
    going = Run(read_toml(run).replace({"steps": 30}), origin=Origin.read(run))
    going.prepare(lambda text: None, lambda: False)
    assert going.folder is not None
    at = going.step
    assert any("loss.f64" in warning for warning in going.warnings)
    while going.advance(100):
        pass
    found = going.folder.history.values()
    assert len(found) == 30
    np.testing.assert_array_equal(found[:3], np.frombuffer(losses[:24], "<f8"))
    assert np.isnan(found[3:at]).all()
    assert np.isfinite(found[at:]).all()
