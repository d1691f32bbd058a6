"""Command lines that are read without a parser library, whose import alone takes longer than a short run.

Only lines that leave nothing to decide: every flag known, given once and with a value that does not look like a flag.
Whatever else there is (help, a misspelt flag, `--as` with its table) is not read here but by `engine.commands.program`,
which reads the plain ones to the same result. The flags of a recipe come from its fields, as they do there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.commands.flags import OF_TRAINING, Plain, plain

WORD = "word"  # what is given without a flag

Flags = Mapping[str, tuple[str, bool | None]]  # by flag: the name it gives a value to; its value, or None for a text


def read(words: Sequence[str], flags: Flags) -> dict[str, Any] | None:
    """The values of a plain line by name, and under WORD the one that stands without a flag; None where it is not
    plain.
    """
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=")
        if not word.startswith("-"):
            name, given = WORD, word
        elif flag in flags and flags[flag][1] is None:
            name, given = flags[flag][0], value if equals else next(rest, "")
        elif word in flags:
            name, given = flags[word]  # type: ignore[assignment]
        else:
            return None
        if name in found or given == "" or (isinstance(given, str) and given.startswith("-")):
            return None
        found[name] = given
    return found


def recipe_flags() -> Plain:
    """The flags of `ravine train` and of the app."""
    from engine.recipe import choices

    flags = plain(*OF_TRAINING)
    for choice in choices():
        if choice.kind == "switch":
            flags[choice.flag] = (choice.name, True)
            if choice.off:
                flags[choice.off] = (choice.name, False)
        elif choice.kind != "table":
            flags[choice.flag] = (choice.name, None)
    return flags
