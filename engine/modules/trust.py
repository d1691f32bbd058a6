"""Whose Python code may run: what was asked for in this process, and a person's record of what they ran or confirmed.

A run folder can claim anything of itself, so the record lies outside of it, in the person's state folder. It holds
marks (file, SHA-256 of its content, mark): "" for a file that may be imported, "module:function" for what may be
called, and the SHA-256 of an earlier content whose change to this one was accepted.
"""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from engine.base.errors import InputError, Untrusted
from engine.base.files import open_regular, write_bytes

Mark: TypeAlias = tuple[str, str, str]

NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")  # module:function or module:Class
FORMAT = 1
MOST = 1 << 22  # bytes of the record
FILES, CONTENTS = 1000, 16  # files that are kept in mind, and contents of each; the oldest are forgotten

_lock = threading.Lock()
_asked: set[str] = set()
_everything = False
_marks: set[Mark] = set()  # of this process, also where the record cannot be written


def ask(name: object) -> None:
    """A person typed this name. What is no module:function means nothing here."""
    if isinstance(name, str) and NAME.fullmatch(name.strip()):
        _asked.add(name.strip())


def ask_table(name: object) -> None:
    """The same of a table, which may also be a file that is called so: then no module is meant."""
    if isinstance(name, str) and not os.path.lexists(name.strip()):
        ask(name)


def asked(name: str) -> bool:
    """Whether a person asked for this name in this process, or for everything."""
    return _everything or name in _asked


def everything() -> bool:
    """Whether everything is trusted for now."""
    return _everything


@contextmanager
def given(trust: bool = True) -> Iterator[None]:
    """Trust everything inside, where `trust` says so: what --trust means."""
    global _everything
    before, _everything = _everything, _everything or trust
    try:
        yield
    finally:
        _everything = before


@contextmanager
def scope() -> Iterator[None]:
    """What is asked for inside is not asked for afterwards."""
    before = set(_asked)
    try:
        yield
    finally:
        _asked.clear()
        _asked.update(before)


def known(file: str, sha256: str, mark: str = "") -> bool:
    """Whether the record has this mark."""
    wanted = (file, sha256, mark)
    with _lock:
        if wanted not in _marks:
            _marks.update(_flat(_read()))
        return wanted in _marks


def add(marks: Iterable[Mark]) -> None:
    """Record marks. A record that cannot be written holds for this process only."""
    new = list(dict.fromkeys(marks))
    if all(known(*mark) for mark in new):
        return
    with _lock:
        _marks.update(new)
        tree = _read()
        for file, sha256, mark in new:
            contents = tree.pop(file, {})
            said = contents.pop(sha256, [])
            contents[sha256] = said if mark in said else [*said, mark]
            tree[file] = dict(list(contents.items())[-CONTENTS:])
        with suppress(OSError):  # a home that cannot be written: it is asked again next time
            _write(dict(list(tree.items())[-FILES:]))


def confirm(error: Untrusted) -> None:
    """The person looked at what would run, and wants it: it is not asked again."""
    for name in error.names:
        ask(name)
    add(error.grants)


def record() -> Path:
    """Where the record is kept."""
    from platformdirs import user_state_path

    return user_state_path("ravine", appauthor=False) / "trusted.json"


def _read() -> dict[str, dict[str, list[str]]]:
    """The record; empty where there is none, where it is damaged, or where others could have written it."""
    try:
        with open_regular(record(), MOST) as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return {}
            found = json.loads(file.read(MOST))
        if found["format"] != FORMAT:
            return {}
        return {
            str(file): {str(sha256): [str(mark) for mark in marks] for sha256, marks in contents.items()}
            for file, contents in found["trusted"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, InputError):
        return {}  # nothing is trusted then, and the person is asked


def _flat(tree: dict[str, dict[str, list[str]]]) -> set[Mark]:
    return {
        (file, sha256, mark) for file, contents in tree.items() for sha256, marks in contents.items() for mark in marks
    }


def _write(tree: dict[str, dict[str, list[str]]]) -> None:
    """Replace the record by one that only its owner can read. Raises OSError."""
    path = record()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, json.dumps({"format": FORMAT, "trusted": tree}, indent=1).encode(), private=True)
