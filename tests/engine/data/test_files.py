"""Files as people have them: separators, encodings, compression, formats."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine import recipe
from engine.base.errors import Cancelled, InputError
from engine.data import textfile
from engine.data.sources import load
from tests.engine.data.helpers import choices, lines, ready, table, write

GOOD = lines()
A = np.arange(20.0)
Y = 2.5 * A + 1


def assert_good(path: Path) -> None:
    found = table(path)
    assert found.names == ("a", "y")
    assert np.array_equal(found["a"].numbers, A)
    assert np.array_equal(found["y"].numbers, Y)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", GOOD),
        ("no_last_line_end.csv", GOOD[:-1]),
        ("windows.csv", GOOD.replace("\n", "\r\n")),
        ("old_mac.csv", GOOD.replace("\n", "\r")),
        ("semicolons.csv", GOOD.replace(",", ";")),
        ("decimal_comma.csv", GOOD.replace(",", ";").replace(".", ",")),
        ("tabs.tsv", GOOD.replace(",", "\t")),
        ("tabs.txt", GOOD.replace(",", "\t")),
        ("bars.csv", GOOD.replace(",", "|")),
        ("excel_hint.csv", "sep=;\n" + GOOD.replace(",", ";")),
        ("spaces.csv", GOOD.replace(",", " , ")),
        ("quoted.csv", "".join(f'"{line.replace(",", chr(34) + "," + chr(34))}"\n' for line in GOOD.splitlines())),
        ("bom.csv", b"\xef\xbb\xbf" + GOOD.encode()),
        ("utf16.csv", GOOD.encode("utf-16")),
        ("utf16_be.csv", b"\xfe\xff" + GOOD.encode("utf-16-be")),
        ("utf16_without_mark.csv", GOOD.encode("utf-16-le")),
        ("utf32.csv", GOOD.encode("utf-32")),
        ("packed.csv.gz", gzip.compress(GOOD.encode(), mtime=0)),
        ("blank_lines.csv", GOOD.replace("\n5,", "\n\n\n5,") + "\n\n"),
        ("blank_lines_above.csv", "\n\n" + GOOD),
    ],
)
def test_the_same_table_however_it_is_written(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert_good(write(tmp_path / name, content))


def test_zstd(tmp_path: Path) -> None:
    pl.DataFrame({"a": A, "y": Y}).write_csv(tmp_path / "t.csv.zst", compression="zstd")
    assert_good(tmp_path / "t.csv.zst")


def test_parquet_and_npz(tmp_path: Path) -> None:
    pl.DataFrame({"a": A, "y": Y}).write_parquet(tmp_path / "t.parquet")
    assert_good(tmp_path / "t.parquet")
    np.savez(tmp_path / "t.npz", a=A, y=Y)
    assert_good(tmp_path / "t.npz")
    assert table(tmp_path / "t.npz").target == "y"
    np.savez_compressed(tmp_path / "m.npz", X=np.column_stack([A, A**2]), y=Y)
    assert table(tmp_path / "m.npz").names == ("x1", "x2", "y")


def test_parquet_types(tmp_path: Path) -> None:
    import datetime as dt

    frame = pl.DataFrame(
        {
            "whole": [1, 2, None, 4],
            "flag": [True, False, True, None],
            "word": ["x", "y", "x", None],
            "day": [dt.date(1970, 1, 2), dt.date(1970, 1, 3), None, dt.date(1969, 12, 31)],
            "list": [[1], [2], [3], [4]],
            "y": [1.0, 2.0, 3.0, 4.5],
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    found = table(tmp_path / "t.parquet")
    assert {c.name: c.kind for c in found.columns} == {
        "whole": "numeric",
        "flag": "boolean",
        "word": "categorical",
        "day": "date",
        "y": "numeric",
    }
    assert [c.missing for c in found.columns] == [1, 1, 1, 1, 0]
    assert found["day"].numbers[[0, 1, 3]].tolist() == [1.0, 2.0, -1.0]
    assert any("list was left out" in note for note in found.notes)


def test_latin_text_is_read_and_said_so(tmp_path: Path) -> None:
    text = lines(header="café,y", row="{i},{z}").replace("\n3,", "\nnaïve,").replace("\n4,", "\nnaïve,")
    path = write(tmp_path / "t.csv", lines(30, "café,y", "é,{z}").encode("latin-1"))
    found = table(path)
    assert found.names == ("café", "y")
    assert found["café"].categories == ("é",)
    assert any("Windows-1252" in note for note in found.notes)
    assert text


def test_latin_text_far_down_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "PIECE", 2000)
    monkeypatch.setattr(textfile, "HEAD", 500)
    text = lines(2000, "a,b,y", "{i},x,{z}") + "1,\xe9\x81,3\n"
    found = table(write(tmp_path / "t.csv", text.encode("latin-1")))
    assert found.rows == 2001
    assert found["b"].categories == ("x", "é\x81")


def test_pieces_give_the_table_that_one_read_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f'{i},"text, with ""quotes""\nand lines {i % 7}",{i * 0.1!r}' for i in range(3000)]
    path = write(tmp_path / "t.csv", "a,b,y\n" + "\n".join(rows) + "\n")
    whole = table(path)
    packed = write(tmp_path / "t.csv.gz", gzip.compress(path.read_bytes()))
    for size in (64, 1000, 50_000):
        monkeypatch.setattr(textfile, "PIECE", size)
        for source in (path, packed):
            assert table(source).fingerprint == whole.fingerprint
    expected = pl.read_csv(path)
    assert np.array_equal(whole["y"].numbers, expected["y"].to_numpy())
    assert whole["b"].show(0, 3000) == expected["b"].to_list()


def test_a_missing_token_far_down_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "PIECE", 2000)
    found = table(write(tmp_path / "t.csv", lines(5000) + "NA,1\n?,2\n 7 ,3\n-,4\n"))
    assert found["a"].kind == "numeric"
    assert found["a"].missing == 3
    assert found["a"].numbers[5002] == 7


def test_text_far_down_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "PIECE", 2000)
    mostly_text = lines(300) + "".join(f"k{i % 5},{i}\n" for i in range(5000))
    column = table(write(tmp_path / "t.csv", mostly_text), types={"a": "categorical"})["a"]
    assert {"k0", "k4", "17"} <= set(column.categories)
    slip = write(tmp_path / "slip.csv", lines(5000).replace("\n4321,", "\noops,"))
    found = load(choices(slip), lenient=True)
    assert found["a"].strays == ((4321, "oops"),)
    assert found.place(4321) == "slip.csv, line 4323"
    assert found.preview(4320, 4322) == [("4320", "10801"), ("oops", "10803.5")]


def test_lines_are_counted_past_blank_and_quoted_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'a,b,y\n1,"x\ny",3\n\n2,z,4\n3,"x\ny",oops\n4,z,5\n5,z,6\n')
    found = load(choices(path), lenient=True)
    assert [found.place(row).rpartition(" ")[2] for row in range(5)] == ["2", "5", "6", "8", "9"]


def test_ten_thousand_columns(tmp_path: Path) -> None:
    names = [*(f"c{j}" for j in range(9_999)), "y"]
    text = ",".join(names) + "\n" + "".join(",".join(str((i * j) % 7) for j in range(10_000)) + "\n" for i in range(12))
    found = ready(write(tmp_path / "t.csv", text), target="y", task="regression", val=0)
    assert found.train.x.shape == (12, 9_999)


def test_progress_is_told_and_loading_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "PIECE", 1000)
    path = write(tmp_path / "t.csv", lines(5000))
    told: list[float] = []
    load(choices(path), progress=lambda what, share: told.append(share or 0.0) if path.name in what else None)
    assert told == sorted(told)
    assert told[-1] == 1.0
    calls = iter(range(100))
    with pytest.raises(Cancelled):
        load(choices(path), cancelled=lambda: next(calls) > 5)


def test_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    one = table(write(tmp_path / "one.csv", GOOD))
    same = table(write(tmp_path / "two.csv", GOOD.replace(",", ";")), types={"a": "categorical"})
    other = table(write(tmp_path / "three.csv", GOOD.replace("18.5", "18.25")))
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != other.fingerprint
    assert len(one.fingerprint) == 64


def test_the_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "t.csv", GOOD)
    assert load(recipe.Data(dataset="~/t.csv")).rows == 20


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"is a named pipe, not a file; write what it gives to a file first"):
        load(recipe.Data(dataset=str(tmp_path / "pipe.csv")))
