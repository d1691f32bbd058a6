"""`ravine runs`: the runs there are, and deleting those that are not wanted any more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, get_args

from cyclopts import App, Parameter

from engine.base import leftovers
from engine.base.errors import InputError
from engine.commands.console import DONE, ask, put_json, say, size
from engine.commands.flags import Json, RunsFolder
from engine.commands.listing import listing

KEPT = 20  # runs that prune leaves by default
SHOWN = 20  # runs that are named before the question

app = App(name="runs", help="List the runs, newest first, or delete those that are not wanted any more.")


@app.default
def runs(*, runs: RunsFolder = "./runs", json: Json = False) -> int:
    """List the runs, newest first."""
    return listing(runs=runs, json=json)


@app.command
def prune(
    *,
    keep: Annotated[int, Parameter(help="The newest runs, so many of them, stay.")] = KEPT,
    state: Annotated[
        str | None,
        Parameter(help="Only runs in these states or with these endings: failed,interrupted,damaged,diverged,…"),
    ] = None,
    take_over: Annotated[
        bool,
        Parameter(negative=(), help="Delete runs too that may still be live on a host that cannot be asked."),
    ] = False,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), help="Do not ask.")] = False,
    runs: RunsFolder = "./runs",
    json: Json = False,
) -> int:
    """Delete old runs for good, and empty the trash. Asks first. Runs with tags or a note, and live ones, stay."""
    from engine.runs import keeping
    from engine.runs.heartbeat import WATCH
    from engine.runs.store import disk_use, list_runs
    from engine.training.snapshot import Ended

    folder = Path(runs).expanduser()
    if keep < 0:
        raise InputError(f"--keep is {keep}, but must be 0 or more.")
    states = [part.strip() for part in (state or "").split(",") if part.strip()]
    known = ("ended", "interrupted", "failed", "damaged", "unknown", *get_args(Ended))
    for one in states:
        if one not in known:
            raise InputError(f"--state {one} is none that a run can have; there are {', '.join(dict.fromkeys(known))}.")
    found = list_runs(folder, patience=WATCH)
    going = keeping.prunable(found, keep=keep, states=states, take_over=take_over)
    unknown = [run for run in found[keep:] if run.state == "unknown"] if not take_over else []
    for run in unknown[:SHOWN]:
        say(f"  {run.name} stays: it may still be running on {run.host}; --take-over deletes it too.")
    trash = keeping.trashed(folder)
    freed = sum(run.bytes for run in going) + sum(disk_use(place) for place in trash)
    if not going and not trash:
        say(f"There is nothing to delete in {runs}: the newest {keep} and runs with tags or notes stay.")
    else:
        for run in going[:SHOWN]:
            say(f"  {run.name}  {run.age}  {size(run.bytes)}")
        if len(going) > SHOWN:
            say(f"  and {len(going) - SHOWN:,} more")
        what = " and ".join(
            part
            for part in (
                f"{len(going):,} run{'s' * (len(going) != 1)}" if going else "",
                f"{len(trash):,} in the trash" if trash else "",
            )
            if part
        )
        if not yes and not _agrees(f"Delete {what} ({size(freed)}) for good? [y/N] "):
            say("Nothing was deleted.")
            going, trash, freed = (), (), 0
    leftovers.sweep(folder)
    deleted, problems = [], []
    for path in (*(run.path for run in going), *trash):
        try:
            keeping.remove(path, take_over=take_over)
            deleted.append(path.name)
        except InputError as error:  # one that cannot go keeps no other
            problems.append(str(error))
            say(str(error))
    if deleted:
        say(f"Deleted {len(deleted):,}.")
    if json:
        put_json({"deleted": deleted, "bytes": freed, "problems": problems})
    return DONE


def _agrees(question: str) -> bool:
    """Ask on the terminal; without one the answer has to come as --yes."""
    if not sys.stdin or not sys.stdin.isatty():
        raise InputError("This deletes runs for good and there is no terminal to ask on; say --yes.")
    return ask(question).strip().lower() in ("y", "yes")
