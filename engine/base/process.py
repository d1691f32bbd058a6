"""The process of a command: set so that it starts and ends without delay. A short run is over before imports are.

Only the program's own entry point calls this; whoever uses the engine as a library keeps the process as it is.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

BLAS = "OPENBLAS_NUM_THREADS"
INTERRUPTED = 130

_begun = False
_code: int | None = None
_whole = False
_interrupted = False


def begin() -> None:
    """Call before anything else is imported."""
    global _begun
    _begun = True
    gc.disable()  # imports make objects by the hundred thousand, and hardly any garbage
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)
    atexit.register(_leave)  # what is registered first is called last


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl+C: unwind, so that what is half written is taken away; once more: end at once."""
    global _interrupted
    if _interrupted:
        os._exit(INTERRUPTED)
    _interrupted = True
    sys.unraisablehook = lambda _: None  # where nobody can catch it, it is not told of either
    raise KeyboardInterrupt


def interrupted() -> bool:
    """Whether Ctrl+C was pressed, whatever became of it."""
    return _interrupted


def settled() -> None:
    """Everything is imported: collect garbage from now on, but do not look through the modules for it."""
    if _begun:
        gc.freeze()
        gc.enable()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have numpy's BLAS begin with one thread where it is loaded inside; others would wait by spinning.

    A kernel that wants more gets them (see `engine.learn.kernels.threads`).
    """
    if BLAS in os.environ:
        yield
        return
    os.environ[BLAS] = "1"
    try:
        yield
    finally:
        del os.environ[BLAS]


def end_whole() -> None:
    """Let the interpreter take everything down at the end: a person's own code may count on it."""
    global _whole
    _whole = True


def end(code: int) -> None:
    """The last word: leave with this exit code as soon as all threads and exit functions are done."""
    global _code
    _code = code
    if _begun and signal.getsignal(signal.SIGINT) is _interrupt:
        signal.signal(signal.SIGINT, lambda *_: os._exit(code))


def _leave() -> None:
    """Skip taking down the modules one by one: files are closed, and the memory goes as a whole."""
    release()
    if _code is None or _whole:
        return
    os._exit(_code)


def release() -> None:
    """Write out what the standard streams hold; what one cannot take any more, since its terminal is gone, is dropped.

    Else Python tries it once more at the very end, fails, and puts 120 in the place of the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # closed before the program began
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
