"""A model as one Python file that needs neither ravine nor numpy."""

from __future__ import annotations

import json
from importlib.resources import files
from textwrap import dedent, indent
from typing import Any

from engine.base.errors import InputError
from engine.data.cells import truths
from engine.data.dates import FORMATS
from engine.data.reading import TRUTHS
from engine.registry.activations import REGISTRY
from engine.registry.families import REGISTRY as FAMILIES
from engine.runs import sentences
from engine.runs.predictor import Predictor
from engine.runs.python_text import in_docstring


def script(model: Predictor) -> str:
    """The text of predict.py. Raises InputError for a module of a person's own."""
    if model.architecture.own:
        raise InputError(sentences.NO_SCRIPT_OF_CLASS(module=model.architecture.module))
    target, table, run = map(in_docstring, (model.target, model.table_name, model.path.resolve().name))
    about = sentences.PREDICT_FROM(target=target, model=_kind(model), table=table, run=run)
    about += f" {in_docstring(model.decision.sentence)}" if model.decision is not None else ""
    text = files("engine.runs").joinpath("templates/predict.py.txt").read_text(encoding="utf-8")
    text = text.replace("ACTIVATIONS = {}", _activations(model), 1)
    if not model.architecture.chain:
        start, end = text.index("def outputs(x):"), text.index("def predict(row):")
        text = text[:start] + _outputs(model) + "\n\n\n" + text[end:]
    return text.replace('"""ABOUT', '"""' + about, 1).replace('r"""MODEL"""', f'r"""\n{_embedded(model)}"""', 1)


def _activations(model: Predictor) -> str:
    """The functions of the hidden units by name, as source text."""
    if not model.architecture.hidden or model.architecture.linear:
        return "ACTIVATIONS = {}"
    one = REGISTRY[model.architecture.activation]
    return f"ACTIVATIONS = {{{json.dumps(one.name)}: {one.scalar}}}"


def _outputs(model: Predictor) -> str:
    """The function from normalized columns to outputs, of a model that is no chain of layers."""
    one = FAMILIES[model.architecture.family]
    if not one.scalar:
        raise InputError(sentences.NO_LINES_OF_MODEL(model=one.name))
    lines = ['"""What the model gives for normalized columns."""', 'p = MODEL["parameters"]']
    if one.hidden:
        lines.append(f"bend = ACTIVATIONS[{json.dumps(model.architecture.activation)}]")
    body = "\n".join([*lines, dedent(one.scalar).strip()])
    return "def outputs(x):\n" + indent(body, "    ")


def _kind(model: Predictor) -> str:
    return FAMILIES[model.architecture.family].noun


def _embedded(model: Predictor) -> str:
    """The model as JSON that can stand in a raw string with three quotes; floats keep every bit."""
    encoder = model.encoder.to_json()
    tree = {
        "target": model.target,
        "classes": list(model.classes),
        "threshold": None if model.decision is None else model.decision.threshold,
        "positive": None if model.decision is None else model.decision.name,
        "missing": encoder["missing"],
        "truths": TRUTHS,
        "date_formats": list(FORMATS),
        "inputs": [given | {"truths": truths(given["categories"])} for given in encoder["inputs"]],
        "degree": encoder["degree"],
        "terms": encoder["terms"],
        "normalizer": model.normalizer.to_json(),
        "target_scale": model.target_scale.to_json(),
        **_parameters(model),
    }
    # A raw string with three quotes can hold any JSON: its quotes never stand three in a row.
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in tree.items()) + "\n}\n"


def _lines(value: Any) -> str:
    """JSON, a line for each item of a list of lists or objects."""
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list) and value and isinstance(value[0], list | dict):
        return "[\n" + ",\n".join(_lines(item) for item in value) + "]"
    return json.dumps(value, allow_nan=False)


def _parameters(model: Predictor) -> dict[str, Any]:
    if model.architecture.chain:
        return {"layers": _layers(model)}
    return {"parameters": {name: model.parameters.arrays[name].tolist() for name, _ in model.architecture.layout()}}


def _layers(model: Predictor) -> list[dict[str, Any]]:
    """Every layer: a list of weights for each of its outputs, biases, batch norm, activation."""
    arrays, shape = model.parameters.arrays, model.architecture
    if shape.linear:
        return [{"weight": arrays["weight"].T.tolist(), "bias": arrays["bias"].tolist(), "activation": ""}]
    found = []
    for number in range(len(shape.hidden)):
        layer = {
            "weight": arrays[f"hidden{number}.weight"].T.tolist(),
            "bias": arrays[f"hidden{number}.bias"].tolist(),
            "activation": shape.activation,
        }
        if shape.batch_norm:
            layer["norm"] = [arrays[f"norm{number}.{n}"].tolist() for n in ("mean", "variance", "scale", "shift")]
        found.append(layer)
    last = {"weight": arrays["output.weight"].T.tolist(), "bias": arrays["output.bias"].tolist(), "activation": ""}
    return [*found, last]
