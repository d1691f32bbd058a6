"""Summaries that are no scalars, made readable: text, histograms, hyperparameters."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.watch.message import BYTES, FIXED64, STRING, VARINT, MalformedError, Other, fields, signed, varint

LONGEST_TEXT = 1 << 16  # bytes of a text that are kept
Choice = float | bool | str
STATUS = {0: "", 1: "success", 2: "failure", 3: "running"}


@dataclass(frozen=True)
class Text:
    """Words that a run logged, in Markdown as a rule."""

    step: int
    wall: float
    text: str


@dataclass(frozen=True)
class LoggedHistogram:
    """How values were spread."""

    step: int
    wall: float
    buckets: NDArray[np.float64]  # [buckets, 3] left edge, right edge, count


@dataclass(frozen=True)
class HParamsSession:
    """What the hparams plugin was told: choices by name, or how it ended."""

    choices: Mapping[str, Choice] | None = None
    status: str = ""


def text(data: bytes, other: Other) -> str | None:
    """The texts of a tensor of strings, joined by lines; None for another tensor."""
    parts: list[str] = []
    dtype = 0
    for number, kind, first, last in fields(data, other.start, other.stop):
        if number == 1 and kind == VARINT:
            dtype = varint(data, first, last)[0]
        elif number == 8 and kind == BYTES:
            parts.append(data[first : min(last, first + LONGEST_TEXT)].decode("utf-8", "replace"))
    return "\n".join(parts)[:LONGEST_TEXT] if dtype == STRING else None


def histogram(data: bytes, other: Other) -> NDArray[np.float64] | None:
    """The buckets [n, 3] of a histogram, of the new kind (a tensor) or the old; None where it is none."""
    if other.kind == "histogram":
        return _old_histogram(data, other)
    sizes: list[int] = []
    dtype, numbers = 0, np.empty(0)
    for number, kind, first, last in fields(data, other.start, other.stop):
        if number == 1 and kind == VARINT:
            dtype = varint(data, first, last)[0]
        elif number == 2 and kind == BYTES:
            for inner, wire, begin, end in fields(data, first, last):
                if inner == 2 and wire == BYTES:
                    sizes += [
                        signed(varint(data, b, e)[0]) for n, w, b, e in fields(data, begin, end) if n == 1 and not w
                    ]
        elif number in (4, 5, 6) and kind == BYTES:
            form = "<f8" if number == 6 or (number == 4 and dtype == 2) else "<f4"
            numbers = np.frombuffer(data[first : last - (last - first) % int(form[2])], form)
    if len(sizes) != 2 or sizes[1] != 3 or numbers.size != sizes[0] * 3:
        return None
    return numbers.reshape(-1, 3).astype(np.float64)


def _old_histogram(data: bytes, other: Other) -> NDArray[np.float64] | None:
    """HistogramProto: least, greatest, right edges and counts. Empty buckets at the ends are left out, and the outer
    edges are the least and the greatest value, as TensorBoard itself does it."""
    low = high = 0.0
    edges: list[float] = []
    counts: list[float] = []
    for number, kind, first, last in fields(data, other.start, other.stop):
        if kind == FIXED64:
            (value,) = struct.unpack_from("<d", data, first)
            low, high = (value if number == 1 else low), (value if number == 2 else high)
            if number in (6, 7):
                (edges if number == 6 else counts).append(value)
        elif number in (6, 7) and kind == BYTES:
            (edges if number == 6 else counts).extend(np.frombuffer(data[first:last], "<f8").tolist())
    filled = [i for i, count in enumerate(counts) if count > 0]
    if len(edges) != len(counts) or not filled:
        return np.empty((0, 3)) if len(edges) == len(counts) else None
    start, stop = filled[0], filled[-1]
    inner = edges[start:stop]
    return np.column_stack([[low, *inner], [*inner, high], counts[start : stop + 1]])


def session(other: Other) -> HParamsSession | None:
    """What a summary of the hparams plugin says of its session; None where it says nothing."""
    data = other.told
    try:
        for number, kind, first, last in fields(data, 0, len(data)):
            if number == 3 and kind == BYTES:
                return HParamsSession(choices=dict(_choices(data, first, last)))
            if number == 4 and kind == BYTES:
                status = next(
                    (varint(data, b, e)[0] for n, w, b, e in fields(data, first, last) if n == 1 and not w), 0
                )
                return HParamsSession(status=STATUS.get(status, ""))
    except (MalformedError, struct.error, UnicodeDecodeError):
        return None
    return None


def _whole(data: bytes, start: int, stop: int) -> int:
    """The whole number that is a message's field 1; 0 where it is not written."""
    for number, kind, first, last in fields(data, start, stop):
        if number == 1 and kind == VARINT:
            return signed(varint(data, first, last)[0])
    return 0


def _choices(data: bytes, start: int, stop: int) -> list[tuple[str, Choice]]:
    """The map of SessionStartInfo from names to google.protobuf.Value."""
    found = []
    for number, kind, first, last in fields(data, start, stop):
        if number != 1 or kind != BYTES:
            continue
        name, value = "", None
        for inner, wire, begin, end in fields(data, first, last):
            if inner == 1 and wire == BYTES:
                name = data[begin:end].decode("utf-8", "replace")
            elif inner == 2 and wire == BYTES:
                value = _plain(data, begin, end)
        if value is not None:
            found.append((name, value))
    return found


def _plain(data: bytes, start: int, stop: int) -> Choice | None:
    for number, kind, first, last in fields(data, start, stop):
        if number == 2 and kind == FIXED64:
            return float(struct.unpack_from("<d", data, first)[0])
        if number == 3 and kind == BYTES:
            return data[first:last].decode("utf-8", "replace")
        if number == 4 and kind == VARINT:
            return bool(varint(data, first, last)[0])
    return None
