"""TensorBoard's event records, many at once.

A record is framed as in TensorFlow's TFRecord: length (uint64), masked CRC-32C of the length, the Event message,
masked CRC-32C of the message. For one tag, messages of equal length differ only in wall time, step and value, so a
batch of them is a matrix of bytes stamped from one template. CRC-32C is linear in the message over GF(2): the checksum
is that of the template, with one table look-up added for every two bytes that vary.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.printable import utf8

BLOCK = 4096  # records stamped at once
FEW = 8  # records that are not worth stamping
STRIDE = 256  # bytes of a message that are checksummed side by side
LONG = 64  # bytes from which on that pays
PIECE = 1 << 18  # bytes of a message that are looked at at once
POLYNOMIAL = 0x82F63B78  # Castagnoli, reflected

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]


@cache
def _table() -> Words:
    """[256] the CRC of each byte value, without the initial and final inversion."""
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, (crc >> 1) ^ np.uint32(POLYNOMIAL), crc >> 1)
    return crc


def crc32c(content: bytes) -> int:
    """CRC-32C (RFC 3720, appendix B.4)."""
    if len(content) < LONG:
        table, crc = _bytes(), 0xFFFFFFFF
        for byte in content:
            crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
        return crc ^ 0xFFFFFFFF
    # Zeros in front of a message count for nothing, and the initial inversion is that of its first four bytes.
    blank = -len(content) % STRIDE
    blocks = np.zeros(blank + len(content), np.uint8)
    blocks[blank:] = np.frombuffer(content, np.uint8)
    blocks[blank : blank + 4] ^= 0xFF
    # Blocks side by side, each as if nothing came before; what came before acts like their first four bytes.
    one, two, three, four = _first_four()
    crc = 0
    for start in range(0, len(blocks), PIECE):
        piece = blocks[start : start + PIECE].reshape(-1, STRIDE)
        own = np.bitwise_xor.reduce(effects_of(STRIDE)[_places(), piece], axis=1)
        for block in own.tolist():
            crc = block ^ one[crc & 0xFF] ^ two[crc >> 8 & 0xFF] ^ three[crc >> 16 & 0xFF] ^ four[crc >> 24]
    return crc ^ 0xFFFFFFFF


@cache
def _bytes() -> list[int]:
    return list(_table().tolist())


@cache
def _first_four() -> list[list[int]]:
    """What the first four bytes of a block add to its CRC."""
    return list(effects_of(STRIDE)[:4].tolist())


@cache
def _places() -> NDArray[np.int64]:
    return np.arange(STRIDE)


def masked(crc: Words) -> Words:
    """Checksums as TFRecord keeps them."""
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


@cache
def effects_of(length: int) -> Words:
    """[length, 256] what a byte at each place of a message of `length` bytes adds to its CRC.

    Only the bytes that follow matter: the last n rows are those of a message of n bytes.
    """
    table = _table()
    effects = np.empty((length, 256), np.uint32)
    effects[length - 1] = table
    for place in range(length - 2, -1, -1):
        after = effects[place + 1]
        effects[place] = table[after & np.uint32(0xFF)] ^ (after >> np.uint32(8))
    return effects


def _mark(content: bytes) -> bytes:
    """The masked checksum of a few bytes, as it is written."""
    crc = crc32c(content)
    return ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")


@lru_cache(4096)
def _head(length: int) -> bytes:
    """A record's length and its checksum."""
    content = length.to_bytes(8, "little")
    return content + _mark(content)


def record(message: bytes) -> bytes:
    """One framed record."""
    return _head(len(message)) + message + _mark(message)


