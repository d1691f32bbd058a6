"""Exit codes, streams and flags that every command shares. stdout is data, stderr is narration."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from cyclopts import Parameter

DONE, FAILED, WRONG, DIVERGED, INTERRUPTED = 0, 1, 2, 3, 130

RunName = Annotated[str, Parameter(name="RUN", help="A path, a folder name, a unique beginning of one, or last.")]
RunsFolder = Annotated[str, Parameter(help="The folder that holds the run folders.")]
Json = Annotated[bool, Parameter(negative=(), help="Print one JSON object on stdout.")]


def say(text: str) -> None:
    """Narrate on stderr; a terminal that is gone does not hear it, and the work goes on."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def put(text: str) -> None:
    """Data on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def table(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    """Lines of aligned cells; `right`: the numbers of the columns that are aligned to the right."""
    from wcwidth import wcswidth

    widths = [max(max(wcswidth(row[i]), 0) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = []
        for i, cell in enumerate(row):
            space = " " * (widths[i] - max(wcswidth(cell), 0))
            cells.append(space + cell if i in right else cell + space)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def size(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
