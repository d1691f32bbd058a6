"""A run written to a file in one of the formats of `engine.runs.formats`, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from engine.base.errors import Cancelled, InputError
from engine.base.files import replacing, write_bytes
from engine.base.printable import to_bytes
from engine.runs import sentences
from engine.runs.formats import REGISTRY, Content, ExportFormat
from engine.runs.tags import TRAIN


class FileThere(InputError):
    """There is a file of that name already, and nobody said that it may be written over."""


def write(
    run: Path,
    format: str,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Path, ...]:
    """Write a run to a file, whole or not at all; the files that have been written.

    Args:
        format: the name of its record.
        progress: is told the bytes written so far.

    Raises:
        InputError: the run has not what the format needs, or the file cannot be written.
        FileThere: it exists, and `overwrite` was not given.
        Cancelled: `cancelled` said so; no file is left.
    """
    one = REGISTRY[format]
    if path.is_dir():
        raise InputError(sentences.IS_A_FOLDER(path=path))
    for file in (path, one.beside(path)):
        if file is not None and not overwrite and file.exists():
            raise FileThere(sentences.FILE_EXISTS(path=file))
    content = one.content(run, path, TRAIN)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(sentences.NOT_MADE(path=path.parent, reason=error.strerror or error)) from None
    put(pieces(content), path, progress, cancelled)
    beside = write_meaning(one, path, content)
    return (path,) if beside is None else (path, beside)


def whole(run: Path, format: str, path: Path | None = None, tag: str = TRAIN) -> bytes:
    """All of what goes into the file of a run. Raises InputError where the run has not what the format needs."""
    return b"".join(pieces(REGISTRY[format].content(run, path, tag)))


def pieces(content: Content) -> Iterator[bytes]:
    """What goes into the file, piece by piece."""
    return (piece if isinstance(piece, bytes) else to_bytes(piece) for piece in content.pieces)


def put(
    content: Iterable[bytes],
    path: Path,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write a file piece by piece, whole or not at all. Raises as `write` does."""
    if path.is_dir():
        raise InputError(sentences.IS_A_FOLDER(path=path))
    done = 0
    try:
        with replacing(path) as out:
            for part in content:
                if cancelled is not None and cancelled():
                    raise Cancelled
                out.write(part)
                done += len(part)
                if progress is not None:
                    progress(done)
    except OSError as error:
        raise InputError(sentences.NOT_WRITTEN(path=path, reason=error.strerror or error)) from None


def write_meaning(format: ExportFormat, path: Path, content: Content) -> Path | None:
    """Write what the numbers of a file mean into the file beside it, which is returned; None where there is nothing
    to say. Raises InputError."""
    beside = format.beside(path) if content.meaning else None
    if beside is not None:
        try:
            write_bytes(beside, content.meaning.encode())
        except OSError as error:
            raise InputError(sentences.NOT_WRITTEN(path=beside, reason=error.strerror or error)) from None
    return beside


def warning(format: ExportFormat, run: Path | None, folder: Path, tag: str = TRAIN) -> str:
    """One sentence about text in a CSV file that a spreadsheet takes for formulas; empty where there is none.

    Args:
        run: what was exported; None for all runs of `folder`.
    """
    if format.names is None:
        return ""
    from engine.runs.curves_csv import tags
    from engine.runs.formulas import Formulas
    from engine.runs.store import list_runs

    listed = list_runs(folder) if run is None else []
    runs = [one.path for one in listed if one.state != "damaged" and tag in tags(one.path)]
    found = Formulas()
    found.names(*format.names(run, runs))
    return found.sentence
