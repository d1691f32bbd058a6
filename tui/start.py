"""Starting the app in a terminal, and leaving the terminal as it was."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.terminal import is_terminal, own_screen

if TYPE_CHECKING:
    from engine.recipe import Recipe


def own_keys() -> dict[str, str]:
    """The keys of keys.toml in the person's configuration folder, by id: `"run.toggle" = "g"`. Raises InputError."""
    import tomllib

    from platformdirs import user_config_path

    path = user_config_path("ravine", appauthor=False) / "keys.toml"
    try:
        content = path.read_bytes().decode()
    except OSError:
        return {}
    from engine.errors import InputError

    try:
        keys = tomllib.loads(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"The keys in {path} cannot be read: {error}.") from None
    for name, value in keys.items():
        if not isinstance(value, str) or not value.strip():
            raise InputError(f'The key {name} in {path} is not a text such as "g" or "f5,ctrl+g"; dots need quotes.')
    return keys


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
    from engine.errors import InputError
    from tui.app import RavineApp

    try:
        keymap = own_keys()
    except InputError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    # A key waits this long for the interpreter while a training loop of Python holds it; 5 ms is the default.
    sys.setswitchinterval(SWITCH)
    with own_screen():
        app = RavineApp(recipe, keymap=keymap)
        with suppress(OSError):  # the terminal may be gone: the line was cut
            app.run()
        farewell = app.farewell
    if farewell:
        with suppress(OSError):
            print(farewell, file=sys.stderr)  # noqa: T201
    return app.return_code or 0
