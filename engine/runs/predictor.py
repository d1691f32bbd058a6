"""A trained model that takes raw values and gives raw values: weights, encoding and normalization in one file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine import modules
from engine.base.errors import InputError
from engine.base.files import read_bytes, write_bytes
from engine.base.printable import printable_json
from engine.base.shape import Misshapen
from engine.base.shell import quoted
from engine.data.encode import Encoder, Input
from engine.data.normalize import Normalizer, TargetScale
from engine.data.table import Table
from engine.learn.decision import Decision
from engine.learn.decision import of as decision_of
from engine.learn.kernels.contract import Parameters
from engine.learn.metrics import decide, probabilities
from engine.learn.models import Architecture, buffers, forward
from engine.runs import sentences, tensors
from engine.runs.facts import read_facts
from engine.runs.schema import judge_model

if TYPE_CHECKING:
    from engine.data.prepare import Prepared
    from engine.learn.plan import Plan

FORMAT = 2  # 1 had no `reading` of its inputs and no positive class: its threshold is of the second one
BATCH = 1 << 15  # rows that are encoded at once
ROWS = 256  # rows that are predicted at once
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """One prediction taken apart; the lists run over the encoded features."""

    features: tuple[str, ...]
    raw: Floats  # [d] encoded, in the features' own units
    normalized: Floats  # [d] what the model sees
    contributions: Floats | None  # [d] what each adds, in the target's unit or to the logit; None if not linear
    bias: float  # what is there without any feature
    output: float  # the regression output, or the probability of `decided`
    decided: str  # the class, empty for regression
    probabilities: dict[str, float]  # the probability of each class
    warnings: tuple[str, ...]  # values outside the training range, unknown categories
    toward: str = ""  # the class to whose logit the contributions add: of two always the second one


def save_model(
    path: Path, parameters: Parameters, prepared: Prepared, plan: Plan, decision: Decision | None = None
) -> None:
    """Write model.safetensors: arrays as float64, and under the metadata key "schema" what they belong to."""
    from safetensors.numpy import save as to_bytes

    decision = decision or decision_of(prepared.classes, prepared.positive, 0.5)
    schema = {
        "format": FORMAT,
        "architecture": asdict(plan.architecture),
        "loss": plan.loss,
        "threshold": 0.5 if decision is None else decision.threshold,
        "threshold_reason": "" if decision is None else decision.why,
        "positive": None if decision is None else decision.name,
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
    text = printable_json(json.dumps(schema, ensure_ascii=False, allow_nan=False))
    write_bytes(path, to_bytes(parameters.arrays, metadata={"schema": text}))


@dataclass(frozen=True)
class Predictor:
    """A model with its preprocessing. Immutable, so threads may share it."""

    path: Path
    parameters: Parameters
    architecture: Architecture
    encoder: Encoder
    normalizer: Normalizer
    target_scale: TargetScale
    target: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    task: str
    table_name: str
    decision: Decision | None  # of two classes; None of more, and for regression

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The raw columns that a prediction needs."""
        return self.encoder.inputs

    def _outputs(self, matrix: Floats) -> Floats:
        """[n, d] encoded features to [n] numbers in the target's own unit, or [n, classes] probabilities.

        BLAS sums in another order where there are other numbers of rows. They go through it by blocks of one size, so
        that a row gets the same number to the last bit whatever is predicted with it.
        """
        if not len(matrix):
            return np.empty((0, len(self.classes)) if self.classes else 0)
        parts = []
        for start in range(0, len(matrix), ROWS):
            part = matrix[start : start + ROWS]
            filling = ROWS - len(part)
            whole = np.concatenate([part, np.repeat(part[-1:], filling, axis=0)]) if filling else part
            parts.append(self._block(whole)[: len(part)])
        return np.concatenate(parts)

    def _block(self, matrix: Floats) -> Floats:
        outputs = self.forward(self.normalizer.transform(matrix))
        if self.task == "regression":
            return self.target_scale.inverse(outputs[:, 0])
        return probabilities(outputs)

    def forward(self, x: Floats) -> Floats:
        """What the model gives for normalized features [n, d]: [n, k] scaled targets or logits."""
        if not self.architecture.own:
            return forward(self.architecture, self.parameters.arrays, x)
        import torch

        from engine.learn.kernels import networks

        with modules.of_run(self.path.name, self._facts()):
            module = networks.build(self.architecture, "own", 0)
        networks.put(module, self.parameters.arrays)
        with torch.no_grad():
            return np.asarray(module.eval()(torch.from_numpy(x)), np.float64)

    def check(self, *, trust: bool = False) -> None:
        """Raise Untrusted where the model is a class of the person's own that may not be imported; imports nothing."""
        if self.architecture.own:
            with modules.of_run(self.path.name, self._facts()):
                modules.check(self.architecture.module, trusted=trust)

    def _facts(self) -> dict[str, Any]:
        """What run.json says; nothing of a model that lies alone."""
        try:
            return read_facts(self.path)
        except InputError:
            return {}

    def predict(self, table: Table) -> tuple[Floats, tuple[str, ...]]:
        """Numbers [n] or probabilities [n, classes] for the rows of a table, and warnings; raises InputError.

        Beside these it needs memory for BATCH rows only, however many there are.
        """
        parts, warnings = self.batches(table)
        found = list(parts)
        if not found:
            found = [self._outputs(np.empty((0, len(self.features))))]
        return np.concatenate(found), warnings

    def batches(self, table: Table) -> tuple[Iterator[Floats], tuple[str, ...]]:
        """Like `predict`, in parts of at most BATCH rows, each made when it is asked for."""
        parts, warnings = self.encoder.batches(table, BATCH)
        return (self._outputs(part) for part in parts), warnings

    def decide(self, outputs: Floats) -> list[Any]:
        """The class names for probabilities [n, classes], or the numbers [n] themselves."""
        if not self.classes:
            return list(outputs.tolist())
        return [self.classes[i] for i in self.chosen(outputs)]

    def chosen(self, outputs: Floats) -> NDArray[np.int64]:
        """The class numbers [n] for probabilities [n, classes]."""
        if self.decision is None:
            return decide(outputs)
        return decide(outputs, self.decision.threshold, self.decision.positive)

    def predict_rows(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Floats, tuple[str, ...]]:
        """The same for rows given as values by column name; an InputError names the field."""
        matrix, warnings = self.encoder.encode_rows(rows)
        return self._outputs(matrix), warnings

    def explain(self, values: Mapping[str, Any]) -> Explanation:
        """One row's way from raw values to the output. Raises InputError naming the field."""
        matrix, warnings = self.encoder.encode_rows([values])
        normalized = self.normalizer.transform(matrix)[0]
        outputs = self._outputs(matrix)[0]
        probabilities: dict[str, float] = {}
        decided, column = "", 0
        if self.task != "regression":
            probabilities = dict(zip(self.classes, outputs.tolist(), strict=True))
            column = int(self.chosen(outputs[None])[0])
            decided = self.classes[column]
        output = float(outputs) if self.task == "regression" else float(outputs[column])
        contributions, bias, toward = None, 0.0, ""
        if self.architecture.linear:
            logit = min(column, self.architecture.outputs - 1)
            unit = self.target_scale.scale
            contributions = normalized * self.parameters.weight[:, logit] * unit
            bias = float(self.parameters.bias[logit] * unit + self.target_scale.offset)
            if self.task != "regression":
                toward = self.classes[1 if self.architecture.outputs == 1 else column]
        return Explanation(
            self.features, matrix[0], normalized, contributions, bias, output, decided, probabilities, warnings, toward
        )


