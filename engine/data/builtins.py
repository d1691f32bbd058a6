"""The notes' own three sets, small enough to be written down.

From the lecture notes on feature scaling: houses (size and age to a price), scales (two features a thousandfold apart),
linear3 (a hundred noisy rows of a known plane).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.base.random_streams import stream
from engine.data.table import Floats, Table, Task, numeric


@dataclass(frozen=True)
class BuiltIn:
    """A set that is there without a file, as a list shows it.

    Attributes:
        name: what `--dataset` takes.
        about: one line.
        rows, features: its size; for generators with their default parameters.
        task: "regression", "binary" or "multiclass".
        kind: "notes", "bundled" (a real table) or "generator" (drawn by parameters and seed).
        parameters: of a generator: name to (default, help); `--dataset NAME:key=value,…`.
    """

    name: str
    about: str
    rows: int
    features: int
    task: Task
    kind: Literal["notes", "bundled", "generator"]
    parameters: Mapping[str, tuple[float, str]] = field(default_factory=dict)


NOTES = (
    BuiltIn("houses", "size and age of seven houses, and their price", 7, 2, "regression", "notes"),
    BuiltIn("scales", "five rows whose features are a thousandfold apart", 5, 2, "regression", "notes"),
    BuiltIn("linear3", "100 rows of 1.1 x1 + 2.2 x2 + 3.3 x3 + 4.4 with little noise", 100, 3, "regression", "notes"),
)


def load(name: str) -> Table:
    """One of NOTES by its name."""
    x, y, names = {"houses": _houses, "scales": _scales, "linear3": _linear3}[name]()
    columns = (*(numeric(n, x[:, j]) for j, n in enumerate(names[:-1])), numeric(names[-1], y))
    return Table(name, name, columns, len(y), names[-1], origin="notes", task="regression")


def _houses() -> tuple[Floats, Floats, tuple[str, ...]]:
    x = np.array([[10, 3], [20, 3], [25, 3], [28, 2.5], [30, 2], [35, 2.5], [40, 2.5]])
    return x, np.array([60.0, 85, 100, 120, 140, 145, 163]), ("size", "age", "price")


def _scales() -> tuple[Floats, Floats, tuple[str, ...]]:
    x = np.array([[2.0, 1000], [3, 2000], [2, 500], [1, 800], [4, 3000]])
    return x, np.array([19.0, 31, 14, 15, 43]), ("x1", "x2", "y")


def _linear3() -> tuple[Floats, Floats, tuple[str, ...]]:
    random = stream(0, "linear3")
    x = random.random((100, 3))
    noise = 0.1 * random.standard_normal(100)
    return x, x @ np.array([1.1, 2.2, 3.3]) + 4.4 + noise, ("x1", "x2", "x3", "y")
