"""What processes that were killed have left: files written aside that never took their place, and temporary ones."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

# Files written aside (see `engine.base.files`; eight other characters in runs of earlier versions), heartbeats, probes.
ASIDE = re.compile(
    r"\.(recipe\.toml|run\.json|note\.json|(stamps|validation|loss)\.f64|evaluations\.jsonl|table\.npz|\.index\.json"
    r"|(model|last|best|step-\d+)\.safetensors)\.[0-9a-z_]{8}|\.heartbeat-.+|\.probe-.+"
)
YOUNG = 60.0  # seconds in which a file may still be somebody's


def sweep_run(run: Path, *, age: float = YOUNG) -> None:
    """Delete what was written aside in a run's folder that no process has.

    Args:
        age: seconds since the last change of a file; 0 for whoever has locked the folder.
    """
    for folder in (run, run / "checkpoints"):
        sweep(folder, age=age)


def sweep(folder: Path, *, age: float = YOUNG) -> None:
    """Delete what was written aside in one folder. A folder that cannot be read or changed is left alone."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not (entry.name.startswith(".") and ASIDE.fullmatch(entry.name)):
                continue
            with suppress(OSError):
                info = entry.stat(follow_symlinks=False)
                if entry.is_file(follow_symlinks=False) and time.time() - info.st_mtime >= age:
                    os.unlink(entry.path)


def temporary_folder(kind: str) -> Path:
    """A folder for this process alone, which goes with it; those that killed processes have left go now."""
    sweep_temporary(kind)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(kind)))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def temporary_file(kind: str, ending: str) -> tuple[int, Path]:
    """A file for this process alone, open to write; those that killed processes have left go now."""
    sweep_temporary(kind)
    handle, name = tempfile.mkstemp(prefix=_prefix(kind), suffix=ending)
    return handle, Path(name)


def sweep_temporary(kind: str) -> None:
    """Delete the temporary files and folders of a kind whose process on this host is no more."""
    begin = _prefix(kind).rpartition("-")[0].rpartition("-")[0] + "-"
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            number = entry.name.removeprefix(begin).partition("-")[0]
            if not entry.name.startswith(begin) or not number.isdigit() or _lives(int(number)):
                continue
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_uid != os.getuid():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _prefix(kind: str) -> str:
    return f"ravine-{kind}-{os.uname().nodename}-{os.getpid()}-"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
