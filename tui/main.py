"""The entry point. It only routes: the full-screen app, else the command line."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` imports for 10 ms first, in which Ctrl+C would be told of
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
COMMANDS = frozenset({"train", "resume", "predict", "runs", "export", "sweep", "doctor", "--help", "-h", "--version"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ravine`; the exit code: 0 done, 1 failed, 2 wrong usage, 3 diverged, 130 interrupted.

    Args:
        argv: the words of the command line; without them those of this process, which then belongs to the program.
    """
    if argv is None:
        _leave_at_once()
        if not _well_found():
            return 2
    from engine.commands import console

    console.open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COMMANDS:
        return _command(words, own=argv is None)
    if words and words[0] == "watch":
        from tui.watch import launch

        if not launch.headless(words[1:]):
            return _closed(launch.start(words[1:]))
        return _command(words, own=argv is None)
    if {"--help", "-h"} & set(words):  # `ravine houses --help`: the app takes the flags of train
        return _command(["train", "--help"], own=argv is None)
    from tui.app.launch import start

    return _closed(start(words))


def _leave_at_once() -> None:
    """From now on Ctrl+C ends the process without a word: nothing has begun yet."""
    if _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN:  # what ignores it goes on doing so
        _signal.signal(_signal.SIGINT, lambda *_: os._exit(INTERRUPTED))


def _closed(code: int) -> int:
    """The exit code of an app, whose terminal may be gone."""
    from engine.base import process

    process.release()
    return code


def _well_found() -> bool:
    """Look for modules where they belong, and say what is in the way; whether the engine that is found is ours."""
    from tui.app import module_search

    warning, problem = module_search.leave_folder(), module_search.shadowed()
    for sentence in filter(None, (warning, problem) if sys.stderr is not None else ()):
        # The engine's own door may not be there.
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in sentence)
        print(shown.encode("ascii", "backslashreplace").decode(), file=sys.stderr)  # noqa: T201
    return not problem


def _command(words: Sequence[str], *, own: bool) -> int:
    """Run a command that needs no screen; `own`: in a process of its own."""
    from engine.base import process

    if own:
        process.begin()
    try:
        from engine.cli import main as command_line

        code = command_line(words)
    except BaseException:  # a library may make something else of an interrupt that comes while it is imported
        if not process.interrupted():
            raise
        code = INTERRUPTED
    if own:
        process.end(INTERRUPTED if process.interrupted() else code)
    return code


if __name__ == "__main__":
    sys.exit(main())
