"""Starting `ravine watch` in a terminal, and leaving the terminal as it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def headless(words: Sequence[str]) -> bool:
    """Whether `ravine watch` was asked for text, or has no terminal to draw on."""
    from engine.base.errors import InputError
    from tui.app.launch import manner_of
    from tui.terminal.terminal import is_terminal

    try:
        _, rest = manner_of(words)
    except InputError:
        return False  # which `start` tells
    return len(rest) != 1 or rest[0].startswith("-") or not sys.stdout.isatty() or not is_terminal()


def start(words: Sequence[str]) -> int:
    """Run the screen for the folder that is named; the exit code."""
    from engine.base.errors import InputError
    from engine.commands.console import say
    from tui.app.launch import manner_of, own_keys, prepare
    from tui.watch.reader import Reader

    try:
        manner, words = manner_of(words)
        reader = Reader(Path(words[0]).expanduser())
        keymap = own_keys()
    except InputError as error:
        say(str(error))
        return 2
    prepare()
    reader.start()
    from tui.app.preferences import Preferences
    from tui.terminal.early_signals import terminal_kept
    from tui.terminal.terminal import own_screen, shows
    from tui.watch.app import WatchApp

    memory = Preferences()
    able = shows(os.environ, ascii=manner.ascii)
    with own_screen(ascii=not able.unicode) as link, terminal_kept(link.fileno()):
        app = WatchApp(reader, keymap=keymap, theme=manner.theme or memory.theme, shows=able, link=link, memory=memory)
        with suppress(OSError):  # the terminal may be gone: the line was cut
            app.run()
    reader.close()
    return app.return_code or 0
