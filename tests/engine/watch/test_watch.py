"""Logs that others wrote: every form of scalar, files that grow, restart, break off or are damaged."""

from __future__ import annotations

import csv
import io
import math
import os
import struct
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.util.tensor_util import make_tensor_proto

from engine.runs import records
from engine.watch import bulk
from engine.watch.bulk import read
from engine.watch.curve import BUCKET, LoggedCurve
from engine.watch.export import csv as to_csv
from engine.watch.file import PIECE, LogFile
from engine.watch.run import KEPT_HISTOGRAMS, WatchedRun
from engine.watch.tree import LogTree
from tests.conftest import DEADLINE, Answer, message

NAME = "events.out.tfevents.1700000000.host"
WALL = 1_700_000_000.0


def frame(event: Event) -> bytes:
    return records.record(event.SerializeToString())


def simple(tag: str, step: int, value: float, wall: float = WALL) -> bytes:
    return frame(Event(wall_time=wall, step=step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=value)])))


def tensor(tag: str, step: int, value: Any, plugin: str = "scalars", content: bytes = b"", **how: Any) -> bytes:
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))
    proto = value if isinstance(value, TensorProto) else make_tensor_proto(value, **how)
    told = Summary.Value(tag=tag, tensor=proto, metadata=metadata)
    return frame(Event(wall_time=WALL + step, step=step, summary=Summary(value=[told])))


def start(step: int) -> bytes:
    return records.session_start(WALL, step)


def write(folder: Path, *parts: bytes, name: str = NAME) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(records.file_version(WALL) + b"".join(parts))
    return path


def whole(path: Path) -> LogTree:
    """A tree that has been read to its present end."""
    tree = LogTree(path)
    while tree.poll(10.0).busy:
        pass
    return tree


def again(tree: LogTree) -> LogTree:
    """The tree after another look at its folders."""
    tree._looked = float("-inf")
    while tree.poll(10.0).busy:
        pass
    return tree


def curve(tree: LogTree, tag: str, run: str = ".") -> list[tuple[int, float]]:
    steps, _, values = tree.runs[run].curves[tag].points()
    return list(zip(steps.tolist(), values.tolist(), strict=True))


# What other programs write.


