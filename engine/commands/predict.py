"""`ravine predict`: raw units in, raw units out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.base import process
from engine.base.errors import InputError
from engine.base.printable import printable
from engine.commands import sentences
from engine.commands.console import DONE, put, put_json, put_lines, say
from engine.modules.trust import ask_table

if TYPE_CHECKING:
    from engine.data.rows import InputRows, Keep
    from engine.runs.predictor import Predictor


def predict(
    run: str,
    *,
    values: str | None = None,
    input: str | None = None,
    output: str | None = None,
    keep: str = "",
    runs: str = "./runs",
    json: bool = False,
) -> int:
    """Predict with a run's model; the exit code.

    Args:
        values: one row; or `input`, what names a table of them ("-" for standard input).
        output: the file that the table of predictions is written to; None for stdout.
        keep: columns of the input to give back beside the predictions, by commas, or "all".

    Raises InputError.
    """
    with process.one_blas_thread() if input is None else nullcontext():
        from engine.runs import predictor
        from engine.runs.store import resolve

    process.settled()
    model = predictor.load(resolve(run, Path(runs).expanduser()))
    if values is not None and input is not None:
        raise InputError(sentences.TWO_INPUTS())
    if values is None and input is None:
        raise InputError(sentences.NO_INPUT())
    path = None if output is None else Path(output).expanduser()
    if path is not None and input is not None:
        _refuse_own_input(path, input)
    model.check()
    if input is not None:
        ask_table(input)  # a module:function may give the rows, and the person has just named it
    rows = _typed(model, values, _names(keep)) if values is not None else _read(model, str(input), _names(keep))
    for note in rows.table.notes:  # above all that lines were skipped: those have no prediction
        say(note)
    if path is None:
        parts, warnings = model.batches(rows.table)
    else:
        from engine.runs.predictions import write

        parts, (_, warnings) = iter(()), write(model, rows, path)
    for warning in warnings:
        say(warning)
    if model.decision is not None and not json:
        say(model.decision.sentence)
    if path is not None:
        say(sentences.WROTE(path=path))
    if json:
        put_json(_json(model, rows, parts, path, warnings))
    elif path is None and values is not None and not keep:
        found = model.decide(next(parts))[0]
        put(printable(found) if model.classes else f"{found:.10g}")
    elif path is None:
        _put_table(model, rows, parts)
    return DONE


def _put_table(model: Predictor, rows: InputRows, parts: Iterator[Any]) -> None:
    """Print the predictions as a table."""
    from engine.runs.formulas import Formulas
    from engine.runs.predictions import lines

    formulas = Formulas()
    put_lines(lines(model, rows, parts, printable, formulas))
    if formulas.sentence:
        say(formulas.sentence)


def _json(
    model: Predictor, rows: InputRows, parts: Any, path: Path | None, warnings: tuple[str, ...]
) -> dict[str, Any]:
    """One object: the predictions, or the file that has them."""
    import numpy as np

    answer: dict[str, Any] = {"run": str(model.path), "target": model.target}
    if model.decision is not None:
        answer |= {"positive": model.decision.name, "threshold": model.decision.threshold}
    if path is None:
        outputs = np.concatenate([*parts])
        answer["predictions"] = model.decide(outputs)
        if model.classes:
            answer |= {"classes": model.classes, "probabilities": outputs}
        if rows.kept is not None:
            answer["kept"] = {name: [*map(_plain, rows.kept[name].to_list())] for name in rows.names}
    else:
        answer |= {"output": str(path), "rows": rows.table.rows}
    return answer | {"warnings": (*rows.table.notes, *warnings)}


def _plain(cell: Any) -> Any:
    """A kept cell as JSON has it; a date as text."""
    return cell if cell is None or isinstance(cell, bool | int | float | str) else str(cell)


def _names(keep: str) -> Keep:
    """The names of --keep, which may stand in quotes where they hold commas."""
    if not keep.strip():
        return ()
    from engine.recipe.choice import cells

    if keep.strip() == "all":
        return "all"
    try:
        return tuple(name.strip() for name in cells(keep) if name.strip())
    except ValueError as error:
        raise InputError(sentences.BAD_KEEP(error=error)) from None


def _read(model: Predictor, asked: str, keep: Keep) -> InputRows:
    from engine.data import rows

    return rows.load(asked, model.encoder, keep, stdin=True)


def _typed(model: Predictor, values: str, keep: Keep) -> InputRows:
    """The one row of --values."""
    from engine.data import rows

    return rows.of_mapping(_one_row(values, model), model.encoder, keep)


def _refuse_own_input(path: Path, asked: str) -> None:
    """Raise InputError where the answer would take the place of the table that it is made from."""
    from engine.data import rows

    try:
        own = path.stat()
        read = os.fstat(0) if rows.is_stdin(asked) else Path(asked).expanduser().stat()
    except (OSError, ValueError):
        return  # one of the two is not there
    same = stat.S_ISREG(own.st_mode) and os.path.samestat(own, read)
    if same:
        raise InputError(sentences.OUTPUT_IS_INPUT(path=path))


def _one_row(text: str, model: Predictor) -> dict[str, str]:
    """The row of --values: cells in the order of the columns, or NAME=CELL, with commas or semicolons between them.

    Semicolons come first where numbers have a decimal comma.
    """
    names = [wanted.name for wanted in model.inputs]
    comma = any(wanted.reading.decimal == "," for wanted in model.inputs)
    found = {mark: _cells(text, mark) for mark in (";," if comma else ",;")}
    for parts in found.values():
        if parts and all(part.count("=") == 1 for part in parts):
            return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
        if len(parts) == len(names) and not all("=" in part for part in parts):
            return dict(zip(names, parts, strict=True))
    parts = found[","]
    if parts and all("=" in part for part in parts):
        return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    raise InputError(sentences.VALUES_DO_NOT_FIT(given=len(parts), wanted=len(names), names=names))


def _cells(text: str, separator: str) -> list[str]:
    import csv

    try:
        return next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise InputError(sentences.BAD_VALUES(error=error)) from None
