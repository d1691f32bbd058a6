"""A run's folder: everything about it, valid at every moment.

    recipe.toml         every choice
    run.json            state, versions, device, result, why it ended
    loss.f64            the loss before every update, little-endian float64, in order
    stamps.f64          pairs (steps taken, wall time): when the loss file had grown so far
    validation.f64      pairs (step, validation loss)
    evaluations.jsonl   a line for each evaluation: step, wall time, and every curve's value by its TensorBoard tag
    model.safetensors   weights, and as metadata the columns, normalization and target they belong to
    checkpoints/        what is needed to go on: arrays and plain facts
    events.out.…        TensorBoard's copy of the curves
    git.diff            how the work tree differed from its commit when the run began; not there where it did not
    log.txt             what happened, in words
    lock/               while a process writes: whose run it is (see `engine.runs.lock`)
    heartbeat           while a process writes: replaced every two seconds

Files are replaced whole or appended to; a reader never meets half of one.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.appending import AppendedFile, DiskRoom
from engine.base.errors import InputError
from engine.base.files import open_append, write_bytes, write_text
from engine.base.loss_history import History
from engine.base.printable import printable_json, printable_lines
from engine.base.sentence import record
from engine.base.versions import version
from engine.recipe import Known, Recipe
from engine.runs import sentences
from engine.runs.curves import read_evaluation_lines as read_evaluation_lines
from engine.runs.curves import read_evaluations as read_evaluations
from engine.runs.curves import read_pairs as read_pairs
from engine.runs.facts import FORMAT, clean, to_json
from engine.runs.facts import read_facts as read_facts
from engine.runs.liveness import UNFINISHED
from engine.runs.lock import Lock, LostError
from engine.runs.processes import own


def versions() -> dict[str, str]:
    """Versions of what the numbers may depend on. Imports nothing."""
    ours = {name: version(name) or "unknown" for name in ("ravine", "torch", "numpy")}
    return {"python": sys.version.split()[0]} | ours


def _of_sentence(ending: str) -> dict[str, Any]:
    """What run.json keeps beside the text of an ending, so that another language can say it."""
    kept = record(ending)
    return {"ending_id": kept.get("id"), "ending_fields": kept.get("fields")}


class RunFolder:
    """The folder of a run that is being written."""

    def __init__(
        self, path: Path, recipe: Recipe | Known, keep: tuple[int, int] | None = None, *, lock: Lock | None = None
    ) -> None:
        """Open a folder that exists.

        Args:
            recipe: what `recipe.toml` says; with what is known of it as well.
            keep: of what an earlier part of the run wrote, keep so many steps, and evaluations up to that step.
            lock: of the folder; the one who opens it has taken it, and `close` gives it back.
        """
        self.path = path
        self.room = DiskRoom()
        self._lock = lock
        self.checkpoints = path / "checkpoints"
        self.checkpoints.mkdir(exist_ok=True)
        write_text(path / "recipe.toml", recipe.to_toml())
        if keep is not None:
            self._cut(*keep)
        self.history = History(path / "loss.f64", keep=None if keep is None else keep[0], room=self.room)
        if keep is not None:
            self._fill(keep[0] - len(self.history))
        self._stamps = self._append("stamps.f64")
        self._validation = self._append("validation.f64")
        self._evaluations = self._append("evaluations.jsonl")
        self._log = self._append("log.txt")
        self._facts: dict[str, Any] = {}
        self._recipe: Recipe | Known | None = None  # the newest, where it has changed

    @classmethod
    def create(cls, recipe: Recipe | Known, table_name: str, *, locks: bool = True) -> RunFolder:
        """Make a new folder under the recipe's runs folder, and lock it. Raises InputError where that cannot be."""
        path = cls.reserve(recipe.recipe if isinstance(recipe, Known) else recipe, table_name)
        if not locks:
            return cls(path, recipe)
        lock = Lock.take(path)
        try:
            return cls(path, recipe, lock=lock)
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def reserve(recipe: Recipe, table_name: str) -> Path:
        """Make the new folder itself, empty. Raises InputError where that cannot be done."""
        runs = Path(recipe.recording.runs).expanduser()
        stem = re.sub(r"[^\w.+=-]+", "-", Path(table_name).stem)[:50].strip("-") or "table"
        given = recipe.recording.name
        name = given or f"{time.strftime('%Y%m%d-%H%M%S')}_{stem}_{recipe.normalization.normalize}"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            for attempt in range(1, 10_000):
                path = runs / (name if attempt == 1 else f"{name}-{attempt}")
                try:
                    path.mkdir()
                    return path
                except FileExistsError:
                    if given:
                        raise InputError(sentences.RUN_EXISTS(path=path)) from None
        except OSError as error:
            raise InputError(sentences.RUNS_READ_ONLY(path=runs, reason=error.strerror or error)) from None
        raise InputError(sentences.NO_NAME_LEFT(name=name, path=runs))

    @property
    def gone(self) -> bool:
        """Whether the folder was deleted or moved away: what is written to its open files is then lost with them."""
        try:
            os.stat(self.path / "loss.f64")
        except (FileNotFoundError, NotADirectoryError):
            return True
        return False

    def check(self) -> None:
        """Raise FileNotFoundError where the folder is gone, LostError where another process has taken it over."""
        lost: LostError | None = None
        try:
            if self._lock is not None:
                self._lock.check()
        except LostError as error:
            lost = error  # it went with its folder, or without
        if self.gone:
            raise FileNotFoundError(errno.ENOENT, sentences.FOLDER_GONE(), str(self.path))
        if lost is not None:
            raise lost

    def _append(self, name: str) -> AppendedFile:
        return self.room.open(open_append(self.path / name), self.path / name)

    def update_recipe(self, recipe: Recipe | Known) -> None:
        """Put a recipe in the place of the old, when events have been added."""
        self.check()
        self._recipe = recipe
        with self.room.forgiving():
            write_text(self.path / "recipe.toml", recipe.to_toml())

    def retry(self) -> bool:
        """Write what a full disk has refused of the run's own files; whether all of it is written now."""
        if not self.room.retry():
            return False
        if self._recipe is not None:
            self.update_recipe(self._recipe)
        self.record()
        return self.room.refused is None

    def record(self, **facts: Any) -> None:
        """Put facts into run.json, beside those already there. Raises OSError."""
        self.check()  # or a part of a deleted folder would look like a run
        self._facts.update(facts)
        if "ending" in facts:
            self._facts.update(_of_sentence(facts["ending"]))
        process = own()
        writer = {"host": process.host, "pid": process.pid, "process": process.to_dict()}
        content = {"format": FORMAT, **writer} | self._facts
        text = printable_json(json.dumps(clean(content), ensure_ascii=False, indent=1, allow_nan=False))
        with self.room.forgiving():
            write_text(self.path / "run.json", text)

    def cut_short(self) -> None:
        """Say of a run that is going on that it was interrupted, for its process ends at once. From any thread."""
        if self._facts.get("state") in UNFINISHED:
            words = sentences.INTERRUPTED_AT_ONCE()
            self.record(state="interrupted", ended_at=time.time(), ending=words)

    def append(self, losses: NDArray[np.float64], steps: int, wall_time: float) -> None:
        """Add the losses [n] before the last n of `steps` updates. Raises OSError, and what `check` raises."""
        self.check()
        self.history.append(losses)
        self._stamp(steps, wall_time)

    def stamp(self, steps: int, wall_time: float) -> None:
        """Note when the loss file had grown to `steps`. Raises OSError, also where the file is not there any more."""
        self.check()
        self._stamp(steps, wall_time)

    def _stamp(self, steps: int, wall_time: float) -> None:
        self._stamps.append(np.array([steps, wall_time], "<f8").tobytes())

    def validation(self, step: int, loss: float) -> None:
        """Add a validation loss."""
        self._validation.append(np.array([step, loss], "<f8").tobytes())

    def evaluation(self, step: int, wall_time: float, values: Mapping[str, float]) -> None:
        """Add the values of several curves. Raises OSError, and what `check` raises."""
        self.check()
        line = to_json({"step": step, "time": wall_time} | dict(values))
        self._evaluations.append(f"{line}\n".encode())

    def evaluations(self, last: int | None = None) -> list[tuple[int, dict[str, float]]]:
        """The evaluations written so far, up to a step: (step, values by tag)."""
        return read_evaluations(self.path, last)

    def _fill(self, lost: int) -> None:
        """Put NaN for losses that were lost before the disk had them, so that those that follow keep their rows."""
        while lost > 0:
            self.history.append(np.full(min(lost, 1 << 16), np.nan))
            lost -= 1 << 16

    def _cut(self, keep: int, evaluated: int) -> None:
        for name, last in (("stamps.f64", keep), ("validation.f64", evaluated)):
            steps, values = read_pairs(self.path / name)
            kept = steps <= last
            write_bytes(self.path / name, np.stack([steps[kept], values[kept]], axis=1).astype("<f8").tobytes())
        lines = [
            to_json({"step": step, "time": wall, **values})
            for step, wall, values in read_evaluation_lines(self.path)
            if step <= evaluated
        ]
        write_text(self.path / "evaluations.jsonl", "".join(f"{line}\n" for line in lines))

    def log(self, text: str) -> None:
        """Add a line, or a traceback, to log.txt."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        self._log.append(f"{stamp} {printable_lines(text.rstrip())}\n".encode())

    def close(self) -> None:
        """Have the disk keep everything and give back lock and files, but the history's, which may still be read."""
        self.history.sync()
        for file in (self._stamps, self._validation, self._evaluations, self._log):
            file.close()
        self.unlock()

    def unlock(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.release()
