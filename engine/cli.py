"""The command line: headless training and everything that can be done with a run. stdout is data, stderr narration.

A plain line is obeyed at once (see `engine.commands.plain`); every other one is read by `engine.commands.program`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.base.errors import InputError
from engine.commands import console, flags, plain, sentences
from engine.commands.console import DONE, FAILED, INTERRUPTED, WRONG, say
from engine.modules import trust

if TYPE_CHECKING:
    from engine.recipe import Recipe

# What a line gives beside the fields of the recipe.
NO_FIELDS = frozenset({plain.WORD, *(flag.field for flag in flags.OF_TRAINING)})


def main(argv: Sequence[str]) -> int:
    """Run a headless command; its exit code."""
    console.words[:] = argv
    console.open_streams()
    try:
        with trust.scope():
            code = _obey(argv)
        sys.stdout.flush()
    except InputError as error:
        say(sentences.RAVINE(error=error))
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        console.hush()  # the reader has seen enough
        return DONE
    except OSError as error:
        console.hush()
        say(sentences.SYSTEM_REFUSED(reason=error.strerror or str(error), file=error.filename or ""))
        return FAILED
    return code if isinstance(code, int) else DONE


def preset(argv: Sequence[str]) -> Recipe:
    """The recipe that `ravine [DATASET] [flags]` presets the panels with. Raises InputError."""
    found = plain.read(argv, plain.recipe_flags())
    if found is not None:
        return _recipe(found)
    from engine.commands import program

    return program.preset(argv)


def _obey(words: Sequence[str]) -> Any:
    """Do what a line says; its exit code, or something else where there is none."""
    command, rest = words[0] if words else "", words[1:]
    if command == "train":
        found = plain.read(rest, {**plain.recipe_flags(), **flags.plain(flags.JSON, flags.PLAIN)})
        if found is not None:
            from engine.commands.train import train

            how = {name: found.pop(name, False) for name in ("json", "plain")}
            given = frozenset(found) - NO_FIELDS | ({"dataset"} if plain.WORD in found else set())
            return train(_recipe(found, strict=True), given=given, **how)
    elif command == "runs":
        found = plain.read(rest, flags.plain(flags.RUNS, flags.JSON))
        if found is not None and plain.WORD not in found:
            from engine.commands.listing import listing

            return listing(**found)
    elif command == "predict":
        found = plain.read(rest, flags.plain(flags.VALUES, flags.INPUT, flags.TRUST, flags.RUNS, flags.JSON))
        if found is not None and plain.WORD in found:
            from engine.commands.predict import predict

            with trust.given(bool(found.pop("trust", False))):
                return predict(found.pop(plain.WORD), **found)
    elif words == ["--version"]:
        from engine.base.versions import version

        console.put(version("ravine") or "unknown")
        return DONE
    from engine.base import process
    from engine.commands import program

    process.settled()
    return program.obey(words)


def _recipe(found: dict[str, Any], *, strict: bool = False) -> Recipe:
    """The recipe of a plain line's values."""
    from engine.commands.train import asked

    word, file, name = (found.pop(key, None) for key in (plain.WORD, "recipe_file", "preset_name"))
    return asked(word, file, name, found, trusting=bool(found.pop("trust", False)), strict=strict)
