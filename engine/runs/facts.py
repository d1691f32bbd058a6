"""run.json: what a run says of itself, and JSON without NaN. Reading it needs nothing but the standard library."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.base import shape
from engine.base.errors import InputError
from engine.base.files import read_text
from engine.base.printable import printable_json
from engine.base.shape import Misshapen
from engine.learn.decision import Decision
from engine.learn.decision import of as decision_of
from engine.runs import sentences
from engine.runs.schema import judge_run

FORMAT = 1


class NewerError(InputError):
    """A run that a newer ravine wrote."""


def clean(value: Any) -> Any:
    """A value as JSON knows it: NaN and infinities become null, numpy's numbers and arrays plain ones."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [clean(v) for v in value]
    if hasattr(value, "tolist"):  # numpy's; to name its types would be to import it
        return clean(value.tolist())
    if isinstance(value, Path):
        return str(value)
    return value


def to_json(value: Any, *, ascii: bool = False) -> str:
    """The JSON text of a value, without NaN or Infinity, every character of it shown; `ascii`: with nothing else."""
    return printable_json(json.dumps(clean(value), ensure_ascii=ascii, allow_nan=False))


def host() -> str:
    """The name of this machine, by which a run tells where its process lives."""
    return os.uname().nodename


def read_facts(path: Path) -> dict[str, Any]:
    """The content of run.json. Raises InputError where the folder is not a run, is damaged, or too new."""
    file = path / "run.json"
    try:
        facts = shape.parse(read_text(file))
    except FileNotFoundError:
        if not path.is_dir():
            raise InputError(sentences.NO_RUN_FOLDER(path=path)) from None
        raise InputError(sentences.NOT_A_RUN(path=path)) from None
    except Misshapen as error:
        raise InputError(sentences.FACTS_UNREADABLE(path=file, reason=error)) from None
    if not isinstance(facts, dict) or type(facts.get("format")) is not int:
        raise InputError(sentences.NO_FORMAT_NUMBER(path=file))
    if facts["format"] > FORMAT:
        raise NewerError(sentences.NEWER_FORMAT(path=file, format=facts["format"], most=FORMAT))
    try:
        judge_run(facts)
    except Misshapen as error:
        raise InputError(sentences.BAD_FACTS(path=file, reason=error)) from None
    return facts


def went_on(facts: Mapping[str, Any]) -> tuple[int, ...]:
    """The steps at which a run was resumed, in order."""
    parts = facts.get("resumed")
    steps = [part.get("step") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return tuple(step for step in steps if isinstance(step, int))


def decision(facts: Mapping[str, Any]) -> Decision | None:
    """How a run that has ended decides between two classes; None where it has not, or where there are not two.

    Older runs name no positive class: their threshold is of the second one.
    """
    result = facts.get("result") or {}
    classes, threshold = result.get("classes") or [], result.get("threshold")
    if threshold is None:
        return None
    named = result.get("positive")
    return decision_of(
        classes,
        classes.index(named) if named in classes else None,
        float(threshold),
        result.get("threshold_reason") or "",
    )
