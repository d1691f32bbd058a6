"""What is done to kept runs from their list: notes, tags, names, the trash, and back again. In threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from textual.message import Message

from engine.base.errors import InputError
from tui.keys.keymap import named
from tui.screens import sentences
from tui.tasks.background import in_background


@dataclass(frozen=True)
class Undo:
    """What takes back an action."""

    what: Literal["note", "tags", "rename", "delete"]
    run: Path  # where the run lies now; a deleted one in the trash
    note: str = ""  # what there was before, of each
    tags: tuple[str, ...] = ()
    name: str = ""


@dataclass
class Acted(Message):
    """Something has been done to a run, or why not."""

    run: Path
    now: Path | None  # where it lies now; None for one that was deleted
    words: str = ""
    problem: str = ""


class Keeper:
    """Does it, and remembers how to take it back.

    Args:
        post: takes `Acted`, from any thread.
    """

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._undos: list[Undo] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._undos)

    def note(self, run: Path, text: str) -> None:
        """Write a note; an empty one takes it away."""

        def work() -> Acted:
            from engine.runs import notes

            old = notes.read(run)
            new = notes.write(run, note=text)
            self._undos.append(Undo("note", run, note=old.note))
            return Acted(run, run, sentences.HAS_NOTE() if new.note else sentences.NOTE_GONE())

        self._do(run, work)

    def tags(self, run: Path, tags: Sequence[str]) -> None:
        """Give a run these tags."""

        def work() -> Acted:
            from engine.runs import notes

            old = notes.read(run)
            new = notes.write(run, tags=tags)
            self._undos.append(Undo("tags", run, tags=old.tags))
            return Acted(run, run, sentences.HAS_TAGS() if new.tags else sentences.TAGS_GONE())

        self._do(run, work)

    def rename(self, run: Path, name: str) -> None:
        """Give a run's folder another name."""

        def work() -> Acted:
            from engine.runs import keeping

            new = keeping.rename(run, name)
            self._moved(run, new)
            self._undos.append(Undo("rename", new, name=run.name))
            return Acted(run, new, sentences.CALLED_NOW(name=new.name))

        self._do(run, work)

    def delete(self, run: Path) -> None:
        """Put a run into the trash."""

        def work() -> Acted:
            from engine.runs import keeping

            place = keeping.delete(run)
            self._moved(run, place)
            self._undos.append(Undo("delete", place))
            return Acted(run, None, sentences.IN_TRASH(run=run.name, key=named("runs.undo")))

        self._do(run, work)

    def undo(self) -> None:
        """Take the last action back."""
        if self._undos:
            last = self._undos.pop()

            def work() -> Acted:
                try:
                    return self._back(last)
                except InputError:
                    if os.path.lexists(last.run):  # what stands in the way can be moved
                        self._undos.append(last)
                    raise

            self._do(last.run, work)

    def _back(self, last: Undo) -> Acted:
        from engine.runs import keeping, notes

        if last.what == "rename":
            old = keeping.rename(last.run, last.name)
            self._moved(last.run, old)
            return Acted(last.run, old, sentences.CALLED_AGAIN(name=old.name))
        if last.what == "delete":
            run = keeping.restore(last.run)
            self._moved(last.run, run)
            return Acted(last.run, run, sentences.IS_BACK(run=run.name))
        if last.what == "note":
            notes.write(last.run, note=last.note)
            return Acted(last.run, last.run, sentences.NOTE_AS_BEFORE())
        notes.write(last.run, tags=last.tags)
        return Acted(last.run, last.run, sentences.TAGS_AS_BEFORE())

    def _moved(self, old: Path, new: Path) -> None:
        """What takes back earlier actions finds the run in its new place."""
        self._undos = [replace(undo, run=new) if undo.run == old else undo for undo in self._undos]

    def _do(self, run: Path, work: Callable[[], Acted]) -> None:
        def done() -> None:
            try:
                self._post(work())
            except InputError as error:
                self._post(Acted(run, run, problem=str(error)))
            except OSError as error:
                self._post(Acted(run, run, problem=f"{error.filename or run}: {error.strerror or error}."))

        in_background(done, "keeping", lambda words: self._post(Acted(run, run, problem=words)))
