"""The app as a person meets it: in a terminal, with signals, resizing and a lost line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest


def run_folder(folder: Path) -> Path:
    """The only run in the folder, which must be whole."""
    (run,) = [path for path in (folder / "runs").iterdir() if path.is_dir()]
    facts = json.loads((run / "run.json").read_text())
    assert facts["state"] in ("ended", "interrupted"), facts["state"]
    assert (run / "model.safetensors").exists()
    assert (run / "loss.f64").stat().st_size == 8 * facts["result"]["steps"]
    return run


def test_start_train_and_quit(terminal: Any, tmp_path: Path) -> None:
    app = terminal()
    app.see("1 Dataset", "2 Normalization", "3 Hyperparameters", "4 Device", "Ready: 7 rows")
    app.send(" ")
    app.see("training")
    app.see("done", "1,000 steps", "optimum 6.1028", "-22.979")
    app.send("q")
    assert app.ended() == 0
    run_folder(tmp_path)
    assert b"\x1b[?1049l" in app.raw, "the screen before was not given back"


def test_words_on_the_command_line_preset_the_panels(terminal: Any) -> None:
    app = terminal("scales", "--lr", "0.25", "--normalize", "max")
    app.see("scales · max · linear · sgd lr 0.25", "0.25 <")
    app.send("q")
    assert app.ended() == 0


def test_a_wrong_flag_is_one_sentence(terminal: Any) -> None:
    app = terminal("houses", "--lr", "-1")
    assert app.ended() == 2
    assert "must be auto or a number above 0" in " ".join(app.text.split())


@pytest.mark.parametrize("keys", ["q\r", "qq", "\x03\x03"])
def test_quitting_during_a_run_saves_it(terminal: Any, tmp_path: Path, keys: str) -> None:
    app = terminal("--pace", "600")
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    app.send(keys[0])
    app.see("save it and quit", "go on training")
    app.send(keys[1])
    assert app.ended() == 0
    run = run_folder(tmp_path)
    assert json.loads((run / "run.json").read_text())["state"] == "interrupted"
    app.wait(lambda: "Saved at step" in app.text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_closes_the_run(terminal: Any, tmp_path: Path, number: int) -> None:
    app = terminal("--pace", "600")
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    os.kill(app.pid, number)
    assert app.ended() == 130
    run_folder(tmp_path)


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_lost_line_closes_the_run(terminal: Any, tmp_path: Path, unbuffered: str) -> None:
    app = terminal("--pace", "600", PYTHONUNBUFFERED=unbuffered)
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    app.cut()
    assert app.ended() in (130, 0, 1)
    run_folder(tmp_path)


def test_a_storm_of_sizes_and_a_tiny_terminal(terminal: Any) -> None:
    app = terminal("--pace", "600")
    app.see("Ready")
    app.send(" ")
    app.see("training")
    for columns, rows in [(160, 45), (60, 16), (20, 5), (200, 60), (81, 25), (1, 1), (100, 30), (20, 5)]:
        app.resize(columns, rows)
    app.see("too small", "has 20x5")
    app.resize(80, 24)
    app.see("training", "1 Dataset", "2 Normalization", "loss", "quit")
    app.send("qq")
    assert app.ended() == 0


def test_an_idle_screen_sends_nothing(terminal: Any) -> None:
    app = terminal()
    app.see("Ready", "( ) cpu")
    while app.read(1.0):
        pass
    before = app.received
    assert app.read(2.0) == 0
    assert app.received == before


def test_ctrl_z_gives_the_shell_back_and_fg_goes_on(shell: Any, tmp_path: Path) -> None:
    from engine.runs.checkpoint import load

    app = shell("ravine --pace 600")
    app.see("Ready")
    app.send(" ")
    app.see("training", "step ")
    app.send("\x1a")
    app.see("Training pauses; fg resumes it.", "$ ")
    app.send("echo the $((40 + 2)) shell\r")
    app.see("the 42 shell")
    (run,) = [path for path in (tmp_path / "runs").iterdir() if path.is_dir()]
    before = (run / "loss.f64").stat().st_size
    assert load(run / "checkpoints" / "last.safetensors").facts["step"] == before // 8 > 0
    app.send("fg\r")
    app.see("● training", "1 Dataset", "4 Device", "quit")
    app.wait(lambda: (run / "loss.f64").stat().st_size > before, "more losses")
    assert "the 42 shell" not in app.text, "the shell's words are on the screen"
    app.send("qq")
    app.see("Saved at step", "$ ")


def test_a_signal_to_stop_does_what_ctrl_z_does(shell: Any) -> None:
    app = shell("ravine")
    app.see("Ready")
    app.send("\x1a")
    app.see("fg brings ravine back.", "$ ")
    app.send("fg\r")
    app.see("Ready", "1 Dataset", "quit")
    app.wait(lambda: app.children(), "the app")
    os.kill(app.children()[0], signal.SIGTSTP)
    app.see("fg brings ravine back.", "$ ")
    app.send("fg\r")
    app.see("Ready", "1 Dataset", "quit")
    app.send("q")
    app.see("$ ")


def test_ctrl_z_without_a_shell_to_go_back_to_says_so(terminal: Any) -> None:
    app = terminal()
    app.see("Ready")
    app.send("\x1a")
    app.see("There is no shell to go back to")
    app.send("q")
    assert app.ended() == 0


def test_what_native_code_prints_cannot_touch_the_screen(tmp_path: Path) -> None:
    import sys

    from tests.terminal.emulator import Terminal

    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tui.terminal.terminal import own_screen\n"
        "with own_screen(Path('log.txt')) as screen:\n"
        "    os.write(1, b'native one\\n'); os.write(2, b'native two\\n'); os.system('echo child')\n"
        "    screen.write('the screen\\n')\n"
        "print('afterwards')\n"
    )
    root = str(Path(__file__).parents[2])
    app = Terminal([sys.executable, "-c", script], tmp_path, columns=60, rows=12, environment={"PYTHONPATH": root})
    try:
        app.see("the screen", "afterwards")
        assert app.ended() == 0
        assert "native" not in app.text
        assert "child" not in app.text
        assert (tmp_path / "log.txt").read_text() == "native one\nnative two\nchild\n"
    finally:
        app.close()


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    import subprocess
    import sys

    answer = subprocess.run(
        [sys.executable, "-m", "tui.main"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 2
    assert "ravine train" in answer.stderr


def test_a_size_that_changes_and_comes_back_at_once_is_drawn_anew(terminal: Any) -> None:
    app = terminal()
    app.see("Ready", "( ) cpu")
    app.resize(4, 2)  # which cuts off what the terminal shows
    app.resize(120, 36)
    app.see("1 Dataset", "2 Normalization", "quit")
    app.send("q")
    assert app.ended() == 0


def test_a_failure_of_its_own_is_told_in_a_sentence_and_the_run_is_saved(tmp_path: Path) -> None:
    import sys

    from tests.terminal.conftest import own_folders
    from tests.terminal.emulator import Terminal

    script = (
        "import sys\n"
        "from tui.app.app import RavineApp\n"
        "from tui.app.launch import start\n"
        "RavineApp.action_copy = lambda self: 1 / 0\n"
        "sys.exit(start(['--pace', '600']))\n"
    )
    app = Terminal([sys.executable, "-c", script], tmp_path, columns=120, rows=36, environment=own_folders(tmp_path))
    try:
        app.see("Ready")
        app.send(" ")
        app.see("training", "step ")
        app.send("c")
        assert app.ended() == 1
        app.wait(lambda: "ravine failed; the error is at the end of" in app.text, "a sentence")
        assert "ZeroDivisionError" in (tmp_path / "state" / "ravine" / "log" / "screen.log").read_text()
        run_folder(tmp_path)
    finally:
        app.close()


def test_signals_to_continue_start_nothing_twice(terminal: Any) -> None:
    app = terminal()
    app.see("Ready")
    for _ in range(3):
        os.kill(app.pid, signal.SIGCONT)
        app.send("2")
        app.send("1")
    app.resize(100, 30)
    app.see("1 Dataset", "quit")
    assert app.raw.count(b"\x1b[?1049h") == 1
    app.send("q")
    assert app.ended() == 0
