"""Orders of several epochs at once, for the loops to go through."""

from __future__ import annotations

import numpy as np

from engine.learn.kernels.loops import permutation
from engine.learn.kernels.loops.tiles import Order
from engine.learn.kernels.order import blocks_of_epoch, rows_of_epoch
from engine.learn.plan import Shuffle

AT_ONCE = 1 << 16  # numbers, which lie in the second cache


class Orders:
    """Draws orders as they are asked for, and keeps the newest."""

    def __init__(self, shuffle: Shuffle, seed: int, rows: int) -> None:
        self._shuffle, self._seed, self._rows = shuffle, seed, rows
        self._entropy, self._room = permutation.entropy(seed, "order"), np.empty(permutation.ROOM, np.uint64)
        self._drawn = Order(np.arange(rows)[None] if shuffle == "none" else np.empty((0, rows), np.int64), -1)

    def rows(self, epoch: int) -> Order:
        """The order of the rows in an epoch, and perhaps in some after it."""
        drawn = self._drawn
        if self._shuffle == "none" or (drawn.first >= 0 and 0 <= epoch - drawn.first < len(drawn.blocks)):
            return drawn
        if self._shuffle == "full" and self._rows < AT_ONCE and permutation.faithful():
            count = AT_ONCE // self._rows
            first = epoch // count * count
            blocks = np.empty((count, self._rows), np.int64)
            permutation.permute(blocks, *self._entropy, first, self._room)
        else:
            first, blocks = epoch, rows_of_epoch(self._shuffle, self._seed, epoch, self._rows)[None]
        self._drawn = Order(blocks, first)
        return self._drawn

    def blocks(self, epoch: int) -> Order:
        """The order of the blocks in an epoch."""
        return Order(blocks_of_epoch(self._seed, epoch, self._rows)[None], epoch)


IN_PLACE = Order(np.zeros((1, 1), np.int64), -1)  # the whole table as one block, in every epoch


def one_after_the_other(blocks: int) -> Order:
    """Blocks as they lie, in every epoch."""
    return Order(np.arange(blocks)[None], -1)
