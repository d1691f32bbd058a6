"""The entry point. It only routes: the full-screen app, else the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

COMMANDS = frozenset({"train", "resume", "predict", "runs", "export", "sweep", "doctor", "--help", "-h", "--version"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ravine`; the exit code: 0 done, 1 failed, 2 wrong usage, 3 diverged, 130 interrupted.

    Args:
        argv: the words of the command line; without them those of this process, which then belongs to the program.
    """
    if argv is None and not _well_found():
        return 2
    from engine.commands import console

    console.open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COMMANDS:
        return _command(words, own=argv is None)
    if words and words[0] == "watch":
        from tui import watching

        if not watching.headless(words[1:]):
            return _closed(watching.start(words[1:]))
        return _command(words, own=argv is None)
    if {"--help", "-h"} & set(words):  # `ravine houses --help`: the app takes the flags of train
        return _command(["train", "--help"], own=argv is None)
    from tui.start import start

    return _closed(start(words))


def _closed(code: int) -> int:
    """The exit code of an app, whose terminal may be gone."""
    from engine import process

    process.release()
    return code


def _well_found() -> bool:
    """Look for modules where they belong, and say what is in the way; whether the engine that is found is ours."""
    from tui import searching

    warning, problem = searching.leave_folder(), searching.shadowed()
    for sentence in filter(None, (warning, problem)):
        # The engine's own door may not be there.
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in sentence)
        print(shown.encode("ascii", "backslashreplace").decode(), file=sys.stderr)  # noqa: T201
    return not problem


def _command(words: Sequence[str], *, own: bool) -> int:
    """Run a command that needs no screen; `own`: in a process of its own."""
    from engine import process

    if own:
        process.begin()
    from engine.cli import main as command_line

    code = command_line(words)
    if own:
        process.end(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
