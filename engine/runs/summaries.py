"""TensorBoard's summaries that are no plain scalars: histograms, text, precision-recall curves, hyperparameters.

Each function gives one Event message without its frame. Field numbers are those of tensorboard's event.proto,
summary.proto, tensor.proto and of the plugins' plugin_data.proto; numbers in the names below are theirs.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.printable import utf8
from engine.runs.records import field, varint

Floats = NDArray[np.float64]

BUCKETS = 30  # of a histogram, as TensorBoard's own writer makes them
THRESHOLDS = 201  # of a precision-recall curve, as TensorBoard's own
DOUBLE, STRING = 2, 7  # DataType of tensor.proto
SCALAR_CLASS, TENSOR_CLASS = 1, 2  # DataClass of summary.proto
SUCCESS, FAILURE, RUNNING = 1, 2, 3  # Status of the hparams plugin


def number(place: int, value: float) -> bytes:
    """A float64 field."""
    return varint(place << 3 | 1) + struct.pack("<d", value)


def whole(place: int, value: int) -> bytes:
    """An integer field, value >= 0."""
    return varint(place << 3) + varint(value)


def event(wall_time: float, step: int, content: bytes) -> bytes:
    """An Event message: wall time, step (>= 0), and what it carries."""
    return number(1, wall_time) + (whole(2, step) if step else b"") + content


def tensor(values: NDArray[Any]) -> bytes:
    """A TensorProto of float64 numbers or, for dtype object, of byte strings."""
    shape = b"".join(field(2, whole(1, size)) for size in values.shape)
    if values.dtype == object:
        return whole(1, STRING) + field(2, shape) + b"".join(field(8, text) for text in values.ravel())
    return whole(1, DOUBLE) + field(2, shape) + field(4, np.ascontiguousarray(values, "<f8").tobytes())


def _value(tag: str, plugin: str, values: NDArray[Any], content: bytes = b"") -> bytes:
    """A Summary with one tensor that a plugin shows."""
    told = field(1, field(1, utf8(plugin)) + (field(2, content) if content else b""))
    metadata = told + whole(4, TENSOR_CLASS)
    return field(5, field(1, field(1, utf8(tag)) + field(8, tensor(values)) + field(9, metadata)))


def buckets(values: Floats) -> Floats:
    """[buckets, 3] left edge, right edge and count of the finite values; [0, 3] where there are none."""
    finite = values[np.isfinite(values)].ravel()
    if not finite.size:
        return np.empty((0, 3))
    low, high = float(finite.min()), float(finite.max())
    least = 4 * BUCKETS * np.spacing(max(abs(low), abs(high)))  # below it the edges would not all be different numbers
    if not high - low > max(least, BUCKETS / np.finfo(np.float64).max) or not np.isfinite(high - low):
        # All the same to rounding, or too far apart for float64: one bucket around them.
        room = 0.5 if low == high else 0.0
        return np.array([[low - room, high + room, finite.size]])
    edges = np.linspace(low, high, BUCKETS + 1)
    places = ((finite - low) * (BUCKETS / (high - low))).astype(np.int64)
    counts = np.bincount(np.minimum(places, BUCKETS - 1), minlength=BUCKETS)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def histogram(tag: str, wall_time: float, step: int, values: Floats) -> bytes:
    """How the values, of any shape, are spread."""
    return event(wall_time, step, _value(tag, "histograms", buckets(values)))


def text(tag: str, wall_time: float, step: int, markdown: str) -> bytes:
    """Words, in Markdown."""
    return event(wall_time, step, _value(tag, "text", np.array(utf8(markdown), object)))


def pr_curve(tag: str, wall_time: float, step: int, y: NDArray[np.int64], probability: Floats) -> bytes:
    """Precision and recall of the positive class at evenly spaced thresholds.

    Args:
        y: [n] 1 for the positive class, else 0.
        probability: [n] probability of the positive class.
    """
    return event(wall_time, step, _value(tag, "pr_curves", pr_table(y, probability), whole(2, THRESHOLDS)))


def pr_table(y: NDArray[np.int64], probability: Floats) -> Floats:
    """[6, thresholds] true positives, false positives, true negatives, false negatives, precision, recall."""
    bucket = np.floor(np.clip(probability, 0, 1) * (THRESHOLDS - 1)).astype(np.int64)
    hits = np.bincount(bucket[y == 1], minlength=THRESHOLDS)[::-1].cumsum()[::-1].astype(np.float64)
    false = np.bincount(bucket[y != 1], minlength=THRESHOLDS)[::-1].cumsum()[::-1].astype(np.float64)
    precision = hits / np.maximum(hits + false, 1e-7)
    recall = hits / np.maximum(hits[0], 1e-7)
    return np.stack([hits, false, false[0] - false, hits[0] - hits, precision, recall])


# Hyperparameters. A session is one run; TensorBoard joins it with the scalars of the same folder. No Experiment message
# is written: TensorBoard takes the first that it meets in a tree for all runs, and its columns with it, so that a
# regression's would hide the accuracy of the classifiers beside it. Without one it collects the columns of all runs.


def _session(tag: str, wall_time: float, content: bytes) -> bytes:
    nothing = whole(1, 1) + field(2, field(2, whole(1, 0)))  # an empty tensor: all is in the metadata
    metadata = field(1, field(1, b"hparams") + field(2, content)) + whole(4, TENSOR_CLASS)
    value = field(1, utf8(tag)) + field(8, nothing) + field(9, metadata)
    return event(wall_time, 0, field(5, field(1, value)))


def session_start(wall_time: float, name: str, choices: Mapping[str, float | bool | str]) -> bytes:
    """The hyperparameters of a run: numbers, switches and words by name."""
    entries = b"".join(
        field(1, field(1, utf8(key)) + field(2, _plain(value))) for key, value in sorted(choices.items())
    )
    started = entries + field(4, utf8(name)) + number(5, wall_time)
    return _session("_hparams_/session_start_info", wall_time, field(3, started))


def session_end(wall_time: float, status: int) -> bytes:
    """How a run ended: SUCCESS or FAILURE."""
    return _session("_hparams_/session_end_info", wall_time, field(4, whole(1, status) + number(2, wall_time)))


def _plain(value: float | bool | str) -> bytes:
    """A google.protobuf.Value."""
    if isinstance(value, bool):
        return whole(4, int(value))
    if isinstance(value, int | float):
        return number(2, float(value))
    return field(3, utf8(value))


# The graph.


def node(name: str, op: str, inputs: Sequence[str] = (), shape: Sequence[int] | None = None, **notes: str) -> bytes:
    """A NodeDef. `shape`: of its output, -1 for the rows; `notes` are shown as attributes."""
    content = field(1, utf8(name)) + field(2, utf8(op))
    content += b"".join(field(3, utf8(source)) for source in inputs)
    told = {key: field(2, utf8(value)) for key, value in notes.items()}
    if shape is not None:
        sizes = b"".join(field(2, whole(1, size if size >= 0 else size + 2**64)) for size in shape)
        told["_output_shapes"] = field(1, field(7, sizes))  # a list of one shape
    return content + b"".join(field(5, field(1, utf8(key)) + field(2, value)) for key, value in told.items())


def graph(wall_time: float, nodes: Sequence[bytes]) -> bytes:
    """The graph of a run, from its nodes."""
    definition = b"".join(field(1, content) for content in nodes) + field(4, whole(1, 22))
    return event(wall_time, 0, field(4, definition))