def varint(number: int) -> bytes:
    """A protobuf variable-length integer, number >= 0."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def file_version(wall_time: float) -> bytes:
    """The record that an event file begins with."""
    return record(b"\x09" + np.float64(wall_time).tobytes() + field(3, b"brain.Event:2"))


def session_start(wall_time: float, step: int) -> bytes:
    """The record that says: this part of the run begins at `step`, and what was written beyond it does not count."""
    return record(b"\x09" + np.float64(wall_time).tobytes() + b"\x10" + varint(step) + field(7, b"\x08\x01"))


def scalars(tag: str, wall_times: NDArray[np.float64], steps: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """Framed scalar records, byte for byte as tensorboard's own writer makes them.

    Args:
        tag: the curve's name.
        wall_times: float64 [n], seconds since 1970.
        steps: int64 [n], >= 0.
        values: [n], kept as float32 as in every scalar summary.
    """
    return b"".join(pieces(tag, wall_times, steps, values))


def pieces(
    tag: str, wall_times: NDArray[np.float64], steps: NDArray[np.int64], values: NDArray[np.float64]
) -> Iterator[bytes | memoryview]:
    """What `scalars` gives, piece by piece, so that a million records are written without ever being in one place."""
    if len(steps) < FEW:
        yield from map(partial(scalar, tag), wall_times.tolist(), steps.tolist(), values.tolist())
        return
    for start in range(0, len(steps), BLOCK):
        block = slice(start, start + BLOCK)
        number = steps[block]
        sizes = np.ones(len(number), np.int64)
        for power in range(7, int(number.max()).bit_length(), 7):
            sizes += number >= (1 << power)
        sizes[number == 0] = 0  # proto3 leaves a zero out
        with np.errstate(over="ignore"):
            narrow = values[block].astype("<f4")
        # Runs of equal size, in order: steps rise, so there are few.
        cuts = (np.flatnonzero(np.diff(sizes)) + 1).tolist()
        for first, end in zip([0, *cuts], [*cuts, len(number)], strict=True):
            span = slice(first, end)
            yield _stamp(utf8(tag), int(sizes[first]), wall_times[block][span], number[span], narrow[span])


def scalar(tag: str, wall_time: float, step: int, value: float) -> bytes:
    """One framed scalar record; step >= 0."""
    number = struct.pack("<f", value) if abs(value) < 3.4e38 or value != value else _narrow(value)
    summary = field(1, field(1, utf8(tag)) + b"\x15" + number)
    return record(
        b"\x09" + struct.pack("<d", wall_time) + (b"\x10" + varint(step) if step else b"") + field(5, summary)
    )


def _narrow(value: float) -> bytes:
    """A number near the end of float32's range, or beyond: then it is infinite."""
    with np.errstate(over="ignore"):
        return bytes(np.float64(value).astype("<f4").tobytes())


def _stamp(
    tag: bytes, size: int, wall_times: NDArray[np.float64], steps: NDArray[np.int64], values: NDArray[np.float32]
) -> memoryview:
    """Records whose steps take `size` bytes each.

    What all of them share goes into the template: mostly the wall time, and of the steps all but the last two bytes.
    What is left is looked up two bytes at a time.
    """
    count, high = len(steps), steps >> 14
    same_time = bool((wall_times == wall_times[0]).all())
    same_high = size > 2 and bool((high == high[0]).all())
    time = np.float64(wall_times[0] if same_time else 0).tobytes()
    number = bytearray(size)
    if same_high:
        number[2:] = varint(int(high[0]))
    template = (
        b"\x09" + time + (b"\x10" + number if size else b"") + field(5, field(1, field(1, tag) + b"\x15\0\0\0\0"))
    )
    length = len(template)
    framed = length.to_bytes(8, "little")
    framed += int(masked(np.array([crc32c(framed)], np.uint32))[0]).to_bytes(4, "little") + template + bytes(4)
    out = np.empty((count, length + 16), np.uint8)
    out[:] = np.frombuffer(framed, np.uint8)
    crc = np.full(count, crc32c(template), np.uint32)

    def put(place: int, numbers: NDArray[Any]) -> None:
        """Write numbers [count] over zeros of the template, and take them into the checksums."""
        width = numbers.dtype.itemsize
        # A column of the records, seen as one number in each: they begin at any byte, which numpy copies with care.
        column = np.ndarray((count,), numbers.dtype, out, 12 + place, (length + 16,))
        column[:] = numbers
        if width == 1:
            np.bitwise_xor(crc, effects_of(length)[place][numbers], out=crc)
            return
        halves = numbers.view("<u2").reshape(count, width // 2)
        for i in range(width // 2):
            np.bitwise_xor(crc, _effects_of_two(length - place - 2 * i)[halves[:, i]], out=crc)

    if not same_time:
        put(1, wall_times.astype("<f8"))
    if size == 1:
        put(10, steps.astype(np.uint8))
    elif size > 1:
        low = (steps & 0x3FFF).astype("<u2")
        put(10, (low & 0x7F) | ((low >> 7) << 8) | np.uint16(0x80 if size == 2 else 0x8080))
        for place in range(2, 0 if same_high else size):
            more = 0x80 if place < size - 1 else 0
            put(10 + place, ((steps >> (7 * place)) & 0x7F | more).astype(np.uint8))
    put(length - 4, values)
    np.ndarray((count,), "<u4", out, 12 + length, (length + 16,))[:] = masked(crc)
    return out.data.cast("B")


@lru_cache(maxsize=32)
def _effects_of_two(rest: int) -> Words:
    """[65536] what two bytes, the first the lower eight bits, add to the CRC of a message that ends `rest` bytes on."""
    effects = effects_of(rest)
    return np.asarray(effects[1][:, None] ^ effects[0][None, :]).reshape(-1)
