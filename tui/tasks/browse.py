"""What lies in a folder, for the file picker: looked up in a thread, for a folder may be on a slow disk far away."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from tui.tasks import sentences
from tui.tasks.background import in_background

ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".parquet", ".pq", ".npz")
PACKED = (".gz", ".zst")
MOST = 20_000  # entries that are looked at


@dataclass(frozen=True)
class Entry:
    """A file or a folder."""

    path: Path
    folder: bool
    size: int = 0

    @property
    def usable(self) -> bool:
        """Whether its name ends as a table's does."""
        name = self.path.name.lower()
        for packed in PACKED:
            name = name.removesuffix(packed)
        return not self.folder and name.endswith(ENDINGS)


@dataclass
class FolderRead(Message):
    """The entries of a folder: folders first, then tables, then the rest; or why it cannot be read."""

    folder: Path
    entries: tuple[Entry, ...]
    problem: str = ""


def read_folder(folder: Path) -> FolderRead:
    """The entries of a folder."""
    found: list[Entry] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(found) >= MOST:
                    break
                try:
                    is_folder = entry.is_dir()
                    size = 0 if is_folder else entry.stat().st_size
                except OSError:
                    continue  # a link that leads nowhere
                found.append(Entry(Path(entry.path), is_folder, size))
    except OSError as error:
        return FolderRead(folder, (), sentences.FOLDER_UNREADABLE(path=folder, reason=error.strerror or error))
    found.sort(key=lambda one: (not one.folder, not one.usable, one.path.name.lower()))
    return FolderRead(folder, tuple(found))


def ask_for_folder(folder: Path, post: Callable[[Message], Any]) -> None:
    """Look into a folder in a thread. Answers with FolderRead."""
    in_background(lambda: post(read_folder(folder)), "folder", lambda words: post(FolderRead(folder, (), words)))


def parted(text: str) -> tuple[Path, str]:
    """A typed path as the folder to look into and the beginning of a name in it."""
    head, slash, tail = text.rpartition("/")
    folder = Path(head + slash).expanduser() if slash else Path()
    return Path(os.path.abspath(folder)), tail


def matching(entries: tuple[Entry, ...], part: str) -> list[Entry]:
    """The entries whose names begin with a part, then those that have it elsewhere; hidden ones only when meant."""
    low = part.lower()
    shown = [one for one in entries if part.startswith(".") or not one.path.name.startswith(".")]
    first = [one for one in shown if one.path.name.lower().startswith(low)]
    return first + [one for one in shown if low in one.path.name.lower()[1:] and one not in first] if low else first


def common(names: list[str]) -> str:
    """The beginning that all names share."""
    if not names:
        return ""
    low, high = min(names), max(names)
    return low[: next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))]
