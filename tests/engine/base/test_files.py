"""Reading what somebody else left: nothing waits, and nothing reads more than it should."""

from __future__ import annotations

import ast
import os
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from engine.base.errors import InputError
from engine.base.files import creating, open_append, open_regular, read_bytes, read_text, replacing, write_bytes
from tests.conftest import ROOT


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may hold some hundred bytes only
    try:
        with socket.socket(socket.AF_UNIX) as tube:
            tube.bind(path.name)
    finally:
        os.chdir(here)


def _link_to_fifo(path: Path) -> None:
    os.mkfifo(path.with_suffix(".fifo"))
    path.symlink_to(path.with_suffix(".fifo").name)


SPECIAL = {
    "named pipe": _fifo,
    "folder": _folder,
    "circle": _loop,
    "device": _zeros,
    "socket": _socket,
    "named pipe behind a link": _link_to_fifo,
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("read", [open_regular, read_bytes, read_text])
def test_what_is_no_plain_file_is_refused_in_one_sentence(
    tmp_path: Path, kind: str, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "run.json"
    SPECIAL[kind](path)
    with pytest.raises(InputError) as told:
        read(path)
    text = str(told.value)
    assert str(path) in text
    assert "\n" not in text
    assert kind.split(" behind")[0] in text


def test_a_file_that_is_not_there_is_the_callers_to_judge(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "file" / "below")


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(2**40)  # holds nothing on the disk
    with pytest.raises(InputError, match=r"1,099,511,627,776 bytes, where at most 1,000"):
        read_bytes(path, most=1000)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs a file that does not tell its size")
def test_a_file_that_does_not_tell_its_size_is_bounded(tmp_path: Path) -> None:
    assert read_bytes("/proc/self/status").startswith(b"Name:")
    with pytest.raises(InputError, match="at most 5"):
        read_bytes("/proc/self/status", most=5)


def test_text_that_is_not_utf8_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(InputError, match=r"recipe\.toml cannot be read: line 2 is not UTF-8"):
        read_text(path)


def test_a_name_with_nul_is_refused() -> None:
    with pytest.raises(InputError, match="NUL"):
        read_bytes("a\0b")


@pytest.mark.parametrize("kind", SPECIAL)
def test_adding_to_what_is_no_plain_file_fails_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "stamps.f64"
    SPECIAL[kind](path)
    with pytest.raises(OSError):
        open_append(path)


def test_adding_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    for word in (b"one", b"two"):
        handle = open_append(path)
        os.write(handle, word)
        os.close(handle)
    assert path.read_bytes() == b"onetwo"


def test_a_pipe_that_nobody_reads_is_refused_for_writing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a named pipe that nobody reads"), replacing(tmp_path / "pipe"):
        raise AssertionError("it was opened")


def test_a_pipe_that_is_read_is_written_to_as_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(tmp_path / "pipe") as file:
            file.write(b"as it is")
        assert os.read(reader, 100) == b"as it is"
    finally:
        os.close(reader)


# Files of our own.


def _fail(file: BinaryIO) -> None:
    file.write(b"begun")
    raise ValueError("full")


def test_a_private_file_is_its_owners_alone_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "trusted.json"
    path.write_text("old")
    path.chmod(0o644)
    write_bytes(path, b"new", private=True)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_file_that_is_created_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    with creating(path) as file:
        file.write(b"begun")
        file.flush()
    assert path.read_bytes() == b"begun"
    with pytest.raises(FileExistsError), creating(path) as file:
        raise AssertionError("it was opened")
    with pytest.raises(ValueError, match="full"), creating(tmp_path / "other.csv") as file:
        _fail(file)
    with pytest.raises(FileExistsError), creating(tmp_path / "late.csv"):
        (tmp_path / "late.csv").write_bytes(b"theirs")
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"curve.csv": b"begun", "late.csv": b"theirs"}


# Whoever writes a file does so by `engine.base.files`, so that a reader sees all of it or nothing. Those that do not:
OWN = {
    "engine/data/rows.py": "standard input, into a temporary file",
    "engine/learn/kernels/loops/jit.py": "a lock",
    "engine/runs/heartbeat.py": "a probe, which is deleted",
    "engine/runs/keeping.py": "a folder gets another name",
    "engine/runs/lock.py": "a folder that is a lock",
    "engine/runs/worktree.py": "a temporary folder for git",
    "tui/terminal/terminal.py": "a log, which is added to",
}
WRITES = {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "rename", "replace"}


def _writes(path: Path) -> Iterator[str]:
    """Calls that write or rename a file by other ways."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        owner = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        modes = [one.value for one in (*node.args[:2], *(word.value for word in node.keywords if word.arg == "mode"))
                 if isinstance(one, ast.Constant) and isinstance(one.value, str)]  # fmt: skip
        opened = name == "open" and any(set(mode) <= set("wxabt+") and set(mode) & set("wxa") for mode in modes)
        created = name == "open" and "O_CREAT" in ast.unparse(node)
        written = name in WRITES and (owner in ("os", "tempfile") if name in ("rename", "replace") else bool(owner))
        if opened or created or written:
            yield f"{name} in line {node.lineno}"


def test_files_are_written_by_one_door() -> None:
    paths = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "tui").rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): list(_writes(path)) for path in paths}
    found = {path: calls for path, calls in found.items() if calls and path != "engine/base/files.py"}
    assert {path: calls for path, calls in found.items() if path not in OWN} == {}
    assert sorted(found) == sorted(OWN)
