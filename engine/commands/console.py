"""Exit codes and streams that every command shares. stdout is data, stderr is narration.

Everything that is printed goes out here, and nothing of it is obeyed by a terminal: see `engine.base.printable`.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from engine.base.printable import printable, printable_lines

DONE, FAILED, WRONG, DIVERGED, INTERRUPTED = 0, 1, 2, 3, 130

words: list[str] = []  # the command line that is obeyed, for the record


def open_streams() -> None:
    """Stand in for standard streams that were closed, or the run's own files would take their numbers.

    What a stream's encoding cannot say is written to it as an escape.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        if number and isinstance(stream, io.TextIOWrapper) and stream.errors != "backslashreplace":
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Narrate a line on stderr, with all that names bring into it made visible.

    A terminal that is gone does not hear it, and the work goes on.
    """
    with suppress(OSError):
        print(printable(text), file=sys.stderr, flush=True)  # noqa: T201


def ask(question: str) -> str:
    """Ask on stderr; the line that is typed."""
    sys.stderr.write(printable(question))
    sys.stderr.flush()
    return sys.stdin.readline()


def put(text: str) -> None:
    """Data on stdout, in lines. What names bring into it is made visible, on a pipe as on a terminal."""
    text = printable_lines(text)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def put_lines(lines: Iterable[str]) -> None:
    """Data on stdout that is made a piece at a time; each piece ends with its newline."""
    sys.stdout.writelines(map(printable_lines, lines))


def put_json(value: Any) -> None:
    """One JSON object on stdout: the exact value of every name, with \\u escapes for what a terminal would obey."""
    from engine.runs.facts import to_json

    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(to_json(value, ascii=not unicode) + "\n")


def hush() -> None:
    """Send what stdout still holds nowhere, so that it is not tried once more at exit."""
    with suppress(OSError, io.UnsupportedOperation):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def table(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    """Lines of aligned cells; `right`: the numbers of the columns that are aligned to the right."""
    columns = []
    for i, column in enumerate(zip(*(map(printable, row) for row in rows), strict=True)):
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
