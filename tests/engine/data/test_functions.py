"""A person's own Python as a source."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from engine.base.errors import Cancelled, InputError
from tests.engine.data.helpers import choices, load, ready, table

CODE = """
import numpy as np
import polars as pl

def pair():
    return np.arange(20.0).reshape(10, 2), np.arange(10)

def flat():
    return np.arange(10, dtype=np.float32), np.arange(10) * 1.5

def lists():
    return [[1, 2], [3, 4], [5, 7]], ["u", "v", "u"]

def mapping():
    return {"size": np.arange(10), "kind": ["a", "b"] * 5, "price": np.arange(10.0)}

def frame():
    return pl.DataFrame({"size": [1, 2, 3], "word": ["x", "y", "x"], "price": [1.0, 2.5, 4.0]})

def lazy():
    return frame().lazy()

def frame_and_series():
    return frame().drop("price"), frame()["price"]

def images():
    return np.arange(10 * 2 * 3, dtype=np.uint8).reshape(10, 2, 3), np.arange(10) % 2

class Items:
    def __len__(self):
        return 7
    def __getitem__(self, i):
        return np.array([i, i * 2.0]), i % 2

def dataset():
    return Items()

def bare():
    return np.arange(30.0).reshape(10, 3)

def raises():
    values = []
    return values[3]

def nothing():
    return None

def unequal():
    return np.ones((3, 2)), np.ones(4)

def empty():
    return np.ones((0, 2)), np.ones(0)

def complex_numbers():
    return np.ones((3, 2), dtype=complex), np.ones(3)

def tensors():
    import torch
    return torch.arange(6.0).reshape(3, 2), torch.tensor([0, 1, 1])

def torch_dataset():
    import torch
    return torch.utils.data.TensorDataset(torch.arange(6.0).reshape(3, 2), torch.tensor([0, 1, 1]))

def pandas_frame():
    import pandas as pd
    return pd.DataFrame({"size": [1, 2, None], "word": ["x", None, "x"], "price": [1.0, 2.5, 4.0]})

number = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_data.py").write_text(CODE)
    (tmp_path / "broken_data.py").write_text("def f(:\n")
    (tmp_path / "needy_data.py").write_text("import there_is_no_such_module\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("my_own_data", "broken_data", "needy_data"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.parametrize(
    ("function", "names", "rows", "target"),
    [
        ("pair", ("x1", "x2", "y"), 10, "y"),
        ("flat", ("x", "y"), 10, "y"),
        ("lists", ("x1", "x2", "y"), 3, "y"),
        ("mapping", ("size", "kind", "price"), 10, None),
        ("frame", ("size", "word", "price"), 3, None),
        ("lazy", ("size", "word", "price"), 3, None),
        ("frame_and_series", ("size", "word", "price"), 3, "price"),
        ("images", ("x1", "x2", "x3", "x4", "x5", "x6", "y"), 10, "y"),
        ("dataset", ("x1", "x2", "y"), 7, "y"),
        ("bare", ("x1", "x2", "x3"), 10, None),
        ("tensors", ("x1", "x2", "y"), 3, "y"),
        ("torch_dataset", ("x1", "x2", "y"), 3, "y"),
    ],
)
def test_what_a_function_may_return(function: str, names: tuple[str, ...], rows: int, target: str | None) -> None:
    found = table(f"my_own_data:{function}")
    assert (found.names, found.rows, found.target, found.origin) == (names, rows, target, "function")


def test_pandas() -> None:
    pytest.importorskip("pandas")
    found = table("my_own_data:pandas_frame")
    assert [c.missing for c in found.columns] == [1, 1, 0]
    assert found["word"].kind == "categorical"


def test_it_is_prepared_like_any_table() -> None:
    found = ready("my_own_data:mapping", target="price")
    assert found.features == ("size", "kind=b")
    assert (len(found.train), len(found.validation)) == (8, 2)
    assert np.isfinite(found.train.x).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("my_own_data:raises", r"failed: IndexError: list index out of range \(my_own_data.py, line \d+\)"),
        ("my_own_data:nothing", "return"),
        ("my_own_data:unequal", "unequal length"),
        ("my_own_data:empty", "no rows"),
        ("my_own_data:complex_numbers", "complex"),
        ("my_own_data:absent", "no function absent"),
        ("my_own_data:number", "no function number"),
        ("no_module_of_this_name:f", "no Python module"),
        ("broken_data:f", r"SyntaxError.*broken_data.py, line 1"),
        ("needy_data:f", "there_is_no_such_module"),
    ],
)
def test_one_clear_sentence(asked: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        table(asked)
    assert "\n" not in str(refused.value)


def test_a_long_dataset_can_be_given_up() -> None:
    calls = iter(range(9))
    with pytest.raises(Cancelled):
        load(choices("my_own_data:dataset"), cancelled=lambda: next(calls) > 1)
