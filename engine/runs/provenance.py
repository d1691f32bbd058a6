"""Where a run comes from: what run.json keeps so that its numbers can be traced."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from engine import devices, modules
from engine.base.errors import InputError
from engine.base.files import read_text
from engine.data.prepare import Prepared
from engine.data.sources import file_of, module_of
from engine.learn.plan import Plan
from engine.recipe import Data, Known, Recipe
from engine.runs.choices import definite
from engine.runs.folder import versions


def provenance(
    known: Known, plan: Plan, prepared: Prepared, command: str, found: Data, commit: str | None = None
) -> dict[str, Any]:
    """Command line, versions, device, data and its fingerprint, every choice as made and as resolved.

    Args:
        known: the choices, made definite.
        found: the data as it was found from here.
        commit: what `git_commit` says.
    """
    recipe = known.recipe
    return {
        "command": command,
        "versions": versions() | _driver(plan.device),
        "device": plan.device,
        "backend": plan.backend,
        "precision": plan.precision,
        "threads": plan.threads,
        "git_commit": commit,
        "modules": modules.used(own_modules(recipe)),
        "data": {
            "source": recipe.data.dataset,
            "path": _path(found),
            "table": prepared.table_name,
            "fingerprint": prepared.fingerprint,
            "rows": {
                "train": len(prepared.train.y),
                "validation": len(prepared.validation.y),
                "test": len(prepared.test.y),
            },
            "features": prepared.features,
            "target": prepared.target,
            "positive": None if prepared.positive is None else prepared.classes[prepared.positive],
            "notes": prepared.notes,
        },
        "recipe": recipe.changed(),
        **definite(known),
    }


def own_modules(recipe: Recipe) -> tuple[str, ...]:
    """The module:function and module:Class that a recipe names."""
    model = recipe.model.model if ":" in recipe.model.model else ""
    return tuple(name for name in (module_of(recipe.data), model) if name)


def _path(data: Data) -> str | None:
    """Where the file of a table lies, so that it is found from any folder; None where it is no file."""
    path = file_of(data)
    return None if path is None else os.path.abspath(path)


def _driver(device: str) -> dict[str, str]:
    """The version of the driver of a device, which was asked for when the device was; {} of one that has none."""
    if device == "cpu":  # known without looking at the machine, which takes longer than a short run
        return {}
    found = next((one.driver for one in devices.known() if one.name == device), "")
    return {"driver": found} if found else {}


def git_commit() -> str | None:
    """The commit that is checked out where the run was started, for the record."""
    folder = next((f / ".git" for f in (Path.cwd(), *Path.cwd().parents) if (f / ".git").exists()), None)
    if folder is None:
        return None
    found = _read_commit(folder)
    if found is not None and "GIT_DIR" not in os.environ:
        return found
    import subprocess

    try:
        answer = subprocess.run(
            ["git", "-c", "core.fsmonitor=", "--no-optional-locks", "--no-pager", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # no git on this machine, or a repository it refuses: nothing to record
    return answer.stdout.strip() or None


def _read_commit(folder: Path) -> str | None:
    """The commit that a .git folder has checked out, where two files of the plain form tell it; git knows them all."""
    try:
        head = read_text(folder / "HEAD").strip()
        commit = read_text(folder / head.removeprefix("ref: ")).strip() if "ref: " in head else head
    except (FileNotFoundError, InputError):
        return None
    return commit if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit) else None
