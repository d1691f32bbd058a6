"""What the runs' own files said when they were last read, so that a list of thousands of runs need not read them again.

The index is a hidden file in the runs folder and holds nothing that is not elsewhere: it can be deleted at any time. An
entry counts only while the files that it was made from are the same, told by their times, sizes and inodes; two
processes that write at once can therefore cost each other work, but never show anything old.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.base.errors import InputError
from engine.base.files import read_bytes, write_bytes

NAME = ".index.json"
FORMAT = 3
MOST = 2**30  # bytes, of some million runs
WATCHED = ("run.json", "note.json", "lock")  # what an entry is made from

Mark = list[int]
Entry = dict[str, Any]


def mark(run: str) -> Mark:
    """What tells the present state of a run's files: time, size and inode of each, zeros for one that is not there."""
    found: Mark = []
    for name in WATCHED:
        try:
            info = os.stat(f"{run}/{name}")
        except OSError:
            found += (0, 0, 0)
        else:
            found += (info.st_mtime_ns, info.st_size, info.st_ino)
    return found


def read(folder: Path) -> dict[str, tuple[Mark, Entry]]:
    """Mark and entry by the run's name; nothing where there is no index, or one that cannot be used."""
    try:
        tree = json.loads(read_bytes(folder / NAME, MOST))
        if tree["format"] != FORMAT:
            return {}
        return {str(name): (list(pair[0]), dict(pair[1])) for name, pair in tree["runs"].items()}
    except (FileNotFoundError, InputError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def write(folder: Path, entries: dict[str, tuple[Mark, Entry]]) -> None:
    """Replace the index; where the folder cannot be written, it stays as it is."""
    content = json.dumps({"format": FORMAT, "runs": entries}, separators=(",", ":"), allow_nan=False).encode()
    with suppress(OSError):
        write_bytes(folder / NAME, content, sync=False)  # an index that is lost is made again