def test_what_pytorch_writes(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    values = np.random.default_rng(0).standard_normal(500)
    with SummaryWriter(str(tmp_path / "a" / "b")) as writer:
        for step, value in enumerate(values):
            writer.add_scalar("loss/train", value, step)
            writer.add_scalar("lr", 0.1, step)
            writer.add_scalar("new style", value, step, new_style=True)
            writer.add_scalar("double", value, step, new_style=True, double_precision=True)
        writer.add_text("notes", "some *words*", 3)
        writer.add_histogram("weights", values, 7)
        writer.add_hparams({"lr": 0.1, "bsize": 32, "name": "x", "flag": True}, {"hparam/accuracy": 0.5}, run_name=".")
    tree = whole(tmp_path)
    assert list(tree.runs) == ["a/b"]
    run = tree.runs["a/b"]
    for tag, kind in (("loss/train", np.float32), ("new style", np.float32), ("double", np.float64)):
        steps, walls, found = run.curves[tag].points()
        assert np.array_equal(steps, np.arange(500))
        assert np.array_equal(found, values.astype(kind))
        assert found.dtype == kind
        assert (np.diff(walls) >= 0).all()
        assert walls[0] > WALL
    assert run.curves["lr"].last[2] == np.float32(0.1)  # type: ignore[index]
    assert [(text.step, text.text) for text in run.texts["notes/text_summary"]] == [(3, "some *words*")]
    (histogram,) = run.histograms["weights"]
    assert histogram.step == 7
    assert histogram.buckets[:, 2].sum() == 500
    assert histogram.buckets[0, 0] == pytest.approx(values.min())
    assert histogram.buckets[-1, 1] == pytest.approx(values.max())
    assert run.choices == {"lr": 0.1, "bsize": 32.0, "name": "x", "flag": True}


FORMS: dict[str, Callable[[float], Any]] = {
    "float in content": lambda v: TensorProto(dtype=1, tensor_content=struct.pack("<f", v)),
    "float in float_val": lambda v: TensorProto(dtype=1, float_val=[v], tensor_shape=TensorShapeProto()),
    "double in content": lambda v: TensorProto(dtype=2, tensor_content=struct.pack("<d", v)),
    "double in double_val": lambda v: TensorProto(dtype=2, double_val=[v]),
    "int32": lambda v: TensorProto(dtype=3, int_val=[int(v)]),
    "int32 in content": lambda v: TensorProto(dtype=3, tensor_content=struct.pack("<i", int(v))),
    "int64": lambda v: TensorProto(dtype=9, int64_val=[int(v)]),
    "int64 in content": lambda v: TensorProto(dtype=9, tensor_content=struct.pack("<q", int(v))),
    "half": lambda v: TensorProto(dtype=19, half_val=[int(np.float16(v).view(np.uint16))]),
    "half in content": lambda v: TensorProto(dtype=19, tensor_content=np.float16(v).tobytes()),
    "bfloat16": lambda v: TensorProto(dtype=14, half_val=[int(np.float32(v).view(np.uint32) >> 16)]),
    "one by one": lambda v: make_tensor_proto([[v]], dtype=np.float32),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_scalar_tensor(form: str, tmp_path: Path) -> None:
    """As Keras, TF2, JAX and Lightning's own writers have them; the numbers are exact in every form."""
    values = [0.0, 1.0, -2.0, 5.0, -64.0, 96.0] * 5
    for plugin in ("scalars", ""):
        folder = tmp_path / (plugin or "none")
        write(folder, *(tensor("t", step, FORMS[form](value), plugin) for step, value in enumerate(values)))
        assert curve(whole(folder), "t") == list(enumerate(values))


def test_several_values_in_one_event_and_other_kinds_between(tmp_path: Path) -> None:
    parts = []
    for step in range(60):
        both = [Summary.Value(tag="a", simple_value=step), Summary.Value(tag="b", simple_value=-step)]
        parts.append(frame(Event(wall_time=WALL, step=step, summary=Summary(value=both))))
        if step % 7 == 0:
            parts.append(tensor("t", step, [f"line {step}".encode()], "text"))
            parts.append(tensor("image", step, [b"10", b"10", b"png"], "images"))
            parts.append(frame(Event(wall_time=WALL, step=step, graph_def=b"x" * 100)))
            parts.append(tensor("h", step, np.array([[0.0, 1.0, step]]), "histograms"))
    write(tmp_path, *parts)
    tree = whole(tmp_path)
    run = tree.runs["."]
    assert curve(tree, "a") == [(step, float(step)) for step in range(60)]
    assert curve(tree, "b") == [(step, float(-step)) for step in range(60)]
    assert run.tags == ("a", "b")
    assert [text.text for text in run.texts["t"]] == [f"line {step}" for step in range(0, 60, 7)]
    assert [h.buckets.tolist() for h in run.histograms["h"]] == [[[0, 1, step]] for step in range(0, 60, 7)]


def test_steps_of_any_size(tmp_path: Path) -> None:
    steps = [-5, 0, 1, 127, 128, 16_383, 16_384, 2**31, 2**40, 2**62]
    write(tmp_path, *(simple("x", step, float(i)) for i, step in enumerate(steps)))
    assert [step for step, _ in curve(whole(tmp_path), "x")] == steps


def test_many_tags_of_one_length_are_told_apart(tmp_path: Path) -> None:
    parts = [simple(f"layer{tag:03}/loss", step, tag * 100 + step) for step in range(30) for tag in range(200)]
    write(tmp_path, *parts)
    tree = whole(tmp_path)
    assert len(tree.runs["."].curves) == 200
    for tag in (0, 57, 199):
        assert curve(tree, f"layer{tag:03}/loss") == [(step, tag * 100.0 + step) for step in range(30)]


def test_the_same_as_tensorboards_own_reader(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    parts = []
    for step in range(400):
        tags = [tag for tag in ("loss", "accuracy/train", "lr") if random.random() < 0.8]
        parts += [simple(tag, step, float(random.standard_normal()), WALL + random.random()) for tag in tags]
        if step % 9 == 0:
            parts.append(tensor("epoch", step, np.float32(step / 9)))
    write(tmp_path, *parts)
    theirs = EventAccumulator(str(tmp_path), size_guidance={"scalars": 0, "tensors": 0})
    theirs.Reload()
    tree = whole(tmp_path)
    for tag in ("loss", "accuracy/train", "lr"):
        steps, walls, values = tree.runs["."].curves[tag].points()
        wanted = [(e.wall_time, e.step, e.value) for e in theirs.Scalars(tag)]
        assert list(zip(walls.tolist(), steps.tolist(), values.tolist(), strict=True)) == wanted


# Files that break off or are damaged.

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "tag/longer", "tag/longes", "é"]),
        st.integers(0, 300) | st.integers(0, 2**62),
        st.floats(width=32),
        st.sampled_from(["simple", "tensor", "text", "start", "both"]),
    ),
    max_size=60,
)


