"""Ravine's engine: data in, trained models out, without a screen.

`engine.load(run)` gives the model of a run folder; see `engine.runs.model`. Importing this imports nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.model import TrainedModel

__all__ = ["load"]


def load(run: str | Path, *, trust: bool = False) -> TrainedModel:
    """The model of a run folder: `engine.load("runs/…").predict(frame)`.

    Args:
        trust: run the module:Class that the run names, if it names one, as it is now; it is not asked again.

    Raises:
        engine.base.errors.Untrusted: its module:Class was neither run nor confirmed before, or has changed since.
        engine.base.errors.InputError: there is no such folder, no model in it, or it is damaged or of a newer version.
    """
    from engine.runs.model import load as load_model

    return load_model(run, trust=trust)
