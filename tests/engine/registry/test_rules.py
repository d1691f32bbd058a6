"""Every update rule on every backend and in every script against plain PyTorch; and one that is made up here."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch

from engine.base.errors import InputError
from engine.learn.kernels.contract import State
from engine.learn.kernels.loops import dispatch
from engine.learn.models import init_parameters
from engine.learn.plan import Plan
from engine.recipe import Event, build, find
from engine.registry import rules
from engine.registry.rules import ADAM, LBFGS, REGISTRY, SGD, Rule, Update, register, remove
from engine.runs import code
from tests.conftest import DEADLINE, ROOT, environment, losses, made, message, prepared_run
from tests.engine.learn import descent
from tests.engine.learn.descent import assert_follows, case, classes, plain_loop
from tests.engine.registry.exports import program, record
from tests.engine.runs.test_code import DRIVER


def adamax(to: Update) -> None:
    mean, width = to.state
    to.p.mul_(1 - to.lr * to.weight_decay)
    mean.lerp_(to.g, 0.1)
    to.torch.maximum(width.mul_(0.999), to.g.abs().add_(1e-8), out=width)
    to.p.sub_(mean / width * to.now[1])


ADAMAX = Rule(
    name="adamax-w",
    label="AdamaxW",
    help="Adamax with decoupled weight decay.",
    state=("means", "widths"),
    settings=("weight_decay",),
    lr=2e-3,
    numbers=lambda lr, count: (lr, lr / (1 - 0.9**count)),
    step=adamax,
    once="shrink, size = 1 - lr * weight_decay, lr / (1 - 0.9**count)",
    each="m = 0.9 * m + 0.1 * g; w = max(0.999 * w, abs(g) + 1e-8); p = shrink * p - size * m / w",
    plain="""
        p *= 1 - {lr} * {weight_decay}
        m.copy_(0.9 * m + 0.1 * p.grad)
        w.copy_(torch.maximum(0.999 * w, p.grad.abs() + 1e-8))
        p -= {lr} / (1 - 0.9**count) * m / w
    """,
)


class Reference(torch.optim.Adamax):
    """PyTorch's Adamax, after the parameters have shrunk."""

    def __init__(self, over: list[torch.nn.Parameter], plan: Plan) -> None:
        super().__init__(over, lr=plan.lr)
        self._decay = plan.weight_decay

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                p.mul_(1 - group["lr"] * self._decay)
        return super().step(closure)


REFERENCE = {**descent.OPTIMIZERS, ADAMAX.name: Reference}
NAMES = [*(one.name for one in REGISTRY if not one.stepper), ADAMAX.name]
RATES = {"adagrad": 0.05, "rmsprop": 0.003, "adam": 0.01, "adamw": 0.01, ADAMAX.name: 0.01}
NETWORK = {"model": "mlp", "hidden": "7,5"}


