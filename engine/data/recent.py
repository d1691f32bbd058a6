"""The files a person used last, for the file picker."""

from __future__ import annotations

import json
from pathlib import Path

from platformdirs import user_state_path

from engine.base.errors import InputError
from engine.base.files import read_text, write_text

_MOST = 20


def _memory() -> Path:
    return user_state_path("ravine") / "recent.json"


def recent() -> tuple[Path, ...]:
    """The files used last that are still there, newest first. Empty where nothing can be read."""
    try:
        listed = json.loads(read_text(_memory()))
        return tuple(path for text in listed if isinstance(text, str) and (path := Path(text)).is_file())
    except (OSError, InputError, ValueError, TypeError, RecursionError):
        return ()


def remember(path: Path) -> None:
    """Put a file first among the recent ones. What cannot be written is forgotten: nothing depends on it."""
    path = path.expanduser().resolve()
    paths = [path, *(other for other in recent() if other != path)][:_MOST]
    try:
        _memory().parent.mkdir(parents=True, exist_ok=True)
        write_text(_memory(), json.dumps([str(each) for each in paths], indent=1))
    except OSError:
        return
