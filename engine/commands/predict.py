"""`ravine predict`: raw units in, raw units out."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from engine import process
from engine.commands.console import DONE, put, put_json, put_lines, say
from engine.errors import InputError
from engine.printable import printable


def predict(
    run: str, *, values: str | None = None, input: str | None = None, runs: str = "./runs", json: bool = False
) -> int:
    """Predict with a run's model; the exit code. Raises InputError."""
    with process.one_blas_thread() if input is None else nullcontext():
        from engine.runs import predictor
        from engine.runs.store import resolve

    process.settled()
    model = predictor.load(resolve(run, Path(runs).expanduser()))
    if (values is None) == (input is None):
        raise InputError("Say what to predict: either --values or --input FILE.")
    if values is not None:
        outputs, warnings = model.predict_rows([_one_row(values, [i.name for i in model.inputs])])
    else:
        from engine.data.sources import load
        from engine.recipe import Data

        assert input is not None
        table = load(Data(dataset=input, types={i.name: i.read_as for i in model.inputs}))
        outputs, warnings = model.predict(table)
        warnings = (*table.notes, *warnings)  # above all that lines were skipped: those have no prediction
    for warning in warnings:
        say(warning)
    found = model.decide(outputs)
    if json:
        answer: dict[str, Any] = {
            "run": str(model.path),
            "target": model.target,
            "predictions": found,
            "warnings": warnings,
        }
        if model.classes:
            answer |= {"classes": model.classes, "probabilities": outputs}
        put_json(answer)
    elif values is not None:
        put(printable(str(found[0])) if model.classes else f"{found[0]:.10g}")
    else:
        put_lines(_predictions(model.classes, found, outputs))
    return DONE


def _predictions(classes: Sequence[str], found: Sequence[Any], outputs: Any) -> Iterator[str]:
    """CSV lines for stdout, every name in them printable: the prediction, and for classes the probability of each."""
    import csv

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(["prediction", *(f"probability of {printable(c)}" for c in classes)])
    shown = {name: printable(name) for name in classes}
    for i, value in enumerate(found):
        writer.writerow([shown.get(value, value), *(outputs[i].tolist() if classes else ())])
        if line.tell() > 1 << 16:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _one_row(text: str, names: list[str]) -> dict[str, str]:
    from engine.recipe.choice import cells

    try:
        parts = cells(text)
    except ValueError as error:
        raise InputError(f"--values is no line of CSV: {error}.") from None
    if parts and all("=" in part for part in parts):
        return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    if len(parts) != len(names):
        raise InputError(f"--values has {len(parts)} values, the model takes {len(names)}: {', '.join(names)}.")
    return dict(zip(names, parts, strict=True))
