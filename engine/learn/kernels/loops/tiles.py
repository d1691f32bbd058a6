"""What the loop of one output is given: its rows in tiles, their order, arrays to work in, and where a run stands."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]
Ints = NDArray[np.int64]

EPOCH, ROW, COUNT, BACK, PLACES = range(5)  # what `at` holds; see `single.run`


class TileTable(NamedTuple):
    """Rows in the order in which they lie in memory.

    Attributes:
        x: T [n * p]. Row after row, or, to be used in place, tile after tile and in each feature after feature.
        y: T [n].
        weight: T [n], or empty for ones.
        block: rows of a unit of the order: 1 for a table that is row after row, else what lies in place; the last block
            may have fewer.
        width: rows of a tile, at most; tiles begin anew with each block.
        floor: added to the mean loss of a batch.
        loss: code from `source.losses`.
    """

    x: Vector
    y: Vector
    weight: Vector
    block: int
    width: int
    floor: float
    loss: int


class Order(NamedTuple):
    """The order of the blocks in some epochs.

    Attributes:
        blocks: [epochs, blocks], for the epochs from `first` on; one row for all where `first` is -1.
        first: an epoch.
    """

    blocks: Ints
    first: int


class TileBuffers(NamedTuple):
    """Arrays to work in, of `width` rows each."""

    x: Vector  # T [width * p]; empty where tiles are used in place
    y: Vector
    weight: Vector
    z: Vector
    loss: Vector
    total: NDArray[np.float64]  # [p]
