"""A long training that is told to end, or is killed: the folder is whole, and no loss on disk is wrong."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.recipe import read_toml
from engine.runs import checkpoint, predictor
from engine.training.session import Session
from tests.conftest import (
    DEADLINE,
    PROGRAM,
    Answer,
    Started,
    environment,
    facts,
    finished,
    losses,
    strict_json,
    wait_for,
)

Start = Callable[..., Started]
Cli = Callable[..., Answer]
# So many checkpoints that losses do not fill the disk while a test looks on.
LONG = "train linear3 --steps 100000000 --checkpoint-every 200 --name long"


def training(start: Start, *words: str, least: int = 600, **options: object) -> Started:
    """A training that has taken some steps."""
    started = start(LONG, *words, **options)
    started.wait_for_losses("long", least)
    return started


def assert_losses_are_right(run: Path) -> None:
    """What is on disk is the beginning of the same run, taken in peace."""
    found = losses(run)
    session = Session(read_toml(run).replace({"runs": str(run.parent / "again"), "name": ""}))
    session.start()
    wait_for(lambda: session.snapshot().step >= len(found), "as many steps")
    session.stop()
    again = finished(session).run
    assert again is not None
    assert np.array_equal(losses(again)[: len(found)], found)


@pytest.mark.parametrize(
    ("number", "flags"),
    [
        (signal.SIGINT, "--backend autograd --batch-size 10"),
        (signal.SIGTERM, "--batch-size 10"),
        (signal.SIGHUP, ""),
        (signal.SIGQUIT, ""),
    ],
)
def test_a_signal_ends_the_run_and_keeps_everything(
    start: Start, cli: Cli, tmp_path: Path, number: int, flags: str
) -> None:
    started = training(start, "--json", *flags.split())
    started.process.send_signal(number)
    code, out, err = started.end()
    assert code == 130, err
    told = strict_json(out)
    assert told["ended"] == "interrupted"
    assert err.startswith("Interrupted at step")
    run = tmp_path / "runs" / "long"
    assert facts(run)["state"] == "interrupted"
    assert told["steps"] == len(losses(run)) >= 600
    assert_losses_are_right(run)
    assert checkpoint.load(run / "checkpoints" / "last.safetensors").facts["step"] == told["steps"]
    assert cli("predict long --values 0.5,0.5,0.5").code == 0
    assert not list(run.glob(".*"))


@pytest.mark.parametrize(
    "numbers",
    [
        (signal.SIGINT, signal.SIGTERM),
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGQUIT),
        (signal.SIGQUIT, signal.SIGQUIT, signal.SIGINT),
    ],
)
def test_two_signals_end_it_too(start: Start, cli: Cli, tmp_path: Path, numbers: tuple[int, ...]) -> None:
    """The second one does not wait, and yet what the folder says is true."""
    started = training(start)
    for number in numbers:
        started.process.send_signal(number)
    code, out, err = started.end()
    assert code in (130, *(-number for number in numbers[2:]))
    assert out == "" or err.startswith("Interrupted at step")
    assert "Traceback" not in err
    assert facts(tmp_path / "runs" / "long")["state"] == "interrupted"
    (listed,) = cli("runs --json").json["runs"]
    assert (listed["state"], listed["live"]) == ("interrupted", False)


INTERRUPT = """
import os, signal, sys
from tui.main import main
count, wanted = 0, int(sys.argv[1])
def hook(event, _):
    global count
    if event == "import":
        count += 1
        if count == wanted:
            os.kill(os.getpid(), signal.SIGINT)
