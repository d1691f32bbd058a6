"""The runs folder: finding a run, and listing them all."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from threading import Lock
from typing import Any

from engine.base.errors import InputError
from engine.runs import heartbeat, index, leftovers, notes, sentences
from engine.runs.facts import clean, decision, read_facts
from engine.runs.liveness import LIVING, LOCK, UNFINISHED, Standing, standing
from engine.runs.schema import judge_entry

# Choices of run.json that an entry need not say: they have places of their own.
ELSEWHERE = frozenset({"dataset", "normalize", "model", "optimizer", "lr"})
# Choices that an entry says as the run made them definite: what is done, not what follows from the table.
DEFINITE, ALSO = frozenset({"normalization", "model", "optimizer", "device"}), frozenset({"task", "steps"})
WAIT = 0.25  # seconds between two looks at heartbeats
PLACED = ("device", "backend", "precision", "threads")
FIGURES = ("epochs", "steps_per_second", "optimum_loss", "baseline_loss", "lr_bound", "condition_number")


@dataclass(frozen=True)
class RunInfo:
    """A run in a list. `problem` says in a sentence why a damaged one cannot be read; the rest is then empty."""

    name: str
    path: Path
    state: str  # running, paused, unknown, ended, interrupted, failed; "damaged"
    live: bool = False  # whether a process has it, here or elsewhere
    host: str = ""  # where its process is, or was
    pid: int | None = None  # of its process
    ended: str = ""
    created: float = 0.0  # when it, or its newest part, began: seconds since 1970
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
    # Fields of the recipe that are not the default, and those that the run made definite, by name.
    choices: Mapping[str, Any] = field(default_factory=dict)
    idle: tuple[str, ...] | None = None  # fields that do not apply to it; None of an older run, which does not say
    # Further results by name, among them the metrics of the validation rows (of the train rows without such).
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """How it stands, in a word: its state, or of one that has ended why; done where all steps were taken."""
        if self.state in LIVING:
            return Standing(self.state, self.host).word
        word = self.ended if self.state == "ended" and self.ended not in ("limit", "") else self.state
        return "done" if word == "ended" else word

    @property
    def age(self) -> str:
        """How long ago it began, in words; empty where nobody knows."""
        if not self.created:
            return ""
        past = max(0.0, time.time() - self.created)
        for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
            if past >= size:
                return sentences.AGO(number=past / size, unit=unit)
        return sentences.JUST_NOW()


def list_runs(folder: Path, *, patience: float = 0.0) -> tuple[RunInfo, ...]:
    """Every run in a folder, newest first. A damaged one is listed with its problem and hides no other.

    Runs that have not changed since are taken from the folder's index (see `engine.runs.index`).

    Args:
        patience: seconds in which to watch the heartbeats of runs of other hosts whose folders cannot be written.
    """
    lister, end = Lister(), time.monotonic() + patience
    while True:
        found = lister.list(folder)
        open_ = any(run.state == "unknown" and heartbeat.watched(run.path) for run in found)
        if not open_ or time.monotonic() >= end:
            return found
        time.sleep(WAIT)


class Lister:
    """Lists a folder again and again, and reads only what has changed in between. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folder: Path | None = None
        self._known: dict[str, tuple[index.Mark, index.Entry]] = {}
        self._told: dict[str, tuple[index.Mark, RunInfo]] = {}  # of runs that are over
        self.others: tuple[str, ...] = ()  # names of the folders that are no runs, in the last listing

    def list(self, folder: Path) -> tuple[RunInfo, ...]:
        """See `list_runs`. A run that is as it was is the same object again. Raises InputError."""
        with self._lock:
            return self._list(folder)

    def _list(self, folder: Path) -> tuple[RunInfo, ...]:
        self.others = ()
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise InputError(sentences.RUNS_UNREADABLE(path=folder, reason=error.strerror or error)) from None
        if folder != self._folder:
            self._folder, self._known, self._told = folder, index.read(folder), {}
        known, told, root = self._known, self._told, str(folder)
        kept: dict[str, tuple[index.Mark, index.Entry]] = {}
        found: list[RunInfo] = []
        others: list[str] = []
        paths = _paths(folder) if len(told) < len(names) else {}
        self._told = {}
        for name in names:
            mark = index.mark(f"{root}/{name}")
            entry, same = known.get(name), told.get(name)
            if same is not None and entry is not None and same[0] == mark:
                kept[name], self._told[name] = entry, same
                found.append(same[1])
                continue
            path = paths.get(name) or folder / name
            if entry is None or entry[0] != mark:
                if not mark[0] and not (path / "recipe.toml").exists():
                    others.append(name)
                    continue
                entry = mark, _entry(path)
            try:
                run = _told(path, entry[1])
            except (TypeError, ValueError, KeyError):  # an index that was edited
                entry = mark, _entry(path)
                run = _told(path, entry[1])
            kept[name] = entry
            found.append(run)
            if "live" not in entry[1]:
                self._told[name] = mark, run
        if kept != known:
            index.write(folder, kept)
        self._known, self.others = kept, tuple(sorted(others))
        return tuple(sorted(found, key=lambda run: (run.created, run.name), reverse=True))


