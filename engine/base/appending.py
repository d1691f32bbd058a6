"""Appending to a file on a disk that may be full: what does not fit waits in memory until there is room.

So a full disk never breaks into the middle of a step: whoever drives the run looks between two steps whether a file
was refused, and pauses.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)  # no room on the disk, or none left for this user


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk has no room."""
    return isinstance(error, OSError) and error.errno in FULL


class DiskRoom:
    """Whether the disk has taken everything that was written for a run.

    Attributes:
        refused: the newest error of a disk without room, with the file's name; None where all is written.
    """

    def __init__(self) -> None:
        self.refused: OSError | None = None
        self._files: list[AppendedFile] = []

    def open(self, handle: int, path: Path) -> AppendedFile:
        """Append to a file that is open. It counts until it is closed."""
        file = AppendedFile(handle, path, self)
        self._files.append(file)
        return file

    def forget(self, file: AppendedFile) -> None:
        """Take no more notice of a file."""
        if file in self._files:
            self._files.remove(file)

    @contextmanager
    def forgiving(self) -> Iterator[None]:
        """Write whole files inside: where the disk has no room for one, the old one stays, and `refused` says so."""
        try:
            yield
        except OSError as error:
            if not is_full(error):
                raise
            self.refused = error

    def retry(self) -> bool:
        """Write what waits; whether all of it is written now. Whole files that were refused are to be written anew.

        Raises OSError for any other trouble.
        """
        self.refused = None
        for file in tuple(self._files):
            if not file.retry():
                break
        return self.refused is None


class AppendedFile:
    """A file that is appended to, by one thread. Any thread may read what waits."""

    def __init__(self, handle: int, path: Path, room: DiskRoom) -> None:
        self.handle, self._path, self._room = handle, path, room
        self.waiting: tuple[int, bytes] = (os.fstat(handle).st_size, b"")  # from which byte of the file on, and what

    def append(self, content: bytes | memoryview) -> None:
        """Add to the end. Raises OSError, but for a disk without room: then the content waits, see `DiskRoom`."""
        start, held = self.waiting
        if held:
            self.waiting = (start, held + bytes(content))
            self.retry()
            return
        rest = self._write(memoryview(content))
        self.waiting = (start + len(content) - len(rest), bytes(rest))

    def retry(self) -> bool:
        """Write what waits; whether nothing waits any more."""
        start, held = self.waiting
        if held:
            rest = self._write(memoryview(held))
            self.waiting = (start + len(held) - len(rest), bytes(rest))
        return not self.waiting[1]

    def _write(self, view: memoryview) -> memoryview:
        """Write to the end; what the disk had no room for."""
        while view:
            try:
                view = view[os.write(self.handle, view) :]
            except OSError as error:
                named = OSError(error.errno, error.strerror, str(self._path))
                if not is_full(error):
                    raise named from None
                self._room.refused = named
                return view
        return view

    def close(self) -> None:
        """Give the file back; what still waits is lost. Once is enough."""
        if self.handle >= 0:
            self._room.forget(self)
            os.close(self.handle)
            self.handle = -1
