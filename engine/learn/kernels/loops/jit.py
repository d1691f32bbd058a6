"""How the loops are compiled, and where the result is kept."""

from __future__ import annotations

import fcntl
import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from platformdirs import user_cache_path

from engine.base.temporary import temporary_folder
from engine.learn.kernels.loops.source import version

F = TypeVar("F", bound=Callable[..., Any])

# FAST: sums may be taken in another order and products fused, so that they run in the processor's wide registers. NaN
# and infinity keep their meaning: they tell that a run has diverged. Without _nrt nothing is allocated and no reference
# is counted inside, which would take longer than a step of a small table.
FAST = {"reassoc", "contract", "nsz", "arcp"}
OPTIONS: dict[str, Any] = {"nogil": True, "fastmath": FAST, "error_model": "numpy", "_nrt": False}
IN_ORDER = OPTIONS | {"fastmath": {"contract"}}

PATIENCE = 60.0  # seconds that another process may take to compile; one that is suspended meanwhile does not end

_numba: Any = numba


_made: dict[str, Path] = {}  # the folder of each version
_kept_in: dict[str, Path] = {}  # the folder of each module


def folder() -> Path:
    """Where compiled code lies: a folder for each version of the loops and of the records that are compiled into them,
    as numba does not see changes of callees."""
    now = version()
    if now not in _made:
        _made[now] = _folder(now)
    return _made[now]


def _folder(version: str) -> Path:
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    found = (Path(chosen) if chosen else user_cache_path("ravine", appauthor=False) / "compiled") / version
    try:
        found.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(found, os.W_OK):
            return found
    except OSError:
        pass  # a home that cannot be written: the code lasts as long as this process
    return temporary_folder("compiled")


def part(function: F) -> F:
    """Compile a function as a part of those that call it, for which alone it is of use.

    It is put inside them. If it stayed a function, the process that compiles them would call a version that numba has
    made of it alone, and every later one that of the code on disk, whose sums are rounded otherwise.
    """
    return cast(F, _numba.extending.register_jitable(forceinline=True, **OPTIONS)(function))


def part_in_order(function: F) -> F:
    """`part`, with sums and products taken in the order in which they are written."""
    return cast(F, _numba.extending.register_jitable(forceinline=True, **IN_ORDER)(function))


def jit(function: F) -> F:
    """Compile a function at its first call, for the types of that call, and keep the result on disk.

    Inside, the interpreter's lock is released.
    """
    return _kept(function, OPTIONS)


def jit_in_order(function: F) -> F:
    """`jit`, with every sum taken in the order in which it is written."""
    return _kept(function, IN_ORDER)


def _kept(function: F, options: dict[str, Any]) -> F:
    _kept_in[function.__module__] = folder()
    before, _numba.config.CACHE_DIR = _numba.config.CACHE_DIR, str(folder())
    try:
        return cast(F, _numba.njit(cache=True, **options)(function))
    finally:
        _numba.config.CACHE_DIR = before


@contextmanager
def announced(function: Callable[..., Any], precision: str, activity: Callable[[str], None] | None) -> Iterator[None]:
    """Tell `activity` when the call inside will compile a function for a precision, which it does once on a machine.

    Processes that begin together compile one after the other: all but the first find what it has left on disk.
    """
    done = _kept_in.get(function.__module__, folder()) / f"{function.__module__}.{precision}.done"
    if done.exists():
        yield
        return
    if activity is not None:
        activity("compiling the training loop, once for this machine")
    with _alone(done.with_suffix(".lock")), _without_collection():
        yield
    with suppress(OSError):
        done.touch()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file; without it where that takes too long, or where the disk has no locks."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        end = time.monotonic() + PATIENCE
        while not _locked(handle) and time.monotonic() < end:
            time.sleep(0.05)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether there is nothing more to wait for."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # no locks on this disk
    return True


@contextmanager
def _without_collection() -> Iterator[None]:
    """Let garbage lie: a compiler makes millions of objects that live on, and looking through them takes a tenth of
    its time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
