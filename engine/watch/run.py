"""One run of a log tree: a folder's event files in the order of their names, and what counts of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.base.errors import InputError
from engine.watch import sentences, summary
from engine.watch.bulk import Batch, ScalarPoints
from engine.watch.curve import LoggedCurve
from engine.watch.file import LogFile
from engine.watch.message import START, LoggedEvent, MalformedError, Other
from engine.watch.summary import Choice, LoggedHistogram, Text

KEPT_TEXTS = 50  # the newest of a tag
KEPT_HISTOGRAMS = 200  # of a tag, spread over the run
MOST_TAGS = 20_000  # of each kind; a log with more has its data in the names


class WatchedRun:
    """What a run has logged so far. One thread feeds it; the dictionaries may be copied and the curves read by any.

    `name` is the folder relative to the tree's, "." for that itself.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.curves: dict[str, LoggedCurve] = {}
        self.texts: dict[str, list[Text]] = {}
        self.histograms: dict[str, list[LoggedHistogram]] = {}
        self.choices: dict[str, Choice] = {}  # hyperparameters
        self.status = ""  # as the hparams plugin was told: success, failure, running
        self.files: list[LogFile] = []
        self.gone = False  # its files have been taken away
        self.version = 0
        self._numbers: dict[str, int] = {}  # of the files, by name
        self._strides: dict[str, int] = {}  # every how many histograms of a tag are kept
        self._seen: dict[str, int] = {}

    @property
    def tags(self) -> tuple[str, ...]:
        """The curves' tags in alphabetical order."""
        return tuple(sorted(self.curves))

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each file that could not be read to its end."""
        return tuple(file.problem for file in self.files if file.problem)

    @property
    def restarts(self) -> int:
        """How often a curve of the run began anew."""
        return max((curve.restarts for curve in self.curves.values()), default=0)

    def files_are(self, sizes: Mapping[str, int]) -> bool:
        """Take note of the files there are, with their sizes; whether there is something to read."""
        if any(sizes.get(file.path.name, 0) < file.offset and file.path.name in sizes for file in self.files):
            self.__init__(self.name, self.folder)  # type: ignore[misc]  # one was replaced: begin anew
        known = {file.path.name: file for file in self.files}
        self.gone = not sizes
        if sizes.keys() - known.keys():
            if known and min(sizes.keys() - known.keys()) < max(known):
                # A file that belongs before one that was read: their order decides what counts.
                self.__init__(self.name, self.folder)  # type: ignore[misc]
                known = {}
            self.files = [known.get(name) or LogFile(self.folder / name) for name in sorted({*known, *sizes})]
            self._numbers = {file.path.name: number for number, file in enumerate(self.files)}
        more = False
        for file in self.files:
            if file.path.name in sizes:
                more |= file.grown(sizes[file.path.name])
        return more

    @property
    def waiting(self) -> LogFile | None:
        """The file to read on in: the first that has more."""
        return next((file for file in self.files if file.waiting), None)

    def read(self) -> int:
        """Take in the next piece; how many bytes it was."""
        file = self.waiting
        if file is None:
            return 0
        before = file.offset
        try:
            batch = file.read()
        except InputError as error:
            file.damaged, file.problem = True, str(error)
            return 0
        except OSError as error:
            file.damaged = True
            file.problem = sentences.UNREADABLE(path=file.path.name, reason=error.strerror or error)
            return 0
        self._take(self._numbers[file.path.name], batch)
        self.version += 1
        return file.offset - before

    def _take(self, file: int, batch: Batch) -> None:
        """Add what a piece held, in order: where the writer went back to a step, what it said beyond is dropped."""
        first = 0
        for order, event in batch.events:
            if event.status == START:
                self._add(file, batch.points, first, order)
                first = order
                for curve in self.curves.values():
                    curve.cut(event.step)
                self._cut_others(event.step)
            self._summaries(batch, event)
        self._add(file, batch.points, first, None)

    def _add(self, file: int, points: Mapping[bytes, ScalarPoints], first: int, stop: int | None) -> None:
        for tag, found in points.items():
            part = slice(None)
            if first or stop is not None:
                ends = np.searchsorted(found.orders, [first, stop if stop is not None else found.orders[-1] + 1])
                part = slice(int(ends[0]), int(ends[1]))
            name = tag.decode("utf-8", "replace")
            if name not in self.curves and len(self.curves) >= MOST_TAGS:
                continue
            curve = self.curves.get(name) or LoggedCurve()
            curve.add(file, found.steps[part], found.walls[part], found.values[part])
            if len(curve):
                self.curves[name] = curve

    def _cut_others(self, step: int) -> None:
        for tag, texts in self.texts.items():
            self.texts[tag] = [text for text in texts if text.step < step]
        for tag, histograms in self.histograms.items():
            self.histograms[tag] = [one for one in histograms if one.step < step]

    def _summaries(self, batch: Batch, event: LoggedEvent) -> None:
        for other in event.others:
            data = batch.data
            try:
                if other.plugin == b"hparams":
                    told = summary.session(other)
                    if told is not None:
                        self.choices |= told.choices or {}
                        self.status = told.status or self.status
                    continue
                tag = other.tag.decode("utf-8", "replace")
                if other.plugin in (b"text", b""):
                    words = summary.text(data, other)
                    if words is not None and (tag in self.texts or len(self.texts) < MOST_TAGS):
                        kept = [text for text in self.texts.get(tag, ()) if text.step != event.step]
                        self.texts[tag] = [*kept, Text(event.step, event.wall, words)][-KEPT_TEXTS:]
                        continue
                if other.plugin in (b"histograms", b""):
                    self._histogram(tag, data, other, event)
            except (MalformedError, struct.error, ValueError):
                continue  # a summary of another kind

    def _histogram(self, tag: str, data: bytes, other: Other, event: LoggedEvent) -> None:
        """Keep a histogram; where there are many, every second of a tag, so that those kept span the run."""
        seen = self._seen[tag] = self._seen.get(tag, -1) + 1
        if seen % self._strides.setdefault(tag, 1) or (
            tag not in self.histograms and len(self.histograms) >= MOST_TAGS
        ):
            return
        buckets = summary.histogram(data, other)
        if buckets is None:
            return
        kept = [*self.histograms.get(tag, ()), LoggedHistogram(event.step, event.wall, buckets)]
        if len(kept) > KEPT_HISTOGRAMS:
            kept, self._strides[tag] = kept[::2], 2 * self._strides[tag]
        self.histograms[tag] = kept
