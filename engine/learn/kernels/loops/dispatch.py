"""The loops for the records that there are now.

Each module of loops takes what is made of the records (see `source`) when it is imported. After a record has been
added or edited it is loaded once more, under a name with the version.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from engine.learn.kernels.loops import network as _network
from engine.learn.kernels.loops import single as _single
from engine.learn.kernels.loops import small as _small
from engine.learn.kernels.loops.generated import loaded
from engine.learn.kernels.loops.source import version


def single() -> ModuleType:
    """`loops.single`."""
    return _of(_single)


def small() -> ModuleType:
    """`loops.small`."""
    return _of(_small)


def network() -> ModuleType:
    """`loops.network`."""
    return _of(_network)


def _of(first: ModuleType) -> ModuleType:
    """A module that keeps in `VERSION` which records are compiled into it, as it is for those that there are now."""
    now = version()
    if now == first.VERSION:
        return first
    assert first.__file__ is not None
    return loaded(f"{first.__name__}_{now}", Path(first.__file__))