def fields(rule: str, /, **more: Any) -> dict[str, Any]:
    """A short run with a rule, and with the settings that it takes."""
    own = {"momentum": 0.8, "weight_decay": 0.2}
    taken = {field: value for field, value in own.items() if field in REGISTRY[rule].settings}
    return {"optimizer": rule, "lr": RATES.get(rule, 0.02), "precision": "float64", "steps": 150} | taken | more


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The made-up rule, registered in one place."""
    monkeypatch.setattr(descent, "OPTIMIZERS", REFERENCE)
    register(ADAMAX)
    yield
    remove(ADAMAX.name)


def test_each_has_a_reference_a_label_and_one_line_of_help() -> None:
    assert sorted(REGISTRY.names) == sorted([*REFERENCE, LBFGS.name])
    for one in REGISTRY:
        assert one.label
        assert one.help.endswith(".")
        assert "\n" not in one.help


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", ["compiled", "autograd"])
def test_every_backend_takes_the_steps_of_a_pytorch_loop(name: str, backend: str) -> None:
    hard = {"clip": 0.5, "l1": 0.003, "l2": 0.01, "warmup": 10, "schedule": "cosine"}
    for rows, more in (
        (made(90, 3), {"model": "linear", "batch_size": "full"}),
        (classes(2), {"batch_size": 16} | hard),
        (classes(4), {"batch_size": "full", "schedule": "onecycle"}),
        (made(90, 3), NETWORK | {"batch_size": 16, "activation": "tanh"} | hard),
    ):
        of = case(rows, **fields(name, backend=backend, **more))
        assert_follows(of.kernel().advance(150), plain_loop(of, 150))


def test_plain_descent_is_followed_by_the_spectral_backend() -> None:
    of = case(made(90, 3), **fields(SGD.name, backend="spectral", batch_size="full"))
    assert_follows(of.kernel().advance(150), plain_loop(of, 150))


def test_a_line_search_takes_the_steps_of_pytorchs() -> None:
    of = case(made(90, 3), model="linear", optimizer=LBFGS.name, l2=0.01, precision="float64", steps=12, lr=1.0)
    x, y = torch.from_numpy(of.prepared.train.x), torch.from_numpy(of.prepared.train.y)
    start = init_parameters(of.plan.architecture, of.plan.init, of.plan.seed)
    weight, bias = (torch.nn.Parameter(torch.from_numpy(array)) for array in start.values())
    optimizer = torch.optim.LBFGS([weight, bias], lr=1.0, **rules.LINE_SEARCH)  # type: ignore[arg-type]
    wanted: list[float] = []
    for _ in range(12):
        asked: list[float] = []

        def closure(asked: list[float] = asked) -> torch.Tensor:
            optimizer.zero_grad()
            loss = ((x @ weight + bias)[:, 0] - y).square().mean()
            whole = loss + of.plan.l2 / 2 * (weight * weight).sum()
            whole.backward()
            asked.append(float(loss))
            return whole

        optimizer.step(closure)  # type: ignore[arg-type]
        wanted.append(asked[0])
    found = of.kernel().advance(12)
    np.testing.assert_allclose(found, np.array(wanted) * found[0] / wanted[0], rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_goes_on_where_it_stood(name: str) -> None:
    for backend in ("compiled", "autograd"):
        of = case(made(90, 3), **fields(name, backend=backend, batch_size=16, **NETWORK))
        whole = of.kernel().advance(60)
        first, second = of.kernel(), of.kernel()
        begun = first.advance(25)
        state = first.state()
        assert sum(key.startswith("memory") for key in state.arrays) == len(REGISTRY[name].state)
        second.restore(State({key: array.copy() for key, array in state.arrays.items()}, dict(state.facts)))
        assert np.array_equal(np.concatenate([begun, second.advance(35)]), whole)


@pytest.mark.parametrize("backend", ["spectral", "compiled", "autograd"])
def test_a_run_changes_to_it_and_away_again(backend: str) -> None:
    of = case(made(90, 3), **fields(SGD.name, backend=backend, batch_size="full"))
    kernel, parts = of.kernel(), []
    for name in (ADAMAX.name, ADAM.name, None):
        parts.append(kernel.advance(20))
        if name is not None:
            kernel.change("optimizer", name)
    changes = {20: {"optimizer": ADAMAX.name}, 40: {"optimizer": ADAM.name}}
    assert_follows(np.concatenate(parts), plain_loop(of, 60, changes))


# Scripts.


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs with each rule, trained by the backend that is chosen for it."""
    folder, found = tmp_path_factory.mktemp("rules"), {}
    register(ADAMAX)
    try:
        for name in (*NAMES, LBFGS.name):
            for kind, more in (
                ("linear", {"dataset": "linear:rows=60"}),
                ("mlp", {"dataset": "moons:rows=60"} | NETWORK),
            ):
                hard = {} if REGISTRY[name].stepper else {"clip": 0.5, "batch_size": 16, "schedule": "cosine"}
                run = f"{name}-{kind}"
                recipe = build(fields(name, val=0, name=run, runs=str(folder), **more) | {"steps": 40} | hard)
                found[run] = trained(folder / run, recipe)
        changed = build(fields(SGD.name, dataset="linear:rows=60", val=0, name="changed", runs=str(folder)))
        events = [Event(10, "optimizer", ADAMAX.name), Event(20, "lr", 0.004), Event(30, "optimizer", "momentum")]
        found["changed"] = trained(folder / "changed", replace(changed, events=tuple(events)))
    finally:
        remove(ADAMAX.name)
    return found