def load(run: Path) -> Predictor:
    """The predictor of a run folder. Raises InputError where the model is missing or damaged."""
    path = run / "model.safetensors"
    try:
        arrays, schema = tensors.read(path, "schema")
    except FileNotFoundError:
        why = sentences.ENDED_BEFORE_CHECKPOINT()
        if (run / "checkpoints" / "last.safetensors").exists():
            why = sentences.MODEL_TAKEN_AWAY(quoted=quoted(run.name))
        raise InputError(sentences.NO_MODEL(path=run, why=why)) from None
    except Misshapen as error:
        raise InputError(sentences.MODEL_DAMAGED(path=path, reason=error, remedy=_mend(run))) from None
    made = schema.get("format") if isinstance(schema, dict) else None
    if isinstance(made, int) and made > FORMAT:
        raise InputError(sentences.NEWER_MODEL(path=path, format=made))
    try:
        judge_model(schema)
        architecture = _architecture(schema["architecture"])
        _judge_arrays(architecture, arrays)
    except Misshapen as error:
        raise InputError(sentences.BAD_MODEL(path=path, reason=error, remedy=_mend(run))) from None
    return Predictor(
        path=run,
        parameters=Parameters({name: np.asarray(array, np.float64) for name, array in arrays.items()}),
        architecture=architecture,
        encoder=Encoder.from_json(schema["encoder"]),
        normalizer=Normalizer.from_json(schema["normalizer"]),
        target_scale=TargetScale.from_json(schema["target_scale"]),
        target=schema["target"],
        features=tuple(schema["features"]),
        classes=tuple(schema["classes"]),
        task=schema["task"],
        table_name=schema["table"],
        decision=_decision(schema),
    )


