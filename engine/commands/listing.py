"""The table of `ravine runs`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.base.rounding import told
from engine.base.sentence import size
from engine.commands import sentences
from engine.commands.console import DONE, put, put_json, say, table

if TYPE_CHECKING:
    from engine.runs.store import RunInfo


def listing(*, runs: str = "./runs", json: bool = False) -> int:
    """List the runs, newest first; the exit code. Raises InputError."""
    from engine.runs.heartbeat import WATCH
    from engine.runs.store import list_runs

    found = list_runs(Path(runs).expanduser(), patience=WATCH)
    if json:
        put_json({"runs": [vars(run) for run in found]})
    elif not found:
        say(sentences.NO_RUNS_YET(runs=runs))
    else:
        put(_table(found))
        for run in found:
            if run.problem:
                say(sentences.RUN_PROBLEM(problem=run.problem))
        say(sentences.RUNS_AND_SIZE(runs=len(found), size=sum(run.bytes for run in found)))
    return DONE


def _table(found: Sequence[RunInfo]) -> str:
    head = sentences.HEADS_OF_RUNS().split("|")
    rows = [
        (
            run.name,
            run.word,
            run.dataset,
            run.normalization,
            "" if run.problem else f"{run.steps:,}",
            *("" if x is None else told(x, run.figures.get("baseline_loss")) for x in (run.train_loss, run.val_loss)),
            size(run.bytes),
            run.age,
            ", ".join(run.tags),
        )
        for run in found
    ]
    return table([head, *rows], right={4, 5, 6, 7})
