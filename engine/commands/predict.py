"""`ravine predict`: raw units in, raw units out."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from engine import process
from engine.commands.console import DONE, put, say
from engine.errors import InputError


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
        from engine.runs.facts import to_json

        answer: dict[str, Any] = {
            "run": str(model.path),
            "target": model.target,
            "predictions": found,
            "warnings": warnings,
        }
        if model.classes:
            answer |= {"classes": model.classes, "probabilities": outputs}
        put(to_json(answer))
    elif values is not None:
        put(str(found[0]) if model.classes else f"{found[0]:.10g}")
    else:
        sys.stdout.writelines(_predictions(model.classes, found, outputs))
    return DONE


def _predictions(classes: Sequence[str], found: Sequence[Any], outputs: Any) -> Iterator[str]:
    """CSV lines: the prediction, and for classes the probability of each."""
    import csv

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(["prediction", *(f"probability of {c}" for c in classes)])
    for i, value in enumerate(found):
        writer.writerow([value, *(outputs[i].tolist() if classes else ())])
        if line.tell() > 1 << 16:
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _one_row(text: str, names: list[str]) -> dict[str, str]:
    import csv

    parts = next(csv.reader([text], skipinitialspace=True), [])
    if parts and all("=" in part for part in parts):
        return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
    if len(parts) != len(names):
        raise InputError(f"--values has {len(parts)} values, the model takes {len(names)}: {', '.join(names)}.")
    return dict(zip(names, parts, strict=True))
