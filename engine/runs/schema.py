"""What run.json, the model's schema and the facts of a checkpoint must look like: judged where the files are read.

Each function raises `engine.base.shape.Misshapen` with a phrase. Fields of a newer ravine may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.base import shape
from engine.base.shape import Misshapen
from engine.runs import sentences

_FIGURE = shape.maybe(shape.number)  # NaN is written as null
_ROW = shape.either(shape.listed(_FIGURE), _FIGURE, wanted=sentences.NUMBERS())
_BIAS = shape.either(shape.listed(_FIGURE), _FIGURE, wanted=sentences.NUMBERS())

_RESULT = shape.record(
    {},
    {
        "ended": shape.text,
        "steps": shape.count,
        "metrics": shape.table(shape.maybe(shape.table(_FIGURE))),
        "classes": shape.listed(shape.text),
        "positive": shape.text,
        "threshold_reason": shape.text,
        "features": shape.listed(shape.text),
        "weights_raw": shape.listed(_ROW),
        "weights_scaled": shape.listed(_ROW),
        "bias_raw": _BIAS,
        "bias_scaled": _BIAS,
        **dict.fromkeys(
            (
                "epochs",
                "seconds",
                "steps_per_second",
                "train_loss",
                "val_loss",
                "optimum_loss",
                "baseline_loss",
                "gap",
                "threshold",
                "lr",
                "lr_bound",
                "condition_number",
            ),
            shape.number,
        ),
    },
)

_DATA = shape.record(
    {},
    {
        "source": shape.text,
        "table": shape.text,
        "target": shape.text,
        "positive": shape.text,
        "fingerprint": shape.text,
        "rows": shape.table(shape.count),
        "features": shape.listed(shape.text),
        "notes": shape.listed(shape.text),
    },
)

_CHOICES = shape.record(
    {},
    {
        **dict.fromkeys(("dataset", "normalize", "model", "optimizer"), shape.text),
        "lr": shape.number,
        "steps": shape.count,
        "batch_size": shape.either(shape.count, shape.text, wanted=sentences.A_WHOLE_NUMBER()),
    },
)

_RUN = shape.record(
    {"format": shape.whole},
    {
        **dict.fromkeys(
            ("state", "host", "ending", "ending_id", "command", "device", "backend", "git_commit"), shape.text
        ),
        "ending_fields": shape.table(shape.anything),
        "created": shape.number,
        "pid": shape.whole,
        "threads": shape.count,
        "precision": shape.one_of("float32", "float64", "bf16", "fp16"),
        "kept_step": shape.count,
        "versions": shape.table(shape.anything),
        "data": _DATA,
        "choices": _CHOICES,
        "recipe": shape.table(shape.anything),
        "does_not_apply": shape.table(shape.text),
        "result": _RESULT,
        "resumed": shape.listed(shape.record({}, {"time": shape.number, "step": shape.count})),
        "origin": shape.record({}, {"run": shape.text, "step": shape.count}),
    },
)


def judge_run(tree: Any) -> None:
    """The content of run.json."""
    _RUN(tree, "")
    result: Mapping[str, Any] = tree.get("result") or {}
    width = len(result.get("features") or ())
    for name in ("weights_raw", "weights_scaled"):
        rows = result.get(name)
        if rows is None:
            continue
        if len(rows) != width:
            raise Misshapen(sentences.WRONG_ROWS(name=name, rows=len(rows), features=width))
        if len({len(row) if isinstance(row, list) else -1 for row in rows}) > 1:
            raise Misshapen(sentences.RAGGED_ROWS(name=name))
        bias = result.get(name.replace("weights", "bias"))
        wide = len(rows[0]) if rows and isinstance(rows[0], list) else None
        if rows and (len(bias) if isinstance(bias, list) else None) != wide:
            raise Misshapen(sentences.OTHER_OUTPUTS(name=name))


_ENTRY = shape.record(
    {
        "state": shape.text,
        "bytes": shape.count,
        "note": shape.text,
        "tags": shape.listed(shape.text),
        "choices": shape.table(shape.anything),
        "figures": shape.table(shape.number),
    },
    {
        **dict.fromkeys(("host", "ended", "dataset", "normalization", "model", "optimizer", "problem"), shape.text),
        **dict.fromkeys(("created", "lr", "seconds", "train_loss", "val_loss", "gap"), shape.number),
        "steps": shape.count,
        "pid": shape.whole,
        "idle": shape.listed(shape.text),
    },
)


def judge_entry(tree: Any) -> None:
    """What the index says of a run."""
    _ENTRY(tree, "")
    for name in ("created", "dataset", "steps", "seconds", "ended", "host"):
        if name in tree and tree[name] is None:
            raise Misshapen(sentences.IS_NULL(name=name))


_STATE = shape.either(shape.number, shape.text, wanted=sentences.NUMBER_OR_TEXT())
_CHECKPOINT = shape.record({"step": shape.count}, {"run": shape.text, "best": shape.text, "optimizer": shape.text})
_WATCH = shape.record(
    {
        "best": shape.maybe(shape.floating),
        "mark": shape.maybe(shape.floating),
        "best_step": shape.whole,
        "waited": shape.count,
        "before": shape.maybe(shape.floating),
    }
)
_PLATEAU = shape.record(
    {"factor": shape.number, "waited": shape.count, "best": shape.maybe(shape.floating)},
)
_PROGRESS = shape.record(
    {},
    {
        "seconds": shape.number,
        "evaluated": shape.whole,
        "rated": shape.whole,
        "first_norm": shape.floating,
    },
)


def judge_checkpoint(facts: Any) -> None:
    """The facts of a checkpoint; whether its arrays are those of a run, only the run's kernel can say."""
    shape.table(_STATE)(facts, "")
    _CHECKPOINT(facts, "")
    if "run" in facts:
        own = shape.parse(facts["run"])
        _PROGRESS(own, "run")
        for name, judge in (("watch", _WATCH), ("plateau", _PLATEAU)):
            if own.get(name):
                judge(own[name], f"run.{name}")
    if "best" in facts:
        best = shape.parse(facts["best"])
        shape.table(_STATE)(best, "best")
        _CHECKPOINT(best, "best")