def _paths(folder: Path) -> dict[str, Path]:
    """The paths in a folder by name: `iterdir` makes them in a tenth of the time that `/` takes."""
    with suppress(OSError):
        return {path.name: path for path in folder.iterdir()}
    return {}


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _told(path: Path, entry: index.Entry) -> RunInfo:
    """An entry of the index as of now: a run may have stopped, or gone on, without a word."""
    fields = dict(entry)
    live = fields.pop("live", None)
    judge_entry(fields)  # the index may have been edited
    tuples: dict[str, Any] = {name: tuple(fields[name]) for name in ("tags", "idle") if name in fields}
    run = RunInfo(name=path.name, path=path, **{**fields, **tuples})
    if live is None:
        return run
    now = standing(path, live)
    run = replace(run, state=now.state, live=now.live, host=now.host, pid=now.pid)
    if live.get("state") not in UNFINISHED:
        return run
    if now.state == "interrupted":
        leftovers.sweep_run(path)
    return replace(run, steps=written(path), bytes=disk_use(path))


def _entry(path: Path) -> index.Entry:
    """What a run's files say. With `live` what tells whether an unfinished run still has its process."""
    said = notes.read(path)
    common: dict[str, Any] = {"bytes": disk_use(path), "note": said.note, "tags": list(said.tags)}
    common |= {"choices": {}, "figures": {}}
    try:
        facts = read_facts(path)
        result: dict[str, Any] = facts.get("result") or {}
        choices: dict[str, Any] = facts.get("choices") or {}
        state = str(facts.get("state", ""))
        live = {name: facts.get(name) for name in ("state", "host", "pid", "process", "created", "resumed")}
        told, pid = facts.get("host"), facts.get("pid")
        return {
            "state": state,
            "host": told if isinstance(told, str) else "",
            "pid": pid if isinstance(pid, int) and not isinstance(pid, bool) else None,
            "ended": str(result.get("ended") or ""),
            "created": _begun(facts),
            "dataset": str(choices.get("dataset", "")),
            "normalization": str(choices.get("normalize", "")),
            "model": str(choices.get("model", "")),
            "optimizer": str(choices.get("optimizer", "")),
            "lr": _number(choices.get("lr")),
            "steps": int(_number(result.get("steps")) or written(path)),
            "seconds": _number(result.get("seconds")) or 0.0,
            "train_loss": _number(result.get("train_loss")),
            "val_loss": _number(result.get("val_loss")),
            "gap": _number(result.get("gap")),
            **common,
            "choices": _choices(path, facts, choices) | _decided(facts),
            "figures": _figures(result),
            **({"idle": list(facts["does_not_apply"])} if "does_not_apply" in facts else {}),
            **({"live": live} if state in UNFINISHED or (path / LOCK).exists() else {}),
        }
    except InputError as error:
        return {"state": "damaged", "problem": str(error), **common}
    except (TypeError, ValueError, AttributeError, LookupError, OverflowError, RecursionError) as error:
        problem = sentences.BAD_ENTRY(path=path / "run.json", reason=error)
        return {"state": "damaged", "problem": problem, **common}


def _begun(facts: Mapping[str, Any]) -> float:
    """When the newest part of a run began."""
    parts = facts.get("resumed") or [{}]
    return _number(parts[-1].get("time")) or _number(facts.get("created")) or 0.0


def _choices(path: Path, facts: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    """What a run does that others may not do, each `auto` as the run made it definite; what does not apply is left
    out.
    """
    from engine.recipe import choices

    own = facts.get("recipe")
    found = dict(own) if isinstance(own, dict) else _written_choices(path)
    found |= {name: facts[name] for name in PLACED if facts.get(name) is not None}
    known = {choice.name: choice for choice in choices()}
    found |= {
        name: value
        for name, value in resolved.items()
        if value is not None and name in known and (known[name].section in DEFINITE or name in ALSO)
    }
    away = ELSEWHERE.union(facts.get("does_not_apply") or ())
    kept = {name: clean(value) for name, value in found.items() if name not in away}
    return {name: value for name, value in kept.items() if name not in known or value != clean(known[name].default)}


def _decided(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Positive class and threshold of a run that has ended, as fields of the recipe that it made definite."""
    found = decision(facts)
    return {} if found is None else {"positive": found.name, "threshold": found.threshold}


def _written_choices(path: Path) -> dict[str, Any]:
    """The fields that are not the default, from recipe.toml: of runs whose run.json does not have them."""
    from engine.recipe import read_toml

    try:
        return read_toml(path).changed()
    except InputError:
        return {}


def _figures(result: Mapping[str, Any]) -> dict[str, float]:
    """Figures of a result by name, with nine digits; the metrics are those of rows that were held out, if any."""
    metrics = result.get("metrics") or {}
    held_out = metrics.get("validation") or metrics.get("train") or {}
    named = {name: result.get(name) for name in FIGURES} | dict(held_out)
    return {name: float(f"{number:.9g}") for name, value in named.items() if (number := _number(value)) is not None}


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


def written(path: Path) -> int:
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
        raise InputError(sentences.NO_RUNS(path=folder))
    if text == "last":
        return runs[0].path
    fitting = [run for run in runs if run.name.startswith(text)]
    if len(fitting) == 1:
        return fitting[0].path
    if fitting:
        names = [run.name for run in fitting]
        if not text:
            raise InputError(sentences.NO_NAME_GIVEN(count=len(names), runs=names))
        raise InputError(sentences.SEVERAL_RUNS(count=len(names), begin=text, runs=names))
    raise InputError(sentences.NO_RUN(run=text, path=folder))
