"""Reading the curves of a run folder, of which somebody may have edited a line or a crash have cut one off."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.files import read_bytes
from engine.runs import sentences

MOST = 2**30  # bytes of a file that is read whole; some ten million evaluations
LAST = 10**12  # the greatest number of a step that a recipe can ask for
NAMED = 3  # bad lines that a sentence names

Line = tuple[int, float, dict[str, float]]


def read_pairs(file: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps and values of stamps.f64 or validation.f64: int64 [n] and float64 [n].

    A pair whose step is no step, and an incomplete pair at the end, are left out. Raises InputError where it is no
    plain file.
    """
    try:
        content = read_bytes(file, MOST)
    except FileNotFoundError:
        content = b""
    pairs = np.frombuffer(content, "<f8", len(content) // 16 * 2).reshape(-1, 2)
    steps = pairs[:, 0]
    with np.errstate(invalid="ignore"):
        known = (steps >= 0) & (steps <= LAST) & (steps == np.floor(steps))
    return steps[known].astype(np.int64), pairs[known, 1].astype(np.float64)


def read_evaluations(run: Path, last: int | None = None) -> list[tuple[int, dict[str, float]]]:
    """The evaluations of a run: (step, values by tag), up to step `last`; a null is NaN, a bad line is left out."""
    return [(step, values) for step, _, values in read_evaluation_lines(run) if last is None or step <= last]


def read_evaluation_lines(run: Path) -> list[Line]:
    """The same with their wall times: (step, seconds since 1970, values by tag).

    Raises InputError where evaluations.jsonl is no plain file.
    """
    return _judged(run)[0]


def left_out(run: Path) -> str:
    """A sentence naming the lines of evaluations.jsonl that cannot be used; empty where there are none.

    A last line without an end is one that a crash cut off, and not worth a word. Raises InputError.
    """
    bad = _judged(run)[1]
    if not bad:
        return ""
    named = "; ".join(sentences.LINE(number=number, why=why) for number, why in bad[:NAMED])
    return sentences.BAD_LINES(
        path=run / "evaluations.jsonl", lines=len(bad), named=named, more=max(0, len(bad) - NAMED)
    )


def _judged(run: Path) -> tuple[list[Line], list[tuple[int, str]]]:
    try:
        content = read_bytes(run / "evaluations.jsonl", MOST)
    except FileNotFoundError:
        return [], []
    found: list[Line] = []
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                found.append(_line(line))
            except (ValueError, RecursionError) as error:
                bad.append((number, sentences.IS_NO_JSON() if isinstance(error, json.JSONDecodeError) else str(error)))
    if bad and bad[-1][0] == content.count(b"\n") + 1:
        bad.pop()
    return found, bad


def _line(text: bytes) -> Line:
    """One evaluation. Raises ValueError or RecursionError."""
    try:
        entry = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    if not isinstance(entry, dict):
        raise ValueError("it is not an object")
    step, wall = entry.pop("step", None), entry.pop("time", None)
    if not isinstance(step, int) or isinstance(step, bool) or not 0 <= step <= LAST:
        raise ValueError("step is not the number of a step")
    return step, _number("time", wall), {k: math.nan if v is None else _number(k, v) for k, v in entry.items()}


def _number(name: str, value: Any) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool) and abs(value) < math.inf:
        try:
            return float(value)
        except OverflowError:
            pass
    raise ValueError(f"{name[:40]!r} is not a number")
