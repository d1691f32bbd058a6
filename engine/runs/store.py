"""The runs folder: finding a run, and listing them all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from engine.errors import InputError
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

    @property
    def age(self) -> str:
        """How long ago it began, in words."""
        past = max(0.0, time.time() - self.created)
        for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
            if past >= size:
                return f"{past / size:.0f} {unit} ago"
        return "just now"


def list_runs(folder: Path) -> tuple[RunInfo, ...]:
    """Every run in a folder, newest first. A damaged one is listed with its problem and hides no other."""
    try:
        paths = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError(f"The runs folder {folder} cannot be read: {error.strerror or error}.") from None
    found = [_info(path) for path in paths if (path / "run.json").exists() or (path / "recipe.toml").exists()]
    return tuple(sorted(found, key=lambda run: (run.created, run.name), reverse=True))


def _info(path: Path) -> RunInfo:
    try:
        facts = read_facts(path)
        result: dict[str, Any] = facts.get("result") or {}
        choices: dict[str, Any] = facts.get("choices") or {}
        state = str(facts.get("state", ""))
        if state in ("running", "paused") and not running(facts):
            state = "interrupted"
        return RunInfo(
            name=path.name,
            path=path,
            state=state,
            ended=str(result.get("ended") or ""),
            created=_number(facts.get("created")) or 0.0,
            dataset=str(choices.get("dataset", "")),
            normalization=str(choices.get("normalize", "")),
            model=str(choices.get("model", "")),
            optimizer=str(choices.get("optimizer", "")),
            lr=_number(choices.get("lr")),
            steps=int(_number(result.get("steps")) or _written(path)),
            seconds=_number(result.get("seconds")) or 0.0,
            train_loss=_number(result.get("train_loss")),
            val_loss=_number(result.get("val_loss")),
            gap=_number(result.get("gap")),
        )
    except InputError as error:
        return RunInfo(path.name, path, "damaged", problem=str(error))
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        return RunInfo(path.name, path, "damaged", problem=f"{path / 'run.json'} has an unexpected entry: {error}.")


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
