"""Where the rows lie while a model trains: on the device, or in the host's memory or a file and streamed in blocks.

Both ways hand out the same rows in the same order, at addresses that are alike to the last 512 bytes, so that the same
arithmetic runs on them: where the rows lie changes no bit of a loss of mini-batches.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.base.errors import InputError
from engine.data.prepare import Prepared, Rows
from engine.devices import driver, memory_limit
from engine.learn import sentences
from engine.learn.kernels.contract import Split
from engine.learn.kernels.streaming import Pipe
from engine.learn.plan import Plan

Batch = tuple[Tensor, Tensor, Tensor | None]  # x [b, d], y [b, 1] or [b] class numbers, row weights [b]
Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]
Home = Literal["device", "memory", "file"]

SHARE = 3  # rows that take more than a third of the free memory are streamed: an epoch's order is a second copy of them
SMALL = 1 << 26  # bytes that fit anywhere: nobody is asked how much is free
CHUNK = 1 << 25  # bytes of one transfer, or of one step of a conversion


@dataclass(frozen=True)
class Placement:
    """Where rows are kept, and why in a sentence."""

    home: Home
    sentence: str = ""

    @property
    def streamed(self) -> bool:
        """Whether the device sees only blocks of the rows."""
        return self.home != "device"


def free_memory(device: torch.device) -> int:
    """Bytes that are free on a device; the host's where the device does not tell, or shares them."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "xpu" and hasattr(torch.xpu, "mem_get_info"):
        return int(torch.xpu.mem_get_info(device)[0])
    return memory_limit()[1]


def neighbour(device: torch.device) -> str:
    """The other process that holds most of a GPU's memory, in words; "" where none is known."""
    if device.type != "cuda":
        return ""
    return driver.neighbour(driver.known_by(str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))))


def decide(wanted: int, device: torch.device) -> Placement:
    """Where rows of so many bytes (in the model's number format) are kept for a device."""
    if wanted <= SMALL:
        return Placement("device")
    free = free_memory(device)
    if wanted * SHARE <= free:
        return Placement("device")
    host = free if device.type == "cpu" else memory_limit()[1]
    if 2 * wanted <= host:
        return Placement("memory", sentences.IN_MEMORY(needed=wanted, free=free, device=device))
    folder = tempfile.gettempdir()
    return Placement("file", sentences.IN_FILE(needed=wanted, free=free, device=device, folder=folder))


def size(prepared: Prepared, dtype: torch.dtype) -> int:
    """Bytes of all features in a number format."""
    return _numpy(dtype).itemsize * sum(rows.x.size for rows in (prepared.train, prepared.validation, prepared.test))


def place(
    where: Placement, prepared: Prepared, plan: Plan, device: torch.device, dtype: torch.dtype
) -> dict[Split, Resident | Streamed]:
    """Put the rows of every split where they were decided to be."""
    splits: dict[Split, Rows] = {
        "train": prepared.train,
        "validation": prepared.validation,
        "test": prepared.test,
    }
    found: dict[Split, Resident | Streamed] = {}
    for split, rows in splits.items():
        y = rows.y.astype(np.int64) if plan.objective.classes else rows.y[:, None]
        arrays = (rows.x, y, rows.weight)
        if where.streamed:
            found[split] = Streamed(arrays, device, dtype, plan.batch, where.home)
        else:
            found[split] = Resident(arrays, device, dtype)
    return found


class Resident:
    """Rows on the device as whole tensors. An epoch's order is gathered once, and its batches are slices."""

    def __init__(self, arrays: Arrays, device: torch.device, dtype: torch.dtype) -> None:
        x, y, weight = arrays
        self._rows: Batch = (
            upload(x, device, dtype),
            upload(y, device, dtype if y.dtype.kind == "f" else torch.int64),
            None if weight is None else upload(weight, device, dtype),
        )
        self._ordered = self._rows

    def __len__(self) -> int:
        return len(self._rows[0])

    def order(self, order: NDArray[np.int64] | None) -> None:
        """Put the rows into an epoch's order; None for their own."""
        if order is None:
            self._ordered = self._rows
            return
        x, y, weight = self._rows
        self._ordered = self._rows  # the last epoch's may go before this one's comes
        index = upload(order, x.device, torch.int64)
        self._ordered = (x[index], y[index], None if weight is None else weight[index])

    def batch(self, start: int, stop: int) -> Batch:
        """Rows start <= row < stop of the epoch's order."""
        x, y, weight = self._ordered
        return x[start:stop], y[start:stop], None if weight is None else weight[start:stop]

    def pieces(self) -> list[Batch]:
        """All rows in their own order, in one piece."""
        return [self._rows]

    def slices(self, size: int) -> Iterator[Batch]:
        """All rows in their own order, so many at a time."""
        x, y, weight = self._rows
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            yield x[part], y[part], None if weight is None else weight[part]

    def resize(self, batch: int) -> None:
        """Batches have so many rows from now on."""

    def close(self) -> None:
        """Let go of the rows' second copy."""
        self._ordered = self._rows


