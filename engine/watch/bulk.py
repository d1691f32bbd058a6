"""Many event records at once.

A log is made of a few shapes of messages: the same tags, with other wall times, steps and values. Records of equal
length are rows of a matrix of bytes; the first is read field by field (`engine.watch.message`), and every row that
equals it in all bits that do not vary is read by the same places. Checksums come the same way as in
`engine.runs.records`: CRC-32C is linear, so that a row's is the first one's, with a table look-up for each byte that
differs. numpy does all of it, outside the interpreter's lock for the greater part. What is read this way costs some
0.1 microseconds a record; whatever is shaped otherwise is read field by field, at some 10.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine.runs.records import crc32c, effects_of, masked
from engine.watch import message, sentences
from engine.watch.message import LoggedEvent, MalformedError

FRAME = 16  # bytes of a record beside its message
FEW = 8  # records of one shape from which on they are read at once
LOOK = 64  # records from which a repetition of lengths is recognised
LONGEST = 4096  # bytes of a message that is read by shape
PATIENCE = 8  # messages in a row without a shape, after which the others of that length are taken to have none

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ScalarPoints:
    """Scalars of one tag in the order of their records."""

    orders: Ints  # [n] number of the record
    steps: Ints
    walls: NDArray[np.float64]
    values: NDArray[np.float32] | NDArray[np.float64]


@dataclass
class Batch:
    """What a stretch of a file held."""

    data: bytes
    points: dict[bytes, ScalarPoints] = field(default_factory=dict)
    events: list[tuple[int, LoggedEvent]] = field(
        default_factory=list
    )  # those with more than scalars, by record number
    end: int = 0  # the place behind the last good record
    wants: int = 0  # bytes that the next record takes in all; 0 where its length is not there yet
    damage: str = ""  # why the record at `end` cannot be read


@lru_cache(4096)
def _length_mark(length: int) -> int:
    """The masked checksum of a record's length."""
    return int(masked(np.array([crc32c(length.to_bytes(8, "little"))], np.uint32))[0])


def read(data: bytes) -> Batch:
    """Everything in the whole records that these bytes begin with."""
    batch = Batch(data)
    starts, lengths = _frame(data, batch)
    reader = _Reader(data, starts, lengths)
    bad = reader.read()
    if bad < len(starts):
        batch.end, batch.wants = int(starts[bad]) - 12, 0
        batch.damage = sentences.BAD_CHECKSUM()
    batch.points = reader.points(bad)
    batch.events = sorted((pair for pair in reader.events if pair[0] < bad), key=lambda pair: pair[0])
    return batch


# Where the records lie.


def _frame(data: bytes, batch: Batch) -> tuple[Ints, Ints]:
    """Starts and lengths of the messages, int64 [n]; also sets where they end and what comes then."""
    starts: list[Ints] = []
    lengths: list[Ints] = []
    at, size = 0, len(data)
    while True:
        some: list[int] = []
        first = at
        while len(some) < LOOK and at + 12 <= size:
            length, mark = struct.unpack_from("<QI", data, at)
            if mark != _length_mark(length):
                batch.damage = sentences.BAD_LENGTH()
                break
            if at + FRAME + length > size:
                batch.wants = FRAME + length
                break
            some.append(length)
            at += FRAME + length
        if some:
            found = np.array(some, np.int64)
            lengths.append(found)
            starts.append(first + 12 + np.cumsum(found + FRAME) - (found + FRAME))
        if len(some) < LOOK or batch.damage:
            break
        at = _repeat(data, at, some, starts, lengths)
    batch.end = at
    if not starts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate(starts), np.concatenate(lengths)


