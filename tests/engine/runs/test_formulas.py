"""Text that a spreadsheet takes for a formula: written exactly as it is, and reported in one sentence."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from engine.runs import export
from engine.runs.formats import REGISTRY
from engine.runs.formulas import Formulas, is_formula
from tests.conftest import recipe, train

BAD = ("=1+1", "+cmd|x", "-x", "@SUM(A1)", "\tx", "\r=1", "＝1+1", "=", "-2+3", "+49 abc")
GOOD = ("-3", "+3.5e-7", "-1,200", "-inf", "-", "+", "", "a=b", " =1", "3-4", "-12 %", "-.5", "x")


@pytest.mark.parametrize("text", BAD)
def test_what_a_spreadsheet_computes(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize("text", GOOD)
def test_what_it_shows(text: str) -> None:
    assert not is_formula(text)


def test_they_are_counted_by_column() -> None:
    found = Formulas()
    assert found.sentence == ""
    found.names("the header", ["a", "=b"])
    found.column(polars.Series("note", [*BAD, *GOOD, None]))
    found.column(polars.Series("amount", [-1.0, 2.0]))
    found.names("prediction", ["=yes", "no", "=yes"])
    found.names("prediction", ["=yes"])
    assert f"the header (1), note ({len(BAD)}), prediction (3);" in found.sentence
    assert "amount" not in found.sentence


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A table with classes, a feature and a further column that begin so."""
    random = np.random.default_rng(0)
    lines = [["=size", "note", "kind"]]
    lines += [[repr(float(random.standard_normal() + 3 * (i % 2))), "=1+1", ("=a", "b")[i % 2]] for i in range(40)]
    path = tmp_path / "flowers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return path


def test_predictions(flowers: Path, cli: Any, tmp_path: Path) -> None:
    line = f"train {flowers} --target kind --drop note --steps 50 --name one --no-tensorboard"
    assert cli(line).code == 0
    plain = cli(f"predict one --input {flowers}")
    rows = list(csv.reader(plain.out.splitlines()))
    many = sum(row[0] == "=a" for row in rows)
    assert many > 5
    assert f"prediction ({many})" in plain.err
    assert plain.err.count("spreadsheet") == 1
    kept = cli(f"predict one --input {flowers} --keep all -o out.csv")
    assert f"the header (1), note (40), kind (20), prediction ({many})" in kept.err
    with (tmp_path / "out.csv").open(newline="") as file:
        written = list(csv.reader(file))
    with flowers.open(newline="") as file:
        assert [row[:3] for row in written] == list(csv.reader(file))  # exactly as they are
    assert "spreadsheet" not in cli(f"predict one --input {flowers} --keep all -o out.parquet").err
    assert "spreadsheet" not in cli("predict one --values 2.5").err


def test_exports(cli: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert cli(f"train houses --steps 5 --no-tensorboard --name {name}").code == 0
    for words in ("one --format csv", "one --format wide-csv", "all --format csv", "all --format wide-csv"):
        assert "spreadsheet" not in cli(f"export {words}").err
    (tmp_path / "runs/two").rename(tmp_path / "runs/=two")
    assert "Run (1)" in cli("export all --format csv").err
    assert "the header (1)" in cli("export all --format wide-csv -o all.csv").err
    assert "=two" in (tmp_path / "all.csv").read_text().splitlines()[0].split(",")
    assert "spreadsheet" not in cli("export all --format csv --tag nothing").err


def test_a_curve_that_is_called_so(tmp_path: Path) -> None:
    run = train(recipe(tmp_path, dataset="houses", steps=5)).snapshot().run
    assert run is not None
    with (run / "evaluations.jsonl").open("a") as file:
        file.write('{"step": 5, "time": 1.0, "=tag": 2.0}\n')
    assert "the header (1)" in export.warning(REGISTRY["wide-csv"], run, run.parent)
    assert export.warning(REGISTRY["csv"], run, run.parent) == ""
    assert export.warning(REGISTRY["report"], run, run.parent) == ""
