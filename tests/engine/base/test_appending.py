"""A disk that is full and has room again: nothing of a run is lost, and nothing of it is another run's."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base import appending, files
from engine.base.appending import DiskRoom
from engine.base.files import open_append
from engine.base.loss_history import History
from engine.training.run import Run
from engine.training.session import Session
from engine.training.snapshot import Phase
from tests.conftest import facts, finished, losses, made, recipe, wait_for


class Disk:
    """A disk on which a certain file, or every one, may hold only so many bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room: float = float("inf")  # bytes
        self.only = ""  # part of the path of the files that count; "" for all
        self._write, self._paths = os.write, dict[int, str]()
        opened = DiskRoom.open

        def noted(room: DiskRoom, handle: int, path: Path) -> appending.AppendedFile:
            self._paths[handle] = str(path)
            return opened(room, handle, path)

        monkeypatch.setattr(DiskRoom, "open", noted)
        monkeypatch.setattr(appending.os, "write", self.write)
        beside = files._beside

        def aside(path: Path, *how: bool, **more: bool) -> Any:
            if self.room <= 0 and self.only in str(path):
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            return beside(path, *how, **more)

        monkeypatch.setattr(files, "_beside", aside)

    def write(self, handle: int, content: bytes | memoryview) -> int:
        """os.write on it."""
        path = self._paths.get(handle, "")
        if "/runs/" not in path or self.only not in path:
            return self._write(handle, content)
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._write(handle, memoryview(content)[: int(min(len(content), self.room))])
        self.room -= taken
        return taken


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk with room."""
    return Disk(monkeypatch)


def session(folder: Path, **fields: Any) -> Session:
    fields = {
        "steps": 4000,
        "eval_every": 100,
        "batch_size": 16,
        "lr": 0.01,
        "schedule": "constant",
        "tensorboard": True,
    } | fields
    return Session(recipe(folder, **fields), table=made(101))


def content(run: Path) -> dict[str, bytes]:
    """The files that are the same in equal runs."""
    names = ("loss.f64", "validation.f64", "recipe.toml")
    return {name: (run / name).read_bytes() for name in names}


@pytest.mark.parametrize("only", ["", "loss.f64", "evaluations.jsonl", "tfevents", "stamps.f64"])
def test_a_full_disk_pauses_the_run_which_goes_on_bit_for_bit(tmp_path: Path, disk: Disk, only: str) -> None:
    wanted = session(tmp_path / "a", name="run")
    wanted.start()
    assert finished(wanted).phase is Phase.ENDED
    disk.only = only
    run = session(tmp_path / "b", name="run", steps=4000)
    run.step()  # it has begun, and is paused
    wait_for(lambda: run.snapshot().step == 1 and run.snapshot().phase is Phase.PAUSED)
    disk.room = 3001 if only in ("", "loss.f64") else 10
    run.resume()
    wait_for(lambda: bool(run.snapshot().full))
    stalled = run.snapshot()
    assert stalled.phase is Phase.PAUSED
    assert stalled.stalls == 1
    for words in ("The disk is full", "No space left on device", "ravine resume", "step"):
        assert words in stalled.full
    assert only in stalled.full
    run.resume()  # nobody has made room
    wait_for(lambda: run.snapshot().stalls == 2)
    assert run.snapshot().phase is Phase.PAUSED
    assert run.snapshot().step == stalled.step
    disk.room = float("inf")
    run.resume()
    end = finished(run)
    assert end.phase is Phase.ENDED
    assert end.full == ""
    first, second = tmp_path / "a" / "runs" / "run", tmp_path / "b" / "runs" / "run"
    assert content(first)["loss.f64"] == content(second)["loss.f64"]
    assert content(first)["validation.f64"] == content(second)["validation.f64"]
    lines = [(run / "evaluations.jsonl").read_text().count("\n") for run in (first, second)]
    assert lines[0] == lines[1]
    assert facts(second)["state"] == "ended"
    assert len(losses(second)) == 4000


def test_a_run_that_is_stopped_on_a_full_disk_goes_on_later(tmp_path: Path, disk: Disk) -> None:
    run = session(tmp_path, name="run", checkpoint_every=500)
    run.step()
    wait_for(lambda: run.snapshot().phase is Phase.PAUSED and run.snapshot().step == 1)
    disk.room = 12_000
    run.resume()
    wait_for(lambda: bool(run.snapshot().full))
    run.stop()
    end = finished(run)
    assert end.phase is Phase.FAILED
    for words in ("The disk is full", "safe up to step", f"ravine resume {tmp_path / 'runs' / 'run'}"):
        assert words in end.error
    disk.room = float("inf")
    from engine.recipe import read_toml
    from engine.runs.origin import Origin

    path = tmp_path / "runs" / "run"
    on = Session(read_toml(path), table=made(101), origin=Origin.read(path))
    on.start()
    assert finished(on).phase is Phase.ENDED
    fresh = session(tmp_path / "fresh", name="run", checkpoint_every=500)
    fresh.start()
    finished(fresh)
    assert content(path)["loss.f64"] == content(tmp_path / "fresh" / "runs" / "run")["loss.f64"]


def test_a_run_that_cannot_even_begin_says_so(tmp_path: Path, disk: Disk) -> None:
    disk.room = 0
    run = session(tmp_path, name="run")
    run.start()
    end = finished(run)
    assert end.phase is Phase.FAILED
    assert "No space left on device" in end.error


def test_losses_that_wait_are_read_like_the_others(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "runs").mkdir()
    room = DiskRoom()
    history = History(tmp_path / "runs" / "loss.f64", room=room)
    values = np.arange(1000.0)
    history.append(values[:100])
    disk.room = 8 * 50 + 3  # a loss is torn
    history.append(values[100:500])
    history.append(values[500:])
    assert room.refused is not None
    assert "loss.f64" in str(room.refused.filename)
    assert len(history) == 1000
    assert np.array_equal(history.values(), values)
    assert np.array_equal(history.values(140, 160), values[140:160])
    assert np.array_equal(history.values(700, 800), values[700:800])
    columns = history.columns(np.array([0, 20, 130, 170, 270]))
    assert np.array_equal(columns.high, [19, 129, 169, 269])
    assert not room.retry()
    disk.room = float("inf")
    assert room.retry()
    assert np.array_equal(history.values(), values)
    history.close()
    assert np.array_equal(np.fromfile(tmp_path / "runs" / "loss.f64"), values)


def test_other_trouble_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = DiskRoom()
    file = room.open(open_append(tmp_path / "it"), tmp_path / "it")

    def broken(*_: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(appending.os, "write", broken)
        with pytest.raises(OSError, match="Input/output") as caught:
            file.append(b"words")
        assert caught.value.filename == str(tmp_path / "it")
        with pytest.raises(OSError, match="elsewhere"), room.forgiving():
            raise OSError(errno.EACCES, "elsewhere")
    assert room.refused is None
    file.close()
    file.close()


def test_only_so_many_checkpoints_are_kept(tmp_path: Path) -> None:
    from engine.runs import checkpoint

    def steps(**fields: Any) -> list[int]:
        chosen = recipe(tmp_path, steps=100, checkpoint_every=10, batch_size=16, **fields)
        run = Run(chosen, made(101))
        run.prepare(lambda _: None, lambda: False)
        run.advance(100)
        run.finish("limit")
        assert run.folder is not None
        assert (run.folder.checkpoints / "last.safetensors").exists()
        return list(checkpoint.kept(run.folder.path))

    assert steps() == list(range(10, 101, 10))
    assert steps(keep_checkpoints=3) == [80, 90, 100]
    assert steps(keep_checkpoints=1) == [100]
