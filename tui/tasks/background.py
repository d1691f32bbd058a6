"""Work in threads beside the screen, none of which can fail without a word."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from tui.tasks import sentences


def in_background(work: Callable[[], None], name: str, failed: Callable[[str], object] | None = None) -> None:
    """Do it in a thread that never keeps the program from ending.

    Args:
        failed: takes the sentence where the work raises what it should not, in that thread, so that nobody waits for
            its answer for ever. Without one the app tells of it (see `tui.app.base_app`).
    """

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            if failed is None:
                raise
            traceback.print_exception(error)  # which the app's log takes
            failed(unexpected(error))

    threading.Thread(target=guarded, name=name, daemon=True).start()


def unexpected(error: BaseException) -> str:
    """One sentence for an exception that nobody foresaw."""
    first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return sentences.UNEXPECTED(what=what)
