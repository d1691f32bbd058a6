"""Copying in a real terminal: what reaches its clipboard, the file beside it, and tmux in between."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

COMMAND = "ravine train --dataset scales --lr 0.25"
WIDE = 58  # cells of a notification, in which lines end where they may
TMUX = """#!/bin/sh
case "$*" in
  "show -sv set-clipboard") echo {setting};;
  "display -p "*) echo {features};;
  -V) echo tmux 3.4;;
  *) exit 1;;
esac
"""


def squeezed(app: Any) -> str:
    """What the notifications say, without spaces: where their lines end depends on the length of a path."""
    return "".join("".join(line.partition("▌")[2][:WIDE].split()) for line in app.text.splitlines() if "▌" in line)


def test_a_copy_goes_to_the_clipboard_and_to_a_file(terminal: Any, tmp_path: Path) -> None:
    app = terminal("scales", "--lr", "0.25", TMUX="")
    app.see("Ready")
    app.send("c")
    app.see("Copied", "--lr 0.25")
    coded = base64.b64encode(COMMAND.encode())
    assert b"\x1b]52;c;" + coded + b"\x07" in app.raw
    path = tmp_path / "state" / "ravine" / "clipboard.txt"
    assert path.read_text() == COMMAND + "\n"
    app.wait(lambda: "ravine/clipboard.txt" in squeezed(app), "the place of the file")
    app.send("q")
    assert app.ended() == 0


@pytest.mark.parametrize(
    ("setting", "features", "told"),
    [
        ("external", "256,clipboard", "tmuxset-sset-clipboardon"),
        ("on", "256,RGB", "terminal-features"),
        ("on", "256,clipboard", ""),
    ],
)
def test_in_tmux_it_is_told_what_keeps_it_from_the_clipboard(
    terminal: Any, tmp_path: Path, setting: str, features: str, told: str
) -> None:
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "tmux"
    fake.write_text(TMUX.format(setting=setting, features=features))
    fake.chmod(0o755)
    app = terminal("scales", "--lr", "0.25", TMUX="/tmp/x,1,0", PATH=f"{fake.parent}:{os.environ['PATH']}")
    app.see("Ready")
    app.send("c")
    app.wait(lambda: "ravine/clipboard.txt" in squeezed(app), "the place of the file")
    if told:
        app.wait(lambda: told in squeezed(app), told)
    else:
        assert "tmuxset" not in squeezed(app)
    app.send("q")
    assert app.ended() == 0
