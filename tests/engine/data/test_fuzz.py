"""Whatever stands in a file: a table, or one clean sentence."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import recipe
from engine.base.errors import InputError
from engine.data.prepare import prepare
from engine.data.sources import load
from engine.data.summary import summarize

CELL = st.one_of(
    st.sampled_from(
        ["", "NA", "?", "-", "nan", "inf", "1e999", "0", "1", "2", "3.5", "-7", "1e300", "007", "yes", "no"]
    ),
    st.sampled_from(
        ["a", "b", "é", "x y", '"q, r"', '"', "'", '"line\nbreak"', "2026-01-02", "$1,200", "1,5", "true", "\0"]
    ),
    st.floats(allow_nan=False, width=32).map(str),
    st.text(max_size=6),
)
NAME = st.one_of(st.sampled_from(["a", "b", "y", "id", "", " a ", "y"]), st.text(max_size=4))


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    separator = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    header = draw(st.lists(NAME, min_size=1, max_size=5))
    column = [draw(st.sampled_from([CELL, st.integers(0, 3).map(str), st.floats(-9, 9).map(repr)])) for _ in header]
    rows = draw(st.integers(0, 25))
    records = [[draw(cells) for cells in column] for _ in range(rows)]
    if draw(st.booleans()) and records and len(header) > 1:
        records[draw(st.integers(0, rows - 1))].pop()
    text = end.join(separator.join(record) for record in [header, *records]) + draw(st.sampled_from(["", end, end * 3]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"]))
    return text.encode(encoding, "replace")


def read(content: bytes, data: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.csv"
        path.write_bytes(content)
        choices = recipe.Data(dataset=str(path), **data)  # type: ignore[arg-type]
        try:
            table = load(choices)
            assert all(len(column.data) == table.rows for column in table.columns)
            assert len(set(table.names)) == len(table.columns)
            table.preview(0, 50)
            summarize(table)
            prepared = prepare(choices, recipe.Normalization(), table)
        except InputError as error:
            said = str(error)
        else:
            said = ""
        assert "\n" not in said
        if said:
            return
        for part in (prepared.train, prepared.validation, prepared.test):
            assert np.isfinite(part.x).all()
            assert np.isfinite(part.y).all()
        summarize(table, prepared)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    tables(), st.sampled_from(["y", "a", "b", "id", "column_1"]), st.integers(1, 2), st.sampled_from(["median", "drop"])
)
def test_generated_tables(content: bytes, target: str, degree: int, missing: str) -> None:
    read(content, {"target": target, "degree": degree, "missing": missing})


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    read(content, {"target": "y"})


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 700), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_good_table_with_damage(place: int, damage: bytes, packed: bool) -> None:
    import gzip

    good = b"a,b,y\n" + b"".join(b"%d,%s,%d.5\n" % (i, b"uv"[i % 2 : i % 2 + 1], i * 3) for i in range(60))
    good = gzip.compress(good, mtime=0) if packed else good
    place %= len(good)
    read(good[:place] + damage + good[place + len(damage) :], {"target": "y"})
