"""One event file, read piece by piece as far as it is whole, and on from there when it grows."""

from __future__ import annotations

import os
from pathlib import Path

from engine.watch import bulk
from engine.watch.bulk import Batch

PIECE = 1 << 20  # bytes read at once: some 20,000 scalars, a few milliseconds
LARGEST = 1 << 24  # bytes of a record that is looked at; larger ones (images, graphs) are passed over


class LogFile:
    """Where the reading of a file stands. `problem` says in a sentence why it ends before the file does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0  # all before has been read
        self.size = 0  # as last looked at
        self.skipped = 0  # records that were passed over for their size
        self.problem = ""
        self.damaged = False  # nothing behind the offset can be read
        self._piece = PIECE
        self._part = False  # what is there behind the offset is a part of a record

    def grown(self, size: int) -> bool:
        """Take note of the file's size; whether there is something to read. A file that shrank begins anew."""
        if size < self.offset:
            self.__init__(self.path)  # type: ignore[misc]
        if size != self.size:
            self.size, self._part = size, False
        return self.waiting

    @property
    def waiting(self) -> bool:
        """Whether reading on would get further."""
        return not self.damaged and not self._part and self.offset < self.size

    def read(self) -> Batch:
        """The next piece. Raises OSError."""
        handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(handle, self._piece, self.offset)
        finally:
            os.close(handle)
        batch = bulk.read(data)
        self._piece = PIECE
        self.offset += batch.end
        rest = self.size - self.offset
        self.problem = ""
        if batch.damage:
            self.damaged = True
            self.problem = (
                f"{self.path.name} is damaged at byte {self.offset:,} of {self.size:,}: {batch.damage}; "
                "what comes before it is shown."
            )
        elif batch.wants > LARGEST and rest >= batch.wants:
            self.offset += batch.wants
            self.skipped += 1
        elif not batch.end:
            if batch.wants > self._piece and rest >= batch.wants:
                self._piece = batch.wants
            else:
                self._part = True
                self.problem = (
                    f"{self.path.name} ends within a record: it is being written, or was cut off at byte {self.size:,}."
                )
        return batch