_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)


def _dates(value: Any, place: str) -> None:
    """A format that strptime takes, "iso", or nothing."""
    shape.text(value, place)
    found = _DIRECTIVE.findall(value)
    if len(set(found)) < len(found) or not set(found) <= set("aAwdbBmyYHIMSpfzZj") or len(value) > 100:
        raise Misshapen(sentences.NO_DATE_FORMAT(place=place))


_INPUT = shape.record(
    {
        "name": shape.text,
        "kind": shape.one_of("numeric", "date", "boolean", "categorical"),
        "low": _FIGURE,
        "high": _FIGURE,
        "categories": shape.listed(shape.text),
        "typical": shape.either(shape.number, shape.text, wanted=sentences.NUMBER_OR_TEXT()),
        "marked": shape.switch,
    },
    {
        "two_valued": shape.switch,
        "truth": shape.switch,
        "reading": shape.record(
            {},
            {
                "decimal": shape.one_of(".", ","),
                "dates": _dates,
                "words": shape.listed(shape.text),
                "either": shape.text,
            },
        ),
    },
)


def _families() -> tuple[str, ...]:
    from engine.registry import families

    return (*families.REGISTRY.names, families.OWN)


def _activations() -> tuple[str, ...]:
    from engine.registry.activations import REGISTRY

    return REGISTRY.names


def _modes() -> tuple[str, ...]:
    from engine.registry.modes import REGISTRY

    return REGISTRY.names


