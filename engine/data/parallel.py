"""The same work on several cores, with results that do not depend on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from engine.base.errors import Cancelled
from engine.data import sentences

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[str, float | None], None]
"""Told what is being done and how much of it is done (0 to 1, None where unknown)."""
Stop = Callable[[], bool]
"""Asked between pieces of work; True gives the work up."""

BLOCK = 4096
"""Rows handled at once: 32 columns of that many float64 fit a core's own cache."""

_SMALL = 4_000_000
_MOST_THREADS = 8


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def each(
    function: Callable[[Item], Result], items: Sequence[Item], *, work: int, cancelled: Stop | None = None
) -> list[Result]:
    """The results of `function` for each item, in order.

    numpy and hashlib let go of the interpreter while they compute, so threads are enough.

    Args:
        work: bytes touched altogether; little work stays in the calling thread.
        cancelled: asked before each item.

    Raises:
        Cancelled: when `cancelled` says so. What `function` raises is passed on.
    """

    def one(item: Item) -> Result:
        check(cancelled)
        return function(item)

    threads = min(cores(), _MOST_THREADS, len(items))
    if work < _SMALL or threads < 2:
        return [one(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads, thread_name_prefix="ravine-data") as pool:
        try:
            return list(pool.map(one, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def check(cancelled: Stop | None) -> None:
    """Raise Cancelled when it was asked for."""
    if cancelled is not None and cancelled():
        raise Cancelled(sentences.CANCELLED())


def blocks(rows: int, size: int = BLOCK) -> Iterator[slice]:
    """Slices that cover 0..rows in order."""
    for start in range(0, rows, size):
        yield slice(start, min(rows, start + size))


def spans(rows: int) -> list[slice]:
    """Long slices, each a whole number of blocks, that spread 0..rows over the cores with room to balance."""
    count = max(1, min(_MOST_THREADS * 4, -(-rows // BLOCK)))
    size = -(-rows // (count * BLOCK)) * BLOCK if rows else BLOCK
    return list(blocks(rows, size))
