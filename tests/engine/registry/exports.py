"""A run with a member of a registry, and what each of its exports says."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.data.sources import load
from engine.recipe import build, read_toml
from engine.runs import code, onnx_model, predictor, standalone
from tests.conftest import DEADLINE, ROOT, environment, prepared_run
from tests.engine.runs.test_code import DRIVER

Floats = NDArray[np.float64]


def trained(folder: Path, name: str, **fields: Any) -> Path:
    """The folder of a finished run."""
    run = prepared_run(build({"val": 0, "precision": "float64", "name": name, "runs": str(folder)} | fields))
    run.clock(True)
    while run.advance(1000):
        pass
    run.finish("limit")
    return folder / name


def predictions(run: Path, folder: Path) -> dict[str, Floats]:
    """What the run's model says of the numeric columns of its own table, by each way to a prediction: float64 [n].

    The amount, or the probability of the second class.
    """
    model, table = predictor.load(run), load(read_toml(run).data)
    found = {"predictor": model.predict(table)[0]}
    feed = {column.name: table[column.name].numbers for column in model.inputs}
    session = onnxruntime.InferenceSession(onnx_model.to_onnx(model))
    found["onnx"] = session.run(["probabilities" if model.classes else "prediction"], feed)[0]
    script = folder / f"{run.name}-predict.py"
    script.write_text(standalone.script(model), encoding="utf-8")
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(feed)
    writer.writerows(zip(*(column.tolist() for column in feed.values()), strict=True))
    line = [sys.executable, "-I", "-S", str(script)]
    done = subprocess.run(line, input=rows.getvalue(), capture_output=True, text=True, timeout=DEADLINE, check=True)
    answers = [*csv.reader(io.StringIO(done.stdout))][1:]
    found["predict.py"] = np.array([[float(cell) for cell in (row[1:] if model.classes else row)] for row in answers])
    return {way: values if values.ndim == 1 else values[:, -1] for way, values in found.items()}


def losses_of_scripts(runs: Iterable[Path], folder: Path, styles: Iterable[Any]) -> dict[tuple[str, str], list[float]]:
    """The losses that the exported scripts of runs find, by name of the run and style."""
    paths: dict[str, tuple[str, str]] = {}
    for run in runs:
        for style in styles:
            path = folder / f"{style}-{run.name}.py"
            path.write_text(code.of_run(run, style, path), encoding="utf-8")
            paths[str(path)] = (run.name, style)
    program = [sys.executable, "-c", DRIVER, *paths]
    done = subprocess.run(program, env=environment(), capture_output=True, text=True, timeout=2 * DEADLINE)
    assert done.returncode == 0, done.stderr
    told: Mapping[str, Any] = json.loads(done.stderr.strip().splitlines()[-1])
    return {paths[path]: found["losses"] for path, found in told.items()}


def record(test: str, begin: str, end: str) -> str:
    """The source text of a record that stands in a test file, from one mark to another."""
    text = (ROOT / "tests/engine/registry" / test).read_text(encoding="utf-8")
    return text[text.index(begin) : text.index(end)]


def program(folder: Path, registering: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line, in a program that first runs some lines which register a record."""
    text = f"{registering}\nfrom engine.cli import main\nraise SystemExit(main({list(words)!r}))"
    own = environment(NUMBA_CACHE_DIR=str(folder / "cache"))
    line = [sys.executable, "-c", text]
    return subprocess.run(line, cwd=folder, env=own, capture_output=True, text=True, timeout=DEADLINE)
