"""The rows in training: where they lie, and which come next."""

from __future__ import annotations

import torch

from engine.data.prepare import Prepared
from engine.learn.kernels import placement
from engine.learn.kernels.contract import Split
from engine.learn.kernels.order import rows_of_epoch
from engine.learn.kernels.placement import Batch, Resident, Streamed
from engine.learn.plan import Plan


class Batches:
    """Hands out the batches of a run, one update after the other.

    Attributes:
        size: rows of a batch.
        epoch, row: passes done, and rows of this pass already used.
        placement: where the rows lie.
        splits: the rows of each split.
    """

    def __init__(self, plan: Plan, prepared: Prepared, device: torch.device, dtype: torch.dtype) -> None:
        self._plan, self._prepared, self._device, self._dtype = plan, prepared, device, dtype
        self.size = plan.batch
        self.epoch = self.row = 0
        self._ordered = -1  # the epoch whose order the train rows have
        self.placement = placement.decide(placement.size(prepared, dtype), device)
        self.splits = self._place()

    def _place(self) -> dict[Split, Resident | Streamed]:
        return placement.place(self.placement, self._prepared, self._plan, self._device, self._dtype)

    def next(self) -> list[Batch] | Streamed:
        """Return the rows of the next update: in one piece, or all of them in blocks."""
        plan, train = self._plan, self.splits["train"]
        if self.size >= plan.rows and self.row == 0:
            self.epoch += 1
            return train.pieces()
        if self._ordered != self.epoch:
            own = plan.shuffle == "none"
            train.order(None if own else rows_of_epoch(plan.shuffle, plan.seed, self.epoch, plan.rows))
            self._ordered = self.epoch
        start, stop = self.row, min(self.row + self.size, plan.rows)
        self.row = stop
        if self.row >= plan.rows:
            self.row = 0
            self.epoch += 1
        return [train.batch(start, stop)]

    def first(self, rows: int) -> Batch:
        """Return the first train rows, so many at most, in their own order."""
        return next(iter(self.splits["train"].slices(rows)))

    def resize(self, size: int) -> bool:
        """Let batches have so many rows from now on; whether they had others."""
        if size == self.size:
            return False
        self.size = size
        self.splits["train"].resize(size)
        return True

    def close(self) -> None:
        """Let go of what is held beside the rows."""
        for rows in self.splits.values():
            rows.close()

    def restore(self, epoch: int, row: int, home: placement.Home | None) -> None:
        """Go back to a place in the order.

        Args:
            home: where the rows lay then; None where that is unknown.
        """
        self.epoch, self.row, self._ordered = epoch, row, -1
        home = home or self.placement.home
        # All rows in one piece and in several are summed in another order: go on as the run began.
        if self.size >= self._plan.rows and (home == "device") == self.placement.streamed:
            self.placement = placement.Placement(home)
            self.splits = self._place()