class Streamed:
    """Rows in the host's memory or in a file, of which the device holds two blocks: one in use, one on its way.

    Args:
        arrays: x [n, d], y and weights, float64 on the host.
        batch: rows of a batch; a block is a whole number of them.
        home: "file" copies x into a memory-mapped file in the model's number format.
    """

    def __init__(self, arrays: Arrays, device: torch.device, dtype: torch.dtype, batch: int, home: Home) -> None:
        x, y, weight = arrays
        kind = _numpy(dtype)
        self._x = _converted(x, kind, home)
        self._y = y if y.dtype.kind == "i" else y.astype(kind, copy=False)
        self._weight = None if weight is None else weight.astype(kind, copy=False)
        self._device = device
        self._pipe: Pipe | None = None  # opened when a batch is asked for: rows that are only evaluated need none
        self._order: NDArray[np.int64] | None = None
        self._block = 0
        self.resize(batch)

    def __len__(self) -> int:
        return len(self._x)

    def resize(self, batch: int) -> None:
        """Batches have so many rows from now on."""
        self.close()
        row = max(1, self._x.itemsize * self._x.shape[1])
        whole = batch >= len(self)  # such a batch is worked off in pieces
        self._block = min(len(self), max(1, CHUNK // row) if whole else batch * max(1, CHUNK // (row * batch)))

    def order(self, order: NDArray[np.int64] | None) -> None:
        """Put the rows into an epoch's order; None for their own."""
        self._order = order
        if self._pipe is not None:
            self._pipe.order(order)

    def batch(self, start: int, stop: int) -> Batch:
        """Rows start <= row < stop of the epoch's order; good until the next batch is asked for."""
        if self._pipe is None:
            arrays = [a for a in (self._x, self._y, self._weight) if a is not None]
            self._pipe = Pipe(arrays, self._block, self._device)
            self._pipe.order(self._order)
        found = self._pipe.rows(start, stop)
        return found[0], found[1], found[2] if len(found) > 2 else None

    def pieces(self) -> Streamed:
        """All rows in their own order, in as many pieces as there are blocks; may be gone over again."""
        return self

    def __iter__(self) -> Iterator[Batch]:
        if self._order is not None:
            self.order(None)
        for start in range(0, len(self), self._block):
            yield self.batch(start, min(start + self._block, len(self)))

    def slices(self, size: int) -> Iterator[Batch]:
        """All rows in their own order, so many at a time; leaves the epoch's blocks as they are."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            arrays = [a[part] for a in (self._x, self._y, self._weight) if a is not None]
            x, y, *weight = (torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in arrays)
            yield x, y, weight[0] if weight else None

    def close(self) -> None:
        """End the thread that looks ahead, and let go of the blocks."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def __del__(self) -> None:
        if "_pipe" in self.__dict__:
            self.close()


def upload(array: NDArray[Any], device: torch.device, dtype: torch.dtype) -> Tensor:
    """An array as a tensor on a device; onto a GPU through pinned memory, without waiting for it."""
    source = torch.from_numpy(np.ascontiguousarray(array))
    if device.type != "cuda" or array.nbytes == 0:
        return source.to(dtype).to(device)  # some devices lack the array's own format
    found = torch.empty(array.shape, dtype=dtype, device=device)
    step = max(1, CHUNK // max(1, array.nbytes // len(array)))
    for start in range(0, len(array), step):
        # torch keeps a pinned chunk until the copy that reads it is done.
        found[start : start + step].copy_(source[start : start + step].to(dtype).pin_memory(), non_blocking=True)
    return found


def _numpy(dtype: torch.dtype) -> np.dtype[Any]:
    return np.dtype(np.float64 if dtype == torch.float64 else np.float32)


def _converted(x: NDArray[Any], kind: np.dtype[Any], home: Home) -> NDArray[Any]:
    """x in a number format; in a temporary file that goes with the array, where that is its home."""
    if home != "file" or not x.size:
        return x.astype(kind, copy=False)
    with tempfile.TemporaryFile() as file:
        try:
            os.posix_fallocate(file.fileno(), 0, max(1, kind.itemsize * x.size))  # a hole in a full disk would kill us
        except OSError as error:
            raise InputError(
                sentences.NO_DISK(needed=kind.itemsize * x.size, folder=tempfile.gettempdir(), reason=error.strerror)
            ) from None
        found = np.memmap(file, kind, "w+", shape=x.shape)
    step = max(1, CHUNK // max(1, kind.itemsize * x.shape[1]))
    for start in range(0, len(x), step):
        found[start : start + step] = x[start : start + step]
    return found
