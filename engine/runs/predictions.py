"""All rows of a table predicted into a CSV file, in memory that does not grow with the rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.data.table import Table
from engine.errors import Cancelled, InputError
from engine.files import replacing
from engine.runs.predictor import Predictor


def write_csv(
    predictor: Predictor,
    table: Table,
    path: Path,
    *,
    progress: Callable[[str, float | None], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[list[Any], tuple[str, ...]]:
    """Write a line for each row: the prediction, and for classes the probability of each.

    Returns:
        The first predictions, at most five, and the warnings about values outside the training range.

    Raises:
        InputError: a column that is missing or cannot be used, or a file that cannot be written.
        Cancelled: `cancelled` said so; nothing is left behind.
    """
    parts, warnings = predictor.batches(table)
    first: list[Any] = []
    done = 0
    try:
        with replacing(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            try:
                writer = csv.writer(text, lineterminator="\n")
                writer.writerow(["prediction", *(f"probability of {name}" for name in predictor.classes)])
                for outputs in parts:
                    if cancelled is not None and cancelled():
                        raise Cancelled
                    found = predictor.decide(outputs)
                    first += found[: 5 - len(first)]
                    chances = outputs.tolist() if predictor.classes else [()] * len(found)
                    writer.writerows([value, *row] for value, row in zip(found, chances, strict=True))
                    done += len(found)
                    if progress is not None:
                        progress(f"predicting {table.label}", done / max(1, table.rows))
            finally:
                text.detach()  # what is buffered goes to the file, which stays open
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from None
    return first, warnings