def _decision(schema: Mapping[str, Any]) -> Decision | None:
    """How a saved model decides; one of format 1 by a threshold for the second of two classes."""
    classes = tuple(schema["classes"])
    named = schema.get("positive")
    positive = 1 if named is None else classes.index(named)
    return decision_of(classes, positive, float(schema["threshold"]), str(schema.get("threshold_reason") or ""))


def exported(run: Path) -> tuple[bytes, str]:
    """The content of model.safetensors, and its schema as JSON for people: columns, encoding, normalization, target.

    Raises InputError where the model is missing or damaged.
    """
    load(run)
    content = read_bytes(run / "model.safetensors", 2**40)
    # The format begins with the length of a JSON header (huggingface.co/docs/safetensors).
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    tree = json.loads(header.pop("__metadata__")["schema"])
    return content, printable_json(json.dumps(tree | {"tensors": header}, ensure_ascii=False, indent=1)) + "\n"


def _mend(run: Path) -> str:
    """What to do about a damaged model, as half a sentence."""
    if (run / "checkpoints" / "last.safetensors").exists():
        return sentences.RESUME_TO_WRITE(quoted=quoted(run.name))
    return sentences.TRAIN_AGAIN(quoted=quoted(run))


def _architecture(given: dict[str, Any]) -> Architecture:
    known = {one.name: given[one.name] for one in fields(Architecture) if one.name in given}
    return Architecture(**{**known, "hidden": tuple(known["hidden"])})


def _judge_arrays(architecture: Architecture, arrays: Mapping[str, NDArray[Any]]) -> None:
    """That the arrays are those of a model. Raises Misshapen."""
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            raise Misshapen(sentences.NOT_FLOAT64(name=name, dtype=array.dtype))
    if architecture.own:
        return
    for name, shape in architecture.layout():
        if name not in arrays:
            raise Misshapen(sentences.ARRAY_MISSING(name=name))
        if arrays[name].shape != shape:
            raise Misshapen(
                sentences.ARRAY_SHAPE(name=name, shape=str(list(arrays[name].shape)), wanted=str(list(shape)))
            )
    for name, like in buffers(architecture).items():
        if name not in arrays or arrays[name].shape != like.shape:
            raise Misshapen(sentences.ARRAY_MISSING_OR(name=name, wanted=str(list(like.shape))))
