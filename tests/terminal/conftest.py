"""The app in a real pseudo-terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import PROGRAM
from tests.terminal.emulator import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens `ravine` with some arguments in a terminal, in an empty folder."""
    opened: list[Terminal] = []

    def open_(*words: str, columns: int = 120, rows: int = 36, **more: str) -> Terminal:
        made = Terminal(
            [*PROGRAM, *words], tmp_path, columns=columns, rows=rows, environment=own_folders(tmp_path) | more
        )  # fmt: skip
        opened.append(made)
        return made

    yield open_
    for one in opened:
        one.close()


def own_folders(folder: Path) -> dict[str, str]:
    """An environment in which nothing of the person's own is read or written."""
    root = str(Path(__file__).parents[2])
    homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("STATE", "CACHE", "CONFIG")}
    return {"PYTHONPATH": root, "LANG": "C.UTF-8", "LC_ALL": "", "LC_CTYPE": "", "NO_COLOR": "", **homes}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Open]:
    """Opens a shell with job control, in which `ravine` is the program, and types a line."""
    opened: list[Terminal] = []
    words = " ".join(PROGRAM)

    def open_(line: str, columns: int = 120, rows: int = 36) -> Terminal:
        own = own_folders(tmp_path) | {"PS1": "$ ", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
        made = Terminal(["bash", "--norc", "--noprofile", "-i"], tmp_path, columns=columns, rows=rows, environment=own)
        opened.append(made)
        made.see("$ ")
        made.send(line.replace("ravine", words, 1) + "\r")
        return made

    yield open_
    for one in opened:
        for child in one.children():
            os.kill(child, signal.SIGKILL)
        one.close()
