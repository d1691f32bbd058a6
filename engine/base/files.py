"""Whole files or none: atomic writes that obey the umask, and reading that waits for nothing and is bounded."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from engine.base import sentences
from engine.base.errors import InputError
from engine.base.printable import to_bytes

NEW = 0o666  # permissions of a new file, of which the umask takes away
ASIDE = r"\.[0-9a-z_]{8}"  # what follows the name of a file that is written aside, as a pattern; now 8 hex digits
MOST = 64 * 2**20
"""Bytes of a file that is read whole, where the caller names no other bound."""

PLAIN = sentences.PLAIN_FILE()
_PIECE = 1 << 16  # bytes asked for beyond what a file says that it holds

_KINDS = (
    (stat.S_ISDIR, sentences.A_FOLDER()),
    (stat.S_ISFIFO, sentences.NAMED_PIPE()),
    (stat.S_ISSOCK, sentences.A_SOCKET()),
    (stat.S_ISCHR, sentences.A_DEVICE()),
    (stat.S_ISBLK, sentences.A_DEVICE()),
)


def open_regular(path: str | os.PathLike[str], most: int | None = None, remedy: str = PLAIN) -> BinaryIO:
    """A plain file, opened for reading in bytes; never waits for somebody to write to it, and touches no device.

    Args:
        path: of the file; a link is followed.
        most: bytes that it may hold; None for as many as there are.
        remedy: for a pipe, a device or the like, half a sentence.

    Raises:
        FileNotFoundError: there is none; whether that is an error only the caller knows.
        InputError: it is no plain file, holds more than `most`, or cannot be opened.
    """
    handle = -1
    try:
        _refuse_special(path, os.stat(path).st_mode, remedy)
        # What it is may have changed since: O_NONBLOCK returns at once from a pipe too.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        found = os.fstat(handle)
        _refuse_special(path, found.st_mode, remedy)
        if most is not None and found.st_size > most:
            raise too_large(path, found.st_size, most)
        return os.fdopen(handle, "rb")
    except BaseException as error:
        if handle >= 0:
            os.close(handle)
        if isinstance(error, NotADirectoryError):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", os.fspath(path)) from None
        if isinstance(error, OSError | ValueError) and not isinstance(error, FileNotFoundError):
            raise unreadable(path, error) from None
        raise


def check_regular(path: str | os.PathLike[str]) -> None:
    """Raise as `open_regular` does where a plain file is expected, for readers that open by name."""
    open_regular(path).close()


def read_bytes(path: str | os.PathLike[str], most: int = MOST) -> bytes:
    """The content of a plain file of at most `most` bytes. Raises as `open_regular` does."""
    parts: list[bytes] = []
    with open_regular(path, most) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            # It may grow meanwhile, or be one of those that do not tell their size.
            while part := file.read(max(size - sum(map(len, parts)), _PIECE)):
                parts.append(part)
                if (held := sum(map(len, parts))) > most:
                    raise too_large(path, held, most)
        except OSError as error:
            raise unreadable(path, error) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def read_text(path: str | os.PathLike[str], most: int = MOST) -> str:
    """The content of a plain UTF-8 file of at most `most` bytes.

    Raises:
        FileNotFoundError: there is none.
        InputError: as `open_regular`, and where it is not UTF-8.
    """
    content = read_bytes(path, most)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(sentences.NOT_UTF8(path=path, line=line)) from None


def open_append(path: str | os.PathLike[str], mode: int = NEW) -> int:
    """A descriptor that adds to the end of a plain file, made where there is none.

    Raises OSError, also for a pipe or a device of that name, for which a writer would otherwise wait.
    """
    return _open_to_write(path, os.O_WRONLY | os.O_APPEND, mode)


def open_update(path: str | os.PathLike[str], mode: int = 0o666) -> int:
    """The same to read as well."""
    return _open_to_write(path, os.O_RDWR | os.O_APPEND, mode)


def _open_to_write(path: str | os.PathLike[str], flags: int, mode: int) -> int:
    handle = os.open(path, flags | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY, mode)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "Not a plain file", os.fspath(path))
    return handle


def unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> InputError:
    """The sentence for a file that the system does not let us read."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return InputError(sentences.CIRCLE(path=path))
    if isinstance(error, OSError):
        why = error.strerror or str(error)
    else:
        why = sentences.NUL_IN_NAME()
    return InputError(sentences.UNREADABLE(path=path, reason=why))


