"""Every export format is written and read back by what it is for; and one that is made up here."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load as read_safetensors

from engine.data.sources import load
from engine.recipe import read_toml
from engine.runs import export, formats, predictor
from engine.runs.folder import read_evaluations, read_facts
from engine.runs.formats import CODE, REGISTRY, remove
from tests.conftest import DEADLINE, ROOT, Answer, environment, losses, message, prepared_run, recipe
from tests.engine.runs.test_code import DRIVER

NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layer = torch.nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.layer(x)
"""
assert formats.__doc__ is not None
EXAMPLE = dedent(formats.__doc__.split("the app begins:\n\n")[1].partition("\n\nWhat a format needs")[0])
NAME = "losses"  # the format of the example


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each kind of model."""
    folder, found = tmp_path_factory.mktemp("formats"), {}
    (folder / "formats_net.py").write_text(NET)
    kinds: dict[str, dict[str, Any]] = {
        "linear": {"dataset": "houses"},
        "mlp": {"dataset": "moons:rows=60", "model": "mlp", "hidden": "4"},
        "module": {"dataset": "moons:rows=60", "model": "formats_net:Net"},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, fields in kinds.items():
            run = prepared_run(recipe(folder, backend="autograd", steps=20, name=kind, **fields))
            run.clock(True)
            run.advance(20)
            run.finish("limit")
            found[kind] = folder / "runs" / kind
    return found


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def model_and_feed(run: Path) -> tuple[Any, dict[str, Any]]:
    """What the model predicts of its table, and the table's columns."""
    model, table = predictor.load(run), load(read_toml(run).data)
    return model.predict(table)[0], {one.name: table[one.name].numbers for one in model.inputs}


def reads_csv(run: Path, path: Path) -> None:
    found = rows(path.read_text())
    assert [int(row["Step"]) for row in found] == list(range(20))
    assert [float(row["Value"]) for row in found] == losses(run).tolist()


def reads_wide_csv(run: Path, path: Path) -> None:
    found = rows(path.read_text())
    assert [float(row["loss/train"]) for row in found if row["loss/train"]] == losses(run).tolist()
    evaluated = dict(read_evaluations(run))
    tags = set().union(*evaluated.values())
    assert tags <= set(found[0])
    for tag in tags - {"loss/train"}:
        assert {int(row["Step"]): row[tag] for row in found if row[tag]} == {
            step: repr(values[tag]) for step, values in evaluated.items() if tag in values
        }


def reads_safetensors(run: Path, path: Path) -> None:
    assert path.read_bytes() == (run / "model.safetensors").read_bytes()
    arrays, meaning = read_safetensors(path.read_bytes()), json.loads(path.with_suffix(".json").read_text())
    assert {name: list(array.shape) for name, array in arrays.items()} == {
        name: one["shape"] for name, one in meaning["tensors"].items()
    }


def reads_onnx(run: Path, path: Path) -> None:
    wanted, feed = model_and_feed(run)
    session = onnxruntime.InferenceSession(path.read_bytes())
    name = "probabilities" if wanted.ndim == 2 else "prediction"
    np.testing.assert_allclose(session.run([name], feed)[0], wanted, rtol=1e-9, atol=1e-9)


def reads_code(run: Path, path: Path) -> None:
    line = [sys.executable, "-c", DRIVER, str(path)]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.strip().splitlines()[-1])[str(path)]["losses"]
    np.testing.assert_allclose(found, losses(run), rtol=1e-6)


def reads_predictor(run: Path, path: Path) -> None:
    wanted, feed = model_and_feed(run)
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(feed)
    lines.writerows(zip(*(column.tolist() for column in feed.values()), strict=True))
    answer = subprocess.run(
        [sys.executable, "-I", "-S", str(path)], input=text.getvalue(), capture_output=True, text=True, timeout=DEADLINE
    )
    assert answer.returncode == 0, answer.stderr
    found = np.array([row[1:] or row for row in csv.reader(io.StringIO(answer.stdout))][1:], np.float64)
    np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-9, atol=1e-12)


def reads_report(run: Path, path: Path) -> None:
    text, facts = path.read_text(), read_facts(run)
    assert text.startswith(f"# {run.name}\n")
    assert facts["ending"] in text
    assert facts["data"]["fingerprint"] in text


ORACLES: dict[str, Callable[[Path, Path], None]] = {
    "csv": reads_csv,
    "wide-csv": reads_wide_csv,
    "safetensors": reads_safetensors,
    "onnx": reads_onnx,
    "code": reads_code,
    "code-torch": reads_code,
    "predictor": reads_predictor,
    "report": reads_report,
}


