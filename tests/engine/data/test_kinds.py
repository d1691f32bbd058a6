"""What a column is taken for, and how a person overrules it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.data.kinds import retype
from tests.engine.data.helpers import ready, table, write

COUNT = 120


def column(tmp_path: Path, name: str, cells: list[str]) -> tuple[str, str]:
    quoted = [f'"{cell}"' for cell in cells]
    text = f"{name},y\n" + "".join(f"{cell},{i * 1.5}\n" for i, cell in enumerate(quoted))
    found = table(write(tmp_path / "t.csv", text)).columns[0]
    return found.kind, found.reason


@pytest.mark.parametrize(
    ("name", "cell", "kind"),
    [
        ("a", lambda i: str(i * 0.5), "numeric"),
        ("a", lambda i: f"${i + 1},{i:03}.50", "numeric"),
        ("a", lambda i: f"{i} %", "numeric"),
        ("a", lambda i: "1e-3" if i % 2 else " 5 ", "numeric"),
        ("a", lambda i: ["yes", "No", "NO"][i % 3], "boolean"),
        ("a", lambda i: ["true", "false", ""][i % 3], "boolean"),
        ("a", lambda i: ["red", "green", "?"][i % 3], "categorical"),
        ("zip", lambda i: f"0{i % 7}123", "categorical"),
        ("a", lambda i: f"2026-{i % 12 + 1:02}-{i % 28 + 1:02}", "date"),
        ("a", lambda i: f"2026-03-{i % 28 + 1:02}T{i % 24:02}:00:00Z", "date"),
        ("a", lambda i: f"{i % 28 + 1}/{i % 12 + 1}/2026", "date"),
        ("a", lambda i: f"{i % 28 + 1:02}.03.2026", "date"),
        ("PassengerId", lambda i: str(i + 1), "identifier"),
        ("order_id", lambda i: str(i * 7), "identifier"),
        ("", lambda i: str(i), "identifier"),
        ("day", lambda i: str(i + 1), "numeric"),
        ("acid", lambda i: str(i + 1), "numeric"),
        ("id", lambda i: str(i % 5), "numeric"),
        ("ticket", lambda i: f"A{i * 31}", "identifier"),
        ("a", lambda i: f"the {i}th remark of many, each unlike the other", "text"),
        ("a", lambda i: ["NA", "n/a", "?", "NaN", "NULL", "-", ""][i % 7], "numeric"),
    ],
)
def test_kinds_are_found(tmp_path: Path, name: str, cell: object, kind: str) -> None:
    assert callable(cell)
    assert column(tmp_path, name, [cell(i) for i in range(COUNT)])[0] == kind


def test_days_come_first_where_months_cannot(tmp_path: Path) -> None:
    text = "d,y\n" + "".join(f"{day}/3/2026,{day}\n" for day in range(1, 29))
    assert table(write(tmp_path / "t.csv", text)).preview(11, 12) == [("2026-03-12", "12")]


@pytest.mark.parametrize("token", ["", "NA", "N/A", "?", "NaN", "null", "-", "n/a", "NULL", "nan"])
def test_every_missing_token(tmp_path: Path, token: str) -> None:
    text = "a,b,y\n" + "".join(f"{i},{'uv'[i % 2]},{i}\n" for i in range(30)) + f"{token},{token},3\n"
    found = table(write(tmp_path / "t.csv", text))
    assert found["a"].missing == found["b"].missing == 1
    assert (found["a"].kind, found["b"].categories) == ("numeric", ("u", "v"))


def test_a_kind_can_be_overruled_before_and_after_loading(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "k,f,d,y\n" + "".join(f"{i % 3},{i % 2},{i % 3}.5,{i * 1.5}\n" for i in range(30)))
    before = table(path, types={"k": "categorical", "f": "boolean", "d": "categorical"})
    after = retype(table(path), {"k": "categorical", "f": "boolean", "d": "categorical"})
    for found in (before, after):
        assert found["k"].categories == ("0", "1", "2")
        assert found["f"].kind == "boolean"
        assert found["d"].categories == ("0.5", "1.5", "2.5")
        back = retype(found, {"k": "numeric", "f": "numeric"})
        assert np.array_equal(back["k"].numbers, np.arange(30) % 3)
        assert np.array_equal(back["f"].numbers, np.arange(30) % 2)
    assert before.fingerprint == after.fingerprint


def test_categories_are_in_the_order_of_numbers_where_they_are_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "k,y\n" + "".join(f"{i % 12},{i * 1.5}\n" for i in range(60)))
    assert table(path, types={"k": "categorical"})["k"].categories == tuple(str(i) for i in range(12))


def test_an_identifier_is_used_when_it_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "id,a,y\n" + "".join(f"{i},{i % 4},{i * 1.5}\n" for i in range(30)))
    assert ready(path, target="y").features == ("a",)
    assert ready(path, target="y", features=("id",)).features == ("id",)
    assert ready(path, target="y", types={"id": "numeric"}).features == ("id", "a")


def test_kaggles_titanic_needs_only_its_target() -> None:
    # 400 passengers from the source of titanic.csv (see titanic.txt for its licence), in the columns of Kaggle
    found = ready(Path(__file__).with_name("kaggle_shape.csv"), target="Survived")
    assert found.task == "binary"
    assert found.features == (
        "Pclass",
        "Sex=male",
        "Age",
        "Age is missing",
        "SibSp",
        "Parch",
        "Fare",
        "Embarked=Q",
        "Embarked=S",
    )
    reasons = {left.name: left.reason for left in found.left_out}
    assert set(reasons) == {"PassengerId", "Name", "Ticket", "Cabin"}
    assert "free text" in reasons["Name"]
    assert all("identifier" in reasons[name] for name in ("PassengerId", "Ticket", "Cabin"))
    assert np.isfinite(found.train.x).all()
