"""Reading what somebody else left: nothing waits, and nothing reads more than it should."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.base.errors import InputError
from engine.base.files import open_append, open_regular, read_bytes, read_text, replacing


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
