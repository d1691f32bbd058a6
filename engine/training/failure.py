"""The end of a run that broke off: its folder is kept valid, and a sentence says what happened."""

from __future__ import annotations

import time
import traceback

from engine.base.appending import is_full
from engine.learn.kernels.memory import OutOfMemory
from engine.runs.folder import RunFolder
from engine.runs.lock import LostError
from engine.runs.recorder import Recorder
from engine.training import sentences
from engine.training.saving import Saver
from engine.training.snapshot import Ending


def keep_failed(
    error: BaseException, folder: RunFolder | None, saver: Saver | None, recorder: Recorder | None
) -> tuple[str, Ending | None]:
    """Keep the folder of a run valid after something unexpected.

    Args:
        folder, saver, recorder: as far as they were made when it happened.

    Returns the sentence that says what and where, and the ending where it offers a remedy.
    """
    words = _told(error)
    if folder is None or saver is None:
        return sentences.NOT_STARTED(why=words), None
    if isinstance(error, LostError):
        return sentences.LOST(why=error), None
    try:
        if folder.gone:
            return _deleted(folder, recorder), None
        if isinstance(error, OutOfMemory):
            ending = _out_of_memory(error, saver, recorder)
            return ending.sentence, ending
        if isinstance(error, OSError) and is_full(error) and error.filename:
            return _out_of_room(error, saver, recorder), None
        folder.record(state="failed", ended_at=time.time(), ending=words)
        folder.log("".join(traceback.format_exception(error)))
        _close(recorder)
    except OSError as second:
        where, why = second.filename or folder.path, second.strerror or second
        return sentences.FAILED_UNWRITTEN(why=words, path=where, reason=why, safe=saver.safe), None
    return sentences.FAILED(why=words, path=folder.path / "log.txt"), None


def _told(error: BaseException) -> str:
    if isinstance(error, OSError):
        return sentences.OF_SYSTEM(reason=error.strerror or error, path=error.filename or "")
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _close(recorder: Recorder | None) -> None:
    if recorder is not None:
        recorder.close()


def _deleted(folder: RunFolder, recorder: Recorder | None) -> str:
    """Let go of a folder that was deleted or moved away. Raises OSError."""
    folder.log(sentences.FOLDER_GONE(path=folder.path))  # read where it was moved to
    _close(recorder)
    return sentences.FOLDER_GONE_RESTART(path=folder.path)


def _out_of_memory(error: OutOfMemory, saver: Saver, recorder: Recorder | None) -> Ending:
    """Keep a run whose batch did not fit, to go on with a smaller one. Raises OSError."""
    saver.checkpoint()
    ending = Ending("failed", str(error), error.remedy, error.remedy_text)
    saver.folder.record(state="failed", ended_at=time.time(), ending=ending.sentence)
    saver.folder.log(ending.sentence)
    _close(recorder)
    return ending


def _out_of_room(error: OSError, saver: Saver, recorder: Recorder | None) -> str:
    """End a run whose disk has no room. Raises OSError."""
    words = saver.told(error)
    saver.folder.record(state="interrupted", ended_at=time.time(), ending=words)
    saver.folder.log(words)
    _close(recorder)
    return words
