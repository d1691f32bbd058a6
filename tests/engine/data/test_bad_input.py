"""Every kind of bad input: one clear sentence that names the thing, the place and the remedy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import InputError
from tests.engine.data.helpers import lines, ready, write

GOOD = lines()
THREE = "a,b,y\n1,2,3\n4,5,6\n7,8,10\n"

REFUSED: list[tuple[str, str | bytes, dict[str, Any], list[str]]] = [
    ("empty", "", {}, ["bad.csv is empty", "header"]),
    ("only_blank_lines", "\n\n\n", {}, ["bad.csv is empty"]),
    ("header_only", "a,y\n", {}, ["header but no rows", "add rows"]),
    ("header_without_line_end", "a,y", {}, ["header but no rows"]),
    ("one_row", "a,y\n1,2\n", {}, ["1 row", "at least two"]),
    ("one_column", "y\n1\n2\n3\n", {}, ["no column to learn y from", "add a column"]),
    ("text_in_feature", GOOD.replace("\n7,", "\nseven,"), {}, ["line 9", "column a", "seven", "--as a=categorical"]),
    ("text_in_target", GOOD.replace("18.5", "abc"), {}, ["line 9", "column y", "abc", "--as y=categorical"]),
    ("no_such_target", GOOD, {"target": "prize"}, ["no column 'prize'", "a, y"]),
    ("near_target", "size,price\n1,2\n3,4\n", {"target": "prize"}, ["did you mean price?", "size, price"]),
    ("no_target", GOOD, {"target": None}, ["--target", "a, y"]),
    ("no_such_feature", GOOD, {"features": ("b",)}, ["'b'", "--features", "a, y"]),
    ("no_such_drop", GOOD, {"drop": ("b",)}, ["'b'", "--drop"]),
    ("no_such_typed", GOOD, {"types": {"b": "numeric"}}, ["'b'", "numeric"]),
    ("target_among_features", GOOD, {"features": ("a", "y")}, ["target", "--features"]),
    ("target_dropped", GOOD, {"drop": ("y",)}, ["target", "--drop"]),
    ("everything_dropped", GOOD, {"drop": ("a",)}, ["no column to learn y from", "dropped by you"]),
    ("short_row", THREE + "1,2\n9,9,9\n", {}, ["line 5", "2 cells where the header has 3"]),
    ("long_row", THREE + "1,2,3,4\n9,9,9\n", {}, ["line 5", "4 cells where the header has 3", "quotes"]),
    ("long_first_row", "a,b,y\n1,2,3,4\n1,2,3\n", {}, ["line 2", "4 cells"]),
    ("short_row_after_quoted_lines", 'a,b,y\n1,"x\nz",3\n1,2\n5,6,7\n', {}, ["line 4", "2 cells"]),
    ("open_quote", 'a,y\n1,2\n"unclosed,3\n4,5\n', {}, ["line 3", "quote"]),
    ("no_header", "1,2\n3,4\n5,6\n", {}, ["begins with numbers", "names of the columns"]),
    ("separated_by_spaces", GOOD.replace(",", " "), {}, ["no column 'y'"]),
    ("nul_byte", GOOD.replace("\n7,", "\n7\0,"), {}, ["line 9", "NUL byte"]),
    ("random_bytes", bytes(range(256)) * 30, {}, ["not a text table"]),
    ("image", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), {}, ["an image", "CSV"]),
    ("excel", b"PK\x03\x04" + bytes(300), {}, ["Excel", "CSV"]),
    ("broken_gzip", b"\x1f\x8b\x08\x00rubbish", {}, ["cannot be unpacked"]),
    ("constant_target", lines(row="{i},3"), {}, ["y is 3 in every row", "nothing to learn", "--target"]),
    ("constant_class", lines(row="{i},yes"), {}, ["y is yes in every row"]),
    ("classes_as_many_as_rows", lines(row="{i},k{i}"), {}, ["20 classes in 20 rows", "--target"]),
    ("target_all_missing", lines(row="{i},NA"), {}, ["target y has no values"]),
    ("infinite_target", GOOD.replace("18.5", "inf"), {}, ["line 9", "target y is infinite"]),
    ("infinite_feature", GOOD.replace("\n7,", "\n-inf,"), {}, ["line 9", "column a", "infinite", "--drop"]),
    ("nothing_without_gaps", lines(row=",{z}", header="a,y"), {}, ["no column", "no values"]),
    ("every_row_has_a_gap", lines(4, "a,b,y", "{i},,{z}").replace("0,,", ",1,"), {"missing": "drop"}, ["--missing"]),
    ("empty_validation", GOOD, {"val": 0.01}, ["validation share of 0.01 of 20 rows", "--val 0", "0.03"]),
    ("empty_test", GOOD, {"test": 0.01}, ["test share", "--test"]),
    ("no_train_rows", GOOD, {"val": 0.6, "test": 0.5}, ["no train row", "lower --val"]),
    ("text_as_regression", lines(row="{i},k{i}"), {"task": "regression"}, ["line 2", "k0", "not a number"]),
    ("many_values_as_binary", GOOD, {"task": "binary"}, ["20 different values", "binary"]),
    ("not_boolean", GOOD, {"types": {"a": "boolean"}}, ["20 different values", "boolean"]),
    ("not_a_date", lines(row="x{i},{z}"), {"types": {"a": "date"}}, ["Column a", "dates", "2026-03-31"]),
    ("text_as_number", lines(row="x{i},{z}"), {"types": {"a": "numeric"}}, ["line 2", "column a", "x0"]),
    (
        "free_text_feature",
        lines(row="some long remark about thing number {i},{z}"),
        {"features": ("a",)},
        ["free text", "--as a=categorical"],
    ),
    (
        "ordered_single_class",
        lines(row="{i},c") + lines(8, row="{i},d")[4:],
        {"split": "ordered", "val": 0.3},
        ["class c"],
    ),
    (
        "too_wide",
        lines(30, ",".join([*(f"c{j}" for j in range(30)), "y"]), ",".join(["{i}"] * 30 + ["{z}"])),
        {"degree": 20},
        ["columns of 30 rows", "GiB", "--degree"],
    ),
]


@pytest.mark.parametrize(("content", "data", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_one_clear_sentence(tmp_path: Path, content: str | bytes, data: dict[str, Any], said: list[str]) -> None:
    path = write(tmp_path / "bad.csv", content)
    with pytest.raises(InputError) as refused:
        ready(path, **{"target": "y", **data})
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "y", "price"))
    for words in said:
        assert words in sentence


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ("nowhere/x.csv", "There is no file"),
        ("house", "did you mean houses?"),
        ("nosuchset", "built-in sets are houses"),
        ("houses:rows=3", "no parameters"),
        ("linear:row=3", "did you mean rows?"),
        ("linear:rows=abc", "whole number from 2"),
        ("linear:rows=1", "whole number from 2"),
        ("linear:noise=nan", "must be a number"),
        ("linear:noise", "noise is empty"),
        ("linear:rows=3,features=3", "more rows than features"),
        ("blobs:rows=4,classes=9", "at least as many rows"),
    ],
)
def test_a_set_that_is_not_there(dataset: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        ready(dataset)


def test_a_folder_and_a_file_without_permission(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        ready(tmp_path)
    path = write(tmp_path / "locked.csv", GOOD)
    path.chmod(0)
    if not os.access(path, os.R_OK):
        with pytest.raises(InputError, match="cannot be read"):
            ready(path)


@pytest.mark.parametrize("name", ["x.parquet", "x.npz"])
def test_files_that_only_pretend(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} cannot be read as"):
        ready(write(tmp_path / name, b"PAR1 nothing of the kind"), target="y")


def test_npz_with_python_objects_or_unequal_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "objects.npz", x=np.array([{}, {}], dtype=object), y=np.arange(2))
    with pytest.raises(InputError, match="Python objects"):
        ready(tmp_path / "objects.npz")
    np.savez(tmp_path / "unequal.npz", x=np.arange(3), y=np.arange(2))
    with pytest.raises(InputError, match="unequal numbers of rows"):
        ready(tmp_path / "unequal.npz")


def test_stray_text_in_a_column_that_is_not_used_is_no_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", lines(header="a,b,y", row="{i},{i},{z}").replace("7,7,", "7,seven,"))
    assert ready(path, target="y", drop=("b",)).features == ("a",)
    assert ready(path, target="y", features=("a",)).features == ("a",)
    assert "b=seven" in ready(path, target="y", types={"b": "categorical"}, val=0).features


def test_huge_numbers_are_normalized_or_refused(tmp_path: Path) -> None:
    huge = write(tmp_path / "huge.csv", lines(row="{i}e300,{z}"))
    x = ready(huge, target="y", val=0).train.x
    assert np.allclose(x.mean(), 0)
    assert np.isclose(x.std(ddof=1), 1)
    beyond = write(
        tmp_path / "beyond.csv", lines(row="{i},{z}").replace("\n3,", "\n-1.7e308,").replace("\n4,", "\n1.7e308,")
    )
    with pytest.raises(InputError, match=r"Column a holds numbers too large"):
        ready(beyond, "minmax", target="y", val=0)
    with pytest.raises(InputError, match="not finite"):
        ready(huge, target="y", degree=3, val=0)
