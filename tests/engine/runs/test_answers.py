"""One row, one answer: whatever stands beside a row, whatever brings it, its prediction is the same number."""

from __future__ import annotations

import csv
import datetime as dt
import math
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import engine
from engine.base.errors import InputError
from engine.data import rows as door
from engine.recipe import build
from engine.runs import predictor, standalone
from engine.runs.model import PredictionWarning
from engine.runs.predictor import Predictor
from tests.conftest import message, prepared_run

DAYS = [dt.date(2026, 1, 1) + dt.timedelta(days=3 * i) for i in range(90)]
NAMES = ("when", "price", "zip", "member", "flag", "size", "note")


def write(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], separator: str = ",") -> Path:
    with path.open("w", newline="") as file:
        lines = csv.writer(file, delimiter=separator)
        lines.writerow(names)
        lines.writerows(rows)
    return path


def trained(table: Path, name: str, **wishes: Any) -> Predictor:
    run = prepared_run(
        build(
            {"dataset": str(table), "target": "y", "steps": 40, "runs": str(table.parent / "runs"), "name": name}
            | wishes
        )
    )
    run.advance(40)
    run.finish("limit")
    assert run.folder is not None
    return predictor.load(run.folder.path)


def train_rows(comma: bool) -> list[list[str]]:
    """Dates day first, amounts with either mark, codes with a zero in front, words for true and false, 0 and 1."""
    found = []
    for i, day in enumerate(DAYS):
        price, size = f"{1 + 0.125 * i:.3f}", f"{1000 + 37 * i:,}"
        if comma:
            price, size = price.replace(".", ","), size.replace(",", "")
        cells = [f"{day:%d/%m/%Y}", price, f"{1 + i % 4:02}", ("Yes", "No")[i % 2], str(i % 3 % 2), size, "abc"[i % 3]]
        for place in (0, 3, 6):
            if i % 11 == place:
                cells[place] = ("", "NA", "?")[i % 3]
        found.append([*cells, str(i + (5 if i % 2 else 0))])
    return found


@pytest.fixture(scope="module", params=[False, True], ids=["point", "comma"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("answers")
    table = write(folder / "t.csv", [*NAMES, "y"], train_rows(request.param), ";" if request.param else ",")
    return trained(table, "mixed")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What is odd about values is no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PredictionWarning)
        yield


# Each value with the ways in which it may be written; those of `either` mean it whatever the decimal mark.

MISSING = ["", " ", "NA", "n/a", "?", "NaN", "null", "-"]


TRUE = ["Yes", "yes", "YES", "Y", "true", "True", "T", "1", "on", " yes "]
FALSE = ["No", "no", "N", "false", "FALSE", "f", "0", "off"]


def days(day: dt.date) -> list[str]:
    return [f"{day:%d/%m/%Y}", f"{day.day}/{day.month}/{day.year}", day.isoformat(), f"{day:%d.%m.%Y}"]


def spelled(model: Predictor, row: dict[str, Any], rng: random.Random) -> dict[str, str]:
    """A row as a person might write it."""
    comma = model.inputs[1].reading.decimal == ","

    def prices(price: float) -> list[str]:
        marked = f"{price:.3f}".replace(".", ",") if comma else f"{price:.3f}"
        return [marked, f" {marked}", f"+{marked}", f"${marked}"]

    ways: dict[str, Callable[[Any], list[str]]] = {
        "when": days,
        "price": prices,
        "zip": lambda text: [text, f" {text} "],
        "member": lambda yes: TRUE if yes else FALSE,
        "flag": lambda yes: TRUE if yes else FALSE,
        "size": lambda size: [str(size), *([] if comma else [f"{size:,}", f"€{size:,}"])],
        "note": lambda text: [text, text.upper(), f" {text}"],
    }
    return {name: rng.choice(MISSING if row[name] is None else way(row[name])) for name, way in ways.items()}


VALUES = st.fixed_dictionaries(
    {
        "when": st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
        "price": st.none() | st.integers(0, 9000).map(lambda n: n / 1000),
        "zip": st.none() | st.sampled_from(["01", "02", "03", "04"]),
        "member": st.none() | st.booleans(),
        "flag": st.none() | st.booleans(),
        "size": st.none() | st.integers(0, 9999),
        "note": st.none() | st.sampled_from(["a", "b", "c"]),
    }
)


def truths(value: bool) -> list[Any]:
    return [value, np.bool_(value), int(value), float(value), np.int64(value)]


def cells_of(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A row as a program might give it: objects of Python, numpy and pandas."""
    gaps: list[Any] = [None, float("nan"), "", np.nan, pd.NaT, pd.NA, np.datetime64("NaT")]
    ways: dict[str, Callable[[Any], list[Any]]] = {
        "when": lambda day: [day, dt.datetime(day.year, day.month, day.day), pd.Timestamp(day), np.datetime64(day)],
        "price": lambda price: [price, np.float64(price)],
        "zip": lambda text: [text, np.str_(text)],
        "member": truths,
        "flag": truths,
        "size": lambda size: [size, float(size), np.int32(size), np.float32(size)],
        "note": lambda text: [text, np.str_(text)],
    }
    return {name: rng.choice(gaps if row[name] is None else way(row[name])) for name, way in ways.items()}


def of_table(model: Predictor, path: Path) -> np.ndarray[Any, Any]:
    return model.predict(door.load(str(path), model.encoder).table)[0]


def of_pandas(values: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The rows as pandas' own kinds of columns."""
    kinds = {"price": "float64", "zip": "string", "member": "boolean", "flag": "boolean", "size": "Int64"}
    frame = pd.DataFrame(values, columns=list(NAMES)).astype({"note": "category"} | kinds)
    return frame.assign(when=pd.to_datetime(frame["when"]))


def same(found: Any, wanted: Any) -> bool:
    """Equal to the last bit."""
    return len(found) == len(wanted) and bool((np.asarray(found) == wanted).all())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUES, min_size=1, max_size=6), seed=st.integers(0, 2**32), separator=st.sampled_from(",;\t|"))
