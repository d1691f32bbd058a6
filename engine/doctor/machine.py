"""What the programs below us are, and whether there is room: versions, BLAS, compiled code, disk, NVML."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.base.errors import InputError
from engine.base.shell import quoted
from engine.base.versions import version
from engine.doctor import sentences
from engine.runs.folder import versions as own_versions

PACKAGES = ("textual", "plotext", "numba", "scipy", "scikit-learn", "polars", "tensorboard", "safetensors")
LITTLE = 10**9  # bytes free on a disk: less is told


@dataclass(frozen=True)
class LiveRun:
    """A run that is going on, or may be."""

    run: str
    state: str  # running, paused, unknown
    host: str
    pid: int | None
    word: str  # the state, with the host where that is another one


@dataclass(frozen=True)
class Blas:
    """A library that multiplies matrices for numpy or scipy."""

    name: str  # "openblas"
    version: str
    threads: int
    architecture: str  # which of its kernels it has chosen


@dataclass(frozen=True)
class Place:
    """A folder that is written to."""

    path: str
    free: int  # bytes
    writable: bool


def versions() -> dict[str, str]:
    """Versions of what we are made of. Imports nothing."""
    return own_versions() | {name: version(name) or "missing" for name in PACKAGES}


def blas() -> tuple[Blas, ...]:
    """The libraries that are loaded."""
    import numpy.linalg
    from threadpoolctl import threadpool_info

    assert numpy.linalg  # which brings its library along
    return tuple(
        Blas(
            str(found.get("internal_api")),
            str(found.get("version") or "unknown"),
            int(found["num_threads"]),
            str(found.get("architecture") or ""),
        )
        for found in threadpool_info()
        if found.get("user_api") == "blas"
    )


def live(runs: Path) -> tuple[LiveRun, ...]:
    """The runs of a folder that have a process, or may have one on a host that cannot be asked."""
    from engine.runs.liveness import LIVING
    from engine.runs.store import list_runs

    try:
        found = list_runs(runs.expanduser())
    except InputError:
        return ()  # which the runs folder itself is told of for
    return tuple(LiveRun(run.name, run.state, run.host, run.pid, run.word) for run in found if run.state in LIVING)


def place(path: Path) -> Place:
    """A folder, or where it is not there yet the nearest one above it."""
    folder = path.expanduser().absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = 0
    return Place(str(path), free, _writable(folder))


def compiled() -> Place:
    """Where numba keeps the compiled loops."""
    from engine.learn.kernels.loops.jit import folder

    return place(folder())


def telemetry() -> str:
    """Whether NVML tells how busy the GPUs are: "2 GPUs, driver 580.65.06", or why not."""
    from engine.telemetry import NoGpu, Nvidia

    try:
        nvidia = Nvidia()
    except NoGpu as error:
        return sentences.NO_GPUS(reason=error)
    try:
        return sentences.GPUS(gpus=len(nvidia.gpus), driver=nvidia.driver)
    finally:
        nvidia.close()


def _writable(folder: Path) -> bool:
    """Whether a file can really be made there: a read-only file system does not show in a folder's mode."""
    if not os.access(folder, os.W_OK):
        return False
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def fixes(runs: Place, loops: Place, found: dict[str, str], going: Sequence[LiveRun] = ()) -> list[str]:
    """What to mend, each with the command."""
    said = [
        sentences.MAYBE_RUNNING(run=run.run, host=run.host or sentences.ITS_HOST(), quoted=quoted(run.run))
        for run in going
        if run.state == "unknown"
    ]
    for name, number in found.items():
        if number in ("missing", "unknown") and name != "ravine":
            said.append(sentences.NOT_INSTALLED(name=name))
    if not runs.writable:
        said.append(sentences.RUNS_READ_ONLY(path=runs.path))
    elif runs.free < LITTLE:
        said.append(sentences.DISK_FULL(path=runs.path, megabytes=runs.free / 1e6))
    if not loops.writable:
        said.append(sentences.LOOPS_READ_ONLY(path=loops.path))
    return said
