"""The app in a real pseudo-terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.emulator import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens `ravine` with some arguments in a terminal, in an empty folder."""
    opened: list[Terminal] = []

    def open_(*words: str, columns: int = 120, rows: int = 36) -> Terminal:
        made = Terminal(
            [sys.executable, "-m", "tui.main", *words], tmp_path, columns=columns, rows=rows,
            environment={
                "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_STATE_HOME": str(tmp_path / "state"),
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
            },
        )  # fmt: skip
        opened.append(made)
        return made

    yield open_
    for one in opened:
        one.close()
