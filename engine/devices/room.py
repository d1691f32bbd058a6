"""Refusing what declares more than the free memory holds, before any of it is read."""

from __future__ import annotations

from collections.abc import Callable

from engine.base.errors import InputError

SMALL = 1 << 26  # bytes from which on it is worth asking how much is free
SHARE = 0.8  # of the free memory that one thing may take


def check_room(needed: int, refusal: Callable[..., str]) -> None:
    """Raise InputError where something needs more bytes than are free.

    Args:
        refusal: the sentence that says so, which still lacks `needed` and `free`, both in GB.
    """
    if needed <= SMALL:
        return
    free = free_memory()
    if needed > SHARE * free:
        raise InputError(refusal(needed=needed / 1e9, free=free / 1e9))


def free_memory() -> int:
    """Bytes that this process may still take: of the machine, its container, and its own limit (ulimit -v)."""
    import resource

    import psutil

    from engine.devices.host import memory_limit

    free = memory_limit()[1]
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        free = min(free, max(0, limit - psutil.Process().memory_info().vms))
    return free
