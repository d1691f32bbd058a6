"""One Event message, field by field (tensorboard's event.proto, summary.proto and tensor.proto).

Of every scalar it is noted where its bytes lie, so that messages of the same shape can be read many at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.watch import sentences

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
FORMS = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # DataType of tensor.proto to numpy
SIZES = {form: int(form[2]) for form in FORMS.values()}
BFLOAT16, STRING = 14, 7
START = 1  # SessionLog.SessionStatus


class MalformedError(Exception):
    """The bytes are no message."""


@dataclass(slots=True)
class Slot:
    """A scalar: its tag, its value, where its bytes lie (`at` < 0: not in one piece), and their form as numpy's."""

    tag: bytes
    value: float
    at: int
    form: str

    @property
    def single(self) -> bool:
        """Whether float32 holds every value of the form."""
        return self.form in ("<f4", "<f2")


@dataclass(slots=True)
class Other:
    """A summary that is no scalar. `start` and `stop` bound its content: a tensor, or an old histogram."""

    tag: bytes
    plugin: bytes
    told: bytes  # the plugin's own content
    kind: str  # "tensor", "histogram" (of the old kind), or "" where there is only what the plugin was told
    start: int
    stop: int


@dataclass(slots=True)
class LoggedEvent:
    """One message."""

    wall: float = 0.0
    wall_at: int = -1
    step: int = 0
    step_at: int = -1
    step_size: int = 0
    status: int = 0  # of a session log
    slots: list[Slot] = field(default_factory=list)
    others: list[Other] = field(default_factory=list)

    @property
    def regular(self) -> bool:
        """Whether messages that differ only in wall time, step and values can be read by the same places."""
        return not self.others and not self.status and self.wall_at >= 0 and all(s.at >= 0 for s in self.slots)

    def mask(self, length: int) -> NDArray[np.uint8]:
        """[length] the bits of each byte that such messages share."""
        bits = np.full(length, 0xFF, np.uint8)
        bits[self.wall_at : self.wall_at + 8] = 0
        bits[self.step_at : self.step_at + self.step_size] = 0x80  # whether a further byte follows
        for slot in self.slots:
            bits[slot.at : slot.at + SIZES[slot.form]] = 0
        return bits


def varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """A variable-length integer and the place after it. Raises MalformedError."""
    number = shift = 0
    while at < stop and shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise MalformedError(sentences.ENDLESS_NUMBER())


def fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Each field of a message: number, wire type, and the bounds of its content. Raises MalformedError."""
    while at < stop:
        key, at = varint(data, at, stop)
        kind = key & 7
        if kind == VARINT:
            first, (_, at) = at, varint(data, at, stop)
        elif kind == BYTES:
            size, first = varint(data, at, stop)
            at = first + size
        elif kind in (FIXED64, FIXED32):
            first, at = at, at + (8 if kind == FIXED64 else 4)
        else:
            raise MalformedError(sentences.WIRE_TYPE(kind=kind))
        if at > stop:
            raise MalformedError(sentences.FIELD_TOO_LONG())
        yield key >> 3, kind, first, at


def signed(number: int) -> int:
    """A 64-bit number as protobuf's int64."""
    return number - 2**64 if number >= 2**63 else number


def parse(data: bytes, start: int, stop: int) -> LoggedEvent:
    """The message between two places. Raises MalformedError."""
    event = LoggedEvent()
    for number, kind, first, last in fields(data, start, stop):
        if number == 1 and kind == FIXED64:
            event.wall_at = first
            (event.wall,) = struct.unpack_from("<d", data, first)
        elif number == 2 and kind == VARINT:
            event.step_at, event.step_size = first, last - first
            event.step = signed(varint(data, first, last)[0])
        elif number == 5 and kind == BYTES:
            for inner, wire, begin, end in fields(data, first, last):
                if inner == 1 and wire == BYTES:
                    _value(event, data, begin, end)
        elif number == 7 and kind == BYTES:
            for inner, wire, begin, end in fields(data, first, last):
                if inner == 1 and wire == VARINT:
                    event.status = varint(data, begin, end)[0]
    event.wall_at -= start if event.wall_at >= 0 else 0
    event.step_at -= start if event.step_at >= 0 else 0
    for slot in event.slots:
        slot.at -= start if slot.at >= 0 else 0
    return event


