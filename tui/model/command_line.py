"""The command line that does the same as the panels."""

from __future__ import annotations

from collections.abc import Collection

from engine.base.shell import joined
from engine.recipe import Recipe, choices


def command_line(recipe: Recipe) -> str:
    """`ravine train …` with every choice that is not its default. Steering during a run is not in it."""
    return joined(["ravine", "train", *flags(recipe, without={"pace"})])


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
