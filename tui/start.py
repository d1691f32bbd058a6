"""Starting the app in a terminal, and leaving the terminal as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.terminal import is_terminal, own_screen

if TYPE_CHECKING:
    from engine.recipe import Recipe


SWITCH = 0.0005  # seconds


def start(words: Sequence[str]) -> int:
    """Run the app with panels preset by flags; the exit code."""
    recipe: Callable[[], Recipe] | None = None
    if words:
        from engine.cli import preset
        from engine.errors import InputError

        try:
            found = preset(words)
        except InputError as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 2
        recipe = lambda: found  # noqa: E731
    if not is_terminal():
        print(  # noqa: T201
            "The full-screen trainer needs a terminal; `ravine train` does the same without one.", file=sys.stderr
        )
        return 2
    from tui.app import RavineApp

    # A key waits this long for the interpreter while a training loop of Python holds it; 5 ms is the default.
    sys.setswitchinterval(SWITCH)
    with own_screen():
        app = RavineApp(recipe)
        with suppress(OSError):  # the terminal may be gone: the line was cut
            app.run()
        farewell = app.farewell
    if farewell:
        with suppress(OSError):
            print(farewell, file=sys.stderr)  # noqa: T201
    return app.return_code or 0
