"""Rows on their way to the device: while one block is in use a thread gathers the next and sends it after.

On a GPU the gathered rows lie in pinned memory and travel on a stream of their own; the training stream waits for a
block only where it begins to use it, and the host never waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.learn.kernels.current import on

ALIGNED = 512  # bytes: what a GPU's allocator aligns to, and more than any processor's vector


class Pipe:
    """Blocks of consecutive rows of an order, one ahead.

    Args:
        arrays: [n, …] each, on the host, read and never written.
        block: rows of a block.
        device: where the blocks are wanted.
    """

    def __init__(self, arrays: Sequence[NDArray[Any]], block: int, device: torch.device) -> None:
        self._arrays, self._size, self._device = arrays, block, device
        self._rows = len(arrays[0])
        self._order: NDArray[np.int64] | None = None
        self._slots = [_Slot(arrays, block, device), _Slot(arrays, block, device)]
        self._stream: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            # The slots' memory may be what the training stream has let go of and still works on.
            self._stream.wait_stream(torch.cuda.current_stream(device))
            for slot in self._slots:
                slot.used_on(self._stream)
        self._thread = ThreadPoolExecutor(1, "rows")
        self._using = 0  # the slot in use
        self._start = self._stop = 0  # its rows; none at first
        self._ahead: tuple[int, Future[None]] | None = None  # the first row of the block that is on its way

    def order(self, order: NDArray[np.int64] | None) -> None:
        """The rows' order from now on; None for their own."""
        self._settle()
        self._order = order
        self._start = self._stop = 0

    def rows(self, start: int, stop: int) -> list[Tensor]:
        """Rows start <= row < stop of the order, at most a block of them, as views that hold until the next block."""
        if not (self._start <= start and stop <= self._stop):
            self._advance(start, stop)
        slot = self._slots[self._using]
        return slot.views(start - self._start, stop - self._start)

    def close(self) -> None:
        """End the thread. Copies that are on their way keep the blocks' memory from others (see `used_on`)."""
        self._settle()
        self._thread.shutdown()

    def _advance(self, start: int, stop: int) -> None:
        """Use the block that begins with a row, and send for the one after it."""
        following = self._slots[1 - self._using]
        if self._ahead is not None and self._ahead[0] == start:
            self._ahead[1].result()
            self._ahead = None
        else:
            self._settle()
            self._fill(following, start)
        if self._stream is not None:
            now = torch.cuda.current_stream(self._device)
            self._slots[self._using].used.record(now)
            now.wait_event(following.sent)
        self._using = 1 - self._using
        self._start, self._stop = start, min(start + self._size, self._rows)
        assert stop <= self._stop, f"rows {start} to {stop} are more than a block of {self._size}"
        # Rows in their own order begin again where they end; the next epoch's order is not known yet.
        first = self._stop if self._stop < self._rows else 0
        if first or self._order is None:
            self._ahead = (first, self._thread.submit(self._fill, self._slots[1 - self._using], first))

    def _settle(self) -> None:
        """Wait for the block that is on its way; it is not wanted any more."""
        if self._ahead is not None:
            self._ahead[1].result()
            self._ahead = None

    def _fill(self, slot: _Slot, start: int) -> None:
        stop = min(start + self._size, self._rows)
        index = None if self._order is None else self._order[start:stop]
        if self._stream is None:
            slot.gather(self._arrays, index, start, stop)
            return
        with on(self._device):  # the current device belongs to a thread
            slot.sent.synchronize()  # what was gathered here before has left
            slot.gather(self._arrays, index, start, stop)
            with torch.cuda.stream(self._stream):
                self._stream.wait_event(slot.used)  # the training stream is done with the block that lies there
                slot.send()
                slot.sent.record(self._stream)


class _Slot:
    """Room for one block on the host and, where that is another place, on the device."""

    def __init__(self, arrays: Sequence[NDArray[Any]], block: int, device: torch.device) -> None:
        pinned = device.type == "cuda"
        self._host: list[Tensor] = []
        for array in arrays:
            length = block * _width(array) + ALIGNED // array.itemsize
            kind = torch.from_numpy(np.empty(0, array.dtype)).dtype
            self._host.append(torch.empty(length, dtype=kind, pin_memory=pinned))
        away = device.type != "cpu"
        self._there = [torch.empty_like(h, device=device) for h in self._host] if away else self._host
        self._shapes = [array.shape[1:] for array in arrays]
        self._from = [0] * len(arrays)  # elements left free before the first row
        self._count = 0
        if pinned:
            self.sent, self.used = torch.cuda.Event(), torch.cuda.Event()  # type: ignore[no-untyped-call]

    def gather(self, arrays: Sequence[NDArray[Any]], index: NDArray[np.int64] | None, start: int, stop: int) -> None:
        """Copy rows to the host's side; numpy takes one thread for it and lets go of the interpreter."""
        self._count = stop - start
        for i, array in enumerate(arrays):
            # A row begins at the same place within 512 bytes as in an array of all rows: the same vector loops run.
            width = _width(array)
            self._from[i] = start * width % (ALIGNED // array.itemsize)
            room = self._host[i].numpy()[self._from[i] : self._from[i] + self._count * width]
            room = room.reshape(self._count, *array.shape[1:])
            if index is None:
                room[...] = array[start:stop]
            else:
                np.take(array, index, axis=0, out=room, mode="clip")  # "raise" would gather into a copy first
        if self._there is not self._host and not self._host[0].is_pinned():
            self.send()

    def used_on(self, stream: torch.cuda.Stream) -> None:
        """Tell the allocator that a stream writes to the device's side too: it gives the memory to nobody before."""
        for there in self._there:
            there.record_stream(stream)

    def send(self) -> None:
        """Copy the host's side to the device, without waiting where it is pinned."""
        for here, there in zip(self._host, self._there, strict=True):
            there.copy_(here, non_blocking=True)

    def views(self, start: int, stop: int) -> list[Tensor]:
        """Rows start <= row < stop of the block on the device."""
        found = []
        for i, there in enumerate(self._there):
            width = int(np.prod(self._shapes[i], dtype=int))
            first = self._from[i] + start * width
            found.append(there[first : first + (stop - start) * width].view(stop - start, *self._shapes[i]))
        return found


def _width(array: NDArray[Any]) -> int:
    """Elements of a row."""
    return int(np.prod(array.shape[1:], dtype=int))
