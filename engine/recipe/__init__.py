"""The recipe: every choice of one run.

choice     one field: what it takes, how it is read and shown
sections   every field, declared once
autos      what auto means
known      what is known of the choices: each made definite, or why it does not apply
needs      to what a choice applies
recipe     all sections and the changes on the way; the fields by name; recipes from flat values
steering   what a run that goes on can be told
toml_file  recipes in files
"""

from __future__ import annotations

from engine.recipe.choice import Choice, ColumnKind
from engine.recipe.known import Known
from engine.recipe.recipe import Event, Recipe, build, choices, find
from engine.recipe.sections import Data, Device, Model, Normalization, Optimizer, Recording, Stopping
from engine.recipe.steering import steered
from engine.recipe.toml_file import read_toml

__all__ = [
    "Choice",
    "ColumnKind",
    "Data",
    "Device",
    "Event",
    "Known",
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
    "steered",
]
