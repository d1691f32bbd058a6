"""The recipe: every choice of one run.

choice     one field: what it takes, how it is read and shown
sections   every field, declared once
making     recipes from flat values and from files; the fields by name
"""

from __future__ import annotations

from engine.recipe.choice import Choice, ColumnKind
from engine.recipe.making import build, choices, find, read_toml
from engine.recipe.sections import (
    Data,
    Device,
    Event,
    Model,
    Normalization,
    Optimizer,
    Recipe,
    Recording,
    Stopping,
)

__all__ = [
    "Choice",
    "ColumnKind",
    "Data",
    "Device",
    "Event",
    "Model",
    "Normalization",
    "Optimizer",
    "Recipe",
    "Recording",
    "Stopping",
    "build",
    "choices",
    "find",
    "read_toml",
]