def _repeat(data: bytes, at: int, some: list[int], starts: list[Ints], lengths: list[Ints]) -> int:
    """Follow the lengths for as long as they repeat those of the last records; the place behind them."""
    period = next((p for p in range(1, LOOK // 2 + 1) if some[p:] == some[:-p]), 0)
    if not period:
        return at
    cycle = np.array(some[-period:], np.int64)
    stride = int((cycle + FRAME).sum())
    rounds = (len(data) - at) // stride
    offsets = np.cumsum(cycle + FRAME) - (cycle + FRAME)
    kind = np.dtype([("length", "<u8"), ("mark", "<u4")])
    tried = 32
    while rounds and tried:
        # A few rounds first: where the repetition ends soon, the rest is not looked at.
        few = min(rounds, tried)
        good = few
        for offset, length in zip(offsets.tolist(), cycle.tolist(), strict=True):
            heads = np.ndarray((good,), kind, data, at + offset, (stride,))
            same = (heads["length"] == length) & (heads["mark"] == _length_mark(length))
            good = good if same.all() else int(same.argmin())
        if good:
            starts.append((at + 12 + offsets[None] + stride * np.arange(good)[:, None]).ravel())
            lengths.append(np.tile(cycle, good))
        at += stride * good
        rounds -= good
        tried = tried * 8 if good == few else 0
    return at


# What is in them.


class _Reader:
    """Takes records apart, shape by shape."""

    def __init__(self, data: bytes, starts: Ints, lengths: Ints) -> None:
        self._data, self._starts, self._lengths = data, starts, lengths
        self._bad = len(starts)
        self._parts: dict[bytes, list[ScalarPoints]] = {}
        self._loose: dict[bytes, list[tuple[int, int, float, float, bool]]] = {}
        self.events: list[tuple[int, LoggedEvent]] = []

    def read(self) -> int:
        """Read all; the number of the first record that is damaged, else how many there are."""
        if not len(self._starts):
            return 0
        # Rows are compared eight bytes at a time, and the last one may reach beyond the data.
        view = np.frombuffer(self._data + bytes(8), np.uint8)
        one = int(self._lengths[0])
        alike = bool((self._lengths == one).all())
        for length in [one] if alike else np.unique(self._lengths).tolist():
            numbers = np.arange(len(self._lengths)) if alike else np.flatnonzero(self._lengths == length)
            if len(numbers) < FEW or not 11 <= length <= LONGEST:
                self._singly(numbers)
                continue
            width = -(-(length + 4) // 8) * 8
            self._alike(sliding_window_view(view, width)[self._starts[numbers]].view("<u8"), numbers, length)
        return self._bad

    def _alike(self, rows: Words, numbers: Ints, length: int) -> None:
        """Records of one length, the checksum behind: rows [n, words]."""
        failures = 0
        while len(numbers) >= FEW and failures < PATIENCE:
            event = self._parse(int(numbers[0]))
            if event is None or not event.regular:
                self._take(int(numbers[0]), event)
                rows, numbers, failures = rows[1:], numbers[1:], failures + 1
                continue
            mask = _words(event.mask(length), rows.shape[1])
            fits = _fits(rows, mask)
            if fits.all():
                self._shape(event, rows, numbers, length)
                return
            self._shape(event, rows[fits], numbers[fits], length)
            failures = failures + 1 if np.count_nonzero(fits) < FEW else 0
            rows, numbers = rows[~fits], numbers[~fits]
            if len(numbers) >= FEW:
                left = self._other_tags(rows, numbers, event.mask(length))
                rows, numbers = rows[left], numbers[left]
        self._singly(numbers)

    def _other_tags(self, rows: Words, numbers: Ints, bits: Bytes) -> Ints:
        """Read the rows whose places are the same, though their tags are others; which are left."""
        length = len(bits)
        mask = _words(bits, rows.shape[1])
        # Equal rows have equal keys; that unequal ones do not is checked below.
        keys = np.zeros(len(rows), np.uint64)
        for column, (shared, factor) in enumerate(zip(mask.tolist(), _factors(len(mask)), strict=True)):
            keys = (keys ^ (rows[:, column] & np.uint64(shared))) * factor
            keys ^= keys >> np.uint64(29)
        order = np.argsort(keys, kind="stable")
        rest: list[Ints] = []
        for members in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
            event = self._parse(int(numbers[members[0]])) if len(members) >= FEW else None
            if event is None or not event.regular or not np.array_equal(event.mask(length), bits):
                rest.append(members)
                continue
            fits = _fits(rows[members], mask)
            self._shape(event, rows[members[fits]], numbers[members[fits]], length)
            rest.append(members[~fits])
        return np.sort(np.concatenate(rest)) if rest else np.empty(0, np.int64)

    def _shape(self, event: LoggedEvent, rows: Words, numbers: Ints, length: int) -> None:
        """Read rows [n, words] that share the places of `event`, which is the first of them."""
        cells = rows.view(np.uint8)
        crc = np.full(len(rows), crc32c(cells[0, :length].tobytes()), np.uint32)
        effects = effects_of(_room(length))[-length:]
        varying = np.bitwise_or.reduce(rows ^ rows[0], axis=0).view(np.uint8)[:length]
        for place in np.flatnonzero(varying).tolist():
            crc ^= effects[place][cells[:, place] ^ cells[0, place]]
        wrong = np.flatnonzero(masked(crc) != _column(cells, length, "<u4"))
        if len(wrong):
            self._bad = min(self._bad, int(numbers[wrong[0]]))
        walls = _column(cells, event.wall_at, "<f8")
        steps = np.zeros(len(rows), np.uint64)
        for place in range(event.step_size):
            steps |= (cells[:, event.step_at + place].astype(np.uint64) & np.uint64(0x7F)) << np.uint64(7 * place)
        for slot in event.slots:
            values = _column(cells, slot.at, slot.form)
            if values.dtype not in (np.float32, np.float64):
                values = values.astype(np.float32 if slot.single else np.float64)
            self._parts.setdefault(slot.tag, []).append(ScalarPoints(numbers, steps.view(np.int64), walls, values))

    def _parse(self, number: int) -> LoggedEvent | None:
        """One message field by field; None where it is damaged."""
        start = int(self._starts[number])
        stop = start + int(self._lengths[number])
        (mark,) = struct.unpack_from("<I", self._data, stop)
        if int(masked(np.array([crc32c(self._data[start:stop])], np.uint32))[0]) == mark:
            try:
                return message.parse(self._data, start, stop)
            except MalformedError:
                pass
        self._bad = min(self._bad, number)
        return None

    def _singly(self, numbers: Ints) -> None:
        for number in numbers.tolist():
            self._take(number, self._parse(number))

    def _take(self, number: int, event: LoggedEvent | None) -> None:
        if event is None:
            return
        for slot in event.slots:
            self._loose.setdefault(slot.tag, []).append((number, event.step, event.wall, slot.value, slot.single))
        if event.others or event.status:
            self.events.append((number, event))

    def points(self, bad: int) -> dict[bytes, ScalarPoints]:
        """The scalars before a record, by tag."""
        for tag, some in self._loose.items():
            some.sort(key=lambda point: point[0])  # they were read by length
            orders, steps, walls, values, singles = (np.array(cells) for cells in zip(*some, strict=True))
            narrow = values.astype(np.float32) if singles.all() else values.astype(np.float64)
            loose = ScalarPoints(orders, steps.astype(np.int64), walls, narrow)
            self._parts.setdefault(tag, []).append(loose)
        found = {}
        for tag, parts in self._parts.items():
            joined = parts[0]
            if len(parts) > 1:
                orders = np.concatenate([part.orders for part in parts])
                by = np.argsort(orders, kind="stable")
                joined = ScalarPoints(
                    orders[by],
                    np.concatenate([part.steps for part in parts])[by],
                    np.concatenate([part.walls for part in parts])[by],
                    np.concatenate([part.values for part in parts])[by],
                )
            if len(joined.orders) and joined.orders[-1] >= bad:
                keep = slice(0, int(np.searchsorted(joined.orders, bad)))
                joined = ScalarPoints(joined.orders[keep], joined.steps[keep], joined.walls[keep], joined.values[keep])
            if len(joined.orders):
                found[tag] = joined
        return found


def _column(cells: Bytes, at: int, form: str) -> NDArray[Any]:
    """The numbers that begin at a place of every row."""
    return np.ascontiguousarray(cells[:, at : at + int(form[2])]).view(form)[:, 0]


def _words(bits: Bytes, count: int) -> Words:
    """A mask of bytes as one of words; what lies behind it does not count."""
    return np.concatenate([bits, np.zeros(8 * count - len(bits), np.uint8)]).view("<u8")


def _fits(rows: Words, mask: Words) -> NDArray[np.bool_]:
    """Which rows equal the first one in the bits of the mask."""
    differs = np.zeros(len(rows), np.uint64)
    for column, shared in enumerate(mask.tolist()):
        if shared:
            differs |= (rows[:, column] ^ rows[0, column]) & np.uint64(shared)
    return np.equal(differs, 0)


def _room(length: int) -> int:
    """The length of the effects that serve messages of this one: few different ones, so that they stay in memory."""
    return next(room for room in (64, 256, 1024, LONGEST) if room >= length)


@lru_cache(64)
def _factors(count: int) -> list[np.uint64]:
    """Odd factors for keys, always the same."""
    random = np.random.default_rng(7)
    return [np.uint64(int(factor) | 1) for factor in random.integers(2**63, size=count, dtype=np.int64)]
