"""Encoding: what becomes of each kind of column, the same in training and in prediction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

from engine.base.errors import InputError
from engine.data import encode, kinds
from engine.data.encode import Encoder
from engine.data.table import Column, Table, numeric
from tests.engine.data.helpers import ready, table, write

MIXED = "n,c,b,d,y\n" + "".join(
    f"{'' if i % 10 == 3 else i * 0.5},{['red', 'green', 'blue', ''][i % 4]},{['no', 'yes'][i % 2]},"
    f"2026-01-{i % 28 + 1:02},{i * 1.5}\n"
    for i in range(40)
)


@pytest.fixture
def mixed(tmp_path: Path) -> Table:
    return table(write(tmp_path / "mixed.csv", MIXED))


def test_one_hot_is_scikit_learns(mixed: Table) -> None:
    rows = np.flatnonzero(mixed["c"].codes >= 0)
    encoder, _ = encode.fit(mixed, ["c"], rows)
    ours = encoder.fill(mixed, rows)[0]
    cells = np.array(mixed["c"].show(0, 40))[rows][:, np.newaxis]
    assert np.array_equal(ours, OneHotEncoder(drop="first", sparse_output=False).fit_transform(cells))
    assert encoder.features == ("c=green", "c=red")


@pytest.mark.parametrize(("missing", "strategy"), [("median", "median"), ("mean", "mean"), ("mode", "most_frequent")])
def test_imputation_is_scikit_learns(mixed: Table, missing: encode.Fill, strategy: str) -> None:
    train = np.arange(0, 40, 3)
    encoder, _ = encode.fit(mixed, ["n"], train, missing=missing)
    raw = mixed["n"].numbers[:, np.newaxis]
    imputer = SimpleImputer(strategy=strategy, add_indicator=True).fit(raw[train])
    assert encoder.features == ("n", "n is missing")
    assert np.allclose(encoder.fill(mixed, None)[0], imputer.transform(raw), rtol=1e-15)


def test_only_train_rows_are_looked_at(mixed: Table) -> None:
    train = np.arange(20, dtype=np.int64)
    encoder, _ = encode.fit(mixed, ["n", "c", "b", "d"], train, degree=2)
    other = [
        Column(c.name, c.kind, np.where(np.arange(40) < 20, c.data, c.data[0]).astype(c.data.dtype), c.categories)
        for c in mixed.columns
    ]
    again, _ = encode.fit(mixed.replace_columns(other), ["n", "c", "b", "d"], train, degree=2)
    assert again.to_json() == encoder.to_json()


def test_inputs_tell_what_to_type(mixed: Table) -> None:
    encoder, _ = encode.fit(mixed, ["n", "c", "b", "d"], np.arange(40))
    n, c, b, d = encoder.inputs
    assert (n.low, n.high, n.kind, n.marked) == (0, 19.5, "numeric", True)
    assert (c.categories, c.marked, c.typical) == (("blue", "green", "red"), True, "blue")
    assert (b.kind, b.categories) == ("boolean", ("no", "yes"))
    assert d.low is not None
    assert (d.kind, d.show(d.low)) == ("date", "2026-01-01")
    assert encoder.features == ("n", "n is missing", "c=green", "c=red", "c is missing", "b=yes", "d")


def test_typed_rows_are_encoded_as_the_table_is(mixed: Table) -> None:
    encoder, _ = encode.fit(mixed, ["n", "c", "b", "d"], np.arange(40), degree=2)
    names = [i.name for i in encoder.inputs]
    cells = [mixed[name].show(0, 40) for name in names]
    typed = [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
    from_rows, warnings = encoder.encode_rows(typed)
    from_table, same = encoder.encode(mixed)
    assert np.array_equal(from_rows, from_table)
    assert np.array_equal(from_table, encoder.fill(mixed, None)[0])
    assert warnings == same
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert np.array_equal(again.encode(mixed)[0], from_table)
    assert again.features == encoder.features
    assert again.inputs == encoder.inputs


def test_what_is_said_of_odd_values(mixed: Table) -> None:
    encoder, _ = encode.fit(mixed, ["n", "c"], np.arange(40))
    row, warnings = encoder.encode_rows([{"n": 500, "c": "mauve"}])
    assert row.tolist() == [[500, 0, 0, 0, 0]]
    assert "n: 1 value lies outside 0 to 19.5" in warnings[0]
    assert "mauve" in warnings[1]
    assert "none of its categories" in warnings[1]
    assert "reads like blue" in warnings[1]
    row, warnings = encoder.encode_rows([{"n": "", "c": None}])
    assert row[0, 1] == row[0, 4] == 1
    assert all("missing value imputed" in warning for warning in warnings)
    assert encoder.encode_rows([{"n": 3, "c": "RED"}])[0].tolist() == [[3, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"n": "abc", "c": "red"}, "n: “abc” is not a number"),
        ({"n": float("inf"), "c": "red"}, "n is infinite"),
        ({"n": 1}, "c is not given"),
        ({"n": 1, "c": "red", "colour": 3}, "There is no input 'colour'"),
        ({"n": 1, "c": "red", "d": "soon"}, "d: “soon” is not a date"),
    ],
)
def test_a_wrong_field_is_named(mixed: Table, row: dict[str, str | float | None], said: str) -> None:
    encoder, _ = encode.fit(mixed, ["n", "c", *(["d"] if "d" in row else [])], np.arange(40))
    with pytest.raises(InputError, match=said):
        encoder.encode_rows([row])


def test_another_file_may_be_typed_otherwise(tmp_path: Path) -> None:
    train = table(
        write(tmp_path / "a.csv", "k,n,y\n" + "".join(f"{i % 3},{i},{i * 1.5}\n" for i in range(30))),
        types={"k": "categorical"},
    )
    encoder, _ = encode.fit(train, ["k", "n"], np.arange(30))
    other = table(write(tmp_path / "b.csv", "n,k\nNA,2\nNA,0\nNA,7\n"))
    x, warnings = encoder.encode(other)
    assert x[:, :2].tolist() == [[0, 1], [0, 0], [0, 0]]
    assert any("7" in warning for warning in warnings)
    with pytest.raises(InputError, match="has no column 'k'"):
        encoder.encode(table(write(tmp_path / "c.csv", "n\n1\n2\n")))
    with pytest.raises(InputError, match=r"d.csv, line 2, column n: “x”"):
        encoder.encode(table(write(tmp_path / "d.csv", "n,k\nx,1\ny,2\n")))


def test_a_category_never_seen_in_training_is_told(tmp_path: Path) -> None:
    text = "c,y\n" + "".join(f"{'uv'[i % 2] if i < 18 else 'late'},{i * 1.5}\n" for i in range(20))
    prepared = ready(write(tmp_path / "t.csv", text), target="y", split="ordered", val=0.1)
    assert prepared.features == ("c=v",)
    assert prepared.normalizer.inverse(prepared.validation.x).tolist() == [[0], [0]]
    assert any("late (2 rows) never occurs in the train rows" in note for note in prepared.notes)


CELLS = st.one_of(st.none(), st.floats(-1e9, 1e9))
WORDS = st.one_of(st.none(), st.sampled_from(["a", "b", "C c", "é", "0", "x=y", "a,b"]))


@given(st.lists(st.tuples(CELLS, WORDS, st.booleans()), min_size=3, max_size=30), st.integers(1, 3))
def test_round_trips_whatever_the_cells(rows: list[tuple[float | None, str | None, bool]], degree: int) -> None:
    words = kinds.decide(kinds.from_texts("w", [row[1] for row in rows]))
    columns = (
        numeric("n", [np.nan if row[0] is None else row[0] for row in rows]),
        kinds.as_categorical(words),
        numeric("f", [float(row[2]) for row in rows]),
    )
    held = Table("t", "t", columns, len(rows))
    encoder, _ = encode.fit(held, ["n", "w", "f"], np.arange(len(rows)), degree=degree)
    x = encoder.fill(held, None)[0]
    assert x.shape == (len(rows), len(encoder.features))
    assert len(set(encoder.features)) == len(encoder.features)
    assert np.isfinite(x).all()
    assert np.array_equal(Encoder.from_json(json.loads(json.dumps(encoder.to_json()))).encode(held)[0], x)
    given_rows = [{"n": n, "w": w, "f": float(f)} for n, w, f in rows]
    typed = [
        {key: value for key, value in row.items() if key in {i.name for i in encoder.inputs}} for row in given_rows
    ]
    assert np.array_equal(encoder.encode_rows(typed)[0], x)
    if degree == 1 and all(row[0] is not None for row in rows):
        assert np.array_equal(x[:, encoder.features.index("n")], [row[0] for row in rows])
