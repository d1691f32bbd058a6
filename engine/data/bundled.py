"""Real tables that come along: the Titanic's passengers, and the classics that scikit-learn ships."""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np

from engine.base.errors import InputError
from engine.data import kinds
from engine.data.builtins import BuiltIn
from engine.data.table import Column, Table, numeric
from engine.recipe import ColumnKind

LIST = (
    BuiltIn("titanic", "who survived, of 1,309 passengers", 1309, 7, "binary", "bundled"),
    BuiltIn("iris", "three kinds of iris by the size of their leaves", 150, 4, "multiclass", "bundled"),
    BuiltIn("wine", "three growers by the chemistry of their wines", 178, 13, "multiclass", "bundled"),
    BuiltIn("breast_cancer", "benign or malignant, from cells under a microscope", 569, 30, "binary", "bundled"),
    BuiltIn("diabetes", "progression of diabetes a year later", 442, 10, "regression", "bundled"),
    BuiltIn("digits", "handwritten digits of 8x8 pixels", 1797, 64, "multiclass", "bundled"),
)

_TARGETS = {
    "titanic": "survived",
    "iris": "species",
    "wine": "grower",
    "breast_cancer": "diagnosis",
    "diabetes": "progression",
    "digits": "digit",
}
_PASSENGER: dict[str, ColumnKind] = {
    "survived": "numeric",
    "pclass": "categorical",
    "sex": "categorical",
    "age": "numeric",
    "sibsp": "numeric",
    "parch": "numeric",
    "fare": "numeric",
    "embarked": "categorical",
}


def load(name: str) -> Table:
    """One of LIST by its name. Raises InputError where scikit-learn is needed and is not there."""
    columns = _titanic() if name == "titanic" else _from_sklearn(name)
    task = next(each.task for each in LIST if each.name == name)
    return Table(
        name,
        name,
        columns,
        len(columns[0].data),
        _TARGETS[name],
        origin="bundled",
        task=task,
    )


def _titanic() -> tuple[Column, ...]:
    """See titanic.txt for its source and licence."""
    text = files(__package__).joinpath("titanic.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    texts = (kinds.from_texts(name, [row[name] for row in rows]) for name in _PASSENGER)
    return tuple(kinds.as_kind(column, _PASSENGER[column.name]) for column in texts)


def _from_sklearn(name: str) -> tuple[Column, ...]:
    try:
        from sklearn import datasets
    except ImportError:
        raise InputError(f"{name} comes with scikit-learn, which is not installed; pip install scikit-learn.") from None
    # The diabetes table in its own units: scikit-learn's default has normalized it already.
    bunch = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    features = [numeric(str(label), bunch.data[:, j]) for j, label in enumerate(bunch.feature_names)]
    if name == "diabetes":
        return (*features, numeric(_TARGETS[name], bunch.target))
    classes = tuple(str(label) for label in bunch.target_names)
    return (*features, Column(_TARGETS[name], "categorical", bunch.target.astype(np.int32), classes))