def _value(event: LoggedEvent, data: bytes, start: int, stop: int) -> None:
    """One value of a summary."""
    tag = plugin = told = b""
    simple = -1
    tensor = histogram = None
    for number, kind, first, last in fields(data, start, stop):
        if number == 1 and kind == BYTES:
            tag = data[first:last]
        elif number == 2 and kind == FIXED32:
            simple = first
        elif number == 5 and kind == BYTES:
            histogram = first, last
        elif number == 8 and kind == BYTES:
            tensor = first, last
        elif number == 9 and kind == BYTES:
            plugin, told = _plugin(data, first, last)
    if simple >= 0:
        event.slots.append(Slot(tag, struct.unpack_from("<f", data, simple)[0], simple, "<f4"))
    elif histogram is not None:
        event.others.append(Other(tag, b"histograms", told, "histogram", *histogram))
    elif tensor is not None:
        slot = _scalar(tag, data, *tensor) if plugin in (b"", b"scalars") else None
        if slot is not None:
            event.slots.append(slot)
        else:
            event.others.append(Other(tag, plugin, told, "tensor", *tensor))
    elif told:  # PyTorch's hyperparameters have no value at all
        event.others.append(Other(tag, plugin, told, "", 0, 0))


def _plugin(data: bytes, start: int, stop: int) -> tuple[bytes, bytes]:
    """Name and content of a summary's plugin data."""
    name = told = b""
    for number, kind, first, last in fields(data, start, stop):
        if number == 1 and kind == BYTES:
            for inner, wire, begin, end in fields(data, first, last):
                if inner == 1 and wire == BYTES:
                    name = data[begin:end]
                elif inner == 2 and wire == BYTES:
                    told = data[begin:end]
    return name, told


def _scalar(tag: bytes, data: bytes, start: int, stop: int) -> Slot | None:
    """A tensor of one number; None for any other."""
    dtype, count = 0, 1
    place, numbers = None, []
    for number, kind, first, last in fields(data, start, stop):
        if number == 1 and kind == VARINT:
            dtype = varint(data, first, last)[0]
        elif number == 2 and kind == BYTES:
            count = product(data, first, last)
        elif number in (4, 5, 6) and kind in (BYTES, FIXED32, FIXED64):  # content, float_val, double_val
            place = first, last
        elif number in (7, 10, 13) and kind in (VARINT, BYTES):  # int_val, int64_val, half_val
            numbers.append(signed(varint(data, first, last)[0]))
    form = FORMS.get(dtype, "")
    if count != 1 or not (form or dtype == BFLOAT16):
        return None
    if place is not None and form and place[1] - place[0] == SIZES[form]:
        value = float(np.frombuffer(data, form, 1, place[0])[0])
        return Slot(tag, value, place[0], form)
    bits = numbers[0] & 0xFFFF if numbers else 0
    if place is not None and dtype == BFLOAT16 and place[1] - place[0] == 2:
        bits, place = int.from_bytes(data[place[0] : place[1]], "little"), None
    if place is not None:
        return None
    if dtype == BFLOAT16:
        return Slot(tag, struct.unpack("<f", struct.pack("<I", bits << 16))[0], -1, "<f2")
    if form == "<f2":
        return Slot(tag, float(np.array([bits], "<u2").view("<f2")[0]), -1, form)
    return Slot(tag, float(numbers[0]) if numbers else 0.0, -1, form)  # what is not written is 0


def product(data: bytes, start: int, stop: int) -> int:
    """The number of elements of a tensor's shape."""
    count = 1
    for number, kind, first, last in fields(data, start, stop):
        if number == 2 and kind == BYTES:
            size = 0
            for inner, wire, begin, end in fields(data, first, last):
                if inner == 1 and wire == VARINT:
                    size = signed(varint(data, begin, end)[0])
            count *= size
    return count
