"""Preparation as a whole: tasks, rows, weights, notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from engine import recipe
from engine.base.errors import Cancelled
from engine.data.prepare import prepare
from tests.engine.data.helpers import choices, lines, ready, table, write


@pytest.mark.parametrize(
    ("cell", "task", "classes"),
    [
        ("{z}", "regression", ()),
        ("{i}", "regression", ()),
        ("{b}", "binary", ("0", "1")),
        ("-{b}", "binary", ("-1", "0")),
        ("{t}", "multiclass", ("0", "1", "2")),
        ("{t}.5", "regression", ()),
        ("k{b}", "binary", ("k0", "k1")),
        ("k{t}", "multiclass", ("k0", "k1", "k2")),
        ("2026-01-{d:02}", "regression", ()),
    ],
)
def test_the_task_is_read_from_the_target(tmp_path: Path, cell: str, task: str, classes: tuple[str, ...]) -> None:
    rows = "".join(f"{i},{cell.format(i=i, z=i * 1.5, b=i % 2, t=i % 3, d=i % 28 + 1)}\n" for i in range(60))
    found = ready(write(tmp_path / "t.csv", "a,y\n" + rows), target="y")
    assert (found.task, found.classes) == (task, classes)
    assert found.train.x.flags.c_contiguous
    assert found.train.x.dtype == found.train.y.dtype == np.float64
    if classes:
        assert set(found.train.y) == set(range(len(classes)))


def test_the_task_can_be_overruled(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,y\n" + "".join(f"{i * 1.5},{i % 3}\n" for i in range(60)))
    assert ready(path, target="y", task="regression").task == "regression"
    path = write(tmp_path / "u.csv", "a,y\n" + "".join(f"{i * 1.5},{(i % 12) * 2}\n" for i in range(60)))
    assert ready(path, target="y").task == "regression"
    assert len(ready(path, target="y", task="multiclass").classes) == 12


def test_rows_keep_their_order_and_their_numbers() -> None:
    found = ready("linear", "none", val=0.25, test=0.1)
    everything = np.concatenate([found.train.index, found.validation.index, found.test.index])
    assert np.array_equal(np.sort(everything), np.arange(200))
    assert np.array_equal(found.train.x[:, 0], table("linear")["x1"].numbers[found.train.index])
    assert (len(found.train), len(found.validation), len(found.test)) == (130, 50, 20)


def test_everything_fitted_sees_train_rows_only() -> None:
    data = recipe.Data(dataset="titanic", test=0.2)
    whole = table("titanic")
    first = prepare(data, recipe.Normalization(), whole)
    train = np.zeros(whole.rows, dtype=bool)
    train[first.train.index] = True
    spoiled = [
        type(c)(c.name, c.kind, np.where(train, c.data, c.data[5]).astype(c.data.dtype), c.categories)
        for c in whole.columns
        if c.name != "survived"
    ]
    second = prepare(data, recipe.Normalization(), whole.replace_columns(spoiled))
    assert np.array_equal(first.train.x, second.train.x)
    assert first.encoder.to_json() == second.encoder.to_json()
    assert first.normalizer.to_json() == second.normalizer.to_json()


def test_rows_without_a_target_and_with_gaps(tmp_path: Path) -> None:
    text = lines(40, "a,b,y", "{i},{i},{z}").replace("\n7,7,18.5", "\n7,7,").replace("\n9,", "\n,")
    path = write(tmp_path / "t.csv", text)
    filled = ready(path, target="y", val=0)
    assert len(filled.train) == 39
    assert filled.features == ("a", "a is missing", "b")
    assert "1 row without a target was left out." in filled.notes
    assert any(note.startswith("a: 1 missing value imputed with 20") for note in filled.notes)
    dropped = ready(path, target="y", val=0, missing="drop")
    assert (len(dropped.train), dropped.features) == (38, ("a", "b"))
    assert "1 row with missing values was left out." in dropped.notes


def test_columns_left_out_say_why(tmp_path: Path) -> None:
    text = "id,gone,same,a,y\n" + "".join(f"{i},,k,{i * 0.3},{i * 1.5}\n" for i in range(30))
    found = ready(write(tmp_path / "t.csv", text), target="y")
    assert found.features == ("a",)
    assert {left.name for left in found.left_out} == {"id", "gone"}
    assert "same was left out: it is k in every train row." in found.notes
    assert any(note.startswith("gone was left out: it has no values") for note in found.notes)


def test_a_constant_number_is_kept_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", lines(30, "a,c,y", "{i},5,{z}"))
    found = ready(path, target="y")
    assert found.features == ("a", "c")
    assert not found.train.x[:, 1].any()
    assert "c is the same in every train row and can teach nothing." in found.notes


def test_class_weights_are_scikit_learns() -> None:
    found = ready("titanic", class_weight="balanced")
    theirs = compute_class_weight("balanced", classes=np.array([0.0, 1.0]), y=found.train.y)
    assert found.train.weight is not None
    assert found.validation.weight is not None
    assert np.allclose(found.train.weight, theirs[found.train.y.astype(int)], rtol=1e-15)
    assert np.allclose(found.validation.weight, theirs[found.validation.y.astype(int)], rtol=1e-15)
    assert found.train.weight.mean() == pytest.approx(1)
    assert ready("titanic").train.weight is None
    assert ready("houses", class_weight="balanced").train.weight is None


def test_copies_across_the_split_are_counted(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [",".join(f"{value:.6f}" for value in random.normal(size=6)) for _ in range(80)]
    text = "a,b,c,d,e,y\n" + "\n".join([*rows, *rows[:13], *(r.rpartition(",")[0] + ",99" for r in rows[:7])]) + "\n"
    path = write(tmp_path / "t.csv", text)
    found = ready(path, target="y", split="ordered", val=0.2)
    assert any(note.startswith("13 of 20 validation rows are copies of train rows") for note in found.notes)
    assert not any("copies" in note for note in ready("linear").notes)


def test_few_rows_go_without_validation_unless_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "a,y\n1,2\n2,4.5\n")
    found = ready(path, target="y")
    assert (len(found.train), len(found.validation)) == (2, 0)
    assert any("No validation rows" in note for note in found.notes)
    assert len(ready(write(tmp_path / "u.csv", "a,y\n1,2\n2,4.5\n3,5\n"), target="y").validation) == 1


def test_a_class_with_one_row_is_told(tmp_path: Path) -> None:
    text = "a,y\n" + "".join(f"{i},{'rare' if i == 3 else 'uv'[i % 2]}\n" for i in range(30))
    found = ready(write(tmp_path / "t.csv", text), target="y")
    assert 3 in found.train.index
    assert any("Class rare has only one row" in note for note in found.notes)


def test_types_may_change_after_loading(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "k,y\n" + "".join(f"{i % 4},{i * 1.5}\n" for i in range(30)))
    held = table(path)
    found = prepare(choices(path, target="y", types={"k": "categorical"}), recipe.Normalization(), held)
    assert found.features == ("k=1", "k=2", "k=3")
    assert found.fingerprint == held.fingerprint
    assert prepare(choices(path, target="k"), recipe.Normalization(), held).task == "multiclass"


def test_progress_and_giving_up() -> None:
    told: list[str] = []
    data = choices("titanic")
    prepare(data, recipe.Normalization(), table("titanic"), progress=lambda what, share: told.append(what))
    assert told
    with pytest.raises(Cancelled):
        prepare(data, recipe.Normalization(), table("titanic"), cancelled=lambda: True)