def build(events: Sequence[tuple[str, int, float, str]]) -> list[bytes]:
    found = [records.file_version(WALL)]
    for tag, step, value, kind in events:
        if kind == "simple":
            found.append(simple(tag, step, value))
        elif kind == "tensor":
            found.append(tensor(tag, step % 2**40, TensorProto(dtype=1, float_val=[value])))
        elif kind == "text":
            found.append(tensor(tag, step % 2**40, [b"x" * (step % 50)], "text"))
        elif kind == "both":
            values = [Summary.Value(tag=t, simple_value=value) for t in ("a", tag)]
            found.append(frame(Event(wall_time=WALL, step=step, summary=Summary(value=values))))
        else:
            found.append(frame(Event(wall_time=WALL, step=step, session_log=SessionLog(status=1))))
    return found


def flat(batch: bulk.Batch) -> list[tuple[int, bytes, int, float, bytes]]:
    """Every scalar of a batch in a definite order; values by their bytes, as NaN is no equal of itself."""
    return sorted(
        (int(order), tag, int(step), float(wall), np.float32(value).tobytes())
        for tag, points in batch.points.items()
        for order, step, wall, value in zip(points.orders, points.steps, points.walls, points.values, strict=True)
    )


def one_by_one(parts: Sequence[bytes]) -> list[tuple[int, bytes, int, float, bytes]]:
    """The same by the official parser."""
    found = []
    for order, part in enumerate(parts):
        event = Event.FromString(part[12:-4])
        for value in event.summary.value:
            if value.HasField("simple_value"):
                number = value.simple_value
            elif value.tensor.dtype == 1:
                number = value.tensor.float_val[0]
            else:
                continue
            name = value.tag.encode()
            found.append((order, name, event.step, event.wall_time, np.float32(number).tobytes()))
    return sorted(found)


@given(EVENTS, st.data())
@settings(max_examples=60, deadline=None)
def test_any_log_cut_anywhere_gives_what_is_whole(
    events: list[tuple[str, int, float, str]], data: st.DataObject
) -> None:
    parts = build(events * 3)
    content = b"".join(parts)
    cut = data.draw(st.integers(0, len(content)))
    ends = np.cumsum([len(part) for part in parts])
    count = int((ends <= cut).sum())
    batch = read(content[:cut])
    assert not batch.damage
    assert batch.end == (ends[count - 1] if count else 0)
    assert flat(batch) == one_by_one(parts[:count])


