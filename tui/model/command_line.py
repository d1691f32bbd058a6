"""The command line that does the same as the panels."""

from __future__ import annotations

from collections.abc import Collection

from engine.base.shell import joined
from engine.recipe import Known, Recipe, choices


def command_line(recipe: Recipe, known: Known | None = None) -> str:
    """`ravine train …` with every choice that applies and is not its default. Steering during a run is not in it.

    Args:
        known: what is known of the choices, where that is more than the recipe itself says.
    """
    idle = (known or Known(recipe)).idle
    return joined(["ravine", "train", *flags(recipe, without={"pace", *idle})])


def flags(recipe: Recipe, *, without: Collection[str] = ()) -> list[str]:
    """The flags for every choice that is not its default, but those `without`."""
    words: list[str] = []
    for choice in choices():
        value = recipe.get(choice.name)
        if value == choice.default or choice.name in without:
            continue
        if choice.kind == "switch":
            words.append(choice.flag if value else f"--no-{choice.flag.removeprefix('--')}")
        elif choice.kind == "table":
            for column, kind in value.items():
                words += [choice.flag, f"{column}={kind}"]
        else:
            words += [choice.flag, choice.show(value)]
    return words
