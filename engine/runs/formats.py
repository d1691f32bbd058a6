"""A run as a file for other programs, in each of the formats of `ravine export`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.base.errors import Cancelled, InputError
from engine.base.files import replacing, write_bytes
from engine.base.printable import to_bytes


@dataclass(frozen=True)
class Format:
    """One format: its name, how its files end, and what is in them."""

    name: str
    ending: str
    about: str


FORMATS = (
    Format("csv", ".csv", "the loss of every step, with its wall time"),
    Format("wide-csv", "_curves.csv", "a row for each step, a column for each curve"),
    Format("safetensors", ".safetensors", "the weights; what they mean inside and as JSON beside"),
    Format("onnx", ".onnx", "the model with encoding and normalization inside"),
    Format("code", ".py", "a PyTorch script that repeats the run"),
    Format("code-torch", ".py", "the same with nn, optim and DataLoader"),
    Format("predictor", "_predict.py", "a script that predicts and needs nothing else"),
    Format("report", ".md", "a page of Markdown"),
)


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
        progress: is told the bytes written so far.

    Raises:
        InputError: the run has not what the format needs, or the file cannot be written.
        FileThere: it exists, and `overwrite` was not given.
        Cancelled: `cancelled` said so; no file is left.
    """
    beside = _beside(path) if format == "safetensors" else None
    table = path.with_name(path.name + ".npz") if format.startswith("code") else None  # where it is not small
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file's name.")
    for file in (path, beside, table):
        if file is not None and not overwrite and file.exists():
            raise FileThere(f"There is already a file {file}.")
    content, meaning = parts(run, format, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path.parent} cannot be made: {error.strerror or error}.") from None
    put(content, path, progress, cancelled)
    return (path, write_meaning(path, meaning)) if meaning else (path,)


def put(
    content: Iterable[bytes],
    path: Path,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write a file piece by piece, whole or not at all. Raises as `write` does."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file's name.")
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
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from None


def warning(format: str, run: Path | None, folder: Path, tag: str = "loss/train") -> str:
    """One sentence about text in a CSV file that a spreadsheet takes for formulas; empty where there is none.

    Args:
        run: what was exported; None for all runs of `folder`.
    """
    if format not in ("csv", "wide-csv") or (format == "csv" and run is not None):
        return ""
    from engine.runs import export
    from engine.runs.formulas import Formulas
    from engine.runs.store import list_runs

    found = Formulas()
    if run is not None:
        found.names("the header", export.tags(run))
    else:
        names = [one.path.name for one in list_runs(folder) if one.state != "damaged" and tag in export.tags(one.path)]
        found.names("Run" if format == "csv" else "the header", names)
    return found.sentence


def write_meaning(path: Path, meaning: str) -> Path:
    """Write what the numbers of a file of weights mean into a file beside it, which is returned. Raises InputError."""
    beside = _beside(path)
    try:
        write_bytes(beside, meaning.encode())
    except OSError as error:
        raise InputError(f"{beside} cannot be written: {error.strerror or error}.") from None
    return beside


def _beside(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".safetensors") + ".json")


def parts(run: Path, format: str, path: Path | None, tag: str = "loss/train") -> tuple[Iterable[bytes], str]:
    """The content of a format, piece by piece, and what its numbers mean, as JSON, where that goes beside it.

    Args:
        path: where it is going, None for stdout: a script whose table is not small has it in a file beside.
        tag: of csv, which curve.
    """
    if format in ("csv", "wide-csv"):
        from engine.runs import export

        return (to_bytes(text) for text in (export.csv(run, tag) if format == "csv" else export.wide(run))), ""
    if format in ("code", "code-torch"):
        from engine.runs import code

        return [to_bytes(code.of_run(run, "plain" if format == "code" else "torch", path))], ""
    if format == "report":
        from engine.runs import report

        return [to_bytes(report.markdown(run))], ""
    from engine.runs import predictor

    if format == "safetensors":
        content, schema = predictor.exported(run)
        return [content], schema
    model = predictor.load(run)
    if format == "onnx":
        from engine.runs import onnx_model

        return [onnx_model.to_onnx(model)], ""
    from engine.runs import standalone

    return [to_bytes(standalone.script(model))], ""
