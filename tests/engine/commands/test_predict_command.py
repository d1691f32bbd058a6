"""`ravine predict` at the command line: what cells mean, where rows come from, where answers go."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Answer

Cli = Callable[..., Answer]

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
    assert cli("predict b --values", f"{others[0].split()[0]},5").out.strip() == f"{wanted[0]:.10g}"
    (tmp_path / "none.csv").write_text("member,x\n,5\nNA,5\n")  # an empty column is one of missing cells
    answer = cli("predict b --input none.csv")
    assert len(set(answers(answer))) == 1
    assert "member: 2 missing values imputed" in answer.err


def test_an_empty_column_of_dates_is_missing(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(DATES)
    assert cli("train t.csv --target y --name d --steps 30").code == 0
    for text in ('day\n""\n', "day\nNA\n", "day,x\n,1\n"):
        (tmp_path / "none.csv").write_text(text)
        answer = cli("predict d --input none.csv")
        assert len(answers(answer)) == 1
        assert "day: 1 missing value imputed" in answer.err


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


def test_one_row_may_have_decimal_commas(cli: Cli, tmp_path: Path) -> None:
    import subprocess

    rows = "".join(f"{i // 8},{125 * (i % 8):03};{i % 7},5;{i}\n" for i in range(40))
    (tmp_path / "t.csv").write_text("x;z;y\n" + rows)
    assert cli("train t.csv --target y --name c --steps 400").code == 0
    (tmp_path / "new.csv").write_text("z;x\n2,5;1,234\n")
    wanted = answers(cli("predict c --input new.csv"))[0]
    assert cli("export c --format predictor -o predict.py").code == 0
    for text in ("1,234;2,5", "x=1,234; z=2,5", '"1,234","2,5"', '"x=1,234","z=2,5"', "1.234,2.5", "x=1.234,z=2.5"):
        assert float(cli("predict c --values", text).out) == pytest.approx(wanted, rel=1e-9), text
        line = [sys.executable, "-I", "-S", "predict.py", "--values", text]
        told = subprocess.run(line, capture_output=True, text=True, timeout=600, check=True).stdout
        assert float(told) == pytest.approx(wanted, rel=1e-9), text


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
    told = pl.DataFrame({"x1": [1.5], "x2": [2000], "seen": [dt.date(2026, 3, 1)]})
    told.write_parquet(scales / "new.parquet")
    assert cli("predict s --input new.parquet --keep seen --json").json["kept"] == {"seen": ["2026-03-01"]}
    assert cli("predict s --input new.parquet --keep seen").out.splitlines()[1].startswith("2026-03-01,")
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
        assert "the file that is read" in answer.err
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


def test_a_large_file_is_read_piece_by_piece_as_a_small_one(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.data import textfile

    rows = [f"{1 + i % 28:02}/{1 + i % 12:02}/2026,{i % 50 / 4},{('no', 'yes')[i % 2]},{i % 50}" for i in range(400)]
    (tmp_path / "t.csv").write_text("day,x,member,y\n" + "\n".join(rows) + "\n")
    assert cli("train t.csv --target y --name p --steps 50").code == 0
    rows[120] = '03/04/2026,NA,"Y",0'
    rows[200] = ",,,"
    rows[301] = '"04/04/2026"," 1,250 ",t,"a\nb"'
    (tmp_path / "new.csv").write_text("day,x,member,y\n" + "\n".join(rows) + "\n")
    whole = cli("predict p --input new.csv --keep all")
    assert whole.code == 0
    monkeypatch.setattr(textfile, "PIECE", 1000)
    parts = cli("predict p --input new.csv --keep all")
    assert (parts.out, parts.err) == (whole.out, whole.err)
    kept = list(csv.reader(io.StringIO(parts.out)))
    assert len(kept) == 400
    assert kept[301][:4] == ["04/04/2026", " 1,250 ", "t", "a\\nb"]  # to a terminal a line break is shown
    (tmp_path / "new.csv").write_text("day,x,member,y\n" + "\n".join(rows) + "\n03/04/2026,odd,no,1\n")
    assert "new.csv, line 403, column x: “odd” is not a number" in cli("predict p --input new.csv").err
