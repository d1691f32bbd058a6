"""The doctor: what it says of terminals, tmux, disks and versions, and what it tells to mend."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import doctor
from engine.devices import DeviceInfo
from engine.devices.remedies import Build
from engine.doctor import machine, terminal, tmux
from engine.doctor.machine import Place
from engine.doctor.terminal import Terminal, TerminalAnswers
from engine.learn.speeds import Speed
from tests.conftest import DEADLINE, environment
from tests.conftest import Answer as Told

CPU = DeviceInfo("cpu", "A processor, 2 cores", True, "usable", 8 * 2**30, 4 * 2**30, bf16="native")
GOOD = Terminal("xterm-256color", 160, 45, "true colour", True, "", True)
KITTY = b"\x1b[?2026;2$y\x1b[?62;52;c"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No child process, no terminal."""
    monkeypatch.setattr(doctor, "probe", lambda: (CPU,))
    monkeypatch.setattr(terminal, "look", lambda: GOOD)
    monkeypatch.setattr(tmux, "look", lambda: None)
    return monkeypatch


def test_the_report_in_words_and_as_one_object(quiet: pytest.MonkeyPatch, cli: Any) -> None:
    told: Told = cli("doctor")
    assert told.code == 0
    for word in ("cpu", "A processor", "8 GiB", "float64", "bf16 native", "160x45", "true colour", "numba", "openblas"):
        assert word in told.out
    found = cli("doctor --json").json
    assert found["devices"][0]["name"] == "cpu"
    assert found["terminal"]["clipboard"] is None
    assert {"versions", "fixes", "torch", "surroundings", "telemetry", "blas", "runs", "compiled"} <= found.keys()
    assert found["runs"]["writable"]
    assert found["runs"]["free"] > 0
    assert found["blas"][0]["threads"] >= 1


def test_devices_between_which_one_may_choose_are_measured(quiet: pytest.MonkeyPatch) -> None:
    card = DeviceInfo("cuda:0", "A card", True, "usable")
    speed = Speed("cuda:0", "A card", (2e6,), (3e-5,))
    quiet.setattr(doctor, "probe", lambda: (CPU, card))
    quiet.setattr(doctor, "current", lambda _: False)
    quiet.setattr(doctor, "measure", lambda devices: (speed,) if devices == (CPU, card) else ())
    report = doctor.examine()
    assert report.speeds == (speed,)
    assert "0.03 ms for 2 M" in report.to_text()


def test_every_device_that_is_not_usable_is_to_mend(quiet: pytest.MonkeyPatch) -> None:
    broken = DeviceInfo("cuda:0", "A card", False, "it is busy", note="The machine's card 3.")
    quiet.setattr(doctor, "probe", lambda: (CPU, broken))
    quiet.setattr(doctor, "measure", lambda _: ())
    quiet.setattr(doctor, "build", lambda: Build("2.13.0+cu130", "13.0", ("sm_75", "sm_90"), 13000, "580.65.06"))
    report = doctor.examine()
    assert report.fixes[0] == "cuda:0 (A card): it is busy"
    text = report.to_text()
    for word in ("it is busy", "machine's card 3", "CUDA 13.0", "sm_75 sm_90", "driver 580.65.06"):
        assert word in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unicode": False}, ["UTF-8", "export LANG=C.UTF-8"]),
        ({"columns": 60}, ["80x24"]),
        ({"name": "dumb"}, ["TERM is dumb", "ravine train"]),
        ({"name": "xterm", "colours": "16 colours"}, ["export TERM=xterm-256color"]),
    ],
)
def test_what_a_terminal_lacks(change: dict[str, Any], words: list[str]) -> None:
    assert terminal.fixes(GOOD) == []
    told = " ".join(terminal.fixes(replace(GOOD, **change)))
    for word in words:
        assert word in told


def test_a_terminal_that_nobody_sits_at_needs_no_size() -> None:
    assert terminal.fixes(replace(GOOD, columns=20, interactive=False)) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (KITTY, TerminalAnswers(True, True)),
        (b"\x1b[?2026;0$y\x1b[?1;2c", TerminalAnswers(False, False)),
        (b"\x1b[?2026;4$y\x1b[?64;1;9;15c", TerminalAnswers(False, False)),
        (b"\x1b[?1;2c", TerminalAnswers(False, False)),
        (b"", TerminalAnswers(None, None)),
        (b"typed ahead \x1b[?2026;1$y", TerminalAnswers(True, None)),
    ],
)
def test_what_a_terminal_answers(text: bytes, wanted: TerminalAnswers) -> None:
    assert terminal.read(text) == wanted


@pytest.mark.parametrize(("reply", "wanted"), [(KITTY, "True True"), (None, "None None")])
def test_a_real_terminal_is_asked_and_left_as_it_was(reply: bytes | None, wanted: str) -> None:
    program = (
        "import termios, os; from engine.doctor import terminal; before = termios.tcgetattr(0); found = terminal.ask();"
        "os.write(1, f'{found.synchronized} {found.clipboard} {termios.tcgetattr(0) == before}'.encode() + b' over')"
    )
    child, tube = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-c", program], environment())
    said, end = b"", time.monotonic() + DEADLINE
    while b"over" not in said and time.monotonic() < end:
        if select.select([tube], [], [], 1.0)[0]:
            said += os.read(tube, 1024)
        if reply is not None and terminal.ASK in said:
            os.write(tube, reply)
            said, reply = said.replace(terminal.ASK, b""), None
    os.close(tube)
    os.waitpid(child, 0)
    assert f"{wanted} True over" in said.decode()


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    assert terminal.ask(str(tmp_path / "none")) == TerminalAnswers()
    file = tmp_path / "file"
    file.write_text("")
    assert terminal.ask(str(file)) == TerminalAnswers()
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "true colour"),
        ({"TERM": "xterm-256color"}, "256 colours"),
        ({"TERM": "xterm-kitty"}, "256 colours"),
        ({"TERM": "xterm"}, "16 colours"),
        ({"TERM": "xterm-direct"}, "true colour"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "no colour (NO_COLOR is set)"),
    ],
)
def test_colours(given: dict[str, str], wanted: str) -> None:
    assert terminal.colours(given, None) == wanted