def too_large(path: str | os.PathLike[str], size: int, most: int) -> InputError:
    """The sentence for a file that holds more than it may."""
    return InputError(sentences.TOO_LARGE(path=path, size=size, most=most))


def _refuse_special(path: str | os.PathLike[str], mode: int, remedy: str) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((words for test, words in _KINDS if test(mode)), sentences.SPECIAL())
    remedy = sentences.FILE_IN_IT() if stat.S_ISDIR(mode) else remedy
    raise InputError(sentences.NOT_A_FILE(path=path, kind=kind, remedy=remedy))


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part.

    A new file has the permissions that the umask leaves; one that takes the place of another keeps those of the other.
    Raises OSError.
    """
    write_bytes(path, to_bytes(text))


def write_bytes(path: Path, content: bytes, *, sync: bool = True, private: bool = False) -> None:
    """Like `write_text`, for bytes.

    Args:
        sync: have the disk keep it before it takes its place. Without, a power cut may leave an empty file.
        private: let nobody but its owner read and write it, whatever the permissions of the old one.
    """
    with _beside(path, sync, private) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to piece by piece, which takes its place under `path` only when the block ends well.

    Something that is no plain file, such as a pipe or /dev/null, is written to as it is. Permissions are those of
    `write_text`. Raises OSError.
    """
    if path.exists() and not path.is_file():
        with _special(path) as file:
            yield file
        return
    place = os.path.realpath(path)  # a link keeps pointing to where it points
    if os.path.islink(place):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    with _beside(Path(place), sync=True) as file:
        yield file


@contextmanager
def creating(path: Path) -> Iterator[BinaryIO]:
    """A file to write to piece by piece, which gets its name only when the block ends well.

    Raises OSError; FileExistsError where there is one of that name, before the block or after it.
    """
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
    with _beside(path, sync=True, new=True) as file:
        yield file


def _special(path: Path) -> BinaryIO:
    """What is no plain file, opened for writing at once. Raises OSError, also for a pipe that nobody reads."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno == errno.ENXIO and stat.S_ISFIFO(os.stat(path).st_mode):
            error.strerror = sentences.UNREAD_PIPE()
        raise
    os.set_blocking(handle, True)
    return os.fdopen(handle, "wb")


@contextmanager
def _beside(path: Path, sync: bool, private: bool = False, new: bool = False) -> Iterator[BinaryIO]:
    """A hidden file in the same folder, which is renamed to `path` when the block ends well and deleted when not.

    Args:
        new: raise FileExistsError where there is one of that name by then.
    """
    before = None if private or new else _plain(path)
    handle, name = _new(path, NEW if before is None and not private else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            if before is not None:
                _permit_as(handle, before)
            yield file
            file.flush()
            if sync:
                os.fsync(handle)
        if new:  # takes the name, which nobody else can do any more
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        os.replace(name, path)
    except BaseException as error:
        os.unlink(name)
        if isinstance(error, OSError) and error.filename in (None, name):
            error.filename = str(path)  # who reads of it knows this name
        raise


def _plain(path: Path) -> os.stat_result | None:
    """What is known of a plain file; None where there is none, or something else."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _new(path: Path, mode: int) -> tuple[int, str]:
    """A new file beside `path`, open for writing, and its name. The umask is obeyed by the system, in one go."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        name = os.path.join(path.parent, f".{path.name}.{os.urandom(4).hex()}")
        try:
            return os.open(name, flags, mode), name
        except FileExistsError:
            continue


def _permit_as(handle: int, before: os.stat_result) -> None:
    """Give an open file the group and permissions of another; where the group cannot be had, no group gets any."""
    now, mode = os.fstat(handle), stat.S_IMODE(before.st_mode) & 0o777
    if now.st_gid != before.st_gid:
        try:
            os.fchown(handle, -1, before.st_gid)
        except PermissionError:
            mode &= 0o707
    if stat.S_IMODE(now.st_mode) != mode:
        os.fchmod(handle, mode)
