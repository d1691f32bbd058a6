"""The runs of the list that go on in this very program: as they are now, which is newer than what is on the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.model.race import snapshots
from tui.screens.runs.columns import LIVE

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from engine.training.snapshot import Snapshot
    from tui.model.workspace import Workspace


def own_run(workspace: Workspace | None, path: Path) -> Snapshot | None:
    """This program's live run in a folder; None where there is none."""
    if workspace is None or not workspace.live:
        return None
    return next((now for now in snapshots(workspace) if now.run == path and now.live), None)


def as_now(workspace: Workspace | None, runs: Iterable[RunInfo]) -> dict[Path, RunInfo]:
    """Those of the runs that go on in this program, with their figures as they are now."""
    found = {}
    for run in runs:
        now = own_run(workspace, run.path) if run.state in LIVE else None
        if now is not None:
            found[run.path] = replace(
                run, state=str(now.phase.value).replace("training", "running"), steps=now.step,
                train_loss=now.loss, val_loss=now.validation_loss, seconds=now.seconds,
            )  # fmt: skip
    return found
