"""How many threads BLAS may use, while a kernel works.

Two thread pools must never meet, and OpenBLAS with two threads can take a hundred times longer than with one on the
small products of a training step. So every kernel says how many it wants and puts back what it found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from math import inf
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

OWNERS = ("scipy.linalg", "torch", "numba")  # modules that bring further libraries with thread pools
ALONE = 4096  # multiplications of a product that OpenBLAS never shares among threads; it begins at 9,216

_lock = Lock()
_holders = 0
_held: Any = None


def limited(threads: int, work: float = inf) -> AbstractContextManager[None]:
    """Let BLAS use at most so many threads inside.

    The setting belongs to the whole process: of several kernels at work side by side the first one's word holds, and
    the last to leave restores what was there before.

    Args:
        work: multiplications of the largest product inside. One so small that BLAS takes one thread for it anyway is
            spared the 20 µs that setting the limit takes.
    """
    return _limited(threads) if work > ALONE else nullcontext()


@contextmanager
def _limited(threads: int) -> Iterator[None]:
    global _holders, _held
    with _lock:
        if _holders == 0:
            controller = _controller(*(name in sys.modules for name in OWNERS))
            if any(library.num_threads != threads for library in controller.lib_controllers if _is_blas(library)):
                _held = controller.limit(limits=threads, user_api="blas")
                _held.__enter__()
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0 and _held is not None:
                _held.__exit__(None, None, None)
                _held = None


def _is_blas(library: Any) -> bool:
    return bool(library.user_api == "blas")


@lru_cache(maxsize=1)
def _controller(*loaded: bool) -> ThreadpoolController:
    """The BLAS libraries of the process. Finding them takes 0.3 ms: it is done again when more may have come."""
    return ThreadpoolController()
