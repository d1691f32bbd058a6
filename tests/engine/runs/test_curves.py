"""A curve of which somebody edited a line, or a crash cut one off: the rest is used, and the line is named."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest

from engine.base.errors import InputError
from engine.runs.curves import left_out, read_evaluation_lines, read_evaluations, read_pairs

GOOD = b'{"step": 0, "time": 1.5, "loss/validation": 2}\n'


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"step":99,"time":1,"loss/validation":[1]}', "'loss/validation' is not a number"),
        (b'{"step":99,"time":1,"loss/validation":true}', "not a number"),
        (b'{"step":99,"time":1,"loss/validation":1e999}', "not a number"),
        (b'{"step":99,"time":1,"loss/validation":1' + b"0" * 400 + b"}", "not a number"),
        (b'{"step":99,"time":1,"loss/validation":1' + b"0" * 5000 + b"}", ""),
        (b'{"step":99,"time":null,"loss/validation":1}', "'time' is not a number"),
        (b'{"step":-1,"time":1}', "step is not the number of a step"),
        (b'{"step":1e3,"time":1}', "step"),
        (b'{"step":true,"time":1}', "step"),
        (b'{"step":9' + b"0" * 30 + b',"time":1}', "step"),
        (b'{"time":1}', "step"),
        (b"[1]", "not an object"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[" * 100_000, ""),
    ],
)
def test_a_bad_line_is_named_and_the_rest_is_used(tmp_path: Path, line: bytes, why: str) -> None:
    (tmp_path / "evaluations.jsonl").write_bytes(GOOD + line + b"\n" + GOOD.replace(b"0", b"7", 1))
    assert [(step, values) for step, values in read_evaluations(tmp_path)] == [
        (0, {"loss/validation": 2.0}),
        (7, {"loss/validation": 2.0}),
    ]
    told = left_out(tmp_path)
    assert "line 2" in told
    assert why in told
    assert "\n" not in told


def test_a_line_cut_off_by_a_crash_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "evaluations.jsonl").write_bytes(GOOD + GOOD[:20])
    assert len(read_evaluation_lines(tmp_path)) == 1
    assert left_out(tmp_path) == ""


def test_many_bad_lines_make_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "evaluations.jsonl").write_bytes(b"x\n" * 9)
    assert left_out(tmp_path).count("line ") == 3
    assert "and 6 more" in left_out(tmp_path)


def test_a_null_is_nan(tmp_path: Path) -> None:
    (tmp_path / "evaluations.jsonl").write_bytes(b'{"step": 3, "time": 1, "a": null}\n')
    ((step, wall, values),) = read_evaluation_lines(tmp_path)
    assert (step, wall) == (3, 1.0)
    assert math.isnan(values["a"])


def test_pairs_that_are_none_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "stamps.f64"
    pairs = [(1.0, 5.0), (math.nan, 6.0), (-1.0, 6.0), (math.inf, 1.0), (1e300, 1.0), (2.5, 1.0), (3.0, math.nan)]
    file.write_bytes(b"".join(struct.pack("<dd", *pair) for pair in pairs) + b"half a pair")
    steps, values = read_pairs(file)
    np.testing.assert_array_equal(steps, [1, 3])
    np.testing.assert_array_equal(values, [5.0, math.nan])


@pytest.mark.parametrize("name", ["evaluations.jsonl", "stamps.f64"])
def test_a_folder_in_place_of_a_curve_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="is a folder"):
        (read_evaluation_lines if name.endswith("jsonl") else lambda run: read_pairs(run / name))(tmp_path)
