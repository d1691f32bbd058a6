"""Temporary files and folders of this process; those that killed processes have left are swept away."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path


def temporary_folder(kind: str) -> Path:
    """A folder for this process alone, which goes with it; those that killed processes have left go now."""
    sweep_temporary(kind)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(kind)))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


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