sys.argv[:] = ["ravine", *sys.argv[2:]]
sys.addaudithook(hook)
sys.exit(main())
"""


@pytest.mark.parametrize(
    "line",
    [
        "train linear3 --steps 100000000 --name long", "resume kept --steps 100000000", "runs", "runs --json",
        "runs prune --keep 0 -y", "predict kept --values 1,2,3", "export kept --format csv", "doctor", "--help",
        "train --help", "--version", "watch runs",
    ],
)  # fmt: skip
def test_an_interrupt_while_modules_are_imported_leaves_no_traceback(cli: Cli, tmp_path: Path, line: str) -> None:
    """At the first module that a command imports, and at some of the later ones."""
    assert cli("train linear3 --steps 10 --name kept").code == 0
    for wanted in (1, 2, 5, 20, 60, 150, 300):
        words = [sys.executable, "-c", INTERRUPT, str(wanted), *line.split()]
        done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr, (wanted, done.stderr)
        assert "KeyboardInterrupt" not in done.stderr, (wanted, done.stderr)
        if done.returncode != 130:
            assert done.returncode == 0, (wanted, done.stderr)  # it was over before
            break
        for run in cli("runs --json").json["runs"]:
            assert not run["live"], run
        if (tmp_path / "runs" / "long").exists():
            assert facts(tmp_path / "runs" / "long")["state"] == "interrupted"
            shutil.rmtree(tmp_path / "runs" / "long")


def test_nohup_is_nohup(start: Start, cli: Cli) -> None:
    started = training(start, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    started.process.send_signal(signal.SIGHUP)
    started.wait_for_losses("long", started.losses("long") + 600)
    (listed,) = cli("runs --json").json["runs"]
    assert listed["state"] == "running"
    started.process.send_signal(signal.SIGTERM)
    assert started.end()[0] == 130


def test_killed_without_warning(start: Start, cli: Cli, tmp_path: Path) -> None:
    started = training(start)
    started.process.kill()
    assert started.end()[0] == -signal.SIGKILL
    run = tmp_path / "runs" / "long"
    count = len(losses(run))
    assert count >= 600
    assert_losses_are_right(run)
    (listed,) = cli("runs --json").json["runs"]
    assert listed["state"] == "interrupted"
    assert listed["steps"] == count
    assert "interrupted" in cli("runs").out
    exported = cli("export long --format csv")
    assert exported.code == 0
    _, *rows = csv.reader(io.StringIO(exported.out))
    assert [int(step) for _, step, _ in rows] == list(range(count))
    assert np.array_equal([float(value) for _, _, value in rows], losses(run))
    assert cli("predict long --values 0.5,0.5,0.5").code == 0  # from the checkpoint at step 200 or later
    state = checkpoint.load(run / "checkpoints" / "last.safetensors")
    assert int(state.facts["step"]) % 200 == 0
    assert predictor.load(run).parameters.finite


def test_a_run_killed_before_its_first_checkpoint_says_so(start: Start, cli: Cli) -> None:
    started = start("train linear3 --steps 100000000 --name long")
    started.wait_for_losses("long", 1)
    started.process.kill()
    started.end()
    answer = cli("predict long --values 1,2,3")
    assert answer.code == 2
    assert "checkpoint" in answer.err


def test_the_terminal_goes_away(start: Start, tmp_path: Path) -> None:
    """A lost SSH connection: SIGHUP, and every write to the terminal fails."""
    ours, theirs = pty.openpty()

    def take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    started = start(LONG, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_the_terminal)
    os.close(theirs)
    started.wait_for_losses("long", 600)
    os.close(ours)
    assert started.process.wait(60) == 130
    run = tmp_path / "runs" / "long"
    assert facts(run)["state"] == "interrupted"
    assert facts(run)["result"]["steps"] == len(losses(run))
    assert "Traceback" not in (run / "log.txt").read_text()


def test_a_second_interrupt_does_not_wait_for_a_table_that_never_comes(start: Start, tmp_path: Path) -> None:
    source = (
        "import pathlib, threading\ndef load():\n    pathlib.Path('reading').touch()\n    threading.Event().wait()\n"
    )
    (tmp_path / "slow.py").write_text(source)
    started = start("train slow:load --target y")
    wait_for((tmp_path / "reading").exists, "the function is called")

    def ended() -> bool:
        started.process.send_signal(signal.SIGINT)
        return started.process.poll() is not None

    wait_for(ended, "the end")
    code, out, _ = started.end()
    assert code in (130, -signal.SIGINT)
    assert out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_narration_that_nobody_takes_leaves_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    # A person's own code, for which the interpreter is taken down in the usual way.
    rows = (
        "import numpy as np\ndef make():\n    x = np.arange(12.0)\n    return {'size': x, 'price': 2 * x + np.sin(x)}\n"
    )
    (tmp_path / "own.py").write_text(rows)
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    monkeypatch.chdir(tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [*PROGRAM, "train", "--dataset", "own:make", "--target", "price", "--steps", "20"],
            cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=writer, timeout=DEADLINE,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert ended.returncode == 0
    assert ended.stdout
