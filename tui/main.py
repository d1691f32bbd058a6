"""The entry point. It only routes: the full-screen app, else the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

COMMANDS = frozenset({"train", "resume", "predict", "runs", "export", "sweep", "doctor", "--help", "-h", "--version"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ravine`; the exit code: 0 done, 1 failed, 2 wrong usage, 3 diverged, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COMMANDS:
        from engine.cli import main as command_line

        return command_line(words)
    if words and words[0] == "watch":
        from tui import watching

        if not watching.headless(words[1:]):
            return watching.start(words[1:])
        from engine.cli import main as command_line

        return command_line(words)
    from tui.start import start

    return start(words)


if __name__ == "__main__":
    sys.exit(main())