@given(EVENTS, st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_byte_ends_the_reading_before_its_record(
    events: list[tuple[str, int, float, str]], data: st.DataObject
) -> None:
    parts = build(events * 3)
    content = bytearray(b"".join(parts))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    ends = np.cumsum([len(part) for part in parts])
    count = int((ends <= at).sum())
    batch = read(bytes(content))
    assert batch.damage
    assert batch.end == (ends[count - 1] if count else 0)
    assert flat(batch) == one_by_one(parts[:count])


def test_a_damaged_file_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    parts = [simple("x", step, step) for step in range(1000)]
    path = write(tmp_path, *parts)
    content = bytearray(path.read_bytes())
    content[-len(b"".join(parts[600:])) + 30] ^= 1
    path.write_bytes(content)
    tree = whole(tmp_path)
    assert len(tree.runs["."].curves["x"]) == 600
    (problem,) = tree.runs["."].problems
    assert problem.startswith(f"{NAME} is damaged at byte ")
    assert "what comes before it is shown" in problem
    assert not tree.poll().busy


def test_garbage_and_empty_files_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path / "good", simple("x", 1, 2.0))
    for name, content in {"zeros": bytes(100), "noise": os.urandom(5000), "empty": b"", "short": b"\x18\0"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).write_bytes(content)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("no log")
    tree = whole(tmp_path)
    assert set(tree.runs) == {"good", "zeros", "noise", "empty", "short"}
    assert curve(tree, "x", "good") == [(1, 2.0)]
    assert tree.runs["zeros"].problems
    assert tree.runs["noise"].problems
    assert not tree.runs["empty"].problems
    assert "ends within a record" in tree.runs["short"].problems[0]


def test_a_large_record_is_read_and_a_huge_one_passed_over(tmp_path: Path) -> None:
    large = tensor("t", 1, [b"y" * (2 * PIECE)], "text")
    huge = frame(Event(wall_time=WALL, graph_def=bytes(17 << 20)))
    write(tmp_path, simple("x", 0, 1.0), large, huge, simple("x", 1, 2.0))
    tree = whole(tmp_path)
    assert curve(tree, "x") == [(0, 1.0), (1, 2.0)]
    assert len(tree.runs["."].texts["t"][0].text) == 1 << 16
    assert tree.runs["."].files[0].skipped == 1


# Files that grow.


def test_a_file_is_followed_byte_by_byte(tmp_path: Path) -> None:
    content = records.file_version(WALL) + b"".join(simple("x", step, step) for step in range(12))
    path = tmp_path / NAME
    path.write_bytes(b"")
    tree = whole(tmp_path)
    seen = 0
    for stop in range(0, len(content) + 1, 5):
        path.write_bytes(content[:stop])  # longer each time
        again(tree)
        found = len(tree.runs["."].curves["x"]) if "x" in tree.runs["."].curves else 0
        assert found >= seen
        seen = found
    path.write_bytes(content)
    assert curve(again(tree), "x") == [(step, float(step)) for step in range(12)]
    assert not tree.runs["."].problems


def test_new_runs_and_files_are_found_and_lost_ones_noticed(tmp_path: Path) -> None:
    write(tmp_path / "one", simple("x", 0, 1.0))
    tree = whole(tmp_path)
    write(tmp_path / "deep" / "er" / "two", simple("y", 0, 1.0))
    write(tmp_path / "one", simple("x", 1, 2.0), name="events.out.tfevents.1700000001.host")
    again(tree)
    assert set(tree.runs) == {"one", "deep/er/two"}
    assert curve(tree, "x", "one") == [(0, 1.0), (1, 2.0)]
    (tmp_path / "deep" / "er" / "two" / NAME).unlink()
    again(tree)
    assert tree.runs["deep/er/two"].gone
    assert curve(tree, "y", "deep/er/two") == [(0, 1.0)]


def test_a_file_that_is_replaced_is_read_anew(tmp_path: Path) -> None:
    write(tmp_path, *(simple("x", step, 1.0) for step in range(50)))
    tree = whole(tmp_path)
    write(tmp_path, simple("x", 0, 7.0))
    assert curve(again(tree), "x") == [(0, 7.0)]


