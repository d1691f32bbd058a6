"""Exit codes and streams that every command shares. stdout is data, stderr is narration."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

DONE, FAILED, WRONG, DIVERGED, INTERRUPTED = 0, 1, 2, 3, 130

words: list[str] = []  # the command line that is obeyed, for the record


def say(text: str) -> None:
    """Narrate on stderr; a terminal that is gone does not hear it, and the work goes on."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def put(text: str) -> None:
    """Data on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def hush() -> None:
    """Send what stdout still holds nowhere, so that it is not tried once more at exit."""
    with suppress(OSError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def table(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    """Lines of aligned cells; `right`: the numbers of the columns that are aligned to the right."""
    columns = []
    for i, column in enumerate(zip(*rows, strict=True)):
        sizes = [_columns(cell) for cell in column]
        width = max(sizes)
        if i in right:
            columns.append([" " * (width - size) + cell for cell, size in zip(column, sizes, strict=True)])
        else:
            columns.append([cell + " " * (width - size) for cell, size in zip(column, sizes, strict=True)])
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*columns, strict=True))


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    from wcwidth import wcswidth

    return max(wcswidth(text), 0)


def some(names: Sequence[str], most: int = 8) -> str:
    """The first of many names, as a sentence has room for them."""
    told = ", ".join(names[:most]) or "none"
    return f"{told} and {len(names) - most:,} more" if len(names) > most else told


def size(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
