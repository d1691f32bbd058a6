"""One row, one answer: whatever stands beside a row, whatever brings it, its prediction is the same number."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
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
from engine.data import rows as door
from engine.errors import InputError
from engine.recipe import build
from engine.runs import predictor, standalone
from engine.runs.model import PredictionWarning
from engine.runs.predictor import Predictor
from tests.conftest import Answer, message, prepared_run

Cli = Callable[..., Answer]

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


# The command line.

DATES = "day,y\n" + "".join(f"{1 + i % 28:02}/{1 + i % 12:02}/2026,{i}\n" for i in range(48))


def answers(answer: Answer) -> list[float]:
    assert answer.code == 0, answer
    return [float(row["prediction"]) for row in csv.DictReader(io.StringIO(answer.out))]


def test_day_and_month_are_those_of_the_training_table(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(DATES)
    assert cli("train t.csv --target y --name d --steps 300").code == 0
    (tmp_path / "one.csv").write_text("day\n03/04/2026\n")
    (tmp_path / "two.csv").write_text("day\n03/04/2026\n25/11/2026\n")
    (tmp_path / "iso.csv").write_text("day\n2026-04-03\n2026-11-25\n")
    one, two, iso = (answers(cli(f"predict d --input {name}.csv")) for name in ("one", "two", "iso"))
    assert one == two[:1]
    assert two == iso
    assert answers(cli("predict d --values 03/04/2026 --keep day")) == one
    (tmp_path / "odd.csv").write_text("day\n11/25/2026\n")
    answer = cli("predict d --input odd.csv")
    assert answer.code == 2
    assert "odd.csv, line 2, column day: “11/25/2026” is not a date; give a date like " in answer.err


def test_dates_that_could_be_either_are_told_of_and_read_alike(cli: Cli, tmp_path: Path) -> None:
    rows = "".join(f"01/{1 + i % 12:02}/{2018 + i // 12},{i}\n" for i in range(48))
    (tmp_path / "t.csv").write_text("day,y\n" + rows)
    answer = cli("train t.csv --target y --name d --steps 300")
    assert "no date tells whether the day or the month comes first" in " ".join(answer.err.split())
    (tmp_path / "one.csv").write_text("day\n01/07/2019\n")
    (tmp_path / "two.csv").write_text("day\n01/07/2019\n25/07/2019\n")
    assert answers(cli("predict d --input one.csv"))
    assert cli("predict d --input two.csv").code == 2  # read month first, as the train rows were


@pytest.mark.parametrize(
    ("words", "others"),
    [
        ("True False", ["1 0", "yes no", "t f", "Y N", "on off", "TRUE FALSE", "1.0 0.0"]),
        ("Yes No", ["1 0", "True False", "T F", "y n", "yes no"]),
        ("1 0", ["True False", "yes no", "T F", "Y N", "on off", "1.0 0.0"]),
        ("on off", ["1 0", "True False", "yes no"]),
    ],
)
def test_words_for_true_and_false(words: str, others: list[str], cli: Cli, tmp_path: Path) -> None:
    yes, no = words.split()
    rows = "".join(f"{yes if i % 3 else no},{i},{i + 50 * (i % 3 > 0)}\n" for i in range(60))
    (tmp_path / "t.csv").write_text("member,x,y\n" + rows)
    assert cli("train t.csv --target y --name b --steps 300").code == 0

    def predicted(*cells: str) -> list[float]:
        (tmp_path / "new.csv").write_text("member,x\n" + "".join(f"{cell},5\n" for cell in cells))
        answer = cli("predict b --input new.csv")
        assert answer.err == "", answer.err
        return answers(answer)

    wanted = predicted(yes, no)
    assert wanted[0] != wanted[1]
    for pair in others:
        true, false = pair.split()
        assert predicted(true, false) == wanted, pair
        assert (predicted(true), predicted(false)) == (wanted[:1], wanted[1:]), pair  # only one of the two words
    (tmp_path / "none.csv").write_text("member,x\n,5\nNA,5\n")  # an empty column is one of missing cells
    answer = cli("predict b --input none.csv")
    assert len(set(answers(answer))) == 1
    assert "member: 2 missing values filled" in answer.err


def test_an_empty_column_of_dates_is_missing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(DATES)
    assert cli("train t.csv --target y --name d --steps 30").code == 0
    for text in ('day\n""\n', "day\nNA\n", "day,x\n,1\n"):
        (tmp_path / "none.csv").write_text(text)
        answer = cli("predict d --input none.csv")
        assert len(answers(answer)) == 1
        assert "day: 1 missing value filled" in answer.err


def test_a_number_means_what_it_meant_in_its_column(cli: Cli, tmp_path: Path) -> None:
    comma = "".join(f"{i // 8},{125 * (i % 8):03};{i}\n" for i in range(40))
    thousands = "".join(f'"{1000 + 250 * i:,}",{i}\n' for i in range(40))
    (tmp_path / "comma.csv").write_text("x;y\n" + comma)
    (tmp_path / "thousands.csv").write_text("x,y\n" + thousands)
    for name in ("comma", "thousands"):
        assert cli(f"train {name}.csv --target y --name {name} --steps 400 --val 0").code == 0
    for text in ('x\n"1,234"\n', "x;z\n1,234;5\n", "x\n1,234\n", "z\tx\n1\t1,234\n"):
        (tmp_path / "new.csv").write_text(text)
        assert answers(cli("predict comma --input new.csv")) == pytest.approx([1.234 * 8], abs=0.01)
        assert answers(cli("predict thousands --input new.csv")) == pytest.approx([(1234 - 1000) / 250], abs=0.01)


def test_categories_that_look_like_numbers_stay_texts(cli: Cli, tmp_path: Path) -> None:
    rows = "".join(f"{1 + i % 3:02},{i},{i + 30 * (i % 3)}\n" for i in range(60))
    (tmp_path / "t.csv").write_text("code,x,y\n" + rows)
    assert cli("train t.csv --target y --name c --steps 400").code == 0
    several = [f"{1 + i % 3:02}" for i in range(6)]
    (tmp_path / "all.csv").write_text("x,code\n" + "".join(f"5,{code}\n" for code in several))
    together = answers(cli("predict c --input all.csv"))
    assert len(set(together)) == 3
    for code, wanted in zip(several, together, strict=True):
        (tmp_path / "one.csv").write_text(f"x,code\n5,{code}\n")
        answer = cli("predict c --input one.csv")
        assert answers(answer) == [wanted]
        assert answer.err == ""


def test_what_is_advised_is_there_to_be_used(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("age,kind,y\n" + "".join(f"{20 + i},{'ab'[i % 2]},{i}\n" for i in range(60)))
    assert cli("train t.csv --target y --name a --steps 30").code == 0
    for text in (
        "age,kind\n40,a\nforty,a\n",
        "age,kind\ninf,a\n",
        "age\n40\n",
        "",
        "age,kind\n",
        "1,2\n3,4\n",
        "age,kind\n1,2,3\n",
        "age,kind\n1\n",
    ):
        (tmp_path / "new.csv").write_text(text)
        answer = cli("predict a --input new.csv")
        assert answer.code == 2
        assert answer.err.count("\n") == 1
        assert not any(flag in answer.err for flag in ("--as", "--drop", "--target", "--features", "--task", "learn"))
    (tmp_path / "new.csv").write_text("age,kind\n40,a\nforty,a\nfifty,b\n")
    told = cli("predict a --input new.csv").err
    assert "new.csv, line 3, column age: “forty” is not a number (1 more such cell)" in told
    assert "or leave the cell empty" in told


# Where rows come from and where answers go.


@pytest.fixture
def scales(cli: Cli, tmp_path: Path) -> Path:
    assert cli("train scales --name s --steps 60").code == 0
    (tmp_path / "new.csv").write_text("id,x1,x2,note\n007,1,1000,a b\n,,,\n008,3,2500,\n009,2,NA,é\n")
    return tmp_path


def test_columns_are_kept_beside_the_predictions(cli: Cli, scales: Path) -> None:
    plain = answers(cli("predict s --input new.csv"))
    answer = cli("predict s --input new.csv --keep note,id")
    rows = list(csv.reader(io.StringIO(answer.out)))
    assert rows[0] == ["note", "id", "prediction"]
    assert [row[:2] for row in rows[1:]] == [["a b", "007"], ["", "008"], ["é", "009"]]
    assert [float(row[2]) for row in rows[1:]] == plain
    rows = list(csv.reader(io.StringIO(cli("predict s --input new.csv --keep all").out)))
    assert rows[0] == ["id", "x1", "x2", "note", "prediction"]
    assert rows[3][:4] == ["009", "2", "NA", "é"]  # as they are written
    answer = cli("predict s --input new.csv --keep id,nte")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "no column 'nte' to keep (--keep); did you mean note?" in answer.err
    told = cli("predict s --input new.csv --keep id --json").json
    assert told["kept"] == {"id": ["007", "008", "009"]}
    assert told["predictions"] == plain
    assert cli("predict s --values 3,2500 --keep x2").out.splitlines()[0] == "x2,prediction"


def test_predictions_go_to_a_file(cli: Cli, scales: Path) -> None:
    wanted = cli("predict s --input new.csv --keep id").out
    answer = cli("predict s --input new.csv --keep id -o out.csv")
    assert answer.code == 0
    assert answer.out == ""
    assert "Wrote out.csv." in answer.err
    assert (scales / "out.csv").read_text() == wanted
    assert cli("predict s --input new.csv --keep id -o out.parquet").code == 0
    frame = pl.read_parquet(scales / "out.parquet")
    assert frame.columns == ["id", "prediction"]
    assert frame["prediction"].to_list() == [float(row["prediction"]) for row in csv.DictReader(io.StringIO(wanted))]
    assert cli("predict s --values 3,2500 -o one.csv").code == 0
    assert len((scales / "one.csv").read_text().splitlines()) == 2
    told = cli("predict s --input new.csv -o out.csv --json")
    assert told.json["output"] == "out.csv"
    assert told.json["rows"] == 3
    # A file that cannot be predicted leaves the old answer alone.
    before = (scales / "out.csv").read_text()
    (scales / "bad.csv").write_text("x1,x2\n1,many\n")
    assert cli("predict s --input bad.csv -o out.csv").code == 2
    assert (scales / "out.csv").read_text() == before


def test_the_table_that_is_read_is_not_overwritten(cli: Cli, scales: Path) -> None:
    before = (scales / "new.csv").read_bytes()
    (scales / "link.csv").symlink_to("new.csv")
    for name in ("new.csv", "./new.csv", "link.csv"):
        answer = cli(f"predict s --input new.csv -o {name}")
        assert answer.code == 2
        assert "the very file that is read" in answer.err
        assert answer.err.count("\n") == 1
    assert (scales / "new.csv").read_bytes() == before


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_rows_come_on_standard_input(separator: str, cli: Cli, scales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = cli("predict s --input new.csv").out
    text = (scales / "new.csv").read_text().replace(",", separator)
    for name in ("-", "/dev/stdin"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        answer = cli(f"predict s --input {name}")
        assert answer.out == wanted, answer
        assert "1 empty line of stdin was skipped." in answer.err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x1,x2\n1,many\n")))
    answer = cli("predict s --input -")
    assert answer.code == 2
    assert answer.err.startswith("ravine: stdin, line 2, column x2: “many” is not a number")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert "stdin is empty" in cli("predict s --input -").err


def test_a_run_of_before_still_predicts(cli: Cli, tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    rows = "".join(f"{1 + i % 28:02}/{1 + i % 12:02}/2026,{('no', 'yes')[i % 2]},{i % 2},{i}\n" for i in range(60))
    (tmp_path / "t.csv").write_text("day,member,flag,y\n" + rows)
    assert cli("train t.csv --target y --name old --steps 60").code == 0
    (tmp_path / "new.csv").write_text("day,member,flag\n2026-04-03,True,True\n25/11/2026,0,no\n")
    wanted = answers(cli("predict old --input new.csv"))
    path = tmp_path / "runs/old/model.safetensors"
    with safe_open(path, framework="np") as file:
        schema = json.loads(file.metadata()["schema"])
    schema["format"] = 1
    del schema["encoder"]["missing"]
    for column in schema["encoder"]["inputs"]:
        del column["truth"], column["reading"]
    save_file(load_file(path), path, metadata={"schema": json.dumps(schema)})
    assert answers(cli("predict old --input new.csv")) == wanted
    (tmp_path / "new.csv").write_text("day,member,flag\n03/04/2026,yes,1\n")
    answer = cli("predict old --input new.csv")
    assert answer.code == 0
    assert "03/04/2026 was read as 2026-03-04" in answer.err  # nothing tells, so that it is said


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
