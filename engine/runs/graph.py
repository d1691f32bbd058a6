"""The picture of a model that TensorBoard's graph page draws: inputs, preparation, layers, loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.data.prepare import Prepared
from engine.learn.plan import Plan
from engine.registry.families import LINEAR
from engine.runs.summaries import node

MOST_INPUTS = 60  # raw columns that get a node of their own


def nodes(plan: Plan, prepared: Prepared, parameters: Mapping[str, tuple[int, ...]]) -> list[bytes]:
    """The nodes of a run's graph.

    Args:
        parameters: the shape of each parameter by name.
    """
    found: list[bytes] = []
    sources: list[str] = []
    columns = prepared.encoder.inputs
    for number, column in enumerate(columns[:MOST_INPUTS]):
        name = f"inputs/{number:02}_{_safe(column.name)}"
        found.append(node(name, "Placeholder", shape=[-1], column=column.name, kind=column.kind))
        sources.append(name)
    if len(columns) > MOST_INPUTS:
        rest = f"{len(columns) - MOST_INPUTS}_more"
        found.append(node(f"inputs/{rest}", "Placeholder", shape=[-1, len(columns) - MOST_INPUTS]))
        sources.append(f"inputs/{rest}")
    width = len(prepared.features)
    degree = prepared.encoder.degree
    found.append(node("encode", "Encode", sources, [-1, width], degree=str(degree)))
    found.append(node("normalize", "Normalize", ["encode"], [-1, width], mode=prepared.normalizer.mode))
    last = _layers(found, plan, parameters, width)
    found.append(node("target", "Placeholder", shape=[-1], column=prepared.target))
    told = "target"
    if plan.objective.for_regression:
        if prepared.target_scale.scale != 1.0 or prepared.target_scale.offset:
            found.append(node("normalize_target", "Normalize", ["target"], [-1]))
            told = "normalize_target"
    else:
        head = "Softmax" if plan.objective.classes else "Sigmoid"
        found.append(node("probability", head, [last], [-1, plan.architecture.outputs]))
        last = "probability"
    found.append(node(f"loss/{plan.loss}", plan.loss, [last, told], []))
    return found


def _safe(name: str) -> str:
    """A column's name as a node may be called."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_.-") else "_" for letter in name)


def _layers(found: list[bytes], plan: Plan, parameters: Mapping[str, tuple[int, ...]], width: int) -> str:
    """Add the layers; the name of the last node."""
    shape = plan.architecture
    if not shape.chain:
        return _module(found, plan, parameters)
    if shape.linear:
        return _dense(found, LINEAR.name, "", "normalize", width, shape.outputs)
    last = "normalize"
    for number, size in enumerate(shape.hidden):
        name = f"hidden{number}"
        last = _dense(found, name, name, last, width, size)
        if shape.batch_norm:
            found.append(node(f"{name}/batch_norm", "BatchNorm", [last], [-1, size]))
            last = f"{name}/batch_norm"
        found.append(node(f"{name}/{shape.activation}", shape.activation, [last], [-1, size]))
        last = f"{name}/{shape.activation}"
        if shape.dropout:
            found.append(node(f"{name}/dropout", "Dropout", [last], [-1, size], share=f"{shape.dropout:g}"))
            last = f"{name}/dropout"
        width = size
    return _dense(found, "output", "output", last, width, shape.outputs)


def _dense(found: list[bytes], name: str, parameter: str, source: str, width: int, size: int) -> str:
    prefix = f"{parameter}." if parameter else ""
    found.append(node(f"{name}/weight", "Variable", shape=[width, size], parameter=f"{prefix}weight"))
    found.append(node(f"{name}/bias", "Variable", shape=[size], parameter=f"{prefix}bias"))
    found.append(node(f"{name}/MatMul", "MatMul", [source, f"{name}/weight"], [-1, size]))
    found.append(node(f"{name}/add", "Add", [f"{name}/MatMul", f"{name}/bias"], [-1, size]))
    return f"{name}/add"


def _module(found: list[bytes], plan: Plan, parameters: Mapping[str, tuple[int, ...]]) -> str:
    """A model that is no chain of layers: its parameters by the submodule that holds them; what it does with them is
    its own affair."""
    name = _safe(plan.model.rpartition(":")[2])
    sources: list[str] = ["normalize"]
    for parameter, shape in parameters.items():
        place = f"{name}/{'/'.join(_safe(part) for part in parameter.split('.'))}"
        found.append(node(place, "Variable", shape=_sizes(shape), parameter=parameter))
        sources.append(place)
    found.append(node(f"{name}/forward", "Module", sources, [-1, plan.architecture.outputs]))
    return f"{name}/forward"


def _sizes(shape: Sequence[int]) -> list[int]:
    return [int(size) for size in shape]
