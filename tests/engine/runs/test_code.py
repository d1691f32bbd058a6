"""Scripts of a run: they run by themselves, and every loss they find is the run's."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import InputError
from engine.data.prepare import prepare
from engine.data.sources import load
from engine.recipe import Event, Recipe, build
from engine.runs import code
from engine.runs.folder import read_pairs
from tests.conftest import DEADLINE, environment, losses, message, recipe, train

EXACT, SINGLE, HALF = 1e-6, 1e-4, 2e-2  # relative; what float32 and bfloat16 keep of a short run


@dataclass(frozen=True)
class Case:
    """A recipe, the styles it is written in, and how near the losses must come."""

    fields: dict[str, Any]
    styles: tuple[code.Style, ...] = ("plain", "torch")
    tolerance: float = EXACT
    events: tuple[tuple[int, str, Any], ...] = ()


CASES = {
    "by default": Case({"dataset": "houses", "steps": 300}),
    "by hand": Case({"dataset": "houses", "normalize": "none", "lr": 0.001, "steps": 300}),
    "max and ones": Case({"dataset": "scales", "normalize": "max", "init": "ones", "lr": 0.5, "steps": 100}),
    "batches": Case(
        {
            "dataset": "linear3",
            "normalize": "minmax",
            "normalize_target": True,
            "batch_size": 30,
            "optimizer": "momentum",
            "lr": 0.02,
            "schedule": "cosine",
            "warmup": 7,
            "l2": 0.01,
            "clip": 0.5,
            "steps": 150,
            "init": "uniform",
        }
    ),
    "class weights": Case(
        {
            "dataset": "titanic",
            "class_weight": "balanced",
            "batch_size": 256,
            "optimizer": "adam",
            "lr": 0.01,
            "schedule": "onecycle",
            "warmup": 3,
            "std": "population",
            "steps": 40,
        }
    ),
    "softmax": Case(
        {
            "dataset": "iris",
            "normalize": "robust",
            "optimizer": "nesterov",
            "lr": 0.01,
            "l1": 0.01,
            "shuffle": "none",
            "class_weight": "balanced",
            "schedule": "step",
            "steps": 60,
        }
    ),
    "network": Case(
        {
            "dataset": "moons:rows=161",
            "model": "mlp",
            "hidden": "8,5",
            "activation": "silu",
            "batch_norm": True,
            "dropout": 0.2,
            "optimizer": "rmsprop",
            "lr": 0.05,
            "schedule": "plateau",
            "eval_every": 3,
            "val": 0.2,
            "precision": "float64",
            "steps": 150,
            "seed": 5,
        }
    ),
    "single precision": Case(
        {"dataset": "digits", "model": "mlp", "hidden": "16", "precision": "float32", "steps": 60}, tolerance=SINGLE
    ),
    "huber": Case(
        {
            "dataset": "diabetes",
            "loss": "huber",
            "normalize_target": True,
            "optimizer": "adagrad",
            "lr": 0.1,
            "degree": 2,
            "features": "bmi,bp,sex",
            "steps": 80,
        }
    ),
    "absolute error": Case(
        {
            "dataset": "poly",
            "normalize": "none",
            "normalize_target": True,
            "loss": "mae",
            "model": "mlp",
            "hidden": "6",
            "activation": "gelu",
            "init": "uniform",
            "optimizer": "adamw",
            "weight_decay": 0.1,
            "lr": 0.01,
            "batch_size": "full",
            "precision": "float64",
            "steps": 80,
        }
    ),
    "in blocks": Case(
        {"dataset": "linear:rows=2500", "val": 0, "shuffle": "blocks", "batch_size": 100, "steps": 60, "lr": 0.02}
    ),
    "plateau on the train loss": Case(
        {"dataset": "linear3", "schedule": "plateau", "lr": 0.3, "eval_every": 2, "steps": 60, "val": 0}
    ),
    "changes on the way": Case(
        {"dataset": "linear3", "batch_size": 32, "optimizer": "momentum", "lr": 0.01, "steps": 80},
        events=(
            (5, "lr", 0.02),
            (9, "momentum", 0.5),
            (9, "batch_size", 7),
            (20, "optimizer", "adam"),
            (33, "batch_size", "full"),
            (50, "optimizer", "sgd"),
            (60, "lr", 0.05),
            (70, "batch_size", 10),
        ),
    ),
    "l-bfgs": Case({"dataset": "titanic", "optimizer": "lbfgs", "l2": 0.01, "steps": 15}, styles=("torch",)),
    "l-bfgs at the end": Case(
        {"dataset": "linear3", "lr": 0.01, "steps": 15, "schedule": "cosine"},
        styles=("torch",),
        events=((8, "optimizer", "lbfgs"), (8, "lr", 1.0)),
    ),
    "a class of one's own": Case(
        {"dataset": "poly", "model": "code_models:Net", "lr": 0.01, "batch_size": 10, "steps": 40, "seed": 3},
        styles=("torch",),
        tolerance=SINGLE,
    ),
    "a class of one's own, drawn anew": Case(
        {
            "dataset": "poly",
            "model": "code_models:Net",
            "lr": 0.01,
            "init": "kaiming",
            "steps": 40,
            "precision": "float64",
        },
        styles=("torch",),
    ),
    "half precision": Case(
        {"dataset": "moons", "model": "mlp", "hidden": "8", "precision": "bf16", "steps": 20},
        styles=("torch",),
        tolerance=HALF,
    ),
    "half precision with scaling": Case(
        {
            "dataset": "moons",
            "model": "mlp",
            "hidden": "8",
            "precision": "fp16",
            "l2": 0.01,
            "clip": 1,
            "steps": 20,
        },
        styles=("torch",),
        tolerance=HALF,
    ),
    "diverged": Case({"dataset": "houses", "normalize": "none", "lr": 0.01, "steps": 50}),
}

NET = """
from torch import nn

