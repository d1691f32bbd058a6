"""The order of the rows in each epoch, the same for every kernel and device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.base.random_streams import stream
from engine.learn.plan import Shuffle

Ints = NDArray[np.int64]

BLOCK = 1024  # rows that stay together under "blocks": few enough to lie in a cache while they are shuffled


def rows_of_epoch(shuffle: Shuffle, seed: int, epoch: int, rows: int) -> Ints:
    """Row numbers in their order: int64 [rows].

    full: a permutation. blocks: blocks of 1,024 rows as `blocks_of_epoch` has them, each with its rows permuted. none:
    as they are.
    """
    if shuffle == "none":
        return np.arange(rows)
    random = stream(seed, "order", epoch)
    if shuffle == "full":
        return random.permutation(rows)
    blocks = blocks_of_epoch(seed, epoch, rows)
    whole = rows // BLOCK
    inside = random.permuted(np.broadcast_to(np.arange(BLOCK), (whole, BLOCK)), axis=1)
    inside += BLOCK * blocks[:whole, None]
    return np.concatenate([inside.reshape(-1), BLOCK * whole + random.permutation(rows - BLOCK * whole)])


def blocks_of_epoch(seed: int, epoch: int, rows: int) -> Ints:
    """Numbers of the blocks in their order: int64 [⌈rows/1,024⌉]. A last block with fewer rows stays the last."""
    blocks = stream(seed, "blocks", epoch).permutation(rows // BLOCK)
    return blocks if rows % BLOCK == 0 else np.append(blocks, rows // BLOCK)
