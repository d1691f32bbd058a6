"""Event records: the bytes that tensorboard itself writes."""

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from engine.runs import records
from engine.runs.tensorboard import EventFile, logged


def official(message: bytes) -> bytes:
    class Sink(io.BytesIO):
        def close(self) -> None:
            pass

    sink = Sink()
    RecordWriter(sink).write(message)
    return sink.getvalue()


@pytest.mark.parametrize("tag", ["loss/train", "x", "損失", "metrics/" + "long" * 60])
def test_scalars_are_the_bytes_that_tensorboards_writer_makes(tag: str) -> None:
    steps = np.array([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2**35, 2**62], np.int64)
    values = np.array([0.0, -1.5, 1e-30, 3e38, np.nan, np.inf, -np.inf, 0.1, 7.0])
    times = 1_700_000_000 + np.arange(len(steps)) / 3
    expected = b""
    for time, step, value in zip(times, steps, values, strict=True):
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=np.float32(value))])
        expected += official(Event(wall_time=time, step=int(step), summary=summary).SerializeToString())
    assert records.scalars(tag, times, steps, values) == expected
    # A few at a time are made in another way, and are the same.
    few = [records.scalars(tag, times[i : i + 3], steps[i : i + 3], values[i : i + 3]) for i in range(0, len(steps), 3)]
    assert b"".join(few) == expected


def test_numbers_beyond_float32_are_infinite_in_both_ways() -> None:
    values = np.array([1e39, -1e300, 3.4028235e38, 3.40282356e38, 1e-46, -0.0, np.inf, 5.0])
    steps, times = np.arange(8), np.zeros(8)
    parts = [records.scalars("x", times[i : i + 1], steps[i : i + 1], values[i : i + 1]) for i in range(8)]
    assert b"".join(parts) == records.scalars("x", times, steps, values)


@pytest.mark.parametrize("length", [0, 1, 63, 2048, 2049, 2111, 2112, 100_001])
def test_long_messages_are_framed_as_tensorboard_does_it(length: int) -> None:
    content = np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8).tobytes()
    assert records.record(content) == official(content)


@pytest.mark.parametrize("most", [3, 200, 20_000, 3_000_000, 2**40])
@pytest.mark.parametrize("same_time", [True, False])
def test_many_at_once_are_the_bytes_of_one_after_the_other(most: int, same_time: bool) -> None:
    random = np.random.default_rng(0)
    steps, values = np.sort(random.integers(0, most, 9000)), random.standard_normal(9000)
    times = 1.7e9 + (np.zeros(9000) if same_time else np.arange(9000) / 7)
    single = [records.scalar("loss/train", *row) for row in zip(times.tolist(), steps.tolist(), values, strict=True)]
    assert records.scalars("loss/train", times, steps, values) == b"".join(single)


def test_the_first_record_is_the_version(tmp_path: Path) -> None:
    file = EventFile(tmp_path, 1_700_000_000.5)
    file.scalar("loss/train", 1_700_000_001.0, 3, 0.25)
    file.close()
    first, start, second = (Event.FromString(raw) for raw in RawEventFileLoader(str(file.path)).Load())
    assert first.file_version == "brain.Event:2"
    assert start.session_log.status == start.session_log.START
    assert (second.step, second.summary.value[0].simple_value) == (3, 0.25)


def test_crc_of_the_published_example() -> None:
    # RFC 3720, appendix B.4: 32 bytes of zeros, and the bytes 0 to 31.
    assert records.crc32c(bytes(32)) == 0x8A9136AA
    assert records.crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("length", [0, 1, 4, 63, 64, 65, 255, 256, 257, 300, 1000, 5000, (1 << 18) + 1])
def test_crc_of_messages_of_any_length(length: int) -> None:
    content = np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes()
    crc = 0xFFFFFFFF
    for byte in content:  # bit by bit, as the polynomial says
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (records.POLYNOMIAL if crc & 1 else 0)
    assert records.crc32c(content) == crc ^ 0xFFFFFFFF


def test_auto_logging_is_dense_at_first_and_stays_under_ten_thousand_points() -> None:
    chosen = logged(0, 20_000_000, "auto")
    assert np.array_equal(chosen[:2000], np.arange(2000))
    assert len(chosen) < 10_000
    assert np.diff(chosen).max() <= chosen.max() / 200
    # A split changes nothing.
    cuts = [0, 1, 1999, 2000, 2001, 3999, 4004, 4005, 31_999, 32_000, 32_001, 70_000, 100_000]
    parts = [logged(start, end, "auto") for start, end in pairwise(cuts)]
    assert np.array_equal(np.concatenate(parts), chosen[chosen < 100_000])


def test_other_intervals() -> None:
    assert logged(3, 6, "all").tolist() == [3, 4, 5]
    assert logged(0, 10, 4).tolist() == [0, 4, 8]
    assert logged(4, 9, 4).tolist() == [4, 8]
    assert logged(5, 8, 4).tolist() == []
