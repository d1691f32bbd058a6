"""`ravine watch` without a screen: what a log folder holds, or one of its curves as CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from engine.base.errors import InputError
from engine.base.rounding import ZERO, is_rounding
from engine.commands import sentences
from engine.commands.console import DONE, put, put_json, put_lines, say, table
from engine.commands.parameters import Json

if TYPE_CHECKING:
    from engine.watch.tree import LogTree


def watch(
    logdir: Annotated[str, Parameter(name="LOGDIR", help=sentences.HELP_LOGDIR())],
    /,
    *,
    tag: Annotated[str | None, Parameter(help=sentences.HELP_TAG())] = None,
    run: Annotated[str | None, Parameter(help=sentences.HELP_RUN_OF_TAG())] = None,
    json: Json = False,
) -> int:
    """Report a TensorBoard log as text."""
    tree = _read(Path(logdir).expanduser())
    if tag is not None:
        from engine.watch.export import csv

        put_lines(csv(tree.runs[_run_of(tree, tag, run)].curves[tag]))
    elif json:
        put_json({"logdir": logdir, "runs": [_told(tree, name) for name in sorted(tree.runs)]})
    elif not any(found.curves for found in tree.runs.values()):
        say(sentences.NO_CURVES(logdir=logdir))
    else:
        put(_table(tree))
    for problem in tree.problems.values():
        say(problem)
    for name in sorted(tree.runs):
        for problem in tree.runs[name].problems:
            say(sentences.RUN_AND_PROBLEM(run=name, problem=problem))
    return DONE


def _read(path: Path) -> LogTree:
    from engine.watch.tree import LogTree

    tree, told = LogTree(path), 0.25
    while (now := tree.poll(0.5)).busy:
        if now.share >= told and sys.stderr.isatty():
            say(sentences.READ_SO_FAR(share=now.share, megabytes=now.size / 1e6))
            told = now.share + 0.25
    return tree


def _run_of(tree: LogTree, tag: str, run: str | None) -> str:
    having = sorted(name for name, found in tree.runs.items() if tag in found.curves)
    if run is not None:
        if run not in tree.runs:
            raise InputError(sentences.NO_RUN(run=run, path=tree.path, runs=sorted(tree.runs)))
        if run not in having:
            raise InputError(sentences.RUN_WITHOUT_CURVE(run=run, tag=tag, tags=tree.runs[run].tags))
        return run
    if not having:
        tags = sorted({name for found in tree.runs.values() for name in found.curves})
        raise InputError(sentences.CURVE_OF_NO_RUN(path=tree.path, tag=tag, tags=tags))
    if len(having) > 1:
        raise InputError(sentences.CURVE_OF_SEVERAL(count=len(having), tag=tag, runs=having))
    return having[0]


def _told(tree: LogTree, name: str) -> dict[str, Any]:
    run = tree.runs[name]
    curves = []
    for tag in run.tags:
        step, wall, value = run.curves[tag].last or (None, None, None)
        curves.append({"tag": tag, "points": len(run.curves[tag]), "step": step, "wall_time": wall, "value": value})
    return {
        "run": name,
        "curves": curves,
        "texts": sorted(run.texts),
        "histograms": sorted(run.histograms),
        "hparams": run.choices,
        "status": run.status or None,
        "restarts": run.restarts,
        "problems": run.problems,
    }


def _table(tree: LogTree) -> str:
    rows = [tuple(sentences.HEADS_OF_CURVES().split("|"))]
    for name in sorted(tree.runs):
        curves = tree.runs[name].curves
        for tag in tree.runs[name].tags:
            step, _, value = curves[tag].last or (0, 0.0, float("nan"))
            shown = ZERO if is_rounding(value, curves[tag].first) else f"{value:.6g}"
            rows.append((name, tag, f"{len(curves[tag]):,}", f"{step:,}", shown))
    return table(rows, right={2, 3, 4})
