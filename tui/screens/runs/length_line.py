"""The line on which the new length of a finished run is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.base.errors import InputError
from engine.recipe import find
from tui.screens import sentences
from tui.widgets.prompt import Ask


def length_line(run: str, steps: int, taken: Callable[[Mapping[str, str]], None]) -> Ask:
    """Ask how long a run shall be.

    Args:
        run: its name.
        steps: what stands there at first.
        taken: takes the field, steps or epochs, and its value.
    """
    return Ask(
        sentences.STEPS_OF(run=run),
        str(steps),
        sentences.STEPS_HINT(),
        lambda text: taken(_length(text)),
        check=_mistake,
        keys=sentences.KEYS_OF_LENGTH(),
        select=True,
    )


def _length(text: str) -> dict[str, str]:
    """The field and its value that a person means by "2000", "2000 steps" or "20 epochs"."""
    number, _, unit = text.strip().partition(" ")
    return {"epochs" if unit.strip().startswith("epoch") else "steps": number}


def _mistake(text: str) -> str:
    """Why a text is no length of a run, in a sentence; empty where it is one."""
    try:
        for field, value in _length(text).items():
            find(field).read(value)
    except InputError as error:
        return str(error)
    return ""
