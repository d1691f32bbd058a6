"""All rows of a table predicted, as CSV or Parquet, in memory that does not grow with the rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.base.errors import Cancelled, InputError
from engine.base.files import replacing
from engine.base.printable import to_bytes
from engine.data.rows import InputRows
from engine.runs import sentences
from engine.runs.formulas import Formulas, is_formula
from engine.runs.predictor import Predictor

if TYPE_CHECKING:
    import polars as pl

PARQUET = (".parquet", ".pq")


def write(
    predictor: Predictor,
    rows: InputRows,
    path: Path,
    *,
    progress: Callable[[str, float | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[list[Any], tuple[str, ...]]:
    """Write a line for each row: the kept columns, the prediction, and for classes the probability of each.

    As Parquet where `path` ends with .parquet or .pq, else as CSV.

    Returns:
        The first predictions, at most five, and the warnings about values outside the training range and text that a
        spreadsheet takes for formulas.

    Raises:
        InputError: a column that is missing or cannot be used, or a file that cannot be written.
        Cancelled: `cancelled` said so; nothing is left behind.
    """
    parts, warnings = predictor.batches(rows.table)
    first: list[Any] = []

    def watched() -> Iterator[Any]:
        done = 0
        for outputs in parts:
            if cancelled is not None and cancelled():
                raise Cancelled
            first.extend(predictor.decide(outputs[: 5 - len(first)]))
            yield outputs
            done += len(outputs)
            if progress is not None:
                progress(sentences.PREDICTING(table=rows.table.label), done / max(1, rows.table.rows))

    try:
        with replacing(path) as file:
            if path.suffix.lower() in PARQUET:
                _frame(predictor, rows, watched()).write_parquet(file)
            else:
                found = Formulas()
                for text in lines(predictor, rows, watched(), formulas=found):
                    file.write(to_bytes(text))
                warnings = (*warnings, *filter(None, [found.sentence]))
    except OSError as error:
        raise InputError(sentences.NOT_WRITTEN(path=path, reason=error.strerror or error)) from None
    return first, warnings


def lines(
    predictor: Predictor,
    rows: InputRows,
    parts: Iterator[Any],
    show: Callable[[str], str] | None = None,
    formulas: Formulas | None = None,
) -> Iterator[str]:
    """CSV in pieces: a header, then a line for each row.

    Args:
        show: what becomes of names and texts on the way to a terminal.
        formulas: counts the texts that a spreadsheet takes for formulas.
    """
    formulas = Formulas() if formulas is None else formulas
    formulas.names(sentences.THE_HEADER(), header(predictor, rows.names))
    for column in () if rows.kept is None else rows.kept.iter_columns():
        formulas.column(column)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    shown = show or str
    writer.writerow(map(shown, header(predictor, rows.names)))
    names = {name: shown(name) for name in predictor.classes}
    risky = frozenset(filter(is_formula, predictor.classes))
    done = 0
    for outputs in parts:
        found = predictor.decide(outputs)
        probabilities = outputs.tolist() if predictor.classes else repeat(())
        kept: Iterable[Sequence[Any]] = repeat(())
        if rows.kept is not None:
            try:
                kept = rows.kept[done : done + len(found)].rows()
            except (ValueError, OverflowError) as error:  # a date that no calendar of Python's has
                raise InputError(sentences.NOT_KEPT(reason=error)) from None
            if show is not None:
                kept = ([show(cell) if isinstance(cell, str) else cell for cell in row] for row in kept)
        if names:
            formulas.names("prediction", [name for name in found if name in risky] if risky else ())
            found = [names[name] for name in found]
        writer.writerows([*given, value, *row] for given, value, row in zip(kept, found, probabilities, strict=False))
        done += len(found)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def header(predictor: Predictor, kept: Sequence[str]) -> list[str]:
    """The names of the columns. A kept column that is called prediction keeps its name, and the new one has another."""
    names = list(kept)
    for name in ("prediction", *(f"probability of {label}" for label in predictor.classes)):
        free, number = name, 1
        while free in names:
            number += 1
            free = f"{name}_{number}"
        names.append(free)
    return names


def _frame(predictor: Predictor, rows: InputRows, parts: Iterator[Any]) -> pl.DataFrame:
    import numpy as np
    import polars as pl

    found = list(parts)
    outputs = np.concatenate(found) if found else np.empty((0, max(1, len(predictor.classes))))
    names = header(predictor, rows.names)[len(rows.names) :]
    own = [pl.Series(names[0], predictor.decide(outputs))]
    own += [pl.Series(name, outputs[:, number]) for number, name in enumerate(names[1:])]
    return pl.DataFrame([*(() if rows.kept is None else rows.kept.get_columns()), *own])
