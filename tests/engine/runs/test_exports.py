"""Runs for other programs: CSV, safetensors, ONNX, a script of one file, a report."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load as read_safetensors

from engine.base.errors import InputError
from engine.base.files import replacing
from engine.data.sources import load
from engine.data.table import Table
from engine.recipe import build, read_toml
from engine.runs import braille, curves_csv, onnx_model, predictor, report, standalone
from engine.runs.folder import read_evaluations, read_facts
from engine.runs.predictor import Predictor
from tests.conftest import DEADLINE, Answer, losses, message, prepared_run

Cli = Callable[..., Answer]

CASES: dict[str, dict[str, Any]] = {
    "regression": {"dataset": "houses", "steps": 300, "degree": 3},
    "raw": {"dataset": "scales", "steps": 5, "normalize": "none", "lr": 1e-9},
    "titanic": {"dataset": "titanic", "steps": 120, "degree": 2},
    "iris": {"dataset": "iris", "steps": 100},
    "mlp": {"dataset": "moons", "model": "mlp", "hidden": "6,3", "batch_norm": True, "activation": "gelu", "steps": 60},
    "mixed": {"dataset": "titanic", "model": "mlp", "hidden": "5", "activation": "leaky-relu", "steps": 60},
    "scaled target": {
        "dataset": "diabetes",
        "model": "mlp",
        "hidden": "4",
        "activation": "silu",
        "normalize_target": True,
        "steps": 40,
    },
}
NAMES = [*CASES, "dates"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    table = folder / "visits.csv"
    days = [f"2026-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(60)]
    kinds = ["", "Red", "green", "a, b"]
    cells = [
        f'{d},"{kinds[i % 4]}",{"yes" if i % 3 else "no"},{i if i % 5 else ""},{i * 2}' for i, d in enumerate(days)
    ]
    table.write_text("day,kind,member,count,price\n" + "\n".join(cells) + "\n")
    cases = CASES | {"dates": {"dataset": str(table), "target": "price", "steps": 50}}
    for name, wishes in cases.items():
        run = prepared_run(build({"backend": "autograd"} | wishes | {"runs": str(folder / "runs"), "name": name}))
        run.clock(True)
        while run.advance(1000):
            pass
        run.finish("limit")
    return folder / "runs"


def model_and_table(run: Path) -> tuple[Predictor, Table]:
    return predictor.load(run), load(read_toml(run).data)


def texts(table: Table, name: str) -> list[str]:
    return table[name].show(0, table.rows)


def every_digit(table: Table, name: str) -> list[str]:
    """The cells of a column as a file would have them that rounds nothing."""
    column = table[name]
    if column.is_coded or column.kind == "date":
        return texts(table, name)
    return ["" if value != value else repr(value) for value in column.numbers.tolist()]


# ONNX.


@pytest.mark.parametrize("name", NAMES)
def test_onnx_takes_raw_columns_by_name_and_gives_the_same_numbers(name: str, runs: Path) -> None:
    model, table = model_and_table(runs / name)
    content = onnx_model.to_onnx(model)
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content)
    assert [given.name for given in session.get_inputs()] == [column.name for column in model.inputs]
    feed: dict[str, Any] = {}
    for given, column in zip(session.get_inputs(), model.inputs, strict=True):
        coded = given.type == "tensor(string)"
        assert coded == column.is_coded
        feed[given.name] = np.array(texts(table, column.name)) if coded else table[column.name].numbers
    found = dict(zip([out.name for out in session.get_outputs()], session.run(None, feed), strict=True))
    wanted, _ = model.predict(table)
    if model.classes:
        assert np.abs(found["probabilities"] - wanted).max() < 1e-9
        assert found["prediction"].tolist() == model.decide(wanted)
    else:
        assert np.abs(found["prediction"] - wanted).max() <= 1e-9 * np.abs(wanted).max()
    one = {key: value[:1] for key, value in feed.items()}
    assert len(session.run(None, one)[0]) == 1


def test_onnx_reads_missing_unknown_and_misspelled_cells_as_the_model_does(runs: Path) -> None:
    model, _ = model_and_table(runs / "titanic")
    row = {column.name: column.typical for column in model.inputs}
    rows = [row | {"sex": sex, "age": age} for sex in ("MALE", "female", "nobody", "", "NA") for age in (None, 30.0)]
    wanted, _ = model.predict_rows(rows)
    session = onnxruntime.InferenceSession(onnx_model.to_onnx(model))
    feed = {}
    for column in model.inputs:
        cells = [row[column.name] for row in rows]
        feed[column.name] = (
            np.array(cells) if column.is_coded else np.array([np.nan if c is None else c for c in cells], np.float64)
        )
    assert np.abs(session.run(None, feed)[1] - wanted).max() < 1e-12


def test_onnx_takes_columns_whatever_they_are_called(tmp_path: Path) -> None:
    names = ("/1", "/2", "prediction", "Add/3")
    table = tmp_path / "odd.csv"
    rows = (f"{i},{i * i % 7},{'ab'[i % 2]},{i % 5},{i}" for i in range(40))
    table.write_text("\n".join([",".join((*names, "y")), *rows]) + "\n")
    run = prepared_run(build({"dataset": str(table), "target": "y", "steps": 20, "runs": str(tmp_path)}))
    run.clock(True)
    run.advance(20)
    run.finish("limit")
    assert run.folder is not None
    model = predictor.load(run.folder.path)
    session = onnxruntime.InferenceSession(onnx_model.to_onnx(model))
    feed = {"/1": np.array([3.0]), "/2": np.array([2.0]), "prediction": np.array(["b"]), "Add/3": np.array([4.0])}
    wanted, _ = model.predict_rows([{"/1": 3, "/2": 2, "prediction": "b", "Add/3": 4}])
    assert session.run(None, feed)[0] == pytest.approx(wanted)


# The script of one file.


def written(runs: Path, name: str, folder: Path) -> tuple[Predictor, Table, Path]:
    model, table = model_and_table(runs / name)
    path = folder / "predict.py"
    path.write_text(standalone.script(model))
    return model, table, path


def python(*words: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Python without site packages: whatever the script needs has to come with Python."""
    line = [sys.executable, "-I", "-S", *map(str, words)]
    return subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=DEADLINE)