@pytest.mark.parametrize(
    ("given", "said", "wanted"),
    [
        ({"TERM": "xterm-256color"}, TerminalAnswers(True, True), True),
        ({"TERM": "xterm-256color"}, TerminalAnswers(True, False), None),
        ({"TERM": "xterm-kitty"}, TerminalAnswers(), True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, TerminalAnswers(), False),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, TerminalAnswers(), True),
    ],
)
def test_the_clipboard(given: dict[str, str], said: TerminalAnswers, wanted: bool | None) -> None:
    assert terminal.clipboard(given, None, said) is wanted


def in_tmux(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str = "tmux 3.5a", **answers: str) -> None:
    """A tmux of our own on the PATH; its options by name with _ for -."""
    cases = "".join(f'  *{name.replace("_", "-")}*) echo "{value}";;\n' for name, value in answers.items())
    script = folder / "tmux"
    script.write_text(f'#!/bin/sh\ncase "$*" in\n  -V) echo "{version}";;\n{cases}  *) exit 1;;\nesac\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


FINE = {
    "set_clipboard": "on",
    "escape_time": "10",
    "default_terminal": "tmux-256color",
    "termfeatures": "RGB,clipboard",
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"set_clipboard": "external"}, ["tmux set -s set-clipboard on"]),
        ({"termfeatures": "RGB"}, ["terminal-features ',*:clipboard'"]),
        ({"termfeatures": "clipboard"}, ["terminal-features ',*:RGB'"]),
        ({"escape_time": "500"}, ["500 ms", "tmux set -s escape-time 10"]),
        ({"default_terminal": "screen"}, ["tmux set -g default-terminal tmux-256color"]),
        ({"version": "tmux 3.1c"}, ["update tmux"]),
    ],
)
def test_the_settings_of_tmux(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], words: list[str]
) -> None:
    in_tmux(tmp_path, monkeypatch, **(FINE | change))
    found = tmux.look({"TMUX": "/tmp/tmux-0/default,1,0"})
    assert found is not None
    assert found.settings["escape-time"] == change.get("escape_time", "10")
    told = tmux.fixes(found)
    assert len(told) == len(change)
    for word in words:
        assert word in " ".join(told)
    assert found.clipboard is (not {"set_clipboard", "termfeatures"} & change.keys() or "RGB" not in found.features)  # type: ignore[operator]


def test_a_tmux_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = tmux.look({"TMUX": "x"})
    assert found == tmux.Tmux("tmux")
    assert found.clipboard is None
    assert tmux.fixes(found) == []
    assert tmux.look({}) is None


def test_disks_and_versions(tmp_path: Path) -> None:
    good = Place("runs", 10**12, True)
    assert machine.fixes(good, good, {"ravine": "unknown", "torch": "2.13.0"}) == []
    told = machine.fixes(Place("runs", 10**6, True), Place("loops", 10**12, False), {"scipy": "missing"})
    for word in ("pip install scipy", "1 MB left", "--runs DIR", "export NUMBA_CACHE_DIR"):
        assert any(word in fix for fix in told)
    assert "cannot be written" in machine.fixes(Place("/proc/runs", 10**12, False), good, {})[0]
    assert machine.place(tmp_path / "not" / "there").writable
    assert not machine.place(Path("/proc/runs")).writable


def test_the_report_inside_tmux_has_its_settings(quiet: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inside = tmux.Tmux("tmux 3.5a", {"set-clipboard": "external", "escape-time": "10"})
    quiet.setattr(tmux, "look", lambda: inside)
    quiet.setattr(terminal, "look", lambda: replace(GOOD, tmux=inside.version, tmux_settings=inside.settings))
    report = doctor.examine(tmp_path)
    assert "3.5a  set-clipboard external" in report.to_text()
    assert any("set-clipboard on" in fix for fix in report.fixes)
    assert json.loads(json.dumps(report.to_dict()))["terminal"]["tmux_settings"]["escape-time"] == "10"


def test_the_runs_that_are_going_on_are_told_of(tmp_path: Path) -> None:
    for name, host in (("near", os.uname().nodename), ("far", "gpu7")):
        run = tmp_path / name
        run.mkdir()
        said = {"format": 1, "state": "running", "host": host, "pid": os.getpid()}
        (run / "run.json").write_text(json.dumps(said))
    going = {run.run: run for run in machine.live(tmp_path)}
    assert (going["near"].state, going["far"].state) == ("running", "unknown")
    good = Place("runs", 10**12, True)
    (told,) = machine.fixes(good, good, {}, tuple(going.values()))
    assert "far still runs on gpu7" in told
    assert "ravine resume far --take-over" in told
    assert machine.live(tmp_path / "none") == ()
