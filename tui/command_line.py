"""The command line that does the same as the panels."""

from __future__ import annotations

import shlex

from engine.recipe import Recipe, choices


def command_line(recipe: Recipe) -> str:
    """`ravine train …` with every choice that is not its default. Steering during a run is not in it."""
    words = ["ravine", "train"]
    for choice in choices():
        value = recipe.get(choice.name)
        if value == choice.default or choice.name == "pace":
            continue
        if choice.kind == "switch":
            words.append(choice.flag if value else f"--no-{choice.flag.removeprefix('--')}")
        elif choice.kind == "table":
            for column, kind in value.items():
                words += [choice.flag, f"{column}={kind}"]
        else:
            words += [choice.flag, choice.show(value)]
    return shlex.join(words)
