"""What names and texts of files bring never reaches the terminal as a control sequence: the bytes that are sent."""

from __future__ import annotations

import re
from pathlib import Path

from tests import hostile
from tests.hostile import NAME, RAW, TURNED, UNSEEN
from tests.terminal.conftest import Open
from tests.terminal.emulator import Terminal

SENT = (b"\x1b]52;c;bWFs", b"\x1b]0;", b"\x1b]2;", b"\x07", b"\x7f", b"\x1b[2J\x1b[H\b")
SIGNS = sorted(set(RAW + TURNED + UNSEEN) - set("31m0;owned"))


def clean(terminal: Terminal) -> None:
    """AssertionError where something of a file was sent as it is."""
    raw = re.sub(rb"\x1b\]22;[a-z]*\x07", b"", bytes(terminal.raw))  # the shape of the pointer, from Textual
    assert not [sent for sent in SENT if sent in raw]
    assert not [hex(ord(sign)) for sign in SIGNS if sign.encode() in raw]
    assert not [byte for byte in raw.split(b"\x1b") if b"owned\x1b" in byte]


def test_the_trainer_sends_nothing_of_a_file_as_it_is(terminal: Open, tmp_path: Path) -> None:
    data = hostile.table(tmp_path / f"{NAME}.parquet")
    app = terminal(data.name, "--target", "kind", "--steps", "20", "--fresh")
    app.see("H\\x1b]52", "ready")
    clean(app)
    app.send("d")
    app.see("columns of")
    clean(app)
    app.send("q")
    assert app.ended() == 0
    clean(app)


def test_watch_sends_nothing_of_a_log_as_it_is(terminal: Open, tmp_path: Path) -> None:
    hostile.logs(tmp_path / "logs")
    app = terminal("watch", "logs")
    app.see("H\\x1b]52")
    app.send("\t")
    app.send("v")
    app.see("lossH\\x1b]52")
    clean(app)
    app.send("q")
    assert app.ended() == 0
    clean(app)


def test_an_unknown_key_of_the_configuration_is_shown_escaped(terminal: Open, tmp_path: Path) -> None:
    (tmp_path / "config" / "ravine").mkdir(parents=True)
    (tmp_path / "config" / "ravine" / "keys.toml").write_text('"\\u001b]0;owned\\u0007\\u202e" = "g"\n')
    app = terminal()
    app.see("ready", "\\x1b]0;owned")
    clean(app)
    app.send("q")
    assert app.ended() == 0
    clean(app)