def test_each_format_has_an_oracle_a_label_and_one_line_of_help() -> None:
    assert sorted(ORACLES) == sorted(REGISTRY.names)
    for one in REGISTRY:
        assert one.label
        assert one.ending.endswith((".csv", ".safetensors", ".onnx", ".py", ".md"))
        assert one.about.startswith(f"{one.name}: ")
        assert "\n" not in one.about


@pytest.mark.parametrize("kind", ["linear", "mlp", "module"])
@pytest.mark.parametrize("name", REGISTRY.names)
def test_every_format_is_written_and_read_back_or_refused(
    name: str, kind: str, runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, path = REGISTRY[name], tmp_path / f"out{REGISTRY[name].ending}"
    monkeypatch.chdir(runs["module"].parents[1])
    if kind == "module" and one.refuses:
        text = message(lambda: export.write(runs[kind], name, path))
        assert "class of" in text
        assert list(tmp_path.iterdir()) == []
        return
    written = export.write(runs[kind], name, path)
    assert set(written) <= set(tmp_path.iterdir()) <= {path, one.beside(path)}
    ORACLES[name](runs[kind], path)
    assert "There is already a file" in message(lambda: export.write(runs[kind], name, path))


@pytest.mark.parametrize("name", REGISTRY.names)
def test_the_readme_and_help_tell_every_format(name: str, cli: Callable[..., Answer]) -> None:
    one = REGISTRY[name]
    if not one.style_of:
        assert name in (ROOT / "README.md").read_text(encoding="utf-8")
        told = " ".join(word for word in cli("export --help").out.replace("│", " ").split())
        assert one.about in told
    assert one.style in ("", *formats.styles())


# A format that is made up: the documented example.


@pytest.fixture
def made_up() -> Iterator[str]:
    """The example, registered in one place."""
    exec(EXAMPLE, {})
    yield NAME
    remove(NAME)


def program(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program of a person's own, which registers it."""
    text = f"{EXAMPLE}\nfrom engine.cli import main\nraise SystemExit(main({list(words)!r}))"
    line = [sys.executable, "-c", text]
    return subprocess.run(line, cwd=folder, env=environment(), capture_output=True, text=True, timeout=DEADLINE)


def test_a_program_that_registers_one_has_it_in_help_and_exports_it(runs: dict[str, Path], tmp_path: Path) -> None:
    told = " ".join(program(tmp_path, "export", "--help").stdout.replace("│", " ").split())
    assert f"{NAME}: the loss of every step, a line for each." in told
    assert "report or losses as text." in told
    run = runs["mlp"]
    wanted = [repr(loss) for loss in losses(run).tolist()]
    words = ["export", run.name, "--runs", str(run.parent), "--format", NAME]
    assert program(tmp_path, *words).stdout.splitlines() == wanted
    assert program(tmp_path, *words, "-o", "out.txt").returncode == 0
    assert (tmp_path / "out.txt").read_text().splitlines() == wanted
    refused = program(tmp_path, "export", "all", *words[2:])
    assert refused.returncode == 2
    assert refused.stderr == "ravine: Format losses is for one run; all works with csv and wide-csv.\n"


def test_without_it_the_name_is_refused(cli: Callable[..., Answer]) -> None:
    answer = cli(f"export last --format {NAME}")
    assert answer.code == 2
    assert all(f'"{one.name}"' in answer.err for one in formats.named())


def test_it_is_written_as_the_others_are(made_up: str, runs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.txt"
    assert export.write(runs["linear"], made_up, path) == (path,)
    assert path.read_text().splitlines() == [repr(loss) for loss in losses(runs["linear"]).tolist()]
    assert export.whole(runs["linear"], made_up) == path.read_bytes()
    assert export.warning(REGISTRY[made_up], runs["linear"], tmp_path) == ""


def test_a_style_is_found_by_its_format(made_up: str) -> None:
    assert formats.in_style(CODE.name, "torch").style_of == CODE.name
    assert formats.in_style(CODE.name, "plain") is CODE
    assert formats.in_style(made_up, "torch") is REGISTRY[made_up]
    formats.register(replace(REGISTRY[made_up], name="losses-short", style_of=made_up, style="short"))
    try:
        assert formats.in_style(made_up, "short").name == "losses-short"
        assert formats.styles() == ("plain", "torch", "short")
    finally:
        remove("losses-short")
