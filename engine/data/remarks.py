"""Sentences on what is odd about values that a model is to be used on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.data.inputs import Input
from engine.data.table import Codes, Floats, shown


def outside(wanted: Input, values: Floats) -> list[str]:
    """On numbers beyond the range of the train rows."""
    assert wanted.low is not None
    assert wanted.high is not None
    beyond = int(np.count_nonzero((values < wanted.low) | (values > wanted.high)))
    if not beyond:
        return []
    return [
        f"{wanted.name}: {_times(beyond, 'value lies', 'values lie')} outside {wanted.show(wanted.low)} to "
        f"{wanted.show(wanted.high)}, the range of the train rows."
    ]


def filled(wanted: Input, missing: int) -> list[str]:
    """On cells that are missing."""
    if not missing:
        return []
    count = _times(missing, "missing value", "missing values")
    return [f"{wanted.name}: {count} filled with {shown(wanted.show(wanted.typical))}."]


def unknown(wanted: Input, texts: Sequence[str], held: Codes, strange: list[int]) -> list[str]:
    """On categories (`strange`, codes that stand for texts) that the train rows do not have, among the cells held."""
    counts = np.bincount(held[held >= 0], minlength=len(texts))
    there = [code for code in strange if counts[code]]
    if not there:
        return []
    listed = ", ".join(shown(texts[code]) for code in there[:5]) + (" …" if len(there) > 5 else "")
    rows = int(counts[there].sum())
    return [
        f"{wanted.name}: {listed} ({_times(rows, 'row', 'rows')}) never occurs in the train rows and is encoded as "
        f"none of its categories, which the model reads like {shown(wanted.categories[0])}."
    ]


def _times(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
