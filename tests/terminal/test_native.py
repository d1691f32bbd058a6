"""Native code that prints while it trains: past Python, straight to file descriptors 1 and 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CODE = """
import os

from torch import nn


class Net(nn.Module):
    def __init__(self, features, outputs):
        super().__init__()
        self.layer = nn.Linear(features, outputs)

    def forward(self, x):
        if self.training:  # and no more when it is over, while the log is looked at
            os.write(1, b"native one\\x1b[5;5Hover the screen\\n")
            os.write(2, b"native two\\x1b[2J\\n")
            os.system("echo a child")
        return self.layer(x)
"""


def test_what_a_model_prints_goes_to_the_log_and_not_to_the_screen(terminal: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CODE)
    app = terminal("linear3", "--model", "mine:Net", "--steps", "20", "--pace", "max")
    app.see("Ready")
    app.send(" ")
    app.see("done", "20 steps")
    app.see("1 Dataset", "2 Normalization", "3 Hyperparameters", "4 Device", "quit")
    for words in (b"native one", b"native two", b"a child", b"over the screen"):
        assert words not in app.raw
    app.send("G")
    app.see("printed by other code", "native two", "a child")
    app.send("q")
    assert app.ended() == 0
    assert b"\x1b[2J" not in app.raw, "the screen was wiped"
    log = (tmp_path / "state" / "ravine" / "log" / "screen.log").read_bytes()
    assert log.count(b"native one") >= 20
    assert log.count(b"native two") == log.count(b"native one")
