"""A disk that is full, read-only or someone else's."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Answer, Started, facts, losses

Start = Callable[..., Started]
Cli = Callable[..., Answer]
LONG = "train linear3 --steps 100000000 --checkpoint-every 1000"


def test_a_file_that_may_not_grow_ends_the_run_with_a_sentence(start: Start, cli: Cli, tmp_path: Path) -> None:
    limit = 200_000  # bytes: 25,000 losses; the other files are smaller

    def shrink() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    started = start(
        f"{LONG} --no-tensorboard --name full",
        preexec_fn=shrink,
    )
    code, out, err = started.end()
    assert code == 1
    assert out == ""
    assert err.count("\n") == 1
    assert "File too large" in err
    assert "log.txt" in err
    run = tmp_path / "runs" / "full"
    assert facts(run)["state"] == "failed"
    assert "Traceback" in (run / "log.txt").read_text()
    kept = losses(run)
    assert len(kept) == limit // 8
    assert np.isfinite(kept).all()
    assert cli("predict full --values 1,2,3").code == 0
    assert cli("export full --format csv").out.count("\n") == len(kept) + 1
    assert cli("runs --json").json["runs"][0]["state"] == "failed"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_file_system(tiny: Path, start: Start, cli: Cli) -> None:
    started = start(f"{LONG} --runs {tiny} --name full --max-seconds 600")  # else it would be refused beforehand
    code, _, err = started.end()
    assert code == 1
    assert err.count("\n") == 2  # that the disk is too small for all steps, and then that it is full
    assert "No space left on device" in err
    run = tiny / "full"
    assert facts(run)["state"] in ("failed", "running")  # the word itself needs room
    assert np.isfinite(losses(run)).all()
    assert cli(f"runs --json --runs {tiny}").json["runs"][0]["state"] in ("failed", "interrupted")
    assert cli(f"predict full --values 1,2,3 --runs {tiny}").code == 0
    assert cli(f"export full --format csv --runs {tiny}").out.count("\n") == len(losses(run)) + 1


def test_a_file_system_that_is_full_from_the_start(tiny: Path, cli: Cli) -> None:
    (tiny / "ballast").write_bytes(bytes(252 * 1024))
    answer = cli(f"train --steps 10 --runs {tiny}")
    assert answer.code in (1, 2)
    assert answer.err.count("\n") == 1
    # Told by the forecast, or where that sees just enough room, by the disk itself.
    assert "kB free" in answer.err or "No space left on device" in answer.err


def test_runs_folders_that_cannot_be(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/inside", "/proc/ravine"):
        answer = cli(f"train --steps 3 --runs {folder}")
        assert answer.code == 2
        assert answer.err.count("\n") == 1
        assert folder in answer.err
        assert "--runs" in answer.err
        assert answer.out == ""
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_runs_folder_without_permission(cli: Cli, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    answer = cli("train --steps 3 --runs locked")
    assert answer.code == 2
    assert "Permission denied" in answer.err
    locked.chmod(0o700)


@pytest.mark.parametrize("how", ["deleted", "emptied", "moved"])
def test_a_run_whose_folder_goes_away_under_it_ends_with_a_sentence(start: Start, tmp_path: Path, how: str) -> None:
    started = start(f"{LONG} --name gone")
    started.wait_for_losses("gone", 2000)
    run = tmp_path / "runs" / "gone"
    if how == "emptied":  # as a deletion leaves it while temporary files turn up in it: the folders stay
        for file in (*run.glob("events.*"), run / "run.json", run / "log.txt", run / "loss.f64"):
            file.unlink()
    else:
        run.rename(tmp_path / "elsewhere")
    if how == "deleted":
        shutil.rmtree(tmp_path / "elsewhere")
    code, out, err = started.end()
    assert code == 1
    assert out == ""
    assert "Traceback" not in err
    assert "its folder runs/gone was deleted or moved while it trained" in err
    assert not (run / "run.json").exists()  # nothing that would look like a run


def test_a_run_that_was_moved_away_while_it_trained_goes_on_from_there(start: Start, cli: Cli, tmp_path: Path) -> None:
    started = start(f"{LONG} --name gone --no-tensorboard")
    started.wait_for_losses("gone", 5000)
    (tmp_path / "runs" / "gone").rename(tmp_path / "runs" / "there")
    assert started.end()[0] == 1
    assert cli("runs --json").json["runs"][0]["state"] == "interrupted"
    step = cli("runs --json").json["runs"][0]["steps"]
    assert cli(f"resume there --steps {(step // 1000 + 1) * 1000}").code == 0
    assert len(losses(tmp_path / "runs" / "there")) == (step // 1000 + 1) * 1000