def trained(path: Path, recipe: Any) -> Path:
    run = prepared_run(recipe)
    run.clock(True)
    while run.advance(1000):
        pass
    run.finish("limit")
    return path


def test_scripts_in_both_styles_find_the_losses_of_their_runs(runs: dict[str, Path], tmp_path: Path) -> None:
    scripts: dict[str, Path] = {}
    for name, run in runs.items():
        for style in ("torch",) if name.startswith(LBFGS.name) else ("plain", "torch"):
            path = tmp_path / f"{style}-{name}.py"
            path.write_text(code.of_run(run, style, path), encoding="utf-8")  # type: ignore[arg-type]
            scripts[str(path)] = run
    program = [sys.executable, "-c", DRIVER, *scripts]
    done = subprocess.run(program, env=environment(), capture_output=True, text=True, timeout=2 * DEADLINE)
    assert done.returncode == 0, done.stderr
    for path, found in json.loads(done.stderr.strip().splitlines()[-1]).items():
        np.testing.assert_allclose(found["losses"], losses(scripts[path]), rtol=1e-6, err_msg=path)


def test_what_torch_has_not_is_written_as_a_class(runs: dict[str, Path]) -> None:
    text = code.of_run(runs[f"{ADAMAX.name}-mlp"], "torch", None)
    assert "class AdamaxW(torch.optim.Optimizer):" in text
    assert "optimizer = AdamaxW(model.parameters(), lr=0.01, weight_decay=0.2)" in text


# Where the names are shown.


def test_the_form_offers_it_with_its_help() -> None:
    choice = find("optimizer")
    assert choice.words == ("auto", *REGISTRY.names)
    assert ADAMAX.name in choice.allowed
    assert choice.about(ADAMAX.name) == "AdamaxW: Adamax with decoupled weight decay."
    assert build({"optimizer": ADAMAX.name}).optimizer.optimizer == ADAMAX.name
    remove(ADAMAX.name)
    try:
        assert ADAMAX.name not in choice.words
        assert "adamax-w, but must be" in message(lambda: build({"optimizer": ADAMAX.name}))
    finally:
        register(ADAMAX)


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
def test_a_program_that_registers_one_has_it_in_help_trains_and_resumes(backend: str, tmp_path: Path) -> None:
    given = record("test_rules.py", "def adamax", "class Reference")
    lines = f"from engine.registry.rules import Rule, Update, register\n{given}\nregister(ADAMAX)"
    run = partial(program, tmp_path, lines)
    if backend == "autograd":
        help_text = " ".join(run("train", "--help").stdout.split())
        assert "adamax-w" in help_text
    words = ["train", "moons:rows=60", "--model", "mlp", "--optimizer", ADAMAX.name, "--backend", backend]
    words += ["--runs", str(tmp_path / "runs"), "--no-tensorboard", "--schedule", "constant", "--weight-decay", "0.3"]
    for name, steps in (("whole", "30"), ("part", "20")):
        done = run(*words, "--name", name, "--steps", steps)
        assert done.returncode == 0, done.stderr
    done = run("resume", "part", "--runs", str(tmp_path / "runs"), "--steps", "30")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(losses(tmp_path / "runs" / "part"), losses(tmp_path / "runs" / "whole"))


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
def test_the_example_that_is_documented_works(backend: str) -> None:
    assert rules.__doc__ is not None
    _, example = rules.__doc__.split("the run is made:\n\n")
    exec(dedent(example.partition("\n\nFormulas and defaults")[0]), {})
    try:
        of = case(made(90, 3), **fields("signum", backend=backend, model="linear", batch_size="full"))
        kernel, start = of.kernel(), of.kernel().parameters().weight
        kernel.advance(1)
        assert np.allclose(np.abs(kernel.parameters().weight - start), 0.02)
    finally:
        remove("signum")


