"""`ravine runs`: the runs there are, and deleting those that are not wanted any more."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

from cyclopts import App, Parameter

from engine.base.errors import InputError
from engine.commands import sentences
from engine.commands.console import DONE, ask, put_json, say
from engine.commands.listing import listing
from engine.commands.parameters import Json, RunsFolder

KEPT = 20  # runs that prune leaves by default
SHOWN = 20  # runs that are named before the question

app = App(name="runs", help=sentences.HELP_OF_RUNS())


@app.default
def runs(*, runs: RunsFolder = "./runs", json: Json = False) -> int:
    """List the runs, newest first."""
    return listing(runs=runs, json=json)


@app.command(help=sentences.HELP_OF_PRUNE())
def prune(
    *,
    keep: Annotated[int, Parameter(help=sentences.HELP_KEPT())] = KEPT,
    state: Annotated[
        str | None,
        Parameter(help=sentences.HELP_STATE()),
    ] = None,
    take_over: Annotated[
        bool,
        Parameter(negative=(), help=sentences.HELP_DELETE_OVER()),
    ] = False,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), help=sentences.HELP_YES())] = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
) -> int:
    """Delete old runs for good, and empty the trash."""
    from engine.runs import keeping, leftovers
    from engine.runs.heartbeat import WATCH
    from engine.runs.store import disk_use, list_runs

    folder = Path(runs).expanduser()
    if keep < 0:
        raise InputError(sentences.BAD_COUNT_KEPT(keep=keep))
    states = _states(state)
    found = list_runs(folder, patience=WATCH)
    going = keeping.prunable(found, keep=keep, states=states, take_over=take_over)
    unknown = [run for run in found[keep:] if run.state == "unknown"] if not take_over else []
    for run in unknown[:SHOWN]:
        say(sentences.RUN_STAYS(run=run.name, host=run.host))
    trash = keeping.trashed(folder)
    freed = sum(run.bytes for run in going) + sum(disk_use(place) for place in trash)
    if not going and not trash:
        say(sentences.NOTHING_TO_DELETE(runs=runs, keep=keep))
    else:
        for run in going[:SHOWN]:
            say(sentences.RUN_TO_DELETE(run=run.name, age=run.age, size=run.bytes))
        if len(going) > SHOWN:
            say(sentences.MORE_TO_DELETE(more=len(going) - SHOWN))
        if not yes and not _agrees(_question(len(going), len(trash), freed)):
            say(sentences.NOTHING_DELETED())
            going, trash, freed = (), (), 0
    leftovers.sweep(folder)
    deleted, problems = _delete([*(run.path for run in going), *trash], take_over)
    if json:
        put_json({"deleted": deleted, "bytes": freed, "problems": problems})
    return DONE


def _states(text: str | None) -> list[str]:
    """The states of --state, of which every run is deleted where there are none. Raises InputError."""
    from engine.training.snapshot import Ended

    states = [part.strip() for part in (text or "").split(",") if part.strip()]
    known = ("ended", "interrupted", "failed", "damaged", "unknown", *get_args(Ended))
    for one in states:
        if one not in known:
            raise InputError(sentences.BAD_STATE(state=one, known=list(dict.fromkeys(known))))
    return states


def _delete(paths: Sequence[Path], take_over: bool) -> tuple[list[str], list[str]]:
    """Delete runs for good; the names of those that are gone, and why others are not."""
    from engine.runs import keeping

    deleted, problems = [], []
    for path in paths:
        try:
            keeping.remove(path, take_over=take_over)
            deleted.append(path.name)
        except InputError as error:  # one that cannot go keeps no other
            problems.append(str(error))
            say(str(error))
    if deleted:
        say(sentences.DELETED(deleted=len(deleted)))
    return deleted, problems


def _question(runs: int, trash: int, freed: int) -> str:
    """Whether so many runs shall go, and so many that lie in the trash; `freed` bytes in all."""
    if not trash:
        return sentences.DELETE_RUNS(runs=runs, size=freed)
    if not runs:
        return sentences.EMPTY_TRASH(trash=trash, size=freed)
    return sentences.DELETE_RUNS_AND_TRASH(runs=runs, trash=trash, size=freed)


def _agrees(question: str) -> bool:
    """Ask on the terminal; without one the answer has to come as --yes."""
    if not sys.stdin or not sys.stdin.isatty():
        raise InputError(sentences.NOBODY_TO_ASK())
    return ask(question).strip().lower() in ("y", "yes")