_MODEL = shape.record(
    {
        "format": shape.whole,
        "architecture": shape.record(
            {
                "family": shape.named(_families),
                "inputs": shape.count,
                "outputs": shape.count,
                "hidden": shape.listed(shape.count),
                "activation": shape.named(_activations),
                "dropout": shape.number,
                "batch_norm": shape.switch,
                "module": shape.text,
            }
        ),
        "threshold": shape.number,
        "task": shape.one_of("regression", "binary", "multiclass"),
        "target": shape.text,
        "table": shape.text,
        "features": shape.listed(shape.text),
        "classes": shape.listed(shape.text),
        "encoder": shape.record(
            {
                "inputs": shape.listed(_INPUT),
                "degree": shape.count,
                "terms": shape.listed(shape.listed(shape.count)),
            },
            {"missing": shape.listed(shape.text)},
        ),
        "normalizer": shape.record(
            {
                "mode": shape.named(_modes),
                "offset": shape.listed(shape.number),
                "scale": shape.listed(shape.number),
                "constant": shape.listed(shape.switch),
            }
        ),
        "target_scale": shape.record({"offset": shape.number, "scale": shape.number}),
    },
    {"positive": shape.text, "threshold_reason": shape.text},
)


def judge_model(tree: Any) -> None:
    """The schema of model.safetensors, and that its parts fit each other; see `fits` for the arrays."""
    _MODEL(tree, "")
    for place, column in enumerate(tree["encoder"]["inputs"]):
        _judge_input(column, f"encoder.inputs[{place}]")
    own, features = tree["architecture"], len(tree["features"])
    _judge_terms(tree["encoder"], features)
    normalizer = tree["normalizer"]
    counts = {"architecture.inputs": own["inputs"]}
    counts |= {f"normalizer.{name}": len(normalizer[name]) for name in ("offset", "scale", "constant")}
    for name, size in counts.items():
        if size != features:
            raise Misshapen(sentences.OTHER_FEATURES(name=name, size=size, features=features))
    if not all(normalizer["scale"]) or not tree["target_scale"]["scale"]:
        raise Misshapen(sentences.SCALE_ZERO())
    classes, outputs = len(tree["classes"]), own["outputs"]
    if tree["task"] == "regression":
        if classes or outputs != 1:
            raise Misshapen(sentences.REGRESSION_OUTPUTS(outputs=outputs, classes=classes))
    elif classes < 2 or outputs not in (classes, 1 if classes == 2 else classes):
        raise Misshapen(sentences.CLASS_OUTPUTS(classes=classes, outputs=outputs))
    if tree.get("positive") is not None and tree["positive"] not in tree["classes"]:
        raise Misshapen(sentences.NO_POSITIVE())
    from engine.registry import families

    if (own["family"] != families.OWN and families.REGISTRY[own["family"]].hidden) != bool(own["hidden"]):
        raise Misshapen(sentences.OTHER_HIDDEN())


def _judge_input(column: Mapping[str, Any], place: str) -> None:
    categories = column["categories"]
    if column["kind"] in ("boolean", "categorical"):
        if column["typical"] not in categories:
            raise Misshapen(sentences.TYPICAL_UNKNOWN(place=place))
        if len(set(categories)) != len(categories):
            raise Misshapen(sentences.CATEGORY_TWICE(place=place))
    elif not isinstance(column["typical"], int | float) or column["low"] is None or column["high"] is None:
        raise Misshapen(sentences.NO_NUMBERS(place=place))


def _judge_terms(encoder: Mapping[str, Any], features: int) -> None:
    width = sum(
        column["marked"]
        + (max(0, len(column["categories"]) - 1) if column["kind"] in ("boolean", "categorical") else 1)
        for column in encoder["inputs"]
    )
    terms, degree = encoder["terms"], encoder["degree"]
    if degree < 1 or any(not term or max(term) >= width or len(term) > degree for term in terms):
        raise Misshapen(sentences.TERM_OF_NOTHING())
    made = len(terms) if degree > 1 else width
    if made != features or (degree == 1 and terms):
        raise Misshapen(sentences.MADE_FEATURES(made=made, features=features))
