"""Permissions: every file that is written follows the umask, and one that is replaced keeps what it had."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.base.files import replacing, write_bytes, write_text
from engine.data import recent
from engine.recipe import read_toml
from engine.runs import keeping, notes
from engine.runs.origin import Origin
from engine.runs.store import list_runs
from engine.watch.tree import LogTree
from tests.conftest import train, wait_for
from tui.app.preferences import Preferences
from tui.terminal.terminal import keep_copy
from tui.watch.csv_files import export

UMASKS = (0o022, 0o027, 0o077, 0o002)


def mode(path: Path) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)


@pytest.fixture(params=UMASKS, ids=[f"umask {umask:03o}" for umask in UMASKS])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def by_text(path: Path) -> None:
    write_text(path, "new")


def by_bytes(path: Path) -> None:
    write_bytes(path, b"new", sync=False)


def by_pieces(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"new")


WRITERS = (by_text, by_bytes, by_pieces)


@pytest.mark.parametrize("write", WRITERS)
def test_a_new_file_follows_the_umask(write: Callable[[Path], None], umask: int, tmp_path: Path) -> None:
    write(tmp_path / "file")
    assert mode(tmp_path / "file") == 0o666 & ~umask
    assert os.umask(umask) == umask  # nobody has touched it
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("held", [0o600, 0o640, 0o644, 0o664, 0o444])
@pytest.mark.parametrize("write", WRITERS)
def test_a_replaced_file_keeps_its_mode(write: Callable[[Path], None], held: int, umask: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(held)
    write(path)
    assert (path.read_text(), mode(path)) == ("new", held)


def test_what_is_being_written_is_no_more_open_than_the_end(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o600)
    for known in (path, tmp_path / "other"):
        with replacing(known) as file:
            wanted = 0o600 if known == path else 0o666 & ~umask
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == wanted


def test_through_a_link_the_file_that_it_points_to_keeps_its_mode(tmp_path: Path, umask: int) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o600)
    link.symlink_to(path)
    by_pieces(link)
    assert link.is_symlink()
    assert (path.read_text(), mode(path)) == ("new", 0o600)


def test_a_link_that_leads_in_a_circle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(OSError, match="symbolic links"):
        by_pieces(tmp_path / "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    assert (tmp_path / "one").is_symlink()


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (path.read_text(), mode(path)) == ("old", 0o640)
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_group_that_cannot_be_kept_gets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o664)
    real = os.fstat

    class Other:
        """The new file, as it is where a new file gets another group than the old one has."""

        def __init__(self, handle: int) -> None:
            self.st_mode, self.st_gid = real(handle).st_mode, real(handle).st_gid + 1

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("engine.base.files.os.fstat", Other)
    monkeypatch.setattr("engine.base.files.os.fchown", refuse)
    by_text(path)
    monkeypatch.undo()
    assert (path.read_text(), mode(path)) == ("new", 0o604)


def test_threads_that_write_at_once_all_follow_the_umask(tmp_path: Path, umask: int) -> None:
    end, seen = threading.Event(), [0]

    def look() -> None:
        while not end.is_set():
            with os.scandir(tmp_path) as entries:
                for entry in entries:
                    try:
                        found = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
                    except FileNotFoundError:
                        continue
                    assert found & umask == 0
                    seen[0] += 1

    watcher = threading.Thread(target=look)
    watcher.start()
    writers = [
        threading.Thread(target=lambda k=k: [by_text(tmp_path / f"file{k}{n % 3}") for n in range(40)])
        for k in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wait_for(lambda: seen[0] > 0)
    end.set()
    watcher.join()
    assert {mode(path) for path in tmp_path.iterdir()} == {0o666 & ~umask}


# The walk: everything that a run, its exports and its notes leave behind.


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything goes that is remembered or cached."""
    for name in ("STATE", "CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
    return tmp_path / "home"


FORMATS = ("csv", "wide-csv", "safetensors", "onnx", "code", "predictor", "report")


def everything(cli: Any, folder: Path) -> None:
    """Write every kind of file: run, checkpoints, resumed run, branch, exports, notes, trash, index, memory, curves."""
    line = "houses --steps 40 --checkpoint-every 10 --eval-every 10 --backend spectral --runs made/runs --name one"
    assert cli(f"train {line}").code == 0
    assert cli("resume made/runs/one --steps 60").code == 0
    assert cli("train linear3 --steps 5 --val 0.2 --backend spectral --name two --runs made/runs").code == 0
    origin = Origin.read(folder / "made/runs/one", 20, branch=True)
    chosen = read_toml(origin.run)
    train(replace(chosen, recording=replace(chosen.recording, name="branch")), origin=origin)
    notes.write(folder / "made/runs/one", tags=("a",), note="words")
    for format in FORMATS:
        answer = cli(f"export made/runs/two --format {format} -o made/two.{format}")
        assert answer.code == 0, answer.err
    keeping.delete(folder / "made/runs/one")
    assert list_runs(folder / "made/runs")
    recent.remember(folder / "table.csv")
    Preferences().keep(theme="nord")
    assert keep_copy("words")
    tree = LogTree(folder / "made/runs")
    wait_for(lambda: not tree.poll(1.0).busy)
    assert export(tree.runs["two"].curves, folder / "made")


def test_everything_that_is_written_follows_the_umask(umask: int, cli: Any, home: Path, tmp_path: Path) -> None:
    everything(cli, tmp_path)
    assert {path.name for path in home.rglob("*")} >= {"recent.json", "last.json", "clipboard.txt"}
    found = [path for path in (tmp_path / "made", home) for path in (path, *path.rglob("*"))]
    assert len(found) > 40
    for path in found:
        wanted = (0o777 if path.is_dir() else 0o666) & ~umask
        assert mode(path) == wanted, (path, oct(mode(path)))


def test_everything_that_is_replaced_keeps_its_mode(cli: Any, home: Path, tmp_path: Path) -> None:
    assert cli("train houses --steps 40 --checkpoint-every 10 --backend spectral --name one").code == 0
    run = tmp_path / "runs/one"
    notes.write(run, note="words")
    recent.remember(tmp_path / "table.csv")
    Preferences().keep(theme="nord")
    assert keep_copy("words")
    list_runs(run.parent)
    for format in FORMATS:
        assert cli(f"export one --format {format} -o one.{format}").code == 0
    known = [path for path in tmp_path.rglob("*") if path.is_file()]
    for number, path in enumerate(known):
        path.chmod((0o600, 0o640)[number % 2])
    held = {path: mode(path) for path in known}
    assert cli("resume one --steps 60").code == 0
    notes.write(run, note="other words")
    recent.remember(tmp_path / "other.csv")
    Preferences().keep(theme="gruvbox")
    assert keep_copy("other words")
    list_runs(run.parent)
    for format in FORMATS:
        assert cli(f"export one --format {format} -o one.{format}").code == 0
    assert {path: mode(path) for path in known if path.exists()} == held
