"""Real tables that come along: the Titanic's passengers, and the classics that scikit-learn ships."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.base.errors import InputError
from engine.data import kinds, sentences
from engine.data.table import Column
from engine.registry.datasets import Dataset

if TYPE_CHECKING:
    from engine.recipe import ColumnKind

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


def titanic(one: Dataset) -> Mapping[str, Column]:
    """See titanic.txt for its source and licence."""
    text = files(__package__).joinpath("titanic.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    texts = {name: kinds.from_texts(name, [row[name] for row in rows]) for name in _PASSENGER}
    return {name: kinds.as_kind(column, _PASSENGER[name]) for name, column in texts.items()}


def from_sklearn(one: Dataset) -> Mapping[str, Any]:
    """What scikit-learn's load_NAME has. Raises InputError where scikit-learn is not there."""
    return _columns(one, {})


def from_sklearn_unscaled(one: Dataset) -> Mapping[str, Any]:
    """The same in the table's own units, where scikit-learn's default has normalized it already."""
    return _columns(one, {"scaled": False})


def _columns(one: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        from sklearn import datasets
    except ImportError:
        raise InputError(sentences.NO_SCIKIT_LEARN(dataset=one.name)) from None
    bunch = getattr(datasets, f"load_{one.name}")(**options)
    found: dict[str, Any] = {str(label): bunch.data[:, j] for j, label in enumerate(bunch.feature_names)}
    if "target_names" not in bunch:
        return found | {one.target: bunch.target}
    return found | {one.target: (bunch.target.astype(np.int32), tuple(str(label) for label in bunch.target_names))}
