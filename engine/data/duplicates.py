"""Rows that occur in more than one part of a split: they make held-out losses look better than they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.data.parallel import blocks
from engine.data.table import Floats

_FIRST_COLUMNS = 2
Keys = NDArray[np.uint64]


def shared(x: Floats, y: Floats, other_x: Floats, other_y: Floats) -> int:
    """How many rows of `other` equal a row of x [n, d] and y [n] in every feature and the target.

    Rows are compared by 64-bit keys: first of a few columns, which settles most tables, then of all of them.
    """
    if not len(y) or not len(other_y):
        return 0
    few = min(_FIRST_COLUMNS, x.shape[1])
    keys, other_keys = _keys(x[:, :few], y), _keys(other_x[:, :few], other_y)
    mine = _maybe_in(keys, other_keys)
    suspects = np.flatnonzero(np.isin(other_keys, keys[mine]))
    if not suspects.size or few == x.shape[1]:
        return int(suspects.size)
    mine = mine[np.isin(keys[mine], other_keys[suspects])]
    whole, other_whole = _keys(x, y, mine), _keys(other_x, other_y, suspects)
    return int(np.count_nonzero(np.isin(other_whole, whole)))


def _maybe_in(keys: Keys, wanted: Keys) -> NDArray[np.int64]:
    """Where a key may be one of the wanted: by its lowest bits alone, which needs no sorting."""
    bits = np.uint64(min(24, max(8, len(wanted).bit_length() + 6)))
    mask = (np.uint64(1) << bits) - np.uint64(1)
    there = np.zeros(int(mask) + 1, dtype=np.bool_)
    there[wanted & mask] = True
    return np.flatnonzero(there[keys & mask])


def _keys(x: Floats, y: Floats, rows: NDArray[np.int64] | None = None) -> Keys:
    """A key for each row: the bits of its numbers times fixed odd random factors, summed and mixed modulo 2^64."""
    random = np.random.Generator(np.random.PCG64(20_260_101))
    factors = random.integers(0, 2**63, size=x.shape[1] + 1, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    count = len(y) if rows is None else len(rows)
    keys = np.empty(count, dtype=np.uint64)
    for block in blocks(count):
        taken = block if rows is None else rows[block]
        # Adding 0.0 makes -0.0 the 0.0 that it equals.
        bits = np.ascontiguousarray(x[taken] + 0.0).view(np.uint64)
        ends = np.ascontiguousarray(y[taken] + 0.0).view(np.uint64)
        mixed = _mix(bits) * factors[:-1]
        keys[block] = mixed.sum(axis=1, dtype=np.uint64) + _mix(ends) * factors[-1]
    return keys


def _mix(bits: Keys) -> Keys:
    """Spread every bit over the word (the finalizer of SplitMix64, Steele, Lea & Flood, 2014)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
