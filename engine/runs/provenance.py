"""Where a run comes from: what run.json keeps so that its numbers can be traced."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from engine.data.prepare import Prepared
from engine.learn.plan import Plan
from engine.recipe import Recipe
from engine.runs.folder import versions


def provenance(recipe: Recipe, plan: Plan, prepared: Prepared, command: str) -> dict[str, Any]:
    """Command line, versions, device, data and its fingerprint, every choice as made and as resolved."""
    return {
        "command": command,
        "versions": versions(),
        "device": plan.device,
        "backend": plan.backend,
        "precision": plan.precision,
        "threads": plan.threads,
        "git_commit": _git_commit(),
        "data": {
            "source": recipe.data.dataset,
            "table": prepared.table_name,
            "fingerprint": prepared.fingerprint,
            "rows": {
                "train": len(prepared.train.y),
                "validation": len(prepared.validation.y),
                "test": len(prepared.test.y),
            },
            "features": prepared.features,
            "target": prepared.target,
            "notes": prepared.notes,
        },
        "recipe": recipe.changed(),
        "choices": {
            "dataset": recipe.data.dataset,
            "normalize": recipe.normalization.normalize,
            "model": plan.model,
            "optimizer": plan.optimizer,
            "lr": plan.lr,
            "batch_size": plan.batch,
            "steps": plan.steps,
            "init": plan.init,
            "loss": plan.loss,
            "l1": plan.l1,
            "l2": plan.l2,
            "schedule": plan.schedule,
            "hidden": plan.architecture.hidden,
            "dropout": plan.architecture.dropout,
            "seed": plan.seed,
            "split_seed": recipe.data.split_seed,
        },
    }


def _git_commit() -> str | None:
    """The commit that is checked out where the run was started, for the record."""
    if not any((folder / ".git").exists() for folder in (Path.cwd(), *Path.cwd().parents)):
        return None
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=2,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None  # no git on this machine, or a repository it refuses: nothing to record
    return answer.stdout.strip() or None
