"""What killed processes have left in a run's folder: files and locks made aside that never took their place."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from engine.base.files import ASIDE

YOUNG = 60.0  # seconds in which a file may still be somebody's
PROBE = ".probe-"  # how a file begins whose time of change is asked for (see `engine.runs.heartbeat`)
LOCK_ASIDE = ".lock-"  # how a lock begins that is being made (see `engine.runs.lock`)

_FIRST_WORDS = (PROBE, ".heartbeat-")  # the latter of earlier versions


@cache
def _written() -> re.Pattern[str]:
    return re.compile(
        r"\.(recipe\.toml|run\.json|note\.json|(stamps|validation|loss)\.f64|evaluations\.jsonl|table\.npz|\.index\.json"
        rf"|heartbeat|(model|last|best|step-\d+)\.safetensors){ASIDE}"
    )


def sweep_run(run: Path, *, age: float = YOUNG) -> None:
    """Delete what was made aside in a run's folder and is nobody's.

    Args:
        age: seconds since the last change of a file; 0 for whoever has locked the folder, and then locks go too.
    """
    for folder in (run, run / "checkpoints"):
        sweep(folder, age=age)
    if not age:
        for path in run.glob(f"{LOCK_ASIDE}*"):
            shutil.rmtree(path, ignore_errors=True)


def sweep(folder: Path, *, age: float = YOUNG) -> None:
    """Delete the files that were made aside in one folder. One that cannot be read or changed is left alone."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(_FIRST_WORDS) or _written().fullmatch(entry.name)):
                continue
            with suppress(OSError):
                info = entry.stat(follow_symlinks=False)
                if entry.is_file(follow_symlinks=False) and time.time() - info.st_mtime >= age:
                    os.unlink(entry.path)
