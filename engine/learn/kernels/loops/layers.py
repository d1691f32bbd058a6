"""What the loop of networks is given: a network's shape, its rows, and arrays to work in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]
Ints = NDArray[np.int64]


class Layers(NamedTuple):
    """A network's shape, and the objective.

    Attributes:
        widths: [layers + 1] numbers of features, of each hidden layer's units, of outputs.
        activation: code of the hidden units, from `source.activations`.
        loss: code from `source.losses`.
        tile: rows worked on at once, at most.
    """

    widths: Ints
    activation: int
    loss: int
    tile: int


class LayerTable(NamedTuple):
    """Rows in their own order.

    Attributes:
        x: T [n * d], row after row.
        y: T [n] targets; None for classes.
        label: [n] class numbers; None for targets.
        weight: T [n], or empty for ones.
    """

    x: Vector
    y: Vector | None
    label: Ints | None
    weight: Vector


class LayerBuffers(NamedTuple):
    """Arrays to work in. What belongs to layers is one vector: each layer's [tile, units], one after the other.

    Attributes:
        x: T [tile * d] gathered rows.
        y, label, weight: [tile] theirs, None or empty as in the table.
        value: T, each layer's values after its activation; for the last one its outputs, then their slopes.
        slope: T, the derivatives of the loss by what each hidden layer's units add up; None without hidden layers.
        curve: T, the derivatives of the activations; None where they are seen from the values, as ReLU's are.
        row: T [tile].
        one_zero: T [2], 1 and 0.
    """

    x: Vector
    y: Vector | None
    label: Ints | None
    weight: Vector
    value: Vector
    slope: Vector | None
    curve: Vector | None
    row: Vector
    one_zero: Vector
