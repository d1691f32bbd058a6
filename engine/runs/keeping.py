"""Renaming, deleting and bringing back runs, and deleting many for good.

A deleted run lies in `.trash` in the runs folder until it is brought back or the trash is emptied. Its event files are
called otherwise there, or TensorBoard would go on showing it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.base.errors import InputError
from engine.base.sentence import Sentence
from engine.recipe.names import problem
from engine.runs import sentences
from engine.runs.facts import NewerError, read_facts
from engine.runs.liveness import UNFINISHED, standing
from engine.runs.store import RunInfo

TRASH = ".trash"
SHOWN, HIDDEN = "tfevents", "tf-events"  # in the names of event files, outside and inside the trash


def rename(run: Path, name: str) -> Path:
    """Give a run another folder name; its new path.

    Raises:
        InputError: no run, one that is running, a name that is taken or cannot be a folder's, no permission.
    """
    _check(run, sentences.NO_RUN_TO_RENAME)
    if why := problem(name):
        raise InputError(sentences.BAD_NAME(name=name, why=why))
    new = run.parent / name
    if os.path.lexists(new) and not (new.exists() and run.samefile(new)):
        raise InputError(sentences.NAME_TAKEN(path=new))
    _move(run, new, sentences.NOT_RENAMED)
    return new


def delete(run: Path) -> Path:
    """Move a run to the trash; where it lies there, for `restore`.

    Raises:
        InputError: no run, one that is running, or no permission.
    """
    _check(run, sentences.NO_RUN_TO_DELETE)
    trash = run.parent / TRASH
    try:
        trash.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(sentences.NO_TRASH(path=trash, reason=error.strerror or error)) from None
    place = _free(trash, run.name)
    _move(run, place, sentences.NOT_DELETED)
    if not place.is_symlink():
        _call(place, SHOWN, HIDDEN)
    return place


def restore(place: Path) -> Path:
    """Bring a run back from the trash; its path, with a number behind where the name has been taken meanwhile.

    Raises:
        InputError: it is not there any more, or no permission.
    """
    if place.parent.name != TRASH or not os.path.lexists(place):
        raise InputError(sentences.NOT_IN_TRASH(run=place.name))
    if not place.is_symlink():
        _call(place, HIDDEN, SHOWN)
    run = _free(place.parent.parent, place.name)
    _move(place, run, sentences.NOT_RESTORED)
    return run


def trashed(folder: Path) -> tuple[Path, ...]:
    """What lies in the trash of a runs folder, the last one deleted first."""
    try:
        places = list((folder / TRASH).iterdir())
    except OSError:
        return ()
    return tuple(sorted(places, key=lambda place: place.lstat().st_ctime, reverse=True))


def prunable(
    runs: Sequence[RunInfo], *, keep: int, states: Iterable[str] = (), take_over: bool = False
) -> tuple[RunInfo, ...]:
    """Which of the runs, newest first, would go: all but the newest `keep`, those with tags or notes, and live ones.

    One that may be live on a host that cannot be asked stays too. Of what cannot be read only a damaged run goes:
    neither one of a newer ravine nor what somebody else has put there.

    Args:
        states: only runs in these states or with these endings (failed, interrupted, damaged, diverged, …); empty for
            any.
        take_over: whether runs go that may be live on a host that cannot be asked.
    """
    kept = (*UNFINISHED, *([] if take_over else ["unknown"]))
    wanted = set(states)
    return tuple(
        run
        for run in runs[keep:]
        if not run.tags
        and not run.note
        and not run.live
        and run.state not in kept
        and (not wanted or run.state in wanted or run.ended in wanted)
        and (run.state != "damaged" or _damaged(run.path))
    )


def _damaged(run: Path) -> bool:
    """Whether a folder whose run.json cannot be read is a run of ours."""
    try:
        read_facts(run)
    except NewerError:
        return False
    except InputError:
        pass
    return any((run / name).exists() for name in ("recipe.toml", "loss.f64"))


def remove(run: Path, *, take_over: bool = False) -> None:
    """Delete a run, or what lies in the trash, for good. Of a link only the link goes. Raises InputError.

    Args:
        take_over: also one that may be live on a host that cannot be asked.
    """
    if run.parent.name != TRASH:
        _check(run, sentences.NO_RUN_TO_DELETE, take_over)
    try:
        if run.is_symlink():
            run.unlink()
        else:
            shutil.rmtree(run)
    except OSError as error:
        raise InputError(sentences.NOT_DELETED(path=run, reason=error.strerror or error)) from None


def _check(run: Path, nothing: Sentence, take_over: bool = False) -> None:
    """Complain where this is no run, or one at work, or one of which nobody knows."""
    if not (run / "run.json").exists() and not (run / "recipe.toml").exists():
        raise InputError(nothing(path=run))
    try:
        found = standing(run, read_facts(run))
    except InputError:
        found = standing(run, {})  # a damaged one may go, but not one that is just being made
    if found.state == "unknown" and take_over:
        return
    if why := found.refusal(run):
        raise InputError(why)


def _free(folder: Path, name: str) -> Path:
    place, number = folder / name, 2
    while os.path.lexists(place):
        place, number = folder / f"{name}-{number}", number + 1
    return place


def _move(old: Path, new: Path, refused: Sentence) -> None:
    try:
        os.rename(old, new)
    except OSError as error:
        raise InputError(refused(path=old, reason=error.strerror or error)) from None


def _call(run: Path, old: str, new: str) -> None:
    """Put one word for another in the names of the event files."""
    for path in run.glob(f"events.out.{old}.*"):
        path.rename(path.with_name(path.name.replace(old, new, 1)))