@pytest.mark.parametrize("name", NAMES)
def test_the_script_gives_the_same_numbers_without_anything_installed(name: str, runs: Path, tmp_path: Path) -> None:
    model, table, path = written(runs, name, tmp_path)
    content = io.StringIO()
    lines = csv.writer(content)
    lines.writerow(table.names)
    lines.writerows(zip(*(every_digit(table, name)[:150] for name in table.names), strict=True))
    answer = python(path, stdin=content.getvalue())
    assert answer.returncode == 0, answer.stderr
    head, *rows = csv.reader(io.StringIO(answer.stdout))
    assert head == ["prediction", *(f"probability of {c}" for c in model.classes)]
    wanted, _ = model.predict(table)
    wanted = wanted[: len(rows)]
    if model.classes:
        assert [row[0] for row in rows] == model.decide(wanted)
        assert np.abs(np.array([row[1:] for row in rows], np.float64) - wanted).max() < 1e-12
    else:
        assert np.abs(np.array([row[0] for row in rows], np.float64) - wanted).max() <= 1e-9 * np.abs(wanted).max()


def test_the_script_takes_one_row_and_says_what_is_wrong(runs: Path, tmp_path: Path) -> None:
    model, _, path = written(runs, "regression", tmp_path)
    wanted = model.predict_rows([{"size": 20, "age": 2.5}])[0][0]
    for words in ("20,2.5", "age=2.5, size=20"):
        answer = python(path, "--values", words)
        assert float(answer.stdout) == pytest.approx(wanted, rel=1e-9)
    for words, told in (("20", "takes 2: size, age"), ("20,old", "age: 'old' is no number"), ("size=3", "age is not")):
        answer = python(path, "--values", words)
        assert answer.returncode == 1
        assert told in answer.stderr
        assert "Traceback" not in answer.stderr
    assert "size\tnumeric\t10.0 to 40.0" in python(path, "--columns").stdout
    assert "Traceback" not in python(path, tmp_path / "nowhere.csv").stderr


