"""Safetensors files, which somebody may have edited or a crash have cut off: read whole, or refused in a sentence."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base import shape
from engine.base.files import open_regular
from engine.base.shape import Misshapen
from engine.devices.room import check_room
from engine.runs import sentences

MOST_HEADER = 100_000_000  # bytes, as the format itself has it


def read(path: Path, key: str) -> tuple[dict[str, NDArray[Any]], Any]:
    """The arrays of a file by name, and the value of the JSON text under a key of its metadata.

    Raises:
        FileNotFoundError: there is none.
        InputError: it is no plain file, or larger than the free memory.
        Misshapen: with the phrase for what is wrong with it.
    """
    with open_regular(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MOST_HEADER):
            raise Misshapen(sentences.NOT_SAFETENSORS())
    check_room(size, partial(sentences.WEIGHTS_NEED_MEMORY, path=path))
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as opened:
            arrays = {name: np.asarray(opened.get_tensor(name)) for name in opened.keys()}  # noqa: SIM118 (not a dict)
            text = (opened.metadata() or {}).get(key)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError, OverflowError) as error:
        # numpy has none of the short formats that a file may name
        raise Misshapen(
            str(error).splitlines()[0].rstrip(".")[:200] if str(error) else sentences.IS_DAMAGED()
        ) from None
    if text is None:
        raise Misshapen(sentences.NO_METADATA(key=key))
    return arrays, shape.parse(text)
