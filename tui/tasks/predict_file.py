"""A table predicted in a thread: read, predicted and written in parts, with progress, and given up when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual.message import Message

from engine.base.errors import Cancelled, InputError
from tui.tasks.background import in_background
from tui.tasks.survey import PROGRESS

if TYPE_CHECKING:
    from engine.runs.predictor import Predictor


@dataclass
class FileProgress(Message):
    """What is being done with a file, and how far it is."""

    job: FileJob
    text: str


@dataclass
class FileDone(Message):
    """The predictions are in `path`; or why they are not."""

    job: FileJob
    source: Path
    path: Path
    rows: int = 0
    first: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())
    problem: str = ""


class FileJob:
    """Predicts the rows of a table into a new CSV file beside it, or beside the program where that cannot be.

    Args:
        predictor: the model.
        source: a path, or module:function.
        post: takes the answers, from any thread.
    """

    def __init__(self, predictor: Predictor, source: str, post: Callable[[Message], Any]) -> None:
        self._predictor, self._source, self._post = predictor, source, post
        self._given_up = threading.Event()
        self._due = 0.0

    def start(self) -> None:
        """Begin."""
        in_background(
            self._work,
            "predictions",
            lambda words: self._post(FileDone(self, Path(self._source), free_name(Path(self._source)), problem=words)),
        )

    def cancel(self) -> None:
        """Give it up; no file is left."""
        self._given_up.set()

    def _progress(self, text: str, share: float | None) -> None:
        if monotonic() >= self._due and not self._given_up.is_set():
            self._due = monotonic() + PROGRESS
            self._post(FileProgress(self, text if share is None else f"{text}, {100 * share:.0f} %"))

    def _work(self) -> None:
        from engine.data import rows
        from engine.learn.kernels.threads import limited
        from engine.runs.predictions import write

        source = Path(self._source).expanduser()
        path = free_name(source)
        try:
            given = rows.load(
                self._source, self._predictor.encoder, progress=self._progress, cancelled=self._given_up.is_set
            )
            with limited(1):
                first, warnings = write(
                    self._predictor, given, path, progress=self._progress, cancelled=self._given_up.is_set
                )
        except Cancelled:
            return
        except InputError as error:
            self._post(FileDone(self, source, path, problem=str(error)))
            return
        shown = tuple(value if isinstance(value, str) else f"{value:.6g}" for value in first)
        # Of the notes above all that lines were skipped: those have no prediction.
        self._post(FileDone(self, source, path, given.table.rows, shown, (*given.table.notes, *warnings)))


def free_name(source: Path) -> Path:
    """A name beside the table that no file has yet: sales_predictions.csv, sales_predictions_2.csv and so on."""
    folder = source.parent if source.parent.is_dir() else Path()
    stem = source.name.partition(".")[0].replace(":", "_") or "table"
    path, number = folder / f"{stem}_predictions.csv", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_predictions_{number}.csv"
    return path
