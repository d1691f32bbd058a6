"""The sets that are there without a file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from engine.data.sources import builtin_sets
from tests.engine.data.helpers import ready, table

NAMES = [built_in.name for built_in in builtin_sets()]


@pytest.mark.parametrize("name", NAMES)
def test_every_set_is_what_its_line_says(name: str) -> None:
    said = next(each for each in builtin_sets() if each.name == name)
    found = table(name)
    prepared = ready(name)
    assert (found.rows, len(found.columns) - 1, prepared.task) == (said.rows, said.features, said.task)
    assert found.target == prepared.target == found.columns[-1 if name != "titanic" else 0].name
    held = 0 if said.kind == "notes" else round(0.2 * said.rows)
    assert len(prepared.validation) == held
    assert len(prepared.train) + held == said.rows
    assert table(name).fingerprint == found.fingerprint


def test_the_notes_own_numbers() -> None:
    houses = table("houses")
    assert houses.names == ("size", "age", "price")
    assert houses["size"].numbers.tolist() == [10, 20, 25, 28, 30, 35, 40]
    assert houses["age"].numbers.tolist() == [3, 3, 3, 2.5, 2, 2.5, 2.5]
    assert houses["price"].numbers.tolist() == [60, 85, 100, 120, 140, 145, 163]
    scales = table("scales")
    assert scales.preview(0, 2) == [("2", "1000", "19"), ("3", "2000", "31")]
    assert scales["y"].numbers.tolist() == [19, 31, 14, 15, 43]


def test_linear3_is_the_plane_it_is_drawn_from() -> None:
    found = table("linear3")
    x = np.column_stack([found[name].numbers for name in ("x1", "x2", "x3")])
    assert x.shape == (100, 3)
    assert 0 <= x.min() < x.max() < 1
    residual = found["y"].numbers - (x @ [1.1, 2.2, 3.3] + 4.4)
    assert 0.08 < residual.std() < 0.12


def test_loading_a_built_in_imports_numpy_and_little_else() -> None:
    code = (
        "import sys; from engine import recipe; from engine.data import sources; sources.builtin_sets();"
        "sources.load(recipe.Data()); "
        "[sources.load(recipe.Data(dataset=name)) for name in ('titanic', 'moons')];"
        "print(sorted({'polars', 'torch', 'sklearn', 'pandas', 'scipy', 'textual'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", [each.name for each in builtin_sets() if each.kind == "generator"])
def test_generators_take_rows_and_seed(name: str) -> None:
    one = table(f"{name}:rows=57,seed=3")
    assert one.rows == 57
    assert table(f"{name}: rows = 57 , seed=3").fingerprint == one.fingerprint
    assert table(f"{name}:rows=57,seed=4").fingerprint != one.fingerprint
    for parameter in next(each for each in builtin_sets() if each.name == name).parameters.values():
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.help


def test_linear_has_the_condition_number_asked_for() -> None:
    for rotated in (0, 1):
        found = ready(f"linear:rows=500,features=4,condition=1e6,rotated={rotated}", "none", val=0)
        with_bias = np.column_stack([found.train.x, np.ones(500)])
        assert np.isclose(np.linalg.cond(with_bias) ** 2, 1e6, rtol=1e-6)


def test_xor_has_both_classes_even_in_a_handful_of_rows() -> None:
    for seed in range(20):
        assert set(np.unique(table(f"xor:rows=2,seed={seed}")["class"].codes)) == {0, 1}
