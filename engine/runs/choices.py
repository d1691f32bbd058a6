"""What run.json says of the choices of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.recipe import Known, Recipe


def definite(known: Known) -> dict[str, Any]:
    """What run.json says of the choices: each as the run made it definite, and why those that are null do not apply."""
    return {"choices": known.to_table(), "does_not_apply": known.idle}


def known(facts: Mapping[str, Any], recipe: Recipe) -> Known:
    """The choices of a run as it made them definite; of an older run, which names some of them, as far as it does."""
    made, data, result = (facts.get(name) or {} for name in ("choices", "data", "result"))
    found = {name: value for name, value in made.items() if value is not None}
    rows, classes = (data.get("rows") or {}).get("train"), result.get("classes")
    found |= {"rows": rows} if rows is not None else {}
    found |= {"classes": len(classes)} if classes is not None else {}
    if (apart := facts.get("does_not_apply")) is not None:
        found["screen"] = "pace" not in apart
    return Known(recipe, found)


def idle(facts: Mapping[str, Any], recipe: Recipe) -> dict[str, str]:
    """The choices that do not apply to a run, each with why; of an older run as far as that can be told."""
    told: dict[str, str] | None = facts.get("does_not_apply")
    return known(facts, recipe).idle if told is None else told
