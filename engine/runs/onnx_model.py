"""A model as ONNX, with its encoding and normalization inside: raw columns go in by name, predictions come out.

    each numeric column   double [rows], NaN where missing; dates as days since 1970-01-01
    each other column     string [rows]; empty, NA and the like where missing
    prediction            double [rows] in the target's own unit, or string [rows], the class
    probabilities         double [rows, classes], for classes only

All is computed in float64. The file is written by hand from onnx.proto (onnx.ai, IR version 8, opset 17 and ai.onnx.ml
2); the onnx package is not needed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.base.printable import utf8
from engine.data.cells import truths
from engine.data.inputs import Input
from engine.data.kinds import TOKENS
from engine.data.reading import TRUTHS
from engine.learn.models import BATCH_NORM_EPSILON
from engine.registry.activations import REGISTRY
from engine.registry.families import REGISTRY as FAMILIES
from engine.runs import sentences
from engine.runs.predictor import Predictor
from engine.runs.records import field, varint
from engine.runs.summaries import whole

FLOAT, INT64, STRING, BOOL, DOUBLE = 1, 7, 8, 9, 11  # TensorProto.DataType
A_FLOAT, A_INT, A_STRING, A_INTS, A_STRINGS = 1, 2, 3, 7, 8  # AttributeProto.AttributeType
IR_VERSION, OPSET, ML_OPSET = 8, 17, 2
MISSING, UNKNOWN = -1, -2  # codes of a category that is missing, or that the train rows do not have


class _Graph:
    """Nodes and constants, as they are added; tensors go by name, of which `taken` are the columns'."""

    def __init__(self, taken: Collection[str]) -> None:
        self.taken = taken
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []
        self.count = 0

    def name(self) -> str:
        """A name that no column has."""
        self.count += 1
        name = f"/{self.count}"
        return self.name() if name in self.taken else name

    def constant(self, values: Any) -> str:
        """Add a tensor: float64, int64 or texts."""
        name, array = self.name(), np.asarray(values)
        content = b"".join(whole(1, size) for size in array.shape)
        if array.dtype.kind in "UO":
            content += whole(2, STRING) + b"".join(field(6, utf8(text)) for text in array.ravel().tolist())
        else:
            kind, form = (INT64, "<i8") if array.dtype.kind == "i" else (DOUBLE, "<f8")
            content += whole(2, kind) + field(9, np.ascontiguousarray(array, form).tobytes())
        self.constants.append(content + field(8, utf8(name)))
        return name

    def add(self, op: str, *inputs: str, output: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node; the name of its output."""
        output = output or self.name()
        content = b"".join(field(1, utf8(name)) for name in inputs) + field(2, utf8(output))
        content += field(3, utf8(f"{op}{output}")) + field(4, utf8(op))
        content += b"".join(field(5, _attribute(name, value)) for name, value in attributes.items())
        self.nodes.append(content + (field(7, utf8(domain)) if domain else b""))
        return output

    def op(self, name: str, *inputs: Any, **attributes: Any) -> str:
        """Add a node whose inputs are tensors by name, arrays or numbers; the name of its output."""
        return self.add(name, *(one if isinstance(one, str) else self.constant(one) for one in inputs), **attributes)


def _attribute(name: str, value: Any) -> bytes:
    """An AttributeProto."""
    content = field(1, utf8(name))
    if isinstance(value, float):
        return content + varint(2 << 3 | 5) + struct.pack("<f", value) + whole(20, A_FLOAT)
    if isinstance(value, int):
        return content + whole(3, value % 2**64) + whole(20, A_INT)
    if isinstance(value[0], str):
        return content + b"".join(field(9, utf8(text)) for text in value) + whole(20, A_STRINGS)
    return content + b"".join(whole(8, number % 2**64) for number in value) + whole(20, A_INTS)


def to_onnx(model: Predictor) -> bytes:
    """The file's content. Raises InputError for a module of a person's own, whose formulas are not known."""
    if model.architecture.own:
        raise InputError(sentences.NO_ONNX_OF_CLASS(module=model.architecture.module))
    graph = _Graph({column.name for column in model.inputs})
    parts = [part for column in model.inputs for part in _encode(graph, column, model.encoder.missing)]
    x = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
    if model.encoder.degree > 1:
        x = _terms(graph, x, model.encoder.chosen, len(model.encoder.base))
    if model.normalizer.scales:
        x = graph.add("Sub", x, graph.constant(model.normalizer.offset))
        x = graph.add("Div", x, graph.constant(model.normalizer.scale))
    return _file(model, graph, _head(graph, model, _network(graph, model, x)))


def _encode(graph: _Graph, column: Input, missing: Iterable[str]) -> list[str]:
    """The encoded columns of one input, each double [rows, columns]; see `engine.data.encode`."""
    one = graph.constant(np.array([1]))
    if not column.is_coded:
        gaps = graph.add("IsNaN", column.name)
        filled = graph.add("Where", gaps, graph.constant(float(column.typical)), column.name)
        found = [graph.add("Unsqueeze", filled, one)]
    else:
        known = _codes(column, missing)
        code = graph.add(
            "LabelEncoder",
            column.name,
            domain="ai.onnx.ml",
            keys_strings=list(known),
            values_int64s=list(known.values()),
            default_int64=UNKNOWN,
        )
        gaps = graph.add("Equal", code, graph.constant(MISSING))
        typical = column.categories.index(str(column.typical))
        code = graph.add("Unsqueeze", graph.add("Where", gaps, graph.constant(typical), code), one)
        found = []
        if len(column.categories) > 1:
            levels = graph.constant(np.arange(1, len(column.categories))[None])
            found.append(graph.add("Cast", graph.add("Equal", code, levels), to=DOUBLE))
    if column.marked:
        found.append(graph.add("Unsqueeze", graph.add("Cast", gaps, to=DOUBLE), one))
    return found


def _as_written(mark: str) -> list[str]:
    """A missing mark in the case of letters that files have it in: NaN, n/a."""
    return [token for token in TOKENS if token.lower() == mark]


def _codes(column: Input, missing: Iterable[str]) -> dict[str, int]:
    """The code of every text that a category or a missing cell may be given as."""
    known = {form: MISSING for token in missing for form in (token, token.upper(), *_as_written(token))}
    lower = [text.lower() for text in column.categories]
    for code, text in enumerate(column.categories):
        if len(lower) <= 100 and lower.count(text.lower()) == 1:
            for form in (text.lower(), text.upper(), text.capitalize()):
                known.setdefault(form, code)
    meant = truths(column.categories)
    if meant is not None:
        for word, truth in TRUTHS.items():
            for form in (word, word.upper(), word.capitalize()):
                known.setdefault(form, meant[truth])
    return known | {text: code for code, text in enumerate(column.categories)}


def _terms(graph: _Graph, base: str, chosen: Sequence[tuple[int, ...]], width: int) -> str:
    """Products of the base columns: a factor of each term is gathered at a time, shorter terms filled up with ones."""
    ones = graph.add("Add", graph.add("Mul", _column(graph, base, 0), graph.constant(0.0)), graph.constant(1.0))
    room = graph.add("Concat", base, ones, axis=1)
    product = ""
    for place in range(max(len(term) for term in chosen)):
        taken = np.array([term[place] if place < len(term) else width for term in chosen])
        factor = graph.add("Gather", room, graph.constant(taken), axis=1)
        product = graph.add("Mul", product, factor) if product else factor
    return product


def _column(graph: _Graph, x: str, number: int) -> str:
    return graph.add("Gather", x, graph.constant(np.array([number])), axis=1)


def _flat(graph: _Graph, x: str) -> str:
    """[rows, 1] to [rows]."""
    return graph.add("Squeeze", x, graph.constant(np.array([1])))


def _network(graph: _Graph, model: Predictor, x: str) -> str:
    """The layers, as `engine.learn.models.forward` has them."""
    arrays, shape = model.parameters.arrays, model.architecture

    def dense(x: str, weight: NDArray[Any], bias: NDArray[Any]) -> str:
        return graph.add("Add", graph.add("MatMul", x, graph.constant(weight)), graph.constant(bias))

    if shape.linear:
        return dense(x, arrays["weight"], arrays["bias"])
    own = FAMILIES[shape.family]
    if not own.chain and own.onnx is None:
        raise InputError(sentences.NO_ONNX_OF_MODEL(model=own.name))
    if own.onnx is not None and not own.hidden:
        return own.onnx(graph.op, shape, arrays, x, lambda z: z)
    activation = REGISTRY[shape.activation].onnx
    if activation is None:
        raise InputError(sentences.NO_ONNX_OF_ACTIVATION(activation=shape.activation))
    if own.onnx is not None:
        return own.onnx(graph.op, shape, arrays, x, lambda z: activation(graph.op, z))
    for number in range(len(shape.hidden)):
        x = dense(x, arrays[f"hidden{number}.weight"], arrays[f"hidden{number}.bias"])
        if shape.batch_norm:
            deviation = np.sqrt(arrays[f"norm{number}.variance"] + BATCH_NORM_EPSILON)
            x = graph.add("Sub", x, graph.constant(arrays[f"norm{number}.mean"]))
            x = graph.add("Div", x, graph.constant(deviation))
            x = graph.add("Mul", x, graph.constant(arrays[f"norm{number}.scale"]))
            x = graph.add("Add", x, graph.constant(arrays[f"norm{number}.shift"]))
        x = activation(graph.op, x)
    return dense(x, arrays["output.weight"], arrays["output.bias"])


def _head(graph: _Graph, model: Predictor, z: str) -> list[bytes]:
    """From the last layer to the outputs; these, as ValueInfoProtos."""
    prediction, probabilities = "prediction", "probabilities"
    while prediction in graph.taken:
        prediction += "_"
    while probabilities in graph.taken:
        probabilities += "_"
    if model.task == "regression":
        scaled = graph.add("Mul", _flat(graph, z), graph.constant(model.target_scale.scale))
        graph.add("Add", scaled, graph.constant(model.target_scale.offset), output=prediction)
        return [_value(prediction, DOUBLE)]
    if model.architecture.outputs == 1:
        first = graph.add("Sigmoid", graph.add("Neg", z))  # 1 - sigmoid would round small ones off
        graph.add("Concat", first, graph.add("Sigmoid", z), output=probabilities, axis=1)
    else:
        graph.add("Softmax", z, output=probabilities, axis=1)
    decision = model.decision
    if decision is not None:
        probability = _flat(graph, _column(graph, probabilities, decision.positive))
        reached = graph.add("GreaterOrEqual", probability, graph.constant(decision.threshold))
        both = (graph.constant(np.array(number)) for number in (decision.positive, 1 - decision.positive))
        chosen = graph.add("Where", reached, *both)
    else:
        chosen = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    graph.add("Gather", graph.constant(np.array(model.classes)), chosen, output=prediction, axis=0)
    return [_value(prediction, STRING), _value(probabilities, DOUBLE, len(model.classes))]


def _value(name: str, kind: int, width: int = 0) -> bytes:
    """A ValueInfoProto: [rows] or [rows, width]."""
    sizes = field(1, field(2, b"rows")) + (field(1, whole(1, width)) if width else b"")
    return field(1, utf8(name)) + field(2, field(1, whole(1, kind) + field(2, sizes)))


def _file(model: Predictor, graph: _Graph, outputs: Sequence[bytes]) -> bytes:
    """A ModelProto."""
    inputs = [_value(column.name, STRING if column.is_coded else DOUBLE) for column in model.inputs]
    content = b"".join(field(1, node) for node in graph.nodes) + field(2, b"ravine")
    content += b"".join(field(5, constant) for constant in graph.constants)
    content += b"".join(field(11, given) for given in inputs) + b"".join(field(12, given) for given in outputs)
    versions = field(8, whole(2, OPSET)) + field(8, field(1, b"ai.onnx.ml") + whole(2, ML_OPSET))
    notes = {"target": model.target, "task": model.task, "table": model.table_name, "run": model.path.name}
    if model.decision is not None:
        notes |= {"positive": model.decision.name, "threshold": repr(model.decision.threshold)}
        notes |= {"classes": json.dumps(model.classes, ensure_ascii=False), "decision": model.decision.sentence}
    told = b"".join(field(14, field(1, utf8(key)) + field(2, utf8(text))) for key, text in notes.items())
    return whole(1, IR_VERSION) + field(2, b"ravine") + field(7, content) + versions + told