# Editing records.


@pytest.mark.parametrize("backend", ["compiled", "autograd"])
@pytest.mark.parametrize(
    "more", [{"model": "linear", "batch_size": "full"}, {"model": "linear", "batch_size": 16}, NETWORK]
)
def test_an_edited_record_gives_other_numbers(backend: str, more: dict[str, Any]) -> None:
    edited = replace(
        ADAMAX,
        step=lambda to: to.p.sub_(to.g * to.lr),
        each="p -= lr * g",
        once="",
    )
    of = case(made(90, 3), **fields(ADAMAX.name, backend=backend, **more))
    plain = case(made(90, 3), **fields(SGD.name, lr=0.01, backend=backend, **more))
    before, modules = of.kernel().advance(20), (dispatch.single(), dispatch.small(), dispatch.network())
    register(edited, replace=True)
    try:
        assert_follows(of.kernel().advance(20), plain.kernel().advance(20))
    finally:
        register(ADAMAX, replace=True)
    assert np.array_equal(of.kernel().advance(20), before)
    assert (dispatch.single(), dispatch.small(), dispatch.network()) == modules


def test_an_edited_record_is_compiled_anew_in_a_cache_that_others_share(tmp_path: Path) -> None:
    text = """
import sys
from dataclasses import replace
from engine.registry import rules
from tests.engine.learn.descent import case
from tests.conftest import made
if sys.argv[1] == "edited":
    rules.register(replace(rules.SGD, once=rules.SGD.once.replace("lr", "2 * lr")), replace=True)
of = case(made(90, 3), optimizer="sgd", lr=0.01, backend="compiled", steps=5, batch_size=16)
print(of.kernel().advance(3)[-1])
"""
    own = environment(NUMBA_CACHE_DIR=str(tmp_path))
    first, edited, again = (
        subprocess.run(
            [sys.executable, "-c", text, word], env=own, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE
        ).stdout
        for word in ("as it is", "edited", "as it is")
    )
    assert first
    assert edited != first
    assert again == first


# Refusals.


def test_what_a_record_has_no_formula_for_is_refused() -> None:
    register(replace(ADAMAX, each="", once=""), replace=True)
    try:
        with pytest.raises(InputError, match="has no loop for the optimizer adamax-w"):
            case(made(), **fields(ADAMAX.name, backend="compiled"))
        assert case(made(), **fields(ADAMAX.name)).plan.backend == "autograd"
        of = case(made(90, 3), **fields(SGD.name, backend="compiled"))
        kernel = of.kernel()
        kernel.change("optimizer", ADAMAX.name)  # goes on with autograd
        assert_follows(kernel.advance(20), plain_loop(of, 20, {0: {"optimizer": ADAMAX.name}}))
    finally:
        register(ADAMAX, replace=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": ("means", "medians")}, "the same letter"),
        ({"state": ("parts",)}, "begin with the same letter, or with p"),
        ({"stepper": "some.module:Class"}, "either step or stepper"),
        ({"step": None}, "either step or stepper"),
        ({"plain": "p -= {lr} * {momentum} * p.grad"}, "momentum in braces"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(ADAMAX, **change)


def test_no_module_of_the_loops_imports_in_a_circle() -> None:
    folder = ROOT / "engine" / "learn" / "kernels" / "loops"
    arrows: dict[str, set[str]] = {}
    for path in folder.rglob("*.py"):
        place = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
        arrows[place] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                arrows[place] |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}

    def beyond(place: str, seen: set[str]) -> set[str]:
        for one in arrows.get(place, set()) - seen:
            seen.add(one)
            beyond(one, seen)
        return seen

    assert len(arrows) > 10
    arrows = {place: found - {place} for place, found in arrows.items()}  # a package that asks its own modules
    assert [place for place in arrows if place in beyond(place, set())] == []
