"""TensorBoard's event records, many at once.

A record is framed as in TensorFlow's TFRecord: length (uint64), masked CRC-32C of the length, the Event message,
masked CRC-32C of the message. For one tag, messages of equal length differ only in wall time, step and value, so a
batch of them is a matrix of bytes stamped from one template. CRC-32C is linear in the message over GF(2): the checksum
is that of the template, with one table look-up added for each byte that varies.
"""

from __future__ import annotations

import struct
from functools import cache, lru_cache, partial

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096  # records stamped at once
FEW = 8  # records that are not worth stamping
STRIDE = 64  # bytes of a long message that are checksummed side by side
LONG = 2048  # bytes from which on that pays
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
    table = _table().tolist()
    crc = 0xFFFFFFFF
    first = len(content) % STRIDE if len(content) > LONG else len(content)
    for byte in content[:first]:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    if first < len(content):
        # Blocks side by side, each as if nothing came before; what came before acts like their first four bytes.
        effects = effects_of(STRIDE)
        blocks = np.frombuffer(content, np.uint8, offset=first).reshape(-1, STRIDE)
        own = np.zeros(len(blocks), np.uint32)
        for place in range(STRIDE):
            own ^= effects[place][blocks[:, place]]
        one, two, three, four = (effects[place].tolist() for place in range(4))
        for block in own.tolist():
            crc = block ^ one[crc & 0xFF] ^ two[crc >> 8 & 0xFF] ^ three[crc >> 16 & 0xFF] ^ four[crc >> 24]
    return crc ^ 0xFFFFFFFF


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
    if len(steps) < FEW:
        return b"".join(map(partial(scalar, tag), wall_times.tolist(), steps.tolist(), values.tolist()))
    sizes = np.ones(len(steps), np.int64)
    for power in range(7, 64, 7):
        sizes += steps >= (1 << power)
    sizes[steps == 0] = 0  # proto3 leaves a zero out
    # Runs of equal size, in order (steps rise, so there are few), and no longer than the caches hold.
    cuts = np.union1d(np.flatnonzero(np.diff(sizes)) + 1, np.arange(BLOCK, len(steps), BLOCK))
    with np.errstate(over="ignore"):
        narrow = values.astype("<f4")
    parts = []
    for first, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(steps)], strict=True):
        span = slice(first, end)
        parts.append(_stamp(tag.encode(), int(sizes[span.start]), wall_times[span], steps[span], narrow[span]))
    return b"".join(parts)


def scalar(tag: str, wall_time: float, step: int, value: float) -> bytes:
    """One framed scalar record; step >= 0."""
    number = struct.pack("<f", value) if abs(value) < 3.4e38 or value != value else _narrow(value)
    summary = field(1, field(1, tag.encode()) + b"\x15" + number)
    return record(
        b"\x09" + struct.pack("<d", wall_time) + (b"\x10" + varint(step) if step else b"") + field(5, summary)
    )


def _narrow(value: float) -> bytes:
    """A number near the end of float32's range, or beyond: then it is infinite."""
    with np.errstate(over="ignore"):
        return bytes(np.float64(value).astype("<f4").tobytes())


def _stamp(
    tag: bytes, size: int, wall_times: NDArray[np.float64], steps: NDArray[np.int64], values: NDArray[np.float32]
) -> bytes:
    count = len(steps)
    summary = field(1, field(1, tag) + b"\x15\0\0\0\0")
    step_field = b"\x10" + bytes(size) if size else b""
    template = b"\x09" + bytes(8) + step_field + field(5, summary)
    length = len(template)
    rows = np.empty((count, length + 16), np.uint8)
    rows[:, :8] = np.frombuffer(length.to_bytes(8, "little"), np.uint8)
    head = masked(np.array([crc32c(length.to_bytes(8, "little"))], "<u4"))
    rows[:, 8:12] = head.view(np.uint8)
    message = rows[:, 12 : 12 + length]
    message[:] = np.frombuffer(template, np.uint8)
    varying = [*range(1, 9), *range(10, 10 + size), *range(length - 4, length)]
    message[:, 1:9] = wall_times.astype("<f8")[:, None].view(np.uint8)
    for place in range(size):
        more = 0x80 if place < size - 1 else 0
        message[:, 10 + place] = (steps >> (7 * place)) & 0x7F | more
    message[:, length - 4 :] = values[:, None].view(np.uint8)
    effects = effects_of(length)
    crc = np.full(count, crc32c(template), np.uint32)
    for place in varying:
        crc ^= effects[place][message[:, place]]
    rows[:, 12 + length :] = masked(crc).astype("<u4")[:, None].view(np.uint8)
    return rows.tobytes()
