"""A table in numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from engine import recipe
from engine.base.errors import Cancelled
from engine.data.prepare import prepare
from engine.data.summary import summarize
from tests.engine.data.helpers import ready, table, write


def test_numbers_of_a_column() -> None:
    found = summarize(table("houses"))
    size = found.columns[0]
    values = table("houses")["size"].numbers
    assert (size.low, size.high, size.missing, size.unique, size.kind) == (10, 40, 0, 7, "numeric")
    assert size.mean == pytest.approx(values.mean())
    assert size.std == pytest.approx(values.std(ddof=1))
    assert size.histogram is not None
    assert size.histogram.counts == tuple(np.histogram(values, bins=16)[0])
    assert (found.task, found.classes, size.features, size.role) == ("", (), (), "")


def test_before_and_after_and_with_the_target() -> None:
    prepared = ready("titanic", test=0.1)
    found = summarize(table("titanic"), prepared)
    columns = {column.name: column for column in found.columns}
    assert (found.task, found.target) == ("binary", "survived")
    assert (found.train, found.validation, found.test) == (916, 262, 131)
    assert [(c.name, c.train + c.validation + c.test) for c in found.classes] == [("0", 809), ("1", 500)]
    age = columns["age"]
    assert [f.name for f in age.features] == ["age", "age is missing"]
    assert age.features[0].mean == pytest.approx(0, abs=1e-12)
    assert age.features[0].std == pytest.approx(1)
    assert sum(age.features[0].histogram.counts) == found.train
    raw, y = table("titanic")["age"].numbers, table("titanic")["survived"].numbers
    known = ~np.isnan(raw)
    assert (age.measure, age.correlation) == ("r", pytest.approx(np.corrcoef(raw[known], y[known])[0, 1]))
    assert columns["sex"].measure == "r"
    assert columns["sex"].correlation == pytest.approx(-0.528693, abs=1e-6)
    assert (columns["pclass"].measure, columns["pclass"].top[0]) == ("eta", ("3", 709))
    assert columns["survived"].role == "target"
    assert math.isnan(columns["survived"].correlation)
    assert found.notes == prepared.notes


def test_multiclass_and_left_out_columns(tmp_path: Path) -> None:
    iris = summarize(table("iris"), ready("iris"))
    assert all(0 <= column.correlation <= 1 and column.measure == "eta" for column in iris.columns[:4])
    path = write(tmp_path / "t.csv", "id,gone,a,y\n" + "".join(f"{i},,{i * 0.3},{i * 1.5}\n" for i in range(30)))
    columns = {c.name: c for c in summarize(table(path), ready(path, target="y")).columns}
    assert (columns["id"].role, columns["gone"].role) == ("left out", "left out")
    assert "identifier" in columns["id"].left_out
    assert columns["gone"].unique == 0
    assert math.isnan(columns["gone"].mean)
    assert columns["a"].correlation == pytest.approx(1)


def test_it_shows_what_was_prepared_even_after_a_change_of_type() -> None:
    data = recipe.Data(dataset="houses", types={"age": "categorical"})
    found = summarize(table("houses"), prepare(data, recipe.Normalization(), table("houses")))
    assert found.columns[1].kind == "categorical"
    assert [f.name for f in found.columns[1].features] == ["age=2.5", "age=3"]


def test_hard_numbers(tmp_path: Path) -> None:
    text = "a,b,y\n" + "".join(f"{'inf' if i == 3 else i},{(-1) ** i * 1.6e308},{i * 1.5}\n" for i in range(30))
    a, b, _ = summarize(table(write(tmp_path / "t.csv", text))).columns
    assert a.high == math.inf
    assert math.isnan(a.mean)
    assert a.histogram is not None
    assert a.histogram.counts == ()
    assert b.histogram is not None
    assert sum(b.histogram.counts) == 30
    assert b.mean == 0


def test_many_rows_and_giving_up() -> None:
    held = table("linear:rows=120000,features=2")
    assert summarize(held).columns[0].unique == 120_000
    with pytest.raises(Cancelled):
        summarize(held, cancelled=lambda: True)


def test_preview_costs_only_its_window() -> None:
    held = table("linear:rows=2000000,features=1")
    assert len(held.preview(1_999_990, 2_000_050)) == 10
    assert held.preview(5, 5) == held.preview(3_000_000, 3_000_010) == []
    assert held.preview(-5, 1) == held.preview(0, 1)
