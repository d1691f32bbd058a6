"""`ravine export`: a run for other programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from engine.base.errors import InputError
from engine.base.printable import printable, to_bytes
from engine.commands import sentences
from engine.commands.console import DONE, put, put_lines, say
from engine.commands.flags import RunName, RunsFolder, Trust
from engine.modules.trust import given

Format = Literal["csv", "wide-csv", "safetensors", "onnx", "code", "predictor", "report"]
TOLD = 1 << 25  # bytes between two words on how far it is


def export(
    run: RunName,
    /,
    *,
    format: Annotated[
        Format,
        Parameter(help=sentences.HELP_FORMAT()),
    ],
    output: Annotated[str | None, Parameter(name=("--output", "-o"), help=sentences.HELP_OUTPUT())] = None,
    tag: Annotated[str, Parameter(help=sentences.HELP_EXPORTED_TAG())] = "loss/train",
    style: Annotated[
        Literal["plain", "torch"],
        Parameter(help=sentences.HELP_STYLE()),
    ] = "plain",
    trust: Trust = False,
    runs: RunsFolder = "./runs",
) -> int:
    """Export a run."""
    with given(trust):
        return _export(run, format, output, tag, style, runs)


def _export(run: str, format: Format, output: str | None, tag: str, style: str, runs: str) -> int:
    from engine.runs import formats
    from engine.runs.store import resolve

    path, meaning = None if output is None else Path(output).expanduser(), ""
    folder = Path(runs).expanduser()
    if run == "all":
        parts = _of_all(folder, format, tag)
    else:
        own = "code-torch" if format == "code" and style == "torch" else format
        parts, meaning = formats.parts(resolve(run, folder), own, path, tag)
    if path is None:
        _to_stdout(parts, format)
    else:
        formats.put(parts, path, _teller())
        beside = formats.write_meaning(path, meaning) if meaning else None
        say(sentences.WROTE_WITH_MEANING(path=path, beside=beside) if beside else sentences.WROTE(path=path))
    if warning := formats.warning(format, None if run == "all" else resolve(run, folder), folder, tag):
        say(warning)
    return DONE


def _of_all(folder: Path, format: Format, tag: str) -> Iterable[bytes]:
    from engine.runs import export as exports
    from engine.runs.store import list_runs

    if format not in ("csv", "wide-csv"):
        raise InputError(sentences.FORMAT_OF_ONE_RUN(format=format))
    found = [run.path for run in list_runs(folder) if run.state != "damaged"]
    if not found:
        raise InputError(sentences.NO_RUNS_TO_EXPORT(folder=folder))
    if not any(tag in exports.tags(run) for run in found):
        raise InputError(sentences.NO_RUN_WITH_CURVE(folder=folder, tag=tag))
    lines = exports.wide_of_all(found, tag) if format == "wide-csv" else exports.csv_of_all(found, tag)
    return (to_bytes(text) for text in lines)


def _to_stdout(parts: Iterable[bytes], format: Format) -> None:
    """Bytes as they are where they are no text; else lines in which every name is printable, as on a terminal."""
    if format not in ("onnx", "safetensors"):
        lines = (part.decode("utf-8", "surrogateescape") for part in parts)
        if format in ("csv", "wide-csv"):
            put(printable(next(lines).rstrip("\n")))  # the header: a line break in it is one of a name
        put_lines(lines)
        return
    if sys.stdout.isatty():
        raise InputError(sentences.NOT_TEXT())
    sys.stdout.flush()
    for part in parts:
        sys.stdout.buffer.write(part)
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
