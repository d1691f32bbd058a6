"""A run's model in a program of one's own: `engine.load(run).predict(...)`."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import engine
from engine.data.sources import load as load_table
from engine.recipe import build, read_toml
from engine.runs import predictor
from engine.runs.model import PredictionWarning, TrainedModel
from tests.conftest import DEADLINE, environment, message, prepared_run, ravine, train

CASES: dict[str, dict[str, Any]] = {
    "scales": {"dataset": "scales", "steps": 200},
    "titanic": {"dataset": "titanic", "steps": 60},
    "iris": {"dataset": "iris", "steps": 60},
    "moons": {"dataset": "moons", "model": "mlp", "hidden": "16,8", "steps": 60},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predictor") / "runs"
    for name, wishes in CASES.items():
        run = prepared_run(build({"backend": "autograd"} | wishes | {"runs": str(folder), "name": name}))
        run.advance(1000)
        run.finish("limit")
    return folder


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Values outside the training range are no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PredictionWarning)
        yield


def test_an_amount_from_every_kind_of_rows(runs: Path) -> None:
    model = engine.load(runs / "scales")
    assert [column.name for column in model.inputs] == ["x1", "x2"]
    array = np.array([[3.0, 2500.0], [1.0, 1200.0], [2.0, 3000.0]])
    wanted = predictor.load(runs / "scales").predict_rows([{"x1": a, "x2": b} for a, b in array.tolist()])[0]
    columns = {"x2": array[:, 1], "other": ["a", "b", "c"], "x1": array[:, 0]}
    given: list[Any] = [
        array,
        array.astype(np.float32),
        array.astype(np.int64),
        np.asfortranarray(array),
        array.tolist(),
        pl.DataFrame(columns),
        pl.DataFrame(columns).lazy(),
        pd.DataFrame(columns),
        {"x1": array[:, 0], "x2": array[:, 1].tolist()},
        [{"x1": a, "x2": b} for a, b in array.tolist()],
        [{"x1": f"{a}", "x2": f" {b:,.0f}"} for a, b in array.tolist()],
    ]
    for rows in given:
        found = model.predict(rows)
        assert found.dtype == np.float64
        assert found == pytest.approx(wanted, rel=1e-12), type(rows)
    one = model.predict({"x1": 3, "x2": "2500"})
    assert one.shape == (1,)
    assert one[0] == pytest.approx(wanted[0], rel=1e-12)
    assert model.predict(np.empty((0, 2))).shape == (0,)


def test_classes_and_their_probabilities(runs: Path) -> None:
    for name in ("titanic", "iris", "moons"):
        model = engine.load(str(runs / name))
        table = load_table(read_toml(runs / name).data)
        chances, _ = predictor.load(runs / name).predict(table)
        columns = {c.name: table[c.name].show(0, table.rows) for c in model.inputs}
        cells = {c: [None if x == "" else x for x in texts] for c, texts in columns.items()}
        for frame in (pl.DataFrame(cells), pd.DataFrame(cells)):
            assert np.abs(model.probabilities(frame) - chances).max() < 1e-8  # the cells are texts of ten digits
        found = model.predict(pl.DataFrame(cells))
        assert set(found) <= set(model.classes)
        assert found.tolist() == predictor.load(runs / name).decide(chances)
    assert "is a number, not one" in message(lambda: engine.load(runs / "scales").probabilities([[1, 2]]))


def test_missing_and_boolean_cells(runs: Path) -> None:
    model = engine.load(runs / "titanic")
    row: dict[str, Any] = {column.name: column.typical for column in model.inputs}
    gaps = [row | {"age": None}, row | {"age": float("nan")}, row | {"age": ""}, row | {"age": "NA"}]
    found = model.probabilities(gaps)
    assert (found == found[0]).all()
    frame = pl.DataFrame([row | {"age": None}], schema_overrides={"age": pl.Float64})
    assert model.probabilities(frame) == pytest.approx(found[:1])
    assert model.probabilities(pd.DataFrame([row | {"age": None}])) == pytest.approx(found[:1])


def test_what_is_odd_is_warned_of(runs: Path) -> None:
    model = engine.load(runs / "scales")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.predict(np.array([[3.0, 1e9], [4.0, 1e9]]))
    assert [str(w.message) for w in caught] == [
        text for text in map(str, (w.message for w in caught)) if "x2: 2 values lie outside" in text
    ]
    assert len(caught) == 1
    assert caught[0].category is PredictionWarning
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.zeros((3, 3)), "shape [3, 3]; the model takes [rows, 2] with the columns x1, x2"),
        (np.zeros(2), "shape [2]"),
        (pl.DataFrame({"x1": [1.0]}), "no column 'x2'"),
        (pd.DataFrame({"x1": [1.0], "X2": [2.0]}), "no column 'x2'"),
        ([{"x1": 1.0}], "x2 is not given"),
        ([{"x1": 1.0, "x2": "many"}], "x2: “many” is not a number"),
        ([{"x1": 1.0, "x2": 2.0, "x3": 3.0}], "no input 'x3'"),
        ([[1.0]], "Row 1 is neither a mapping by name nor a sequence of 2 values: x1, x2"),
        ({"x1": [1.0, 2.0], "x2": [1.0]}, "different lengths"),
        (object(), "A object cannot be predicted from"),
        (np.array([[1.0, np.inf]]), "infinite"),
    ],
)
def test_rows_that_cannot_be_used_are_one_sentence(rows: Any, words: str, runs: Path) -> None:
    assert words in message(lambda: engine.load(runs / "scales").predict(rows))


def test_folders_without_a_model_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "There are no runs" in message(lambda: engine.load("last"))
    (tmp_path / "empty").mkdir()
    assert "has no model.safetensors" in message(lambda: engine.load(tmp_path / "empty"))


def test_a_name_in_the_runs_folder_is_enough(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs.parent)
    assert engine.load("iri").run.name == "iris"
    assert engine.load("last").run.name == "moons"


def test_a_million_rows_need_memory_for_their_answer_only(runs: Path) -> None:
    model = engine.load(runs / "moons")
    rows = np.random.default_rng(0).standard_normal((1_000_000, 2))
    model.probabilities(rows[:10])
    tracemalloc.start()
    try:
        found = model.probabilities(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The answer twice (in parts, and joined), the two columns as the table holds them, and one batch on its way.
    assert peak < 2 * found.nbytes + rows.nbytes + 40e6
    some = np.random.default_rng(1).integers(0, len(rows), 50)
    assert np.abs(found[some] - model.probabilities(rows[some])).max() < 1e-12


def test_a_frame_without_rows_has_no_predictions(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("day,x,y\n" + "".join(f"2026-03-{i:02},{i},{i}\n" for i in range(1, 29)))
    wishes = {"dataset": str(tmp_path / "t.csv"), "target": "y", "steps": 5, "runs": str(tmp_path / "runs")}
    run = train(build(wishes)).snapshot().run
    assert run is not None
    frame = pl.DataFrame({"day": ["2026-03-01"], "x": [1.0]})
    model = engine.load(run)
    assert model.predict(frame).shape == (1,)
    assert model.predict(frame.head(0)).shape == (0,)


def test_batches_come_one_after_the_other(runs: Path) -> None:
    model = engine.load(runs / "scales")
    asked: list[int] = []

    def batches() -> Iterator[Any]:
        for number in range(3):
            asked.append(number)
            yield np.full((2, 2), float(number + 1))

    answers = model.predict_batches(batches())
    assert asked == []
    assert next(answers) == pytest.approx(model.predict(np.ones((2, 2))))
    assert asked == [0]
    assert len(list(answers)) == 2


def test_threads_may_share_one_model(runs: Path) -> None:
    model = engine.load(runs / "moons")
    rows = [np.random.default_rng(seed).standard_normal((5000, 2)) for seed in range(8)]
    wanted = [model.probabilities(part) for part in rows]
    wrong: list[int] = []

    def work(number: int) -> None:
        found = [model.probabilities(rows[number]) for _ in range(10)]
        wrong.extend(number for one in found if not np.array_equal(one, wanted[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert wrong == []


def test_importing_engine_imports_nothing_else(runs: Path) -> None:
    script = (
        "import sys; import engine; first = set(sys.modules)\n"
        "assert not {'numpy', 'pydantic', 'torch'} & first, first\n"
        f"model = engine.load({str(runs / 'moons')!r}); model.predict([[0.5, 0.1]])\n"
        "assert not {'torch', 'tensorboard', 'numba', 'polars'} & set(sys.modules)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert answer.returncode == 0, answer.stderr


def test_the_model_says_what_it_is(runs: Path) -> None:
    model = engine.load(runs / "iris")
    assert isinstance(model, TrainedModel)
    assert repr(model).startswith("<model iris: ")
    assert model.classes == tuple(predictor.load(runs / "iris").classes)
    assert model.target in repr(model)


def test_a_model_that_was_taken_away_comes_back_by_going_on(tmp_path: Path) -> None:
    ravine("train --dataset houses --steps 50 --name away", cwd=tmp_path)
    (tmp_path / "runs" / "away" / "model.safetensors").unlink()
    done = ravine("predict away --values 100,5", cwd=tmp_path)
    assert done.returncode == 2
    assert "`ravine resume away` with a few more --steps writes it again" in done.stderr
    assert ravine("resume away --steps 60", cwd=tmp_path).returncode == 0
    assert ravine("predict away --values 100,5", cwd=tmp_path).returncode == 0
