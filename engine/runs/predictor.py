"""A trained model that takes raw values and gives raw values: weights, encoding and normalization in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.encode import Encoder, Input
from engine.data.normalize import Normalizer
from engine.data.prepare import Prepared, TargetScale
from engine.data.table import Table
from engine.errors import InputError
from engine.files import write_bytes
from engine.learn.kernels.contract import Parameters

FORMAT = 1
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """One prediction taken apart; the lists run over the encoded features."""

    features: tuple[str, ...]
    raw: Floats  # [d] encoded, in the features' own units
    normalized: Floats  # [d] what the model sees
    contributions: Floats  # [d] what each adds to the output, in the target's unit
    bias: float  # what is there without any feature, in the target's unit
    output: float  # bias + sum of contributions
    warnings: tuple[str, ...]  # values outside the training range, unknown categories


def save_model(path: Path, parameters: Parameters, prepared: Prepared) -> None:
    """Write model.safetensors: arrays as float64, and under the metadata key "schema" what they belong to."""
    from safetensors.numpy import save as to_bytes

    schema = {
        "format": FORMAT,
        "model": "linear",
        "task": prepared.task,
        "target": prepared.target,
        "features": prepared.features,
        "classes": prepared.classes,
        "encoder": prepared.encoder.to_json(),
        "normalizer": prepared.normalizer.to_json(),
        "target_scale": {"offset": prepared.target_scale.offset, "scale": prepared.target_scale.scale},
        "table": prepared.table_name,
        "fingerprint": prepared.fingerprint,
    }
    text = json.dumps(schema, ensure_ascii=False, allow_nan=False)
    write_bytes(path, to_bytes(parameters.arrays, metadata={"format": "np", "schema": text}))


@dataclass(frozen=True)
class Predictor:
    """A model with its preprocessing. Immutable, so threads may share it."""

    path: Path
    parameters: Parameters
    encoder: Encoder
    normalizer: Normalizer
    target_scale: TargetScale
    target: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    task: str
    table_name: str

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The raw columns that a prediction needs."""
        return self.encoder.inputs

    def _outputs(self, matrix: Floats) -> Floats:
        """[n, d] encoded features to [n] outputs in the target's own unit."""
        scaled = self.normalizer.transform(matrix) @ self.parameters.weight + self.parameters.bias
        column: Floats = scaled[:, 0] * self.target_scale.scale + self.target_scale.offset
        return column

    def predict(self, table: Table) -> tuple[Floats, tuple[str, ...]]:
        """Outputs [n] for the rows of a table that has the raw columns by name, and warnings. Raises InputError."""
        matrix, warnings = self.encoder.encode(table)
        return self._outputs(matrix), warnings

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, tuple[str, ...]]:
        """Outputs [n] for rows given as values by column name, and warnings. Raises InputError naming the field."""
        matrix, warnings = self.encoder.encode_rows(rows)
        return self._outputs(matrix), warnings

    def explain(self, values: Mapping[str, Any]) -> Explanation:
        """One row's way from raw values to the output. Raises InputError naming the field."""
        matrix, warnings = self.encoder.encode_rows([values])
        normalized = self.normalizer.transform(matrix)[0]
        unit = self.target_scale.scale
        contributions = normalized * self.parameters.weight[:, 0] * unit
        bias = float(self.parameters.bias[0] * unit + self.target_scale.offset)
        output = bias + float(contributions.sum())
        return Explanation(self.features, matrix[0], normalized, contributions, bias, output, warnings)


def load(run: Path) -> Predictor:
    """The predictor of a run folder. Raises InputError where the model is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    path = run / "model.safetensors"
    try:
        with safe_open(path, framework="np") as file:
            schema = json.loads((file.metadata() or {})["schema"])
            arrays = {name: np.asarray(file.get_tensor(name), np.float64) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"The run {run} has no model.safetensors: it ended before its first checkpoint.") from None
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise InputError(f"The model {path} is damaged: {error}.") from None
    if schema.get("format", FORMAT + 1) > FORMAT:
        raise InputError(f"The model {path} is of format {schema.get('format')}; install a newer ravine.")
    try:
        return Predictor(
            path=run,
            parameters=Parameters(arrays),
            encoder=Encoder.from_json(schema["encoder"]),
            normalizer=Normalizer.from_json(schema["normalizer"]),
            target_scale=TargetScale(**schema["target_scale"]),
            target=schema["target"],
            features=tuple(schema["features"]),
            classes=tuple(schema["classes"]),
            task=schema["task"],
            table_name=schema["table"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"The model {path} is not what ravine writes: {error!r}.") from None
