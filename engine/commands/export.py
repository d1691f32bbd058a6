"""`ravine export`: a run for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from cyclopts import Parameter

from engine.base.errors import InputError
from engine.base.printable import printable
from engine.commands import sentences
from engine.commands.console import DONE, put, put_lines, say
from engine.commands.parameters import RunName, RunsFolder, Trust
from engine.modules.trust import given
from engine.runs import formats
from engine.runs.formats import CODE, ExportFormat
from engine.runs.tags import TRAIN

TOLD = 1 << 25  # bytes between two words on how far it is

if TYPE_CHECKING:
    Format: TypeAlias = str
    Style: TypeAlias = str
else:
    Format = Literal[tuple(one.name for one in formats.named())]
    Style = Literal[formats.styles()]


def export(
    run: RunName,
    /,
    *,
    format: Annotated[Format, Parameter(help=" ".join(one.about for one in formats.named()))],
    output: Annotated[str | None, Parameter(name=("--output", "-o"), help=sentences.HELP_OUTPUT())] = None,
    tag: Annotated[str, Parameter(help=sentences.HELP_EXPORTED_TAG())] = TRAIN,
    style: Annotated[Style, Parameter(help=sentences.HELP_STYLE())] = CODE.style,
    trust: Trust = False,
    runs: RunsFolder = "./runs",
) -> int:
    """Export a run."""
    with given(trust):
        return _export(run, format, output, tag, style, runs)


def _export(run: str, name: str, output: str | None, tag: str, style: str, runs: str) -> int:
    from engine.runs import export as exports
    from engine.runs.store import resolve

    path = None if output is None else Path(output).expanduser()
    folder, format = Path(runs).expanduser(), formats.in_style(name, style)
    of = None if run == "all" else resolve(run, folder)
    content = formats.Content(_of_all(folder, format, tag)) if of is None else format.content(of, path, tag)
    if path is None:
        _to_stdout(exports.pieces(content), format)
    else:
        exports.put(exports.pieces(content), path, _teller())
        beside = exports.write_meaning(format, path, content)
        say(sentences.WROTE_WITH_MEANING(path=path, beside=beside) if beside else sentences.WROTE(path=path))
    if warning := exports.warning(format, of, folder, tag):
        say(warning)
    return DONE


def _of_all(folder: Path, format: ExportFormat, tag: str) -> Iterable[str]:
    from engine.runs.curves_csv import tags
    from engine.runs.store import list_runs

    if format.of_all is None:
        able = [one.name for one in formats.named() if one.of_all is not None]
        raise InputError(sentences.FORMAT_OF_ONE_RUN(format=format.name, formats=able))
    found = [run.path for run in list_runs(folder) if run.state != "damaged"]
    if not found:
        raise InputError(sentences.NO_RUNS_TO_EXPORT(folder=folder))
    if not any(tag in tags(run) for run in found):
        raise InputError(sentences.NO_RUN_WITH_CURVE(folder=folder, tag=tag))
    return format.of_all(found, tag)


def _to_stdout(pieces: Iterator[bytes], format: ExportFormat) -> None:
    """Bytes as they are where they are no text; else lines in which every name is printable, as on a terminal."""
    if format.text:
        lines = (piece.decode("utf-8", "surrogateescape") for piece in pieces)
        if format.names is not None:
            put(printable(next(lines).rstrip("\n")))  # the header: a line break in it is one of a name
        put_lines(lines)
        return
    if sys.stdout.isatty():
        raise InputError(sentences.NOT_TEXT())
    sys.stdout.flush()
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _teller() -> Callable[[int], None]:
    """Tells a person at a terminal now and then how far it is."""
    told = TOLD

    def tell(done: int) -> None:
        nonlocal told
        if done >= told and sys.stderr.isatty():
            say(sentences.WRITTEN_SO_FAR(megabytes=done / 1e6))
            told += TOLD

    return tell