class Net(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 5), nn.Tanh(), nn.Dropout(0.1), nn.Linear(5, outputs))

    def forward(self, x):
        return self.layers(x)
"""

# Runs every script named on its command line as its own program, but in one process: torch takes seconds to import.
DRIVER = """
import json, runpy, sys, torch
torch.set_num_threads(1)
found = {}
for path in sys.argv[1:]:
    torch.set_default_dtype(torch.float32)
    names = runpy.run_path(path, run_name="__main__")
    found[path] = {"losses": names["losses"], "validation": names.get("validation", [])}
print(json.dumps(found), file=sys.stderr)
"""


def chosen(case: Case, folder: Path, name: str) -> Recipe:
    made = recipe(folder, name=name, **case.fields)
    events = tuple(Event(step=step, field=field, value=value) for step, field, value in case.events)
    return replace(made, events=events)


@dataclass(frozen=True)
class Ran:
    """A run and what its script found."""

    run: Path
    script: Path
    losses: list[float]
    validation: list[list[float]]
    printed: str


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Ran]:
    """All cases, trained and run as scripts."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "code_models.py").write_text(NET)
    scripts: dict[tuple[str, str], tuple[Path, Path]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for number, (name, case) in enumerate(CASES.items()):
            session = train(chosen(case, folder, f"run{number}"))
            run = session.snapshot().run
            assert run is not None
            for style in case.styles:
                path = folder / f"{style}{number}.py"
                path.write_text(code.of_run(run, style, path), encoding="utf-8")
                scripts[name, style] = run, path
    paths = [str(path) for _, path in scripts.values()]
    program = [sys.executable, "-c", DRIVER, *paths]
    done = subprocess.run(program, cwd=folder, env=environment(), capture_output=True, text=True, timeout=2 * DEADLINE)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.strip().splitlines()[-1])
    return {
        key: Ran(run, path, found[str(path)]["losses"], found[str(path)]["validation"], done.stdout)
        for key, (run, path) in scripts.items()
    }


KEYS = [(name, style) for name, case in CASES.items() for style in case.styles]


