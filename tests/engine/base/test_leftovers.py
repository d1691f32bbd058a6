"""What killed processes leave is swept, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.base import leftovers

OURS = (
    ".run.json.0a1b2c3d", ".recipe.toml.deadbeef", ".stamps.f64.abcdef_1", ".model.safetensors.00000000",
    ".heartbeat-token", ".probe-xyz", ".evaluations.jsonl.12345678",
)  # fmt: skip
CHECKPOINTS = (".last.safetensors.0123abcd", ".best.safetensors.0123abcd", ".step-4000.safetensors.0123abcd")
THEIRS = (
    "run.json",
    ".gitignore",
    ".notes.txt.deadbeef",
    "loss.f64",
    ".run.json.backup",
    ".hidden",
    ".run.json.0A1B2C3D",
)


def test_what_was_written_aside_goes_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in (*OURS, *THEIRS):
        (tmp_path / name).write_text("")
    for name in CHECKPOINTS:
        (tmp_path / "checkpoints" / name).write_text("")
    (tmp_path / ".last.safetensors.aaaaaaaa").mkdir()
    leftovers.sweep_run(tmp_path)  # they are fresh: somebody may be at it
    assert len(list(tmp_path.iterdir())) == len(OURS) + len(THEIRS) + 2
    leftovers.sweep_run(tmp_path, age=0.0)
    assert {path.name for path in tmp_path.iterdir()} == {*THEIRS, "checkpoints", ".last.safetensors.aaaaaaaa"}
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_folder_that_cannot_be_read_is_no_harm(tmp_path: Path) -> None:
    leftovers.sweep_run(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    leftovers.sweep(tmp_path / "file")


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
    made = leftovers.temporary_folder("compiled")
    assert {path.name for path in tmp_path.iterdir()} == {made.name, alive.name, elsewhere.name, other.name}
    handle, file = leftovers.temporary_file("tensorboard", ".log")
    os.close(handle)
    assert file.suffix == ".log"
    assert not other.exists()


def test_a_temporary_folder_goes_with_its_process(tmp_path: Path) -> None:
    code = "from engine.base.leftovers import temporary_folder; print(temporary_folder('compiled'))"
    child = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert child.stdout.startswith(str(tmp_path))
    assert not list(tmp_path.iterdir())
