"""Starting the app in a terminal, and leaving the terminal as it was."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.base.errors import InputError
from engine.commands.console import say
from tui.app import sentences
from tui.terminal.early_signals import terminal_kept
from tui.terminal.terminal import is_terminal, log_path, own_screen, shows

if TYPE_CHECKING:
    from engine.recipe import Recipe
    from tui.app.preferences import Preferences


def own_keys() -> dict[str, str]:
    """The keys of keys.toml in the person's configuration folder, by id: `"run.toggle" = "g"`. Raises InputError."""
    import tomllib

    from platformdirs import user_config_path

    from engine.base.files import read_text

    path = user_config_path("ravine", appauthor=False) / "keys.toml"
    try:
        keys = tomllib.loads(read_text(path))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise InputError(sentences.KEYS_UNREADABLE(path=path, reason=error)) from None
    for name, value in keys.items():
        if not isinstance(value, str) or not value.strip():
            raise InputError(sentences.BAD_KEY(name=name, path=path))
    return keys


@dataclass(frozen=True)
class Options:
    """How the screen is wanted; no part of the recipe.

    Attributes:
        fresh: begin with the defaults, not with the choices of last time.
        ascii: draw with ASCII only.
        theme: the name of the colours; empty for those of last time.
    """

    fresh: bool = False
    ascii: bool = False
    theme: str = ""


def manner_of(words: Sequence[str]) -> tuple[Options, list[str]]:
    """What the flags of the screen say, and the other words. Raises InputError."""
    manner, rest, words = Options(), [], list(words)
    while words:
        word = words.pop(0)
        flag, equals, value = word.partition("=")
        if word == "--fresh":
            manner = replace(manner, fresh=True)
        elif word == "--ascii":
            manner = replace(manner, ascii=True)
        elif flag == "--theme":
            manner = replace(manner, theme=_theme(value if equals else words.pop(0) if words else ""))
        else:
            rest.append(word)
    return manner, rest


def _theme(name: str) -> str:
    """The name of a theme. Raises InputError."""
    from textual.theme import BUILTIN_THEMES

    from tui.look.themes import OURS

    known = [theme.name for theme in OURS] + sorted(BUILTIN_THEMES)
    if name not in known:
        if not name:
            raise InputError(sentences.THEME_NEEDS_NAME(themes=known))
        raise InputError(sentences.NO_THEME(name=name, themes=known))
    return name


SWITCH = 0.0005  # seconds
COLLECTED = 5_000, 10, 200  # see gc.set_threshold: with torch loaded, looking through all objects takes 0.2 s
FAILURE = 1  # what Textual returns after an exception of the app's own
RESUME = sentences.RESUMABLE()


def prepare() -> None:
    """What an app needs of the process.

    A key waits `SWITCH` for the interpreter while a training loop of Python holds it; 5 ms is the default. It also
    waits while Python looks for garbage, which most objects never become. COLUMNS and LINES of the shell do not follow
    the terminal when it changes its size.
    """
    sys.setswitchinterval(SWITCH)
    gc.set_threshold(*COLLECTED)
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    if not os.environ.get("NO_COLOR"):
        os.environ.pop("NO_COLOR", None)  # empty it means nothing, but not to Textual


def start(words: Sequence[str]) -> int:
    """Run the app with panels preset by flags; the exit code."""
    from engine.commands.flags import JSON, PLAIN
    from tui.app.preferences import Preferences

    recipe: Callable[[], Recipe]
    try:
        manner, words = manner_of(words)
        for word in {PLAIN.typed, JSON.typed} & set(words):  # what only `ravine train` can do
            raise InputError(sentences.FOR_HEADLESS(flag=word))
        memory = Preferences(fresh=manner.fresh)
        if words:
            found = _recipe(memory, words)
            recipe = lambda: found  # noqa: E731
        else:
            recipe = lambda: _recipe(memory, ())  # noqa: E731
    except InputError as error:
        say(str(error))
        return 2
    if not is_terminal():
        say(sentences.NEEDS_TERMINAL())
        return 2
    return _run(recipe, manner, memory)


def _recipe(memory: Preferences, words: Sequence[str]) -> Recipe:
    from engine.cli import preset

    return memory.begin(words, preset)


def _run(recipe: Callable[[], Recipe], manner: Options, memory: Preferences) -> int:
    from tui.app.app import CLOSING, RavineApp

    try:
        keymap = own_keys()
    except InputError as error:
        say(str(error))
        return 2
    prepare()
    able = shows(os.environ, ascii=manner.ascii)
    with own_screen(ascii=not able.unicode) as link, terminal_kept(link.fileno()):
        app = RavineApp(
            recipe, keymap=keymap, theme=manner.theme or memory.theme, shows=able, link=link, memory=memory
        )  # fmt: skip
        with suppress(OSError):  # the terminal may be gone: the line was cut
            app.run()
        farewell = app.farewell
        if app.return_code == FAILURE and app.workspace is not None:
            app.workspace.leave(CLOSING)
        app.keep_all()
        if app.return_code == FAILURE:
            farewell = sentences.CRASHED(path=log_path(), resume=RESUME)
    if farewell:
        say(farewell)
    return app.return_code or 0
