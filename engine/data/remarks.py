"""Sentences on what is odd about values that a model is to be used on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.data import sentences
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
        sentences.OUTSIDE(column=wanted.name, values=beyond, low=wanted.show(wanted.low), high=wanted.show(wanted.high))
    ]


def filled(wanted: Input, missing: int) -> list[str]:
    """On cells that are missing."""
    if not missing:
        return []
    return [sentences.FILLED(column=wanted.name, cells=missing, value=shown(wanted.show(wanted.typical)))]


def unknown(wanted: Input, texts: Sequence[str], held: Codes, strange: list[int]) -> list[str]:
    """On categories (`strange`, codes that stand for texts) that the train rows do not have, among the cells held."""
    counts = np.bincount(held[held >= 0], minlength=len(texts))
    there = [code for code in strange if counts[code]]
    if not there:
        return []
    listed = ", ".join(shown(texts[code]) for code in there[:5]) + (" …" if len(there) > 5 else "")
    rows = int(counts[there].sum())
    return [
        sentences.UNKNOWN_CATEGORY(column=wanted.name, values=listed, rows=rows, category=shown(wanted.categories[0]))
    ]
