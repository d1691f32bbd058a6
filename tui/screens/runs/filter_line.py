"""The line on which the filter of the runs is typed: the list follows what can be understood of it."""

from __future__ import annotations

from collections.abc import Callable

from engine.base.errors import InputError
from tui.keys.keymap import named
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
        "Such as lr<0.1 normalize=zscore,robust !diverged age<2d tag=good, or words of name, table, note and "
        f"tags. Every column has its name, which {named('runs.columns')} lists.",
        typed,
        check=_mistake,
        typed=typed,
        left=lambda: take(Filter()),
        keys="Enter keeps it · Esc takes it away",
    )


def _mistake(text: str) -> str:
    try:
        parse(text)
    except InputError as error:
        return str(error)
    return ""
