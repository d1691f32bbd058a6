"""Words of a command line to be pasted into a shell: quoted, and without a character that a terminal would obey.

A terminal takes what is pasted for keys, quotes or not: a Ctrl+C and a newline in a name would end the line and begin
another. Such characters are written as `$'…'` has them, which bash, zsh, ksh and POSIX 2024 know.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from engine.base.printable import printable


def quoted(word: str | os.PathLike[str]) -> str:
    """One word as a shell reads it back, on one line, every character of it shown."""
    text = os.fspath(word)
    if printable(text) == text:
        import shlex

        return shlex.quote(text)
    return "$'" + "".join(map(_escaped, text)) + "'"


def joined(words: Iterable[str | os.PathLike[str]]) -> str:
    """A command line from its words."""
    return " ".join(map(quoted, words))


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if printable(letter) == letter:
        return letter
    # Bytes of UTF-8 in octal: three digits always end it. A byte that is no UTF-8 stands for itself (PEP 383).
    errors = "surrogateescape" if "\udc80" <= letter <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", errors))
