"""What many tests need: waiting for a condition, recipes, runs, and the program in a process of its own."""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data.table import Table, fingerprint, numeric
from engine.modules import trust
from engine.recipe import Recipe, build
from engine.training.run import Run
from engine.training.session import Session
from engine.training.snapshot import Phase, Snapshot
from tests.warm import Warm
from tests.workers import (
    pytest_collection_modifyitems,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_auto_num_workers", "pytest_xdist_make_scheduler"]

ROOT = Path(__file__).parents[1]
DEADLINE = 120.0  # seconds that anything may take on a slow and busy machine
PROGRAM = (sys.executable, "-m", "tui.main")

# Under nohup, children would be born deaf to what tests send them; a handler, other than SIG_IGN, is not inherited.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)


def wait_for(condition: Callable[[], object], what: str = "", deadline: float = DEADLINE) -> Any:
    """Look again until the condition holds, and give what it gave. AssertionError when it does not in time."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"{what or condition} did not come about in {deadline:.0f} s"
        time.sleep(0.01)


@cache
def _state() -> str:
    """A folder for what the program remembers of last time, so that a person's own is neither read nor written."""
    folder = tempfile.mkdtemp(prefix="ravine-state-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for what runs in this process; a folder that is set outside is taken as it is."""
    monkeypatch.setenv("XDG_STATE_HOME", os.environ.get("XDG_STATE_HOME") or _state())


def environment(**more: str) -> dict[str, str]:
    """The environment for a process that shall import this working tree, wherever it stands."""
    old = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(ROOT), *([old] if old else [])])
    state = os.environ.get("XDG_STATE_HOME") or _state()
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "XDG_STATE_HOME": state, **more}


@cache
def _warm() -> Warm:
    """The process of this one that is forked for command lines."""
    found = Warm({**environment(), "OPENBLAS_NUM_THREADS": "1"})
    atexit.register(found.close)
    return found


def run_program(
    *words: str, cwd: Path, environment: Mapping[str, str], stdin: Any = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    """Run a command line of the program to its end, in a process of its own with exactly this environment."""
    warm = _warm()
    if warm.serves({**environment, "OPENBLAS_NUM_THREADS": "1"}):
        return warm.run(words, cwd=cwd, environment=environment, stdin=stdin, timeout=DEADLINE)
    return subprocess.run(
        [*PROGRAM, *words], cwd=cwd, env=environment, stdin=stdin, capture_output=True, timeout=DEADLINE
    )


def ravine(
    line: str, *words: str, cwd: Path, stdin: Any = subprocess.DEVNULL, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line of the program to its end."""
    done = run_program(*line.split(), *words, cwd=cwd, environment=environment(**more), stdin=stdin)
    out, err = (io.TextIOWrapper(io.BytesIO(text)).read() for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@dataclass
class Started:
    """A command that runs, in its own process group."""

    process: subprocess.Popen[str]
    cwd: Path

    def losses(self, run: str) -> int:
        """How many losses are on disk."""
        file = self.cwd / "runs" / run / "loss.f64"
        return file.stat().st_size // 8 if file.exists() else 0

    def wait_for_losses(self, run: str, least: int) -> None:
        """Wait until so many losses are on disk; AssertionError when the process ends before."""

        def there() -> bool:
            assert self.process.poll() is None or self.losses(run) >= least, self.end()
            return self.losses(run) >= least

        wait_for(there, f"{least} losses")

    def end(self) -> tuple[int, str, str]:
        """Wait for the end: exit code, stdout, stderr."""
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start a command line in tmp_path; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(line: str, *words: str, **options: Any) -> Started:
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
        process = subprocess.Popen(
            [*PROGRAM, *line.split(), *words], cwd=tmp_path, env=environment(), text=True, **options
        )
        started.append(process)
        return Started(process, tmp_path)

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass
class Answer:
    """What a command of the program gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout as the one JSON object it must be; NaN and Infinity are no JSON."""
        assert self.out.count("\n") == 1, "not one line"
        found = strict_json(self.out)
        assert isinstance(found, dict)
        return found


def strict_json(text: str) -> Any:
    """Parse JSON as other programs do: NaN and Infinity are refused."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command line, and whatever words follow it as they are, in this process, standing in tmp_path."""
    from engine.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(line: str, *words: str) -> Answer:
        capfd.readouterr()
        code = main([*line.split(), *words])
        return Answer(code, *capfd.readouterr())

    return call


def recipe(folder: Path, **fields: Any) -> Recipe:
    """A recipe from flat fields, whose run lands under `folder`, without an event file; as if a person had typed them.

    Modules that it names may therefore run.
    """
    for name in ("dataset", "model"):
        trust.ask(fields.get(name))
    return build({"runs": str(folder / "runs"), "tensorboard": False} | fields)


def table(x: NDArray[np.float64], y: NDArray[np.float64], name: str = "made") -> Table:
    """Columns x0, x1, … of x [n, d] and y [n] as a table whose target is y."""
    columns = (*(numeric(f"x{j}", x[:, j]) for j in range(x.shape[1])), numeric("y", y))
    return Table(name, name, columns, len(y), "y", fingerprint(columns), origin="function", task="regression")


def made(rows: int = 50, features: int = 3, noise: float = 0.1, seed: int = 0) -> Table:
    """Rows of a noisy plane with features around 5."""
    random = np.random.default_rng(seed)
    x = 5 + random.standard_normal((rows, features))
    return table(x, x @ np.arange(1.0, features + 1) - 2 + noise * random.standard_normal(rows))


def prepared_run(chosen: Recipe, rows: Table | None = None) -> Run:
    """A run before its first step."""
    run = Run(chosen, rows)
    run.prepare(lambda _: None, lambda: False)
    return run


def finished(session: Session) -> Snapshot:
    """Wait for a session's end."""
    wait_for(lambda: not session.snapshot().live, "the end of the run")
    assert session.join(DEADLINE)
    return session.snapshot()


def train(chosen: Recipe, rows: Table | None = None, **options: Any) -> Session:
    """A session that has run to a good end."""
    session = Session(chosen, table=rows, **options)
    session.start()
    end = finished(session)
    assert end.phase is Phase.ENDED, end.error
    return session


def losses(run: Path) -> NDArray[np.float64]:
    """The loss before every update, as the run folder holds it."""
    return np.fromfile(run / "loss.f64", "<f8")


def facts(run: Path) -> dict[str, Any]:
    """run.json."""
    found = strict_json((run / "run.json").read_text())
    assert isinstance(found, dict)
    return found


def write_csv(path: Path, header: Sequence[str], rows: NDArray[np.float64]) -> Path:
    """A CSV file with every digit."""
    lines = [",".join(header), *(",".join(map(repr, row)) for row in rows.tolist())]
    path.write_text("\n".join(lines) + "\n")
    return path


def message(call: Callable[[], object]) -> str:
    """The sentence of the InputError that a call must end with."""
    with pytest.raises(InputError) as caught:
        call()
    text = str(caught.value)
    assert "\n" not in text
    return text


def near(found: float, wanted: float, relative: float, absolute: float = 0.0) -> None:
    """AssertionError unless found is within the tolerance of wanted."""
    assert abs(found - wanted) <= relative * abs(wanted) + absolute, f"{found!r} is not {wanted!r}"


def fake_python(folder: Path, script: str) -> str:
    """An executable that a test puts in the place of the interpreter."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `pytest --help` shows of ours."""
    parser.addoption("--update-snapshots", action="store_true", help="draw the kept pictures of the screens anew")
