"""One event file, read piece by piece as far as it is whole, and on from there when it grows."""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine.base.files import open_regular
from engine.watch import bulk, sentences
from engine.watch.bulk import Batch

PIECE = 1 << 20  # bytes read at once, at most: some 20,000 scalars, a few milliseconds
LEAST = 1 << 15  # and at least
PACE = 0.01  # seconds that a piece shall take; histograms and the like take longer than scalars
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
        self._piece = 4 * LEAST
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
        """The next piece. Raises OSError and InputError."""
        with open_regular(self.path) as file:
            data = os.pread(file.fileno(), self._piece, self.offset)
        began = time.perf_counter()
        batch = bulk.read(data)
        took = max(time.perf_counter() - began, 1e-6)
        self._piece = max(LEAST, min(PIECE, 2 * self._piece, int(len(data) * PACE / took)))
        self.offset += batch.end
        rest = self.size - self.offset
        self.problem = ""
        if batch.damage:
            self.damaged = True
            self.problem = sentences.DAMAGED(
                file=self.path.name, offset=self.offset, size=self.size, damage=batch.damage
            )
        elif batch.wants > LARGEST and rest >= batch.wants:
            self.offset += batch.wants
            self.skipped += 1
        elif not batch.end:
            if batch.wants > self._piece and rest >= batch.wants:
                self._piece = batch.wants
            else:
                self._part = True
                self.problem = sentences.ENDS_WITHIN(file=self.path.name, size=self.size)
        return batch