def test_a_row_has_one_answer_by_every_door(
    values: list[dict[str, Any]], seed: int, separator: str, model: Predictor, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    texts = [spelled(model, row, rng) for row in values]
    wanted = np.concatenate([model.predict_rows([row])[0] for row in texts])
    assert np.isfinite(wanted).all()
    assert same(model.predict_rows(texts)[0], wanted)
    again = [spelled(model, row, rng) for row in values]
    assert same(model.predict_rows(again)[0], wanted), (texts, again)
    # A file, its columns in any order and with others among them; the rows one by one, and in another order.
    names = [*NAMES, "other"]
    rng.shuffle(names)
    lines = [[row.get(name, "x") for name in names] for row in texts]
    assert same(of_table(model, write(tmp_path / "all.csv", names, lines, separator)), wanted)
    for line, answer in zip(lines, wanted, strict=True):
        assert same(of_table(model, write(tmp_path / "one.csv", names, [line], separator)), [answer])
    assert same(of_table(model, write(tmp_path / "turned.csv", names, lines[::-1], separator)), wanted[::-1])
    # Programs.
    loaded = engine.load(model.path)
    assert same(loaded.predict(texts), wanted)
    assert same(loaded.predict(pl.DataFrame({n: [row[n] for row in texts] for n in NAMES})), wanted)
    assert same(loaded.predict(pd.DataFrame(texts)), wanted)
    objects = [cells_of(row, rng) for row in values]
    assert same(loaded.predict(objects), wanted), objects
    assert same(loaded.predict(pd.DataFrame(objects, dtype=object)), wanted), objects
    typed = pl.DataFrame(
        values,
        schema={
            "when": pl.Date, "price": pl.Float64, "zip": pl.String, "member": pl.Boolean, "flag": pl.Boolean,
            "size": pl.Int64, "note": pl.Categorical,
        },
    )  # fmt: skip
    assert same(loaded.predict(typed), wanted)
    assert same(loaded.predict(of_pandas(values)), wanted)
    typed.write_parquet(tmp_path / "all.parquet")
    assert same(of_table(model, tmp_path / "all.parquet"), wanted)


def run_script(path: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """predict.py, by a Python that has nothing else."""
    line = [sys.executable, "-I", "-S", str(path), *words]
    return subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=600)


def test_the_exported_script_gives_the_same_answers(model: Predictor, tmp_path: Path) -> None:
    rng = random.Random(5)
    values = [
        {
            "when": rng.choice([None, *DAYS]),
            "price": rng.choice([None, 0.125, 3.5, 1.234]),
            "zip": rng.choice([None, "01", "04"]),
            "member": rng.choice([None, True, False]),
            "flag": rng.choice([None, True, False]),
            "size": rng.choice([None, 1234, 5]),
            "note": rng.choice([None, "a", "c"]),
        }
        for _ in range(60)
    ]
    texts = [spelled(model, row, rng) for row in values]
    wanted = model.predict_rows(texts)[0]
    script = tmp_path / "predict.py"
    script.write_text(standalone.script(model))
    for separator in ",;\t|":
        names = [*NAMES, "when"]  # of two columns of one name the first counts
        lines = [[*(row[name] for name in NAMES), "soon"] for row in texts]
        path = write(tmp_path / "rows.csv", names, lines, separator)
        answer = run_script(script, str(path))
        assert answer.returncode == 0, answer.stderr
        assert [float(line) for line in answer.stdout.split()[1:]] == pytest.approx(wanted, rel=1e-12)
        assert run_script(script, stdin=path.read_text()).stdout == answer.stdout
        assert same(of_table(model, path), wanted)
    # As a module, with the objects of a program.
    space: dict[str, Any] = {"__name__": "predict"}
    exec(compile(standalone.script(model), "predict.py", "exec"), space)
    objects = [cells_of(row, rng) for row in values]
    assert [space["predict"](row)[0] for row in objects] == pytest.approx(wanted, rel=1e-12)


def test_what_is_no_cell_is_one_sentence(model: Predictor) -> None:
    row: dict[str, Any] = {column.name: None for column in model.inputs}
    loaded = engine.load(model.path)
    assert "price is given as a list" in message(lambda: loaded.predict([row | {"price": [1]}]))
    assert "“soon” is not a date; give a date like " in message(lambda: loaded.predict([row | {"when": "soon"}]))
    assert "is infinite" in message(lambda: loaded.predict([row | {"price": math.inf}]))
    frame = pl.DataFrame([row | {"price": dt.date(2026, 1, 1)}])
    assert "holds dates" in message(lambda: loaded.predict(frame))
    with pytest.raises(InputError, match="holds numbers, which cannot be read as dates"):
        loaded.predict(pl.DataFrame([row | {"when": 20260101}]))
