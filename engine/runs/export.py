"""A run's curves for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.history import History
from engine.runs.folder import read_facts, read_pairs

BLOCK = 1 << 16  # lines made at once


def csv(run: Path, tag: str = "loss/train") -> Iterator[str]:
    """The lines of TensorBoard's own CSV (Wall time,Step,Value), but every step and every digit.

    Wall times are noted whenever a chunk of steps is done, and interpolated between.

    Raises:
        InputError: the run has no such curve.
    """
    curves: dict[str, Callable[[Path], Iterator[str]]] = {"loss/train": _losses, "loss/validation": _validation}
    if tag not in curves:
        raise InputError(f"The run {run.name} has no curve {tag}; it has {', '.join(curves)}.")
    read_facts(run)
    return curves[tag](run)


def _losses(run: Path) -> Iterator[str]:
    try:
        history = History.open(run / "loss.f64")
    except FileNotFoundError:
        raise InputError(f"The run {run} has lost its loss.f64.") from None
    return _every(run, history)


def _every(run: Path, history: History) -> Iterator[str]:
    ends, times = read_pairs(run / "stamps.f64")
    yield "Wall time,Step,Value\n"
    for start in range(0, len(history), BLOCK):
        values = history.values(start, start + BLOCK)
        steps = np.arange(start, start + len(values))
        walls = np.interp(steps + 1, ends, times) if len(ends) else np.zeros(len(steps))
        yield _lines(walls.tolist(), steps.tolist(), values.tolist())
    history.close()


def _validation(run: Path) -> Iterator[str]:
    steps, values = read_pairs(run / "validation.f64")
    ends, times = read_pairs(run / "stamps.f64")
    walls = np.interp(steps, ends, times) if len(ends) else np.zeros(len(steps))
    yield "Wall time,Step,Value\n"
    yield _lines(walls.tolist(), steps.tolist(), values.tolist())


def _lines(walls: list[float], steps: list[int], values: list[float]) -> str:
    return "".join(f"{w!r},{s},{v!r}\n" for w, s, v in zip(walls, steps, values, strict=True))
