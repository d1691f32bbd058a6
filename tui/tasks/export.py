"""A run written for other programs, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from textual.message import Message

from engine.base.errors import Cancelled, InputError, Untrusted
from tui.look.numbers import volume
from tui.tasks import sentences
from tui.tasks.background import in_background
from tui.tasks.survey import PROGRESS


@dataclass
class Exported(Message):
    """How it goes: words while it is written and at its end, a problem, or a file that stands in the way."""

    words: str = ""
    problem: str = ""
    there: str = ""
    done: bool = False
    untrusted: Untrusted | None = None  # code that has to be asked about first


class Exporter:
    """Writes one run at a time.

    Args:
        post: takes `Exported`, from any thread.
    """

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._given_up = threading.Event()

    def start(self, run: Path, format: str, text: str, *, overwrite: bool = False) -> None:
        """Write it to the path that a person typed."""
        self._given_up.set()
        given_up = self._given_up = threading.Event()
        in_background(
            lambda: self._work(run, format, text, overwrite, given_up),
            "export",
            lambda words: self._post(Exported(problem=words, done=True)),
        )

    def cancel(self) -> None:
        """Give it up; no file is left."""
        self._given_up.set()

    def _work(self, run: Path, format: str, text: str, overwrite: bool, given_up: threading.Event) -> None:
        from engine.runs.export import FileThere, warning, write
        from engine.runs.formats import REGISTRY

        due = monotonic() + PROGRESS

        def progress(done: int) -> None:
            nonlocal due
            if monotonic() >= due and not given_up.is_set():
                due = monotonic() + PROGRESS
                self._post(Exported(sentences.WRITTEN_SO_FAR(size=volume(done), path=text)))

        try:
            path = Path(text).expanduser()
            written = write(run, format, path, overwrite=overwrite, progress=progress, cancelled=given_up.is_set)
            size = sum(file.stat().st_size for file in written)
        except Cancelled:
            return
        except FileThere as error:
            self._post(Exported(there=str(error)))
        except Untrusted as error:
            self._post(Exported(problem=str(error), done=True, untrusted=error))
        except InputError as error:
            self._post(Exported(problem=str(error), done=True))
        else:
            told = warning(REGISTRY[format], run, run.parent)
            self._post(
                Exported(
                    sentences.WROTE(files=[str(file) for file in written], size=volume(size), warning=told), done=True
                )
            )


def offered(run: Path, ending: str) -> str:
    """The path that is offered: in the present folder, named after the run."""
    return f"{run.name}{ending}"
