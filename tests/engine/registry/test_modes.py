"""Every normalization mode on every backend and in every export against scikit-learn; and two that are made up here."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import preprocessing
from sklearn.linear_model import LinearRegression

import engine
from engine.analysis.survey import survey
from engine.data.normalize import fit, fit_target, under_every_mode
from engine.data.prepare import prepare
from engine.data.sources import load
from engine.recipe import build, find, read_toml
from engine.registry import modes
from engine.registry.modes import DEFAULT, REGISTRY, Mode, register, remedies, remove
from engine.runs import code, predictor
from tests.conftest import ROOT, facts, losses, made, message
from tests.engine.learn.descent import assert_follows, case, plain_loop
from tests.engine.registry.exports import losses_of_scripts, predictions, program, record, trained

Floats = NDArray[np.float64]

MIDRANGE = Mode(
    name="midrange",
    label="mid-range",
    help="To [-1, 1].",
    fit=lambda np, columns: ((columns.low + columns.high) / 2, (columns.high - columns.low) / 2),
    script="""
        low, high = {x}.min(dim=0).values, {x}.max(dim=0).values
        {offset}, {scale} = (low + high) / 2, (high - low) / 2
    """,
)
ROOT_MEAN_SQUARE = Mode(
    name="root-mean-square",
    label="RMS",
    help="Root mean square 1, nothing taken away.",
    fit=lambda np, columns: (None, columns.each(lambda column: np.sqrt(np.mean(column**2)))),
    script="{scale} = ({x} ** 2).mean(dim=0).sqrt()",
)
MADE_UP = (MIDRANGE, ROOT_MEAN_SQUARE)
NAMES = [*REGISTRY.names, *(one.name for one in MADE_UP)]
REFERENCE: Mapping[str, Callable[[], Any]] = {
    "none": lambda: preprocessing.FunctionTransformer(func=np.array, inverse_func=np.array),
    "max": preprocessing.MaxAbsScaler,
    "minmax": preprocessing.MinMaxScaler,
    "zscore": preprocessing.StandardScaler,
    "robust": preprocessing.RobustScaler,
    "midrange": lambda: preprocessing.MinMaxScaler((-1, 1)),
    "root-mean-square": lambda: RootMeanSquare(),
}
COMMON: dict[str, Any] = {"dataset": "linear:rows=60,condition=9", "steps": 40, "lr": 0.05, "schedule": "constant"}


class RootMeanSquare:
    """Like scikit-learn's transformers."""

    def fit(self, x: Floats) -> RootMeanSquare:
        self.scale = np.sqrt((x**2).mean(axis=0))
        return self

    def transform(self, x: Floats) -> Floats:
        return x / self.scale

    def inverse_transform(self, x: Floats) -> Floats:
        return x * self.scale


@pytest.fixture(autouse=True)
def made_up() -> Iterator[None]:
    """The made-up modes, registered in one place."""
    for one in MADE_UP:
        register(one)
    yield
    for one in MADE_UP:
        remove(one.name)


def table() -> Floats:
    """Columns of many scales and places, none of them constant."""
    random = np.random.default_rng(3)
    return random.standard_normal((90, 4)) * [1, 1e6, 1e-9, 3] + [0, 5e6, 4e-9, 1e4]


def test_each_has_a_reference_a_label_and_one_line_of_help() -> None:
    assert sorted(REGISTRY.names) == sorted(REFERENCE)
    for one in REGISTRY:
        assert one.label
        assert one.help.endswith(".")
        assert "\n" not in one.help
    assert remedies()[0] == DEFAULT
    assert sorted(remedies()) == sorted(name for name in NAMES if REGISTRY[name].scales)


