"""How the tests are shared among processes: how many, which tests stay together, and which are slow.

`pytest` alone runs everything in two to four processes. `pytest -n 0` runs in one; so does a run that is watched (`-x`,
`-s`, `--pdb`) or that names a few tests or files, which would end before the others have begun.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FEWEST, MOST, FEW = 2, 4, 3  # processes; arguments that are run in one process
TERMINAL = "terminal"  # its tests measure what a pseudo-terminal gets, one at a time
LONG = ("tui/test_snapshots.py",)  # files that are worth sharing although they are one
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

# What `pytest -m "not slow"` leaves out: folders, files, or tests by the beginning of their name.
SLOW: tuple[str, ...] = (
    "faults",
    "terminal",
    "engine/analysis",
    "engine/commands",
    "engine/data/test_bombs.py",
    "engine/data/test_fuzz.py",
    "engine/data/test_oracles.py",
    "engine/devices",
    "engine/doctor",
    "engine/learn/kernels",
    "engine/learn/test_decisions.py",
    "engine/learn/test_finder.py",
    "engine/learn/test_recommend.py",
    "engine/learn/test_threshold.py",
    "engine/modules",
    "engine/presets",
    "engine/registry",
    "engine/runs/test_answers.py",
    "engine/runs/test_code.py",
    "engine/runs/test_damaged.py",
    "engine/runs/test_exports.py",
    "engine/runs/test_folder.py",
    "engine/runs/test_hostile_names.py",
    "engine/runs/test_liveness.py",
    "engine/runs/test_lock.py",
    "engine/runs/test_permissions.py",
    "engine/runs/test_predictor.py",
    "engine/runs/test_tensorboard.py",
    "engine/runs/test_whereabouts.py",
    "engine/runs/test_worktree.py",
    "engine/telemetry",
    "engine/training",
    "engine/watch",
    "tui/app",
    "tui/charts/test_views.py",
    "tui/screens",
    "tui/tasks",
    "tui/test_first_paint.py",
    "tui/test_hostile.py",
    "tui/test_rounding.py",
    "tui/test_snapshots.py",
    "tui/watch",
)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """The processes of `-n auto`; none: the tests run in pytest's own."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None  # xdist reads it
    option = config.option
    if option.maxfail or option.usepdb or option.trace or option.capture == "no" or option.collectonly:
        return 0
    if few(config.args, config.invocation_params.dir):
        return 0
    for name in ONE_THREAD:  # the processes inherit it, and together have no more threads than there are cores
        os.environ.setdefault(name, "1")
    return max(FEWEST, min(MOST, cores()))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def few(arguments: list[str], folder: Path) -> bool:
    """Whether a run from this folder names some tests or files and none that is long."""
    named = [(folder / argument.partition("::")[0], "::" in argument) for argument in arguments]
    long = [HERE / name for name in LONG]
    return len(named) <= FEW and all(path.is_file() and (one or path not in long) for path, one in named)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests."""
    for item in items:
        if f"{item.path.relative_to(HERE).as_posix()}::{item.name}".startswith(SLOW):
            item.add_marker(pytest.mark.slow)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a process whole groups. xdist's own loadgroup writes them into names that pytest 9.2 does not read again."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None


def group(test: str) -> str:
    """What a test stays together with: all of the terminal, else its file; one of a long file stays alone."""
    file = test.partition("::")[0]
    name = file.removeprefix(f"{HERE.name}/")
    return TERMINAL if name.startswith(f"{TERMINAL}/") else test if name in LONG else file
