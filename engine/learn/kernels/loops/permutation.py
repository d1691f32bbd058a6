"""numpy's random permutations, bit for bit, where no interpreter is at hand.

`stream(seed, purpose, epoch).permutation(n)` costs 15 µs before the first row is drawn, as much as an epoch of a small
table takes. These are its three parts: SeedSequence (O'Neill's seed_seq mixing), PCG64 (O'Neill 2014, XSL-RR
128/64), and the shuffle of Generator (Fisher and Yates, with masked rejection). numpy may change them between versions:
`faithful` tells whether these still agree.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.base.random_streams import stream
from engine.learn.kernels.loops.jit import jit, part

Longs = NDArray[np.uint64]

ROOM = 12  # words that `permute` works in
_32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_MULTIPLIER_HIGH, _MULTIPLIER_LOW = np.uint64(2549297995355413924), np.uint64(4865540595714422341)


def _hashes(constant: int, multiplier: int, count: int) -> tuple[Longs, Longs]:
    """What SeedSequence's hash takes at its first calls: a word to XOR with, and one to multiply by."""
    words = [constant]
    for _ in range(count):
        words.append(words[-1] * multiplier & 0xFFFFFFFF)
    return np.array(words[:-1], np.uint64), np.array(words[1:], np.uint64)


_MIX, _MIX_BY = _hashes(0x43B0D7E5, 0x931E8875, 16)
_GIVE, _GIVE_BY = _hashes(0x8B51F9DD, 0x58F38DED, 8)
_LEFT, _RIGHT = np.uint64(0xCA01F9DD), np.uint64(0x4973F715)
_16 = np.uint64(16)


def entropy(seed: int, purpose: str) -> tuple[Longs, int]:
    """SeedSequence([seed, crc32(purpose), epoch]) begins with these words [4]; and the place of the epoch in them."""
    words = [seed & 0xFFFFFFFF, *([seed >> 32] if seed >> 32 else []), crc32(purpose.encode())]
    return np.array(words + [0] * (4 - len(words)), np.uint64), len(words)


@part
def _hashed(word: Any, first: Any, second: Any) -> Any:
    word = ((word ^ first) * second) & _LOW
    return word ^ (word >> _16)


@part
def _seed(words: Longs, pool: Longs, seed: Longs) -> None:
    """seed [4] = SeedSequence(words).generate_state(4, uint64), with a pool [4] to work in."""
    call = 4
    for i in range(4):
        pool[i] = _hashed(words[i], _MIX[i], _MIX_BY[i])
    for source in range(4):
        for target in range(4):
            if source != target:
                other = _hashed(pool[source], _MIX[call], _MIX_BY[call])
                call += 1
                mixed = (pool[target] * _LEFT - other * _RIGHT) & _LOW
                pool[target] = mixed ^ (mixed >> _16)
    for i in range(4):
        low = _hashed(pool[2 * i % 4], _GIVE[2 * i], _GIVE_BY[2 * i])
        high = _hashed(pool[(2 * i + 1) % 4], _GIVE[2 * i + 1], _GIVE_BY[2 * i + 1])
        seed[i] = low | (high << _32)


@part
def _high(a: Any, b: Any) -> Any:
    """The upper 64 bits of a product of two 64 bit numbers."""
    a0, a1, b0, b1 = a & _LOW, a >> _32, b & _LOW, b >> _32
    middle = a1 * b0 + ((a0 * b0) >> _32)
    return a1 * b1 + (middle >> _32) + (((middle & _LOW) + a0 * b1) >> _32)


@part
def _stepped(generator: Longs) -> None:
    """generator = [state high, state low, increment high, increment low]: state * multiplier + increment."""
    high, low = generator[0], generator[1]
    product = low * _MULTIPLIER_LOW
    total = product + generator[3]
    carry = np.uint64(1) if total < product else np.uint64(0)
    generator[0] = _high(low, _MULTIPLIER_LOW) + high * _MULTIPLIER_LOW + low * _MULTIPLIER_HIGH + generator[2] + carry
    generator[1] = total


@part
def _start(seed: Longs, generator: Longs) -> None:
    """PCG64 from its seed [4]."""
    generator[0] = generator[1] = np.uint64(0)
    generator[2] = (seed[2] << np.uint64(1)) | (seed[3] >> np.uint64(63))
    generator[3] = (seed[3] << np.uint64(1)) | np.uint64(1)
    _stepped(generator)
    low = generator[1] + seed[1]
    generator[0] += seed[0] + (np.uint64(1) if low < seed[1] else np.uint64(0))
    generator[1] = low
    _stepped(generator)


@part
def _drawn(generator: Longs) -> Any:
    _stepped(generator)
    mixed, turn = generator[0] ^ generator[1], generator[0] >> np.uint64(58)
    return (mixed >> turn) | (mixed << ((np.uint64(64) - turn) & np.uint64(63)))


@jit
def permute(out: NDArray[np.int64], words: Longs, place: int, first: int, room: Longs) -> None:
    """Put permutations of 0 … n - 1 into out [epochs, n]: those of the streams of the epochs from `first` on, < 2^32.

    Args:
        words: [4], which with `place` come from `entropy`; the epoch's is written over.
        room: [ROOM], to work in.
    """
    n = out.shape[1]
    generator, seed, pool = room[:4], room[4:8], room[8:12]
    widest = np.uint64(0)
    while widest < np.uint64(n - 1):
        widest = (widest << np.uint64(1)) | np.uint64(1)
    for epoch in range(len(out)):
        words[place] = first + epoch
        _seed(words, pool, seed)
        _start(seed, generator)
        spare, kept = False, np.uint64(0)  # a draw of 64 bits gives two of 32
        for i in range(n):
            out[epoch, i] = i
        mask = widest
        for i in range(n - 1, 0, -1):
            while mask >> np.uint64(1) >= np.uint64(i):
                mask >>= np.uint64(1)
            j = np.int64(i + 1)
            while j > i:
                if spare:
                    word, spare = kept, False
                else:
                    both = _drawn(generator)
                    word, kept, spare = both & _LOW, both >> _32, True
                j = np.int64(word & mask)
            out[epoch, i], out[epoch, j] = out[epoch, j], out[epoch, i]


@cache
def faithful() -> bool:
    """Whether this gives what numpy gives."""
    out = np.empty((2, 1000), np.int64)
    for seed, epoch in ((0, 0), (7, 3), (2**63 - 1, 2**32 - 2)):
        permute(out, *entropy(seed, "order"), epoch, np.empty(ROOM, np.uint64))
        wanted = [stream(seed, "order", epoch + i).permutation(1000) for i in range(2)]
        if not np.array_equal(out, wanted):
            return False
    return True