@pytest.mark.parametrize("name", NAMES)
def test_it_transforms_and_brings_back_as_scikit_learn_does(name: str) -> None:
    x = table()
    new, wanted, found = 2 * x[:7] + 1, REFERENCE[name]().fit(x), fit(x, name, "population")
    np.testing.assert_allclose(found.transform(x), wanted.transform(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.transform(new), wanted.transform(new), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.inverse(found.transform(x)), wanted.inverse_transform(wanted.transform(x)), 1e-9)
    here = x.copy()
    found.transform_in_place(here)
    assert np.array_equal(here, found.transform(x))
    kept = type(found).from_json(found.to_json())
    assert np.array_equal(kept.transform(new), found.transform(new))


@pytest.mark.parametrize("name", NAMES)
def test_columns_that_teach_nothing_and_counts_that_are_mostly_0_are_not_blown_up(name: str) -> None:
    count = np.where(np.arange(80) % 9 == 0, 3.0, 0.0)
    x = np.stack([np.full(80, 7.3), np.zeros(80), count, 1e9 + 1e-6 * np.arange(80) % 2], axis=1)
    found = fit(x, name)
    assert found.constant.tolist() == [True, True, False, True]
    assert np.abs(found.transform(x)).max() <= max(np.abs(x).max() if name == "none" else 0, 10)
    assert (found.scale > 0).all()


@pytest.mark.parametrize("fitted", NAMES)
def test_it_is_known_from_columns_that_another_has_normalized(fitted: str) -> None:
    x = made(70, 4).columns
    raw = np.stack([column.data for column in x[:-1]], axis=1)
    first = fit(raw, fitted)
    for name, found in under_every_mode(first.transform(raw), first).items():
        wanted = fit(raw, name)
        np.testing.assert_allclose(found.offset, wanted.offset, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.scale, wanted.scale, rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["spectral", "compiled", "autograd"])
def test_every_backend_takes_the_steps_of_a_pytorch_loop(name: str, backend: str) -> None:
    of = case(made(90, 3), backend=backend, normalize=name, precision="float64", steps=200, lr=0.01)
    raw = of.prepared.raw_train()
    wanted = REFERENCE[name]().fit(raw).transform(raw)
    if name == DEFAULT:
        wanted = wanted * np.sqrt(89 / 90)  # scikit-learn divides by n
    np.testing.assert_allclose(of.prepared.train.x, wanted, rtol=1e-12, atol=1e-13)
    assert_follows(of.kernel().advance(200), plain_loop(of, 200))


# Runs and exports.


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run with each mode; the target goes the way of the features."""
    folder = tmp_path_factory.mktemp("modes")
    for one in MADE_UP:
        register(one)
    try:
        return {name: trained(folder, name, normalize=name, normalize_target=True, **COMMON) for name in NAMES}
    finally:
        for one in MADE_UP:
            remove(one.name)


@pytest.mark.parametrize("name", NAMES)
def test_every_export_predicts_what_the_weights_in_raw_units_do(
    name: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    result, own = facts(runs[name])["result"], load(read_toml(runs[name]).data)
    x = np.stack([own[column].numbers for column in ("x1", "x2", "x3")], axis=1)
    wanted = x @ result["weights_raw"] + result["bias_raw"]
    for way, found in predictions(runs[name], tmp_path).items():
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9, err_msg=way)
    model = engine.load(runs[name])
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-9, atol=1e-9)


def test_the_optimum_is_the_same_under_every_mode(tmp_path: Path) -> None:
    for name in NAMES:
        run = trained(tmp_path, f"best-{name}", normalize=name, optimizer="lbfgs", dataset="linear", steps=200)
        own = load(read_toml(run).data)
        x = np.stack([own[column].numbers for column in ("x1", "x2", "x3")], axis=1)
        wanted = LinearRegression().fit(x, own["y"].numbers)
        found = facts(run)["result"]
        np.testing.assert_allclose(found["weights_raw"], wanted.coef_, rtol=1e-5)
        np.testing.assert_allclose(found["bias_raw"], wanted.intercept_, rtol=1e-5)


def test_scripts_in_both_styles_find_the_losses_of_their_runs(runs: dict[str, Path], tmp_path: Path) -> None:
    for (name, style), found in losses_of_scripts(runs.values(), tmp_path, ("plain", "torch")).items():
        np.testing.assert_allclose(found, losses(runs[name]), rtol=1e-6, err_msg=f"{name} {style}")


@pytest.mark.parametrize("name", ["robust", "midrange"])
def test_scripts_have_the_columns_whose_scale_is_another(name: str, tmp_path: Path) -> None:
    random, path = np.random.default_rng(5), tmp_path / "counts.csv"
    rows = [
        (f"{random.standard_normal():.3f}", int(random.random() < 0.1), 4, int(random.random() < 0.2))
        for _ in range(60)
    ]
    path.write_text("a,b,c,y\n" + "\n".join(",".join(map(str, row)) for row in rows) + "\n")
    fields = {"dataset": str(path), "target": "y", "task": "regression", "normalize_target": True, "steps": 20}
    run = trained(tmp_path, name, normalize=name, types={"c": "numeric"}, **fields)
    for found in losses_of_scripts([run], tmp_path, ("plain", "torch")).values():
        np.testing.assert_allclose(found, losses(run), rtol=1e-6)


def test_a_mode_without_lines_for_a_script_is_refused_there_in_one_sentence(runs: dict[str, Path]) -> None:
    register(replace(MIDRANGE, script=""), replace=True)
    try:
        told = message(lambda: code.of_run(runs["midrange"], "torch", None))
        assert told == "The normalization midrange has no lines for a script; use --format predictor instead."
    finally:
        register(MIDRANGE, replace=True)


def test_a_model_whose_mode_is_not_registered_is_named(runs: dict[str, Path]) -> None:
    remove(MIDRANGE.name)
    try:
        assert "midrange" in message(lambda: predictor.load(runs["midrange"]))
    finally:
        register(MIDRANGE)


# Where the names are shown.


def test_the_form_and_help_offer_it() -> None:
    choice = find("normalize")
    assert choice.words == tuple(NAMES)
    assert "midrange: to [-1, 1]; root-mean-square: root mean square 1, nothing taken away." in choice.help
    assert choice.about("midrange") == "mid-range: To [-1, 1]."
    assert build({"normalize": "midrange"}).normalization.normalize == "midrange"
    remove("midrange")
    try:
        assert "midrange" not in choice.help
        assert "midrange, but must be" in message(lambda: build({"normalize": "midrange"}))
    finally:
        register(MIDRANGE)


def test_it_is_surveyed_and_advised_like_the_others() -> None:
    known = survey(build({"dataset": "scales"}))
    assert set(known.modes) == set(NAMES)
    number = known.modes["midrange"].condition_number
    assert number is not None
    assert number < 40
    register(replace(MIDRANGE, remedy=0), replace=True)
    try:
        assert remedies()[0] == "midrange"
    finally:
        register(MIDRANGE, replace=True)


def test_the_target_goes_the_way_of_the_features() -> None:
    y = np.array([3.0, 5.0, 11.0])
    assert fit_target(y, "midrange").to_json() == {"offset": 7.0, "scale": 4.0}
    assert fit_target(y, "none") == fit_target(y, DEFAULT)


@pytest.mark.parametrize("backend", ["spectral", "compiled", "autograd"])
def test_a_program_that_registers_one_has_it_in_help_trains_and_resumes(backend: str, tmp_path: Path) -> None:
    registering = "from engine.registry.modes import Mode, register\n"
    registering += record("test_modes.py", "MIDRANGE = ", "ROOT_MEAN_SQUARE = ") + "register(MIDRANGE)"
    assert "midrange" in program(tmp_path, registering, "train", "--help").stdout
    words = ["train", "linear3", "--normalize", "midrange", "--backend", backend, "--no-tensorboard"]
    words += ["--runs", str(tmp_path / "runs"), "--lr", "0.1", "--schedule", "constant"]
    for name, steps in (("whole", "30"), ("part", "20")):
        done = program(tmp_path, registering, *words, "--name", name, "--steps", steps)
        assert done.returncode == 0, done.stderr
    done = program(tmp_path, registering, "resume", "part", "--runs", str(tmp_path / "runs"), "--steps", "30")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(losses(tmp_path / "runs" / "part"), losses(tmp_path / "runs" / "whole"))


def test_the_example_that_is_documented_works() -> None:
    assert modes.__doc__ is not None
    _, example = modes.__doc__.split("the run is made:\n\n")
    remove(MIDRANGE.name)
    exec(dedent(example.partition("\n\nTwo rules")[0]))
    assert replace(REGISTRY["midrange"], fit=MIDRANGE.fit, script=MIDRANGE.script) == MIDRANGE
    assert np.array_equal(fit(table(), "midrange").scale, np.ptp(table(), axis=0) / 2)


def test_an_edited_record_gives_other_numbers() -> None:
    recipe, rows = build({"normalize": "midrange", "val": 0}), made()
    before = prepare(recipe.data, recipe.normalization, rows).train.x
    register(replace(MIDRANGE, fit=lambda np, columns: (columns.low, columns.high - columns.low)), replace=True)
    try:
        after = prepare(recipe.data, recipe.normalization, rows).train.x
        np.testing.assert_allclose(after, (before + 1) / 2, atol=1e-12)
    finally:
        register(MIDRANGE, replace=True)


def test_nobody_asks_a_mode_for_its_name() -> None:
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in [*(ROOT / "engine").rglob("*.py"), *(ROOT / "tui").rglob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Attribute | ast.Name)
        and (node.left.attr if isinstance(node.left, ast.Attribute) else node.left.id) in ("mode", "normalize")
        and any(isinstance(one, ast.Constant) and one.value in NAMES for one in node.comparators)
    ]
    assert asked == []
