"""Refusing what declares more than the free memory holds, before any of it is read."""

from __future__ import annotations

from engine.base.errors import InputError

SMALL = 1 << 26  # bytes from which on it is worth asking how much is free
SHARE = 0.8  # of the free memory that one thing may take


def check_room(what: str, needed: int, remedy: str) -> None:
    """Raise InputError where something needs more bytes than are free.

    Args:
        what: the thing and what it does, such as "x.npz unpacks to".
        remedy: what to do instead, half a sentence.
    """
    if needed <= SMALL:
        return
    free = free_memory()
    if needed > SHARE * free:
        raise InputError(f"{what} {needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB of memory are free; {remedy}.")


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
