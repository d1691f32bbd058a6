"""Files in the current folder that are called like modules of ours, of Python or of others: nobody runs them."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.base import children
from engine.devices import asking, cpu
from engine.learn import speeds
from tests.conftest import DEADLINE, ROOT, environment, wait_for
from tui.tasks.tensorboard import TensorBoard

EARLY = ("sitecustomize", "usercustomize")  # Python itself runs them where PYTHONPATH names their folder
NAMES = (
    *("tui", "engine", "numpy", "tensorboard", "json", "torch", "polars", "runpy", "re", "contextlib", "typing"),
    *("subprocess", "platformdirs", "grpc", "werkzeug", "google", "pkgutil", "numba", "scipy", "sklearn", "psutil"),
)
EVERYWHERE = ":.:sub:../here:{root}:"  # a PYTHONPATH with everything that leads to the current folder


def plant(folder: Path, ran: Path, *names: str) -> None:
    """Modules that say that they ran, and replace what they are called like."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.py").write_text(f"open({str(ran / name)!r}, 'w').close()\n")


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """Where each planted file that runs leaves its name."""
    folder = tmp_path / "ran"
    folder.mkdir()
    return folder


@pytest.fixture
def here(tmp_path: Path, ran: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, full of planted files, and a PYTHONPATH that leads there."""
    folder = tmp_path / "here"
    for place in (folder, folder / "sub"):
        plant(place, ran, *NAMES, *EARLY, "tensorflow")  # the last is looked for, and not there
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", EVERYWHERE.format(root=ROOT))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# The children.


@pytest.mark.parametrize("path", [EVERYWHERE, ""])
def test_the_question_for_devices(path: str, here: Path, ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", path.format(root=ROOT))
    answer = asking.ask(DEADLINE)
    assert answer.build.version
    assert all(device.usable for device in answer.devices if device.name == "cpu")
    assert names(ran) == []


def test_the_tensorboard_of_the_app(here: Path, ran: Path, tmp_path: Path) -> None:
    found: list[Any] = []
    shown = TensorBoard()
    try:
        shown.open(tmp_path, lambda message: found.append(message.address))
        wait_for(lambda: found, "the address")
        assert found[0].startswith("http://localhost:"), found
    finally:
        shown.close()
    assert names(ran) == []


def test_the_clock_of_the_devices(here: Path, ran: Path, tmp_path: Path) -> None:
    unknown = [replace(cpu(), name=name) for name in ("one", "two")]  # which the child gives up at once
    assert speeds.measure(unknown) == ()
    assert [json.loads(path.read_text()) for path in tmp_path.rglob("speeds-*.json")] == [{"speeds": []}]
    assert names(ran) == []


def test_no_other_place_starts_a_python() -> None:
    """A child in Python is started by `engine.base.children` alone, and no library is asked to start one."""
    for path in (*(ROOT / "engine").rglob("*.py"), *(ROOT / "tui").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                brought = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                assert not {name.partition(".")[0] for name in brought} & {"multiprocessing", "ProcessPoolExecutor"}, (
                    path
                )
            if isinstance(node, ast.List | ast.Tuple) and node.elts and path.name != "children.py":
                first = node.elts[0]
                assert ast.unparse(first) != "sys.executable", f"{path}:{node.lineno}"


# Where our packages are.


@pytest.mark.parametrize("name", ["odd place", "with:colon", "ümläut 模", "new\nline", "b\udcffyte"])
def test_a_child_finds_the_packages_that_started_it(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    try:
        root.mkdir()
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no such name")
    for package in ("engine", "tui"):
        (root / package / "base").mkdir(parents=True)
        for file in ("__init__.py", "base/__init__.py", "base/children.py"):
            if (ROOT / package / file).exists():
                shutil.copy(ROOT / package / file, root / package / file)
        (root / package / "whoami.py").write_text("import json, sys\nprint(json.dumps([__file__, sys.argv[1:]]))\n")
    script = (
        "import os, subprocess, sys; root = os.fsdecode(bytes.fromhex(sys.argv[1])); sys.path.insert(0, root)\n"
        "from engine.base import children\n"
        "for module in ('engine.whoami', 'tui.whoami'):\n"
        "    subprocess.run(children.command(module, 'a', '-b'), env=children.environment(), check=True)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-P", "-c", script, os.fsencode(root).hex()],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert answer.returncode == 0, answer.stderr
    found = [json.loads(line) for line in answer.stdout.splitlines()]
    assert found == [[str(root / package / "whoami.py"), ["a", "-b"]] for package in ("engine", "tui")]


def test_what_becomes_of_pythonpath(monkeypatch: pytest.MonkeyPatch) -> None:
    for path, wanted in (("", None), (":.:./:../here:lib", None), ("/opt/a::/opt/b:lib", "/opt/a:/opt/b")):
        monkeypatch.setenv("PYTHONPATH", path)
        assert children.environment().get("PYTHONPATH") == wanted
    monkeypatch.delenv("PYTHONPATH")
    assert children.environment(MORE="x") == {**os.environ, "PYTHONSAFEPATH": "1", "MORE": "x"}


# The program itself.


def started(line: list[str], folder: Path, path: str | None) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    if path is not None:
        own["PYTHONPATH"] = path
    return subprocess.run(line, cwd=folder, env=own, capture_output=True, text=True, timeout=DEADLINE)


SAFE = tuple(name for name in NAMES if name not in ("tui", "runpy", "contextlib", "typing", "pkgutil", "re"))


def test_the_program_finds_what_is_installed(tmp_path: Path, ran: Path) -> None:
    # Those that Python needs before it comes to us, and tui, which it is asked for, cannot be helped with -m.
    plant(tmp_path / "here", ran, *SAFE)
    line = [sys.executable, "-m", "tui.main", "train", "houses", "--steps", "5", "--backend", "autograd"]
    answer = started(line, tmp_path / "here", f":{ROOT}")
    assert answer.returncode == 0, answer.stderr
    assert names(ran) == []


def test_a_file_that_python_ran_first_is_named(tmp_path: Path, ran: Path) -> None:
    plant(tmp_path / "here", ran, "sitecustomize")
    answer = started([sys.executable, "-m", "tui.main", "--version"], tmp_path / "here", f":{ROOT}")
    assert answer.returncode == 0
    assert answer.stderr.count("\n") == 1
    assert "sitecustomize.py of this folder" in answer.stderr


def test_a_package_that_hides_ours_is_named(tmp_path: Path, ran: Path) -> None:
    plant(tmp_path / "there", ran, "engine")
    answer = started([sys.executable, "-m", "tui.main", "runs"], tmp_path, f"{tmp_path / 'there'}:{ROOT}")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1
    assert f"{str(tmp_path / 'there/engine.py')!r} hides its own package engine" in answer.stderr
    assert names(ran) == []


def test_a_working_tree_that_is_not_installed_runs_from_itself(tmp_path: Path, ran: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for package in ("engine", "tui"):
        (tree / package).symlink_to(ROOT / package)
    plant(tree, ran, "json", "numpy")
    answer = started([sys.executable, "-m", "tui.main", "runs"], tree, None)
    assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr
    assert names(ran) == []
