"""What a run that goes on can be told: which choices may change, and to which values."""

from __future__ import annotations

from typing import Any

from engine.base.errors import InputError
from engine.recipe import sentences
from engine.recipe.choice import AUTO
from engine.recipe.recipe import Recipe, choices, find


def steered(field: str, value: Any, name: str = "") -> Any:
    """Return the value that a field takes from the next update on, as the recipe keeps it.

    Everything that changes a run asks here: the app, a session, and a recipe that is read with its events.

    Args:
        field: its name in the recipe.
        value: as it is, or as text.
        name: what the field is called in sentences; by default its label.

    Raises:
        InputError: there is no such field, it cannot be changed during a run, or the value is out of its bounds or
            not definite.
    """
    choice = find(field)
    called = name or choice.label.capitalize()
    if not choice.live:
        raise InputError(sentences.NOT_LIVE(field=called, fields=[c.name for c in choices() if c.live]))
    found = Recipe().replace({field: value}).get(field)
    if found == AUTO:
        raise InputError(sentences.NOT_DEFINITE(field=called))
    return found
