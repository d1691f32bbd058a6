"""Curves written as CSV files, in a thread: a million lines take a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui.tasks.background import in_background
from tui.watch import sentences

if TYPE_CHECKING:
    from engine.watch.curve import LoggedCurve


def export(curves: Mapping[str, LoggedCurve], folder: Path) -> list[Path]:
    """Write curves as CSV, one file each, named after the keys; none that is there is written over. Raises OSError."""
    import re

    from engine.base.files import creating
    from engine.watch.export import csv

    written = []
    for name, curve in curves.items():
        plain = re.sub(r"[^\w.=+-]+", "_", name).strip("._") or "curve"
        for number in range(1, 10_000):
            path = folder / (f"{plain[:120]}.csv" if number == 1 else f"{plain[:120]}-{number}.csv")
            try:
                with creating(path) as file:
                    file.writelines(line.encode() for line in csv(curve))
            except FileExistsError:
                continue
            written.append(path)
            break
    return written


def start_export(curves: Mapping[str, LoggedCurve], folder: Path, told: Callable[[str, bool], object]) -> None:
    """Write them in a thread.

    Args:
        told: takes how it went, in that thread: a sentence, and whether it is a problem.
    """

    def work() -> None:
        try:
            written = export(curves, folder)
        except OSError as error:
            told(sentences.NOT_WRITTEN(reason=error.strerror or error), True)
            return
        told(sentences.WRITTEN(file=written[0].name, more=len(written) - 1, folder=folder), False)

    in_background(work, "writing", lambda words: told(words, True))