@pytest.mark.parametrize("key", KEYS, ids=[f"{name}-{style}" for name, style in KEYS])
def test_a_script_finds_the_losses_of_its_run(key: tuple[str, str], ran: dict[tuple[str, str], Ran]) -> None:
    one, case = ran[key], CASES[key[0]]
    wanted = losses(one.run)
    assert len(one.losses) == len(wanted)
    good = np.isfinite(wanted)
    floor = 1e-12 * wanted[0]
    found = np.array(one.losses)
    assert (np.abs(found - wanted)[good] <= case.tolerance * np.abs(wanted[good]) + floor).all(), (found, wanted)
    steps, values = read_pairs(one.run / "validation.f64")
    assert [int(step) for step, _ in one.validation] == steps.tolist()
    assert np.allclose([loss for _, loss in one.validation], values, rtol=case.tolerance, atol=0)


@pytest.mark.parametrize("style", ["plain", "torch"])
def test_a_small_table_stands_in_the_script(style: str, ran: dict[tuple[str, str], Ran]) -> None:
    one = ran["by hand", style]
    text = one.script.read_text(encoding="utf-8")
    assert "[10.0, 3.0]," in text
    assert not one.script.with_name(one.script.name + ".npz").exists()
    assert "numpy" not in text
    assert len(text.splitlines()) < 60
    for word in ("inputs @ weights + bias", "weights -= lr * weights.grad", "weights.grad.zero_()"):
        assert (word in text) == (style == "plain")
    for word in ("nn.Linear(2, 1)", "optimizer.zero_grad()", "optimizer.step()"):
        assert (word in text) == (style == "torch")


def test_what_a_script_prints_is_what_it_found(ran: dict[tuple[str, str], Ran]) -> None:
    wanted = losses(ran["by hand", "plain"].run)
    for step in range(0, 300, 30):
        assert f"step {step:,}  loss {wanted[step]:.6g}\n" in ran["by hand", "plain"].printed


def test_scripts_are_clean(ran: dict[tuple[str, str], Ran]) -> None:
    rules = ["--select=E,F,W,B,PIE", "--ignore=B905,B023", "--line-length=120", "--isolated"]
    paths = [str(one.script) for one in ran.values()]
    done = subprocess.run([sys.executable, "-m", "ruff", "check", *rules, *paths], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"optimizer": "lbfgs"}, "L-BFGS"),
        ({"model": "code_models:Net"}, "code_models:Net"),
        ({"model": "mlp", "precision": "bf16"}, "bf16"),
    ],
)
def test_style_plain_says_what_it_does_not_write_out(fields: dict[str, Any], word: str) -> None:
    from engine.learn.curvature import LossSurfaceFacts
    from engine.learn.plan import make_plan

    made = build({"dataset": "houses"} | fields)
    prepared = prepare(made.data, made.normalization, load(made.data))
    plan = make_plan(made, prepared, LossSurfaceFacts(), "cpu")
    with pytest.raises(InputError, match=word) as caught:
        code.script(made, plan, prepared, style="plain", data=None)
    assert "--style torch" in str(caught.value)


def test_a_run_whose_table_has_changed_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "\n".join(f"{i},{2 * i + 1}" for i in range(30)))
    run = train(recipe(tmp_path, dataset=str(table), target="y", steps=3)).snapshot().run
    assert run is not None
    assert "losses" in code.of_run(run, "plain", None)
    assert (run / "table.npz").exists()  # where a script on stdout finds its numbers
    table.write_text("x,y\n" + "\n".join(f"{i},{3 * i + 1}" for i in range(30)))
    assert "no longer the table" in message(lambda: code.of_run(run, "plain", None))


def test_the_command_writes_a_script_and_its_table(cli: Any, tmp_path: Path) -> None:
    run = train(recipe(tmp_path, dataset="linear3", steps=3, name="one")).snapshot().run
    assert run is not None
    assert cli("export one --format code -o again.py").code == 0
    assert (tmp_path / "again.py").read_text().startswith('"""linear3')
    assert np.load(tmp_path / "again.py.npz")["inputs"].shape == (100, 3)
    printed = cli("export one --format code --style torch")
    assert printed.code == 0
    assert "nn.Linear(3, 1)" in printed.out
    assert str((run / "table.npz").resolve()) in printed.out
