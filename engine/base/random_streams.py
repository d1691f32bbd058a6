"""Random numbers, one independent stream for each use.

Every number that is drawn at random (rows, initial parameters, batch order, splits) comes from a numpy stream keyed by
(seed, purpose, epoch). No use can disturb another, any epoch's order can be drawn without the ones before it, and
the numbers are the same for every kernel and device.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np


def stream(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """The generator for one purpose.

    Args:
        seed: the person's seed, >= 0.
        purpose: what the numbers are for, such as "order" or "split".
        epoch: pass number, for streams that begin anew every epoch.
    """
    key = np.random.SeedSequence([seed, crc32(purpose.encode()), epoch])
    return np.random.Generator(np.random.PCG64(key))
