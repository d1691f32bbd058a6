"""A run's curves as CSV: every step and every digit; wall times between two stamps are interpolated.

`csv` has TensorBoard's own columns. `wide` has a row for each step and a column for each curve. `csv_of_all` and
`wide_of_all` put one curve of many runs together.
"""

from __future__ import annotations

import csv as csv_format
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.base.files import open_regular
from engine.base.loss_history import History
from engine.runs import sentences
from engine.runs.curves import read_evaluation_lines, read_pairs
from engine.runs.facts import read_facts
from engine.runs.store import written
from engine.runs.tags import TRAIN, VALIDATION

BLOCK = 1 << 16  # lines made at once
HEAD = "Wall time,Step,Value\n"

Steps = NDArray[np.int64]
Floats = NDArray[np.float64]


def tags(run: Path) -> tuple[str, ...]:
    """The curves of a run by their TensorBoard tags, the train loss first."""
    found = {TRAIN: None} if (run / "loss.f64").exists() else {}
    for _, _, values in read_evaluation_lines(run):
        found |= dict.fromkeys(values)
    if len(read_pairs(run / "validation.f64")[0]):
        found[VALIDATION] = None  # of runs older than evaluations.jsonl
    return tuple(found)


def csv(run: Path, tag: str = TRAIN) -> Iterator[str]:
    """The lines of one curve: Wall time, Step, Value.

    Raises:
        InputError: the run has no such curve, or has lost it.
    """
    read_facts(run)
    blocks = _blocks(run, tag)
    return (text for part in ((HEAD,), (curve_lines(*block) for block in blocks)) for text in part)


def csv_of_all(runs: Sequence[Path], tag: str = TRAIN) -> Iterator[str]:
    """The same of many runs, the run's name in a column before; runs without the curve are left out."""
    yield "Run," + HEAD
    for run in runs:
        name = _cells([run.name])
        for block in _blocks_or_none(run, tag):
            yield "".join(f"{name},{line}\n" for line in curve_lines(*block).splitlines())


def wide(run: Path) -> Iterator[str]:
    """The lines of every curve side by side: Step, Wall time, then a column for each tag, empty where it has no value.

    Raises:
        InputError: the folder is no run.
    """
    read_facts(run)
    names = [tag for tag in tags(run) if tag != TRAIN]
    yield _cells(["Step", "Wall time", TRAIN, *names]) + "\n"
    evaluated = {step: (wall, values) for step, wall, values in read_evaluation_lines(run)}
    if not evaluated:
        steps, losses = read_pairs(run / "validation.f64")
        walls = _walls(run, steps)
        table = zip(steps.tolist(), walls.tolist(), losses.tolist(), strict=True)
        evaluated = {step: (wall, {VALIDATION: value}) for step, wall, value in table}
    waiting = sorted(evaluated, reverse=True)
    for walls, steps, losses in _train(run):
        lines = []
        for step, wall, loss in zip(steps.tolist(), walls.tolist(), losses.tolist(), strict=True):
            cells = ""
            if waiting and waiting[-1] == step:
                cells = _of(evaluated[waiting.pop()][1], names)
            lines.append(
                f"{step},{wall!r},{loss!r},{cells or ',' * (len(names) - 1)}\n"
                if names
                else f"{step},{wall!r},{loss!r}\n"
            )
        yield "".join(lines)
    for step in reversed(waiting):  # the evaluation after the last update has no train loss
        wall, values = evaluated[step]
        yield f"{step},{wall!r},,{_of(values, names)}\n"


def wide_of_all(runs: Sequence[Path], tag: str = TRAIN) -> Iterator[str]:
    """One curve of many runs side by side: Step, then a column for each run, empty where it has no value."""
    if tag == TRAIN:
        yield from _losses_of_all(runs)
        return
    curves: list[tuple[str, dict[int, float]]] = []
    for run in runs:
        points: dict[int, float] = {}
        for _, steps, values in _blocks_or_none(run, tag):
            points.update(zip(steps.tolist(), values.tolist(), strict=True))
        if points:
            curves.append((run.name, points))
    yield _cells(["Step", *(name for name, _ in curves)]) + "\n"
    for step in sorted(set().union(*(points for _, points in curves))):
        yield f"{step}," + ",".join(repr(p[step]) if step in p else "" for _, p in curves) + "\n"