def test_a_name_with_quotes_and_backslashes_survives_in_the_script(tmp_path: Path) -> None:
    name = 'a "q" \\n """x'
    table = tmp_path / "odd.csv"
    with table.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([name, "y"])
        lines.writerows([i, 3 * i] for i in range(20))
    run = prepared_run(build({"dataset": str(table), "target": "y", "steps": 50, "runs": str(tmp_path / "runs")}))
    run.advance(50)
    run.finish("limit")
    assert run.folder is not None
    model = predictor.load(run.folder.path)
    path = tmp_path / "predict.py"
    path.write_text(standalone.script(model))
    answer = python(path, "--values", "7")
    assert float(answer.stdout) == pytest.approx(model.predict_rows([{name: 7}])[0][0])


# CSV.


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_of_any_curve(cli: Cli, runs: Path) -> None:
    for tag in ("loss/validation", "metrics/accuracy/validation", "gradient_norm"):
        rows = cells(cli(f"export titanic --format csv --tag {tag} --runs {runs}").out)
        kept = [(step, values[tag]) for step, values in read_evaluations(runs / "titanic")]
        assert [(int(row["Step"]), float(row["Value"])) for row in rows] == kept
        assert all(float(row["Wall time"]) > 1.7e9 for row in rows)
    answer = cli(f"export titanic --format csv --tag metrics/mse/validation --runs {runs}")
    assert answer.code == 2
    assert "has no curve metrics/mse/validation; it has loss/train, loss/validation, metrics/accuracy" in answer.err


def test_wide_csv_has_a_row_for_each_step_and_a_column_for_each_curve(cli: Cli, runs: Path) -> None:
    rows = cells(cli(f"export titanic --format wide-csv --runs {runs}").out)
    taken = losses(runs / "titanic")
    assert [int(row["Step"]) for row in rows] == list(range(len(taken) + 1))
    assert [float(row["loss/train"]) for row in rows[:-1]] == taken.tolist()
    assert rows[-1]["loss/train"] == ""
    for tag in ("loss/validation", "gradient_norm"):
        kept = {step: values[tag] for step, values in read_evaluations(runs / "titanic")}
        assert {int(row["Step"]): float(row[tag]) for row in rows if row[tag]} == kept
    alone = cells(cli(f"export raw --format wide-csv --runs {runs}").out)
    assert [float(row["loss/train"]) for row in alone[:-1]] == losses(runs / "raw").tolist()


def test_csv_of_all_runs(cli: Cli, runs: Path) -> None:
    long = cells(cli(f"export all --format csv --runs {runs}").out)
    assert {row["Run"] for row in long} == set(NAMES)
    mine = [float(row["Value"]) for row in long if row["Run"] == "iris"]
    assert mine == losses(runs / "iris").tolist()
    side = cells(cli(f"export all --format wide-csv --runs {runs} --tag loss/validation").out)
    assert "regression" not in side[0]  # it has no validation rows
    assert {int(row["Step"]): float(row["iris"]) for row in side if row["iris"]} == {
        step: values["loss/validation"] for step, values in read_evaluations(runs / "iris")
    }
    assert "is for one run" in cli(f"export all --format onnx --runs {runs}").err
    assert "No run in" in cli(f"export all --format csv --tag nothing --runs {runs}").err


def test_losses_of_many_runs_are_put_together_block_by_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves_csv, "BLOCK", 4)
    random = np.random.default_rng(0)
    runs = {name: random.standard_normal(steps) for name, steps in (("a", 10), ("none", 0), ("b", 3), ("c, d", 12))}
    runs["c, d"][7] = np.nan
    for name, values in runs.items():
        (tmp_path / name).mkdir()
        values.astype("<f8").tofile(tmp_path / name / "loss.f64")
    parts = list(curves_csv.wide_of_all([tmp_path / name for name in runs]))
    assert [part.count("\n") for part in parts] == [1, 4, 4, 4]
    lines = cells("".join(parts))
    assert [int(line.pop("Step")) for line in lines] == list(range(12))
    for name, values in runs.items():
        assert [repr(v) for v in values.tolist()] == [line[name] for line in lines if line.get(name)], name


