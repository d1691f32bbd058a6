"""The line on which the filter of the runs is typed: the list follows what can be understood of it."""

from __future__ import annotations

from collections.abc import Callable

from engine.base.errors import InputError
from tui.keys.keymap import named
from tui.screens import sentences
from tui.screens.runs.filter import Filter, parse, understood
from tui.widgets.prompt import Ask


def filter_line(before: Filter, take: Callable[[Filter], None]) -> Ask:
    """What asks for a filter.

    Args:
        before: the filter that holds now, which is changed.
        take: called with each filter on the way, and with none where the line is left.
    """

    def typed(text: str) -> None:
        take(understood(text))

    return Ask(
        "filter",
        before.text,
        sentences.FILTER_HINT(key=named("runs.columns")),
        typed,
        check=_mistake,
        typed=typed,
        left=lambda: take(Filter()),
        keys=sentences.KEYS_OF_FILTER(),
    )


def _mistake(text: str) -> str:
    try:
        parse(text)
    except InputError as error:
        return str(error)
    return ""
