"""How often a classifier takes one class for another. Loaded with the first weights of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tui.cells import Span, left, right
from tui.numbers import count
from tui.theme import Ink

if TYPE_CHECKING:
    from engine.data.prepare import Prepared, Rows
    from engine.snapshot import Weights

Counts = NDArray[np.int64]
MOST = 20_000  # rows that are looked at, evenly spread


def heading(prepared: Prepared) -> str:
    """What the table is."""
    return f"confusion · {prepared.target}: actual ↓ decided →"


def counts(prepared: Prepared, rows: Rows, weights: Weights) -> Counts:
    """[actual, decided] numbers of rows, by the weights of a logistic or softmax model."""
    take = np.linspace(0, len(rows.y) - 1, min(len(rows.y), MOST)).astype(np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        scores = np.asarray(rows.x[take], np.float64) @ weights.scaled + weights.bias_scaled
    decided = (scores[:, 0] > 0).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)
    size = len(prepared.classes)
    actual = np.asarray(rows.y[take], np.int64)
    return np.bincount(actual * size + decided, minlength=size * size).reshape(size, size)


def confusion(prepared: Prepared, weights: Weights, ink: Ink, width: int, height: int) -> list[list[Span]]:
    """The table of the train rows, and of the validation rows where there is room."""
    lines: list[list[Span]] = []
    for name, rows in (("train", prepared.train), ("validation", prepared.validation)):
        if len(rows.y) and len(lines) + 3 <= height:
            lines += _table(name, counts(prepared, rows, weights), prepared.classes, ink, width)
    return lines


def _table(name: str, table: Counts, classes: tuple[str, ...], ink: Ink, width: int) -> list[list[Span]]:
    size = max(5, min(12, max(len(c) for c in classes) + 2, (width - 14) // (len(classes) + 1)))
    shown = max(1, min(len(classes), (width - 13 - 8) // size))
    share = 100 * int(np.trace(table)) / max(1, int(table.sum()))
    style = ink.train if name == "train" else ink.validation
    head: list[Span] = [(left(f" {name}", 13), style)]
    head += [(right(one, size), ink.dim) for one in classes[:shown]]
    lines = [head]
    for index, one in enumerate(classes):
        line: list[Span] = [(left(f" {one}", 13), ink.dim)]
        for other in range(shown):
            value = int(table[index, other])
            right_one = index == other
            line.append((right(count(value), size), ink.strong if right_one else ink.bad if value else ink.faint))
        lines.append(line)
    lines.append([(left("", 13), ink.dim), (f" {share:.1f} % right", ink.text)])
    return lines
