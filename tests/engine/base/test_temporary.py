"""Temporary files go with their process, or when the next one begins."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.base import temporary


def test_temporary_folders_of_dead_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    host = os.uname().nodename
    dead = tmp_path / f"ravine-compiled-{host}-{int(child.stdout)}-abc"
    dead.mkdir()
    (dead / "code").write_text("")
    alive = tmp_path / f"ravine-compiled-{host}-{os.getppid()}-abc"
    elsewhere = tmp_path / f"ravine-compiled-another-{int(child.stdout)}-abc"
    other = tmp_path / f"ravine-tensorboard-{host}-{int(child.stdout)}-abc"
    for folder in (alive, elsewhere, other):
        folder.mkdir()
    made = temporary.temporary_folder("compiled")
    assert {path.name for path in tmp_path.iterdir()} == {made.name, alive.name, elsewhere.name, other.name}
    temporary.sweep_temporary("tensorboard")
    assert not other.exists()


def test_a_temporary_folder_goes_with_its_process(tmp_path: Path) -> None:
    code = "from engine.base.temporary import temporary_folder; print(temporary_folder('compiled'))"
    child = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert child.stdout.startswith(str(tmp_path))
    assert not list(tmp_path.iterdir())