# safetensors, report, and where it all goes.


def test_safetensors_come_with_their_meaning(cli: Cli, runs: Path, tmp_path: Path) -> None:
    answer = cli(f"export iris --format safetensors --runs {runs} -o {tmp_path / 'iris.safetensors'}")
    assert answer.code == 0
    arrays = read_safetensors((tmp_path / "iris.safetensors").read_bytes())
    told = json.loads((tmp_path / "iris.json").read_text())
    assert set(told["tensors"]) == set(arrays) == {"weight", "bias"}
    assert told["tensors"]["weight"]["shape"] == list(arrays["weight"].shape)
    assert told["classes"] == read_facts(runs / "iris")["result"]["classes"]
    assert len(told["normalizer"]["scale"]) == len(told["features"]) == 4


def test_the_report_tells_recipe_data_result_ending_and_curves(runs: Path) -> None:
    text = report.markdown(runs / "titanic")
    facts = read_facts(runs / "titanic")
    assert text.startswith("# titanic\n")
    assert facts["ending"] in text
    assert facts["data"]["fingerprint"] in text
    for title in ("## Result", "## Metrics", "## Weights", "## Curves", "## Data"):
        assert title in text
    assert "| dataset | `titanic` |" in text
    assert f"| accuracy | {facts['result']['metrics']['train']['accuracy']:.6g} |" in text
    assert "**loss/train**" in text
    assert any(0x2800 < ord(letter) <= 0x28FF for letter in text)
    for name in NAMES:
        assert "## Curves" in report.markdown(runs / name)


def test_a_braille_chart_shows_every_spike_and_leaves_gaps() -> None:
    values = np.zeros(64)
    values[20] = 100.0
    values[40:44] = np.nan
    lines = braille.chart(values, values, height=4, span=(0, 63))
    assert lines[0].lstrip().startswith("100 ┤")
    body = [line.split("┤")[1] for line in lines[:4]]
    assert all(body[row][10] != "⠀" for row in range(4))
    assert all(row[20:22] == "⠀⠀" for row in body)
    assert braille.chart(np.full(4, np.nan), np.full(4, np.nan), span=(0, 1)) == ["(no finite value)"]


@pytest.mark.parametrize("format", ["csv", "wide-csv", "safetensors", "onnx", "predictor", "report"])
def test_every_format_goes_to_a_file_or_to_stdout_and_is_the_same(
    format: str, cli: Cli, runs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    answer = cli(f"export regression --format {format} --runs {runs} -o {path}")
    assert (answer.code, answer.out) == (0, "")
    assert str(path) in answer.err
    line = [sys.executable, "-m", "tui.main", "export", "regression", "--format", format, "--runs", str(runs)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    shown = subprocess.run(line, capture_output=True, timeout=DEADLINE, env=environment, check=True)
    assert shown.stdout == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["out", *(["out.json"] if format == "safetensors" else [])]
    )


def test_a_file_is_replaced_whole_or_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("old")

    def broken() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise InputError("no")

    assert message(broken) == "no"
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_places_that_cannot_be_written_are_named(cli: Cli, runs: Path, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "no" / "where.csv"):
        answer = cli(f"export iris --format csv --runs {runs} -o {place}")
        assert answer.code == 2
        assert str(place) in answer.err


def test_a_module_of_ones_own_is_not_exported_as_formulas(runs: Path) -> None:
    from dataclasses import replace

    model = predictor.load(runs / "iris")
    own = replace(model, architecture=replace(model.architecture, family="module", module="nets:Mine"))
    assert "nets:Mine is a class of your own" in message(lambda: onnx_model.to_onnx(own))
    assert "nets:Mine is a class of your own" in message(lambda: standalone.script(own))


def test_lost_files_are_named(runs: Path, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "copy"
    shutil.copytree(runs / "iris", run)
    (run / "loss.f64").unlink()
    assert "has lost its loss.f64" in message(lambda: list(curves_csv.csv(run)))
    assert curves_csv.tags(run)[0] != "loss/train"
    assert "## Data" in report.markdown(run)