def _losses_of_all(runs: Sequence[Path]) -> Iterator[str]:
    """The same for the loss of every step, which of many runs does not fit into memory: block by block."""
    sizes = {run: written(run) for run in runs}
    there = [run for run in runs if sizes[run]]
    yield _cells(["Step", *(run.name for run in there)]) + "\n"
    for start in range(0, max((sizes[run] for run in there), default=0), BLOCK):
        columns = []
        for run in there:
            count = min(BLOCK, max(0, sizes[run] - start))
            values = _losses(run, start, count) if count else np.empty(0)
            columns.append(map(repr, values.tolist()))
        lines = zip_longest(*columns, fillvalue="")
        yield "".join(f"{step},{','.join(cells)}\n" for step, cells in enumerate(lines, start))


def _losses(run: Path, start: int, count: int) -> Floats:
    """Up to `count` losses from step `start` on."""
    with open_regular(run / "loss.f64") as file:
        file.seek(8 * start)
        content = file.read(8 * count)
    return np.frombuffer(content, "<f8", len(content) // 8)


def _of(values: dict[str, float], names: Iterable[str]) -> str:
    return ",".join(repr(values[name]) if name in values else "" for name in names)


def _blocks(run: Path, tag: str) -> Iterator[tuple[Floats, Steps, Floats]]:
    """Wall times, steps and values of a curve, in blocks; complains at once."""
    if tag == TRAIN:
        return _train(run)
    points = [(wall, step, values[tag]) for step, wall, values in read_evaluation_lines(run) if tag in values]
    if points:
        walls, steps, values = zip(*points, strict=True)
        return iter([(np.array(walls), np.array(steps, np.int64), np.array(values))])
    if tag == VALIDATION:
        steps_, values_ = read_pairs(run / "validation.f64")
        if len(steps_):
            return iter([(_walls(run, steps_), steps_, values_)])
    raise InputError(sentences.NO_CURVE(run=run.name, tag=tag, tags=tags(run)))


def _blocks_or_none(run: Path, tag: str) -> Iterator[tuple[Floats, Steps, Floats]]:
    try:
        return _blocks(run, tag)
    except InputError:
        return iter(())


def _train(run: Path) -> Iterator[tuple[Floats, Steps, Floats]]:
    try:
        history = History.open(run / "loss.f64")
    except FileNotFoundError:
        raise InputError(sentences.NO_LOSSES(run=run.name)) from None

    def blocks() -> Iterator[tuple[Floats, Steps, Floats]]:
        ends, times = read_pairs(run / "stamps.f64")
        for start in range(0, len(history), BLOCK):
            values = history.values(start, start + BLOCK)
            steps = np.arange(start, start + len(values), dtype=np.int64)
            walls = np.interp(steps + 1, ends, times) if len(ends) else np.zeros(len(steps))
            yield walls, steps, values
        history.close()

    return blocks()


def _walls(run: Path, steps: Steps) -> Floats:
    ends, times = read_pairs(run / "stamps.f64")
    return np.interp(steps, ends, times) if len(ends) else np.zeros(len(steps))


def curve_lines(walls: Floats, steps: Steps, values: NDArray[np.floating[Any]]) -> str:
    """Lines below `HEAD`, every digit of them."""
    rows = zip(walls.tolist(), steps.tolist(), values.tolist(), strict=True)
    return "".join(f"{w!r},{s},{v!r}\n" for w, s, v in rows)


def _cells(texts: Sequence[str]) -> str:
    """A line of CSV without its end."""
    line = io.StringIO()
    csv_format.writer(line, lineterminator="").writerow(texts)
    return line.getvalue()