def test_a_single_file_is_a_run(tmp_path: Path) -> None:
    path = write(tmp_path, simple("x", 0, 1.0))
    write(tmp_path, simple("y", 0, 1.0), name="events.out.tfevents.9.other")
    tree = whole(path)
    assert list(tree.runs) == ["."]
    assert tree.runs["."].tags == ("x",)


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", simple("x", 0, 1.0))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "link").symlink_to(tmp_path / "elsewhere")
    (logs / "loop").symlink_to(logs)
    (logs / "broken").symlink_to(tmp_path / "nowhere")
    tree = whole(logs)
    assert list(tree.runs) == ["link"]


def test_folders_that_are_not_there_or_closed(tmp_path: Path) -> None:
    assert "There is no log folder" in message(lambda: LogTree(tmp_path / "nowhere"))
    write(tmp_path / "open", simple("x", 0, 1.0))
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    try:
        if os.access(closed, os.R_OK):
            pytest.skip("this user may read everything")
        assert "cannot be read" in message(lambda: LogTree(closed))
        tree = whole(tmp_path)
        assert list(tree.runs) == ["open"]
        assert list(tree.problems) == [closed]
    finally:
        closed.chmod(0o700)


def test_a_call_does_a_bounded_piece_of_work(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        steps = np.arange(60_000)
        content = records.scalars("x", np.full(60_000, WALL), steps, steps.astype(np.float64))
        write(tmp_path / name, content)
    tree = LogTree(tmp_path)
    progress = tree.poll(0.0)
    while not tree.runs:
        progress = tree.poll(0.0)
    assert progress.busy
    calls, most, shares = 0, 0, [progress.share]
    while progress.busy:
        before = progress.read
        progress = tree.poll(0.0)
        most = max(most, progress.read - before)
        shares.append(progress.share)
        calls += 1
        if calls == 6:
            assert all(len(run.curves.get("x", LoggedCurve())) for run in tree.runs.values())  # each had its turn
    assert most <= PIECE
    assert calls >= 8
    assert shares[-1] == 1.0
    assert all(len(run.curves["x"]) == 60_000 for run in tree.runs.values())


# Restarts.


def test_what_was_said_beyond_a_restart_does_not_count(tmp_path: Path) -> None:
    write(tmp_path, *(simple("x", step, 1.0) for step in range(10)), tensor("t", 8, [b"old"], "text"))
    write(tmp_path, start(6), *(simple("x", step, 2.0) for step in range(6, 12)), name=NAME + "2")
    tree = whole(tmp_path)
    assert curve(tree, "x") == [(step, 1.0 if step < 6 else 2.0) for step in range(12)]
    assert tree.runs["."].texts["t"] == []
    assert tree.runs["."].restarts == 1
    # The same within one file, and where the writer says nothing of it.
    write(
        tmp_path / "same",
        *(simple("x", s, 1.0) for s in range(10)),
        start(6),
        *(simple("x", s, 2.0) for s in range(6, 9)),
    )
    assert curve(whole(tmp_path / "same"), "x") == [(step, 1.0 if step < 6 else 2.0) for step in range(9)]
    write(tmp_path / "silent", *(simple("x", step, 1.0) for step in range(10)))
    write(tmp_path / "silent", *(simple("x", step, 2.0) for step in range(4, 7)), name=NAME + "2")
    assert curve(whole(tmp_path / "silent"), "x") == [(step, 1.0 if step < 4 else 2.0) for step in range(7)]


def test_steps_that_fall_back_to_the_beginning_begin_anew(tmp_path: Path) -> None:
    parts = [simple("x", step, float(turn)) for turn in range(3) for step in range(20 - turn)]
    write(tmp_path, *parts)
    tree = whole(tmp_path)
    assert curve(tree, "x") == [(step, 2.0) for step in range(18)]
    assert tree.runs["."].curves["x"].restarts == 2


def test_a_little_disorder_is_put_in_order(tmp_path: Path) -> None:
    steps = [0, 2, 1, 5, 3, 4, 4, 9, 8]
    write(tmp_path, *(simple("x", step, float(i)) for i, step in enumerate(steps)))
    assert curve(whole(tmp_path), "x") == sorted(((s, float(i)) for i, s in enumerate(steps)), key=lambda p: p[0])


def test_two_writers_in_one_folder_keep_their_own_tags(tmp_path: Path) -> None:
    one = write(tmp_path, *(simple("a", step, 1.0) for step in range(5)))
    write(tmp_path, *(simple("b", step, 2.0) for step in range(5)), name=NAME + "2")
    tree = whole(tmp_path)
    with one.open("ab") as file:
        file.write(b"".join(simple("a", step, 1.0) for step in range(5, 9)))
    again(tree)
    assert curve(tree, "a") == [(step, 1.0) for step in range(9)]
    assert curve(tree, "b") == [(step, 2.0) for step in range(5)]


def test_ones_own_resumed_run(tmp_path: Path) -> None:
    from engine.recipe import build as recipe_of
    from engine.runs.origin import Origin
    from engine.training.run import Run
    from tests.conftest import losses

    recipe = recipe_of({"dataset": "linear3", "steps": 60, "val": 0.2, "runs": str(tmp_path), "name": "r"})
    run = Run(recipe)
    run.prepare(lambda _: None, lambda: False)
    run.advance(35)
    run.finish("interrupted")
    run = Run(recipe, origin=Origin.read(tmp_path / "r"))
    run.prepare(lambda _: None, lambda: False)
    run.advance(100)
    run.finish("limit")
    tree = whole(tmp_path)
    steps, _, values = tree.runs["r"].curves["loss/train"].points()
    assert np.array_equal(steps, np.arange(60))
    assert np.array_equal(values, np.float32(losses(tmp_path / "r")))
    watched = tree.runs["r"]
    assert watched.choices["dataset"] == "linear3"
    assert watched.status == "success"
    assert "weights/weight" in watched.histograms
    assert "linear3" in watched.texts["recipe"][0].text


# Curves.


def naive(steps: NDArray[np.int64], values: NDArray[Any], edges: NDArray[Any]) -> list[tuple[float, float, bool]]:
    found = []
    for low, high in pairwise(edges):
        part = values[(steps >= low) & (steps < high)]
        known = part[np.isfinite(part)]
        least, most = (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)
        found.append((least, most, len(known) < len(part)))
    return found


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_short_columns_are_exact_and_gaps_are_marked(kind: Any) -> None:
    random = np.random.default_rng(0)
    steps = np.cumsum(random.integers(1, 5, 5000))
    values = random.standard_normal(5000).astype(kind)
    values[random.integers(0, 5000, 40)] = np.nan
    values[100:120] = np.inf
    whole_curve = LoggedCurve()
    for part in np.array_split(np.arange(5000), 13):
        whole_curve.add(0, steps[part], np.zeros(len(part)), values[part])
    for edges in (np.linspace(-10, steps[-1] + 10, 61), np.arange(0, 200, 3), np.array([0, 0, 50, 50, 10**9])):
        found = whole_curve.columns(edges)
        wanted = naive(steps, values, np.asarray(edges))
        for place, (least, most, gap) in enumerate(wanted):
            inside = ((steps >= edges[place]) & (steps < edges[place + 1])).sum()
            if inside < 4 * BUCKET:
                assert np.array_equal([found.low[place], found.high[place]], [least, most], equal_nan=True)
                assert found.gap[place] == gap
            else:
                assert found.low[place] <= least
                assert found.high[place] >= most
                assert found.gap[place] >= gap


@pytest.mark.parametrize("columns", [3, 40, 5000])
def test_the_mean_of_a_column_is_that_of_its_points(columns: int) -> None:
    count = 20_000
    values = np.random.default_rng(0).standard_exponential(count)
    values[7] = np.nan
    curve = LoggedCurve()
    for part in np.array_split(np.arange(count), 7):
        curve.add(0, part, np.zeros(len(part)), values[part])
    edges = np.linspace(0, count, columns + 1).astype(np.int64)
    found = curve.columns(edges).mean
    for place, (start, stop) in enumerate(pairwise(edges.tolist())):
        if stop - start < 4 * BUCKET:
            assert np.isclose(found[place], np.nanmean(values[start:stop])), place
        else:
            assert abs(found[place] - np.nanmean(values[start:stop])) < 0.1
    assert np.isnan(curve.columns(np.array([count, 2 * count])).mean).all()


def test_a_spike_of_one_point_shows_at_any_width() -> None:
    count = 1_000_000
    values = np.zeros(count, np.float32)
    spikes = [0, 123_456, 500_000, 999_999]
    values[spikes] = 5.0
    long = LoggedCurve()
    for part in np.array_split(np.arange(count), 7):
        long.add(0, part, np.zeros(len(part)), values[part])
    for columns in (1, 7, 240, 5000):
        edges = np.linspace(0, count, columns + 1).astype(np.int64)
        high = long.columns(edges).high
        for spike in spikes:
            assert high[np.searchsorted(edges, spike, "right") - 1] == 5.0


def test_points_that_a_reader_holds_do_not_change() -> None:
    held = LoggedCurve()
    held.add(0, np.arange(100), np.zeros(100), np.ones(100, np.float32))
    steps, _, values = held.points()
    held.cut(50)
    held.add(0, np.arange(50, 80), np.zeros(30), np.full(30, 9, np.float32))
    assert np.array_equal(steps, np.arange(100))
    assert (values == 1).all()
    assert len(held) == 80


def test_curves_may_be_drawn_while_they_are_read(tmp_path: Path) -> None:
    steps = np.arange(200_000)
    write(tmp_path, records.scalars("x", np.zeros(len(steps)), steps, np.sin(steps / 1000)))
    tree = LogTree(tmp_path)
    done = threading.Event()
    wrong: list[object] = []

    def draw() -> None:
        while not done.is_set():
            for run in list(tree.runs.values()):
                for each in list(run.curves.values()):
                    count = len(each)
                    columns = each.columns(np.linspace(0, 200_000, 100))
                    if count and not np.isfinite(columns.low[0]):
                        wrong.append(columns)

    thread = threading.Thread(target=draw)
    thread.start()
    while tree.poll(0.001).busy:
        pass
    done.set()
    thread.join(DEADLINE)
    assert not wrong
    assert len(tree.runs["."].curves["x"]) == 200_000


def test_a_million_points_take_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    count = 1_000_000
    steps = np.arange(count)
    path = write(tmp_path, records.scalars("x", np.zeros(count), steps, np.sin(steps / 1000)))
    del steps
    tracemalloc.start()
    try:
        tree = whole(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(tree.runs["."].curves["x"]) == count
    assert peak < 70e6  # 20 MB of points, and as they grow the old ones beside the new


def test_the_csv_has_tensorboards_columns_and_every_point(tmp_path: Path) -> None:
    write(tmp_path, *(simple("x", step, step / 7, WALL + step / 3) for step in range(50)), simple("x", 50, math.nan))
    rows = list(csv.DictReader(io.StringIO("".join(to_csv(whole(tmp_path).runs["."].curves["x"])))))
    assert list(rows[0]) == ["Wall time", "Step", "Value"]
    assert [int(row["Step"]) for row in rows] == list(range(51))
    assert [float(row["Wall time"]) for row in rows[:50]] == [WALL + step / 3 for step in range(50)]
    assert np.float32(rows[3]["Value"]) == np.float32(3 / 7)
    assert math.isnan(float(rows[50]["Value"]))


def test_histograms_are_thinned_but_span_the_run(tmp_path: Path) -> None:
    parts = [tensor("h", step, np.array([[0.0, 1.0, 2.0]]), "histograms") for step in range(5 * KEPT_HISTOGRAMS)]
    write(tmp_path, *parts)
    kept = [one.step for one in whole(tmp_path).runs["."].histograms["h"]]
    assert len(kept) <= KEPT_HISTOGRAMS
    assert kept[0] == 0
    assert kept[-1] > 4.9 * KEPT_HISTOGRAMS
    assert len(set(np.diff(kept))) == 1


def test_a_run_needs_no_tensorboard_numba_or_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    from tests.conftest import environment

    write(tmp_path, simple("x", 0, 1.0))
    script = (
        "import sys; from pathlib import Path; from engine.watch.tree import LogTree\n"
        f"tree = LogTree(Path({str(tmp_path)!r}))\n"
        "while tree.poll().busy: pass\n"
        "assert len(tree.runs['.'].curves['x']) == 1\n"
        "assert not {'torch', 'tensorboard', 'numba', 'polars', 'google'} & set(sys.modules)\n"
    )
    line = [sys.executable, "-c", script]
    answer = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert answer.returncode == 0, answer.stderr


def test_a_file_that_vanishes_while_it_is_read_is_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, simple("x", 0, 1.0))
    run = WatchedRun(".", tmp_path)
    run.files_are({path.name: path.stat().st_size})
    path.unlink()
    assert run.read() == 0
    assert run.problems == (f"{path.name} cannot be read: No such file or directory.",)
    assert isinstance(run.files[0], LogFile)


# The command without a screen.


def test_the_command_tells_what_a_folder_holds(cli: Callable[..., Answer], tmp_path: Path) -> None:
    write(tmp_path / "logs" / "a", *(simple("loss", step, step / 2) for step in range(5)), simple("nan", 3, math.nan))
    write(tmp_path / "logs" / "b", simple("loss", 7, 1.0), simple("acc", 7, 0.5))
    answer = cli("watch logs")
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()][1] == ["a", "loss", "5", "4", "2"]
    told = cli("watch logs --json").json
    assert [run["run"] for run in told["runs"]] == ["a", "b"]
    assert told["runs"][0]["curves"][1] == {"tag": "nan", "points": 1, "step": 3, "wall_time": WALL, "value": None}
    assert cli("watch logs --tag acc").out == f"Wall time,Step,Value\n{WALL!r},7,0.5\n"
    assert cli("watch logs --tag loss --run b").out.endswith(",7,1.0\n")
    for words, wanted in {
        "watch nowhere": "no log folder nowhere",
        "watch logs --tag loss": "2 runs have a curve loss: a, b; choose one",
        "watch logs --tag lose": "they have acc, loss, nan",
        "watch logs --tag acc --run a": "The run a has no curve acc; it has loss, nan",
        "watch logs --tag acc --run c": "no run c",
    }.items():
        answer = cli(words)
        assert answer.code == 2
        assert wanted in answer.err
    (tmp_path / "empty").mkdir()
    assert "There are no curves in empty" in cli("watch empty").err


def test_the_command_stays_short_and_names_the_run(cli: Callable[..., Answer], tmp_path: Path) -> None:
    write(tmp_path / "logs" / "many", *(simple(f"tag{number:04}", 0, 1.0) for number in range(3000)))
    for name in ("a", "b"):
        (tmp_path / "logs" / name).mkdir()
        (tmp_path / "logs" / name / "events.out.tfevents.1.x").write_bytes(b"garbage" * 9)
    answer = cli("watch logs --tag lose")
    assert "they have tag0000, tag0001" in answer.err
    assert "and 2,992 more." in answer.err
    assert len(answer.err) < 300
    told = cli("watch logs --tag tag0007").err.splitlines()
    assert [line.split(":")[0] for line in told] == ["a", "b"]
