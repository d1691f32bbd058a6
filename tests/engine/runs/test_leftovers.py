"""What killed processes leave in a run's folder is swept, and nothing else."""

from __future__ import annotations

from pathlib import Path

from engine.runs import leftovers

OURS = (
    ".run.json.0a1b2c3d", ".recipe.toml.deadbeef", ".stamps.f64.abcdef_1", ".model.safetensors.00000000",
    ".heartbeat-token", ".heartbeat.0a1b2c3d", ".probe-xyz", ".evaluations.jsonl.12345678",
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
