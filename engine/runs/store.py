"""The runs folder: finding a run, and listing them all."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from engine.errors import InputError
from engine.runs import index, notes
from engine.runs.folder import read_facts, running


@dataclass(frozen=True)
class RunInfo:
    """A run in a list. `problem` says in a sentence why a damaged one cannot be read; the rest is then empty."""

    name: str
    path: Path
    state: str  # running, paused, ended, interrupted, failed; "damaged"
    ended: str = ""
    created: float = 0.0  # seconds since 1970
    dataset: str = ""
    normalization: str = ""
    model: str = ""
    optimizer: str = ""
    lr: float | None = None
    steps: int = 0
    seconds: float = 0.0
    train_loss: float | None = None
    val_loss: float | None = None
    gap: float | None = None
    problem: str = ""
    bytes: int = 0  # on disk
    note: str = ""  # what a person says of it
    tags: tuple[str, ...] = ()

    @property
    def age(self) -> str:
        """How long ago it began, in words."""
        past = max(0.0, time.time() - self.created)
        for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
            if past >= size:
                return f"{past / size:.0f} {unit} ago"
        return "just now"


def list_runs(folder: Path) -> tuple[RunInfo, ...]:
    """Every run in a folder, newest first. A damaged one is listed with its problem and hides no other.

    Runs that have not changed since are taken from the folder's index (see `engine.runs.index`).
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(f"The runs folder {folder} cannot be read: {error.strerror or error}.") from None
    known, kept, root = index.read(folder), {}, str(folder)
    found: list[RunInfo] = []
    for name in names:
        mark = index.mark(f"{root}/{name}")
        entry = known.get(name)
        if entry is None or entry[0] != mark:
            if not mark[0] and not (folder / name / "recipe.toml").exists():
                continue  # somebody else's folder
            entry = mark, _entry(folder / name)
        kept[name] = entry
        try:
            found.append(_told(folder / name, entry[1]))
        except (TypeError, ValueError, KeyError):  # an index that was edited
            kept[name] = mark, _entry(folder / name)
            found.append(_told(folder / name, kept[name][1]))
    if kept != known:
        index.write(folder, kept)
    return tuple(sorted(found, key=lambda run: (run.created, run.name), reverse=True))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _told(path: Path, entry: index.Entry) -> RunInfo:
    """An entry of the index as of now: a run may have stopped, or gone on, without a word."""
    fields = dict(entry)
    live = fields.pop("live", None)
    run = RunInfo(name=path.name, path=path, **{**fields, "tags": tuple(fields["tags"])})
    if live is None:
        return run
    state = run.state if running(live) else "interrupted"
    return replace(run, state=state, steps=_written(path), bytes=disk_use(path))


def _entry(path: Path) -> index.Entry:
    """What a run's files say. With `live` what tells whether an unfinished run still has its process."""
    said = notes.read(path)
    common = {"bytes": disk_use(path), "note": said.note, "tags": list(said.tags)}
    try:
        facts = read_facts(path)
        result: dict[str, Any] = facts.get("result") or {}
        choices: dict[str, Any] = facts.get("choices") or {}
        state = str(facts.get("state", ""))
        live = {name: facts.get(name) for name in ("state", "host", "pid")}
        return {
            "state": state,
            "ended": str(result.get("ended") or ""),
            "created": _number(facts.get("created")) or 0.0,
            "dataset": str(choices.get("dataset", "")),
            "normalization": str(choices.get("normalize", "")),
            "model": str(choices.get("model", "")),
            "optimizer": str(choices.get("optimizer", "")),
            "lr": _number(choices.get("lr")),
            "steps": int(_number(result.get("steps")) or _written(path)),
            "seconds": _number(result.get("seconds")) or 0.0,
            "train_loss": _number(result.get("train_loss")),
            "val_loss": _number(result.get("val_loss")),
            "gap": _number(result.get("gap")),
            **common,
            **({"live": live} if state in ("running", "paused") else {}),
        }
    except InputError as error:
        return {"state": "damaged", "problem": str(error), **common}
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        problem = f"{path / 'run.json'} has an unexpected entry: {error}."
        return {"state": "damaged", "problem": problem, **common}


def disk_use(run: Path) -> int:
    """Bytes of the files in a run folder; links are not followed."""
    total, folders = 0, [str(run)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def _number(value: Any) -> float | None:
    """A finite number; None for null. Raises TypeError for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _written(path: Path) -> int:
    """Steps whose loss is on disk, for a run that has no result yet or was killed before it."""
    try:
        return (path / "loss.f64").stat().st_size // 8
    except OSError:
        return 0


def resolve(text: str, folder: Path) -> Path:
    """The run that a person means: a path, a folder's name, the unique beginning of one, or "last".

    Raises:
        InputError: none or several fit.
    """
    direct = Path(text).expanduser()
    if text != "last" and (direct / "run.json").exists():
        return direct
    inside = folder / text
    if text != "last" and inside.parent == folder and (inside / "run.json").exists():
        return inside
    runs = list_runs(folder)
    if not runs:
        raise InputError(f"There are no runs in {folder}; train one first, or say where they are with --runs.")
    if text == "last":
        return runs[0].path
    fitting = [run for run in runs if run.name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0].path
    if fitting:
        raise InputError(
            f"{len(fitting)} runs begin with {text}: {', '.join(r.name for r in fitting)}; say more of it."
        )
    raise InputError(f"There is no run {text} in {folder}; `ravine runs` lists them.")
