"""The autograd kernel against a plain PyTorch loop, and the contract that every kernel obeys."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from engine.base.errors import InputError
from engine.base.random_streams import stream
from engine.cli import main
from engine.commands.console import DONE, WRONG
from engine.data.table import Table
from engine.learn.kernels.contract import Kernel
from engine.training.run import Run
from tests.conftest import made, near, prepared_run, recipe, table

Floats = NDArray[np.float64]


def run_of(folder: Path, rows: Table | None = None, **fields: Any) -> Run:
    """A run whose defaults are plain: gradient descent at one rate."""
    plain = {"backend": "autograd", "optimizer": "sgd", "schedule": "constant"}
    return prepared_run(recipe(folder, **(plain | fields)), rows)


def plain_loop(run: Run, steps: int, rates: dict[int, float] | None = None) -> tuple[Floats, nn.Linear]:
    """The textbook: nn.Linear, nn.MSELoss, torch.optim.SGD, batches sliced from each epoch's order."""
    plan, train = run.plan, run.prepared.train
    dtype = getattr(torch, plan.precision)
    x, y = torch.from_numpy(train.x).to(dtype), torch.from_numpy(train.y).to(dtype)[:, None]
    model = nn.Linear(x.shape[1], 1, dtype=dtype)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=plan.lr)
    losses: list[float] = []
    epoch = 0
    while len(losses) < steps:
        order = np.arange(len(x))
        if plan.shuffle == "full" and not plan.full_batch:
            order = stream(plan.seed, "order", epoch).permutation(len(x))
        for start in range(0, len(x), plan.batch)[: steps - len(losses)]:
            rows = torch.from_numpy(order[start : start + plan.batch])
            for group in optimizer.param_groups:
                group["lr"] = (rates or {}).get(len(losses), group["lr"])
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() * run.prepared.target_scale.scale**2)
        epoch += 1
    return np.array(losses), model


def assert_same_trajectory(found: Floats, wanted: Floats, precision: str, unit: float) -> None:
    if precision == "float64":
        # The project's oracle tolerance: only the order of additions differs.
        allowed = 1e-6 * np.abs(wanted) + 1e-12 * wanted[0]
    else:
        # Residuals of about 0.1 are differences of numbers of about `unit`, each rounded to 2^-24 of itself, and
        # descent at a stable rate shrinks old errors: some dozens of roundings remain.
        allowed = 1e-3 * np.abs(wanted) + 100 * 2.0**-24 * unit
    assert (np.abs(found - wanted) <= allowed).all()


HAS_COMPILER = any(map(shutil.which, filter(None, (os.environ.get("CXX"), "g++", "clang++"))))


@pytest.mark.skipif(not HAS_COMPILER, reason="torch.compile needs a C++ compiler, and there is none")
def test_a_compiled_model_takes_the_same_way(tmp_path: Path) -> None:
    fields = {"dataset": "moons", "model": "mlp", "hidden": "5", "dropout": 0.3, "precision": "float64", "steps": 60}
    plain, by_code = run_of(tmp_path, **fields), run_of(tmp_path, compile=True, **fields)
    assert by_code.plan.backend == "autograd"
    wanted, found = plain.kernel.advance(60), by_code.kernel.advance(60)
    # Generated code adds in another order; dropout draws the same numbers.
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("backend", ["compiled", "spectral"])
def test_torch_compile_is_for_the_autograd_backend_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: str
) -> None:
    run = run_of(tmp_path, compile=True, backend=backend, normalize="zscore")
    (told,) = (sentence for sentence in run.warnings if "compile" in sentence.split(backend)[0])
    assert told == f"Compile (--compile) on does not apply: {backend} has no model for torch."
    file = tmp_path / "mine.toml"
    file.write_text(run.recipe.to_toml())
    for words, wanted in ((["--recipe", str(file), "--steps", "3"], DONE), (["--compile"], WRONG)):
        assert main(["train", *words, "--backend", backend, "--runs", str(tmp_path)]) == wanted
        assert capsys.readouterr().err.count(f"{backend} has no model for torch") == 1


def test_a_model_that_torch_cannot_compile_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("there is no compiler\nand much more")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(InputError, match=r"cannot compile the model linear here \(there is no compiler\)"):
        _ = run_of(tmp_path, compile=True, backend="auto").kernel


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "fields",
    [
        {"batch_size": "full"},
        {"batch_size": 8},  # 50 rows: the last batch of an epoch has 2
        {"batch_size": 8, "shuffle": "none"},
        {"batch_size": 1, "seed": 7},
        {"batch_size": 10, "normalize_target": True},
    ],
)
def test_the_trajectory_is_that_of_a_plain_pytorch_loop(tmp_path: Path, precision: str, fields: dict[str, Any]) -> None:
    run = run_of(tmp_path, made(), precision=precision, val=0, **fields)
    found = run.kernel.advance(300)
    wanted, model = plain_loop(run, 300)
    assert_same_trajectory(found, wanted, precision, float(np.abs(run.table["y"].numbers).max()))  # type: ignore[index]
    now = run.kernel.parameters()
    tolerance = 1e-9 if precision == "float64" else 1e-3  # roundings again, in float32 of weights of about 5
    assert now.weight[:, 0] == pytest.approx(model.weight.detach().numpy()[0], rel=tolerance, abs=tolerance)
    assert now.bias == pytest.approx(model.bias.detach().numpy(), rel=tolerance, abs=tolerance)


def test_a_new_learning_rate_holds_from_the_next_update_on(tmp_path: Path) -> None:
    run = run_of(tmp_path, made(), batch_size=8, val=0, lr=0.01)
    first = run.kernel.advance(40)
    run.kernel.change("lr", 0.05)
    found = np.append(first, run.kernel.advance(40))
    wanted, _ = plain_loop(run, 80, {40: 0.05})
    assert_same_trajectory(found, wanted, "float64", 1.0)


def same(a: Kernel, b: Kernel) -> None:
    """Two kernels in the very same state."""
    mine, other = a.state(), b.state()
    assert mine.facts == other.facts
    assert mine.arrays.keys() == other.arrays.keys()
    for name, array in mine.arrays.items():
        assert np.array_equal(array, other.arrays[name]), name
    assert a.step == b.step


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("batch", ["full", "7"])
def test_chunks_change_no_bit(tmp_path: Path, precision: str, batch: str) -> None:
    fields = {"batch_size": batch, "precision": precision, "val": 0, "steps": 2500}
    whole = run_of(tmp_path, made(), **fields).kernel
    wanted = whole.advance(2500)
    random = np.random.default_rng(5)
    for chunks in ([1] * 30 + [2470], [1023, 1, 1, 1475], random.multinomial(2500, [1 / 9] * 9).tolist()):
        kernel = run_of(tmp_path, made(), **fields).kernel
        found = np.concatenate([kernel.advance(chunk) for chunk in chunks])
        assert np.array_equal(found, wanted)
        same(kernel, whole)


def test_no_steps_are_no_change(tmp_path: Path) -> None:
    kernel, other = (run_of(tmp_path, made(), batch_size=8).kernel for _ in range(2))
    assert kernel.advance(0).shape == (0,)
    same(kernel, other)


@pytest.mark.parametrize("batch", ["full", "8"])
def test_a_state_goes_on_bit_for_bit_in_another_kernel_in_the_middle_of_an_epoch(tmp_path: Path, batch: str) -> None:
    fields = {"batch_size": batch, "val": 0}
    kernel, other = (run_of(tmp_path, made(), **fields).kernel for _ in range(2))
    kernel.advance(10)
    kernel.change("lr", 0.07)
    kernel.advance(7)
    state = kernel.state()
    wanted = kernel.advance(100)
    other.advance(3)
    other.restore(state)
    assert np.array_equal(other.advance(100), wanted)
    same(kernel, other)
    kernel.restore(state)  # which no step has touched
    assert np.array_equal(kernel.advance(100), wanted)


def diverging(folder: Path) -> Kernel:
    """At 1.05 times the largest stable rate the steepest part of the loss grows by 1.1^2 a step."""
    bound = run_of(folder, made(), val=0).facts.lr_bound
    assert bound is not None
    return run_of(folder, made(), lr=1.05 * bound, val=0, steps=10_000).kernel


def test_divergence_keeps_every_loss_and_the_parameters_of_the_last_good_one_however_it_is_asked_for(
    tmp_path: Path,
) -> None:
    kernel = diverging(tmp_path)
    losses = kernel.advance(5000)
    bad = len(losses) - 1
    assert 3 < bad < 1024
    assert losses[bad] > 1e6 * losses[0] >= losses[bad - 1]
    assert kernel.step == bad
    near(kernel.evaluate("train"), losses[bad - 1], 1e-12)  # the same arithmetic on the same rows
    reference = diverging(tmp_path)
    reference.advance(bad - 1)
    kept = kernel.parameters()
    assert np.array_equal(kept.weight, reference.parameters().weight)
    for chunk in (1, 2, bad - 1, bad, bad + 1):
        other = diverging(tmp_path)
        found: list[float] = []
        while len(found) <= bad:
            found += other.advance(chunk).tolist()
        assert np.array_equal(found, losses), chunk
        assert np.array_equal(other.parameters().weight, kept.weight), chunk
        assert np.array_equal(other.parameters().bias, kept.bias), chunk
        assert other.step == bad


def test_divergence_right_after_the_border_of_a_block(tmp_path: Path) -> None:
    kernel = run_of(tmp_path, made(), lr=0.01, val=0, steps=10_000).kernel
    kernel.advance(1024)
    kept = kernel.parameters()
    kernel.change("lr", 1e12)
    losses = kernel.advance(2000)
    assert len(losses) == 2
    assert np.array_equal(kernel.parameters().weight, kept.weight)


def test_divergence_at_the_first_step_keeps_the_initial_parameters(tmp_path: Path) -> None:
    kernel = run_of(tmp_path, made(), lr=1e12, init="ones", val=0).kernel
    losses = kernel.advance(10)
    assert len(losses) == 2
    assert kernel.parameters().finite
    assert np.array_equal(kernel.parameters().weight, np.ones((3, 1)))


def test_a_loss_that_is_infinite_from_the_start_ends_it_with_the_initial_parameters(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((20, 2)) * 1e200
    kernel = run_of(tmp_path, table(x, np.arange(20.0)), normalize="none", init="ones", lr=0.1, val=0).kernel
    losses = kernel.advance(10)
    assert len(losses) == 1
    assert not np.isfinite(losses[0])
    assert np.array_equal(kernel.parameters().weight, np.ones((2, 1)))


@pytest.mark.parametrize("fields", [{}, {"normalize_target": True}, {"normalize": "none", "lr": 1e-3}])
def test_losses_and_gradient_are_their_closed_forms(tmp_path: Path, fields: dict[str, Any]) -> None:
    run = run_of(tmp_path, made(80), val=0.2, test=0.1, **fields)
    run.kernel.advance(25)
    now, gradient = run.kernel.parameters(), run.kernel.gradient()
    parts = {"train": run.prepared.train, "validation": run.prepared.validation, "test": run.prepared.test}
    for split, rows in parts.items():
        error = rows.x @ now.weight[:, 0] + now.bias[0] - rows.y
        # Sums of at most 80 terms in another order: some 80 roundings of float64.
        near(run.kernel.evaluate(split), np.mean(error**2) * run.prepared.target_scale.scale**2, 1e-13)  # type: ignore[arg-type]
    x = run.prepared.train.x
    error = x @ now.weight[:, 0] + now.bias[0] - run.prepared.train.y
    # The sums cancel, so roundings count against the size of their terms.
    size = 2 * np.abs(x * error[:, None]).max()
    assert gradient.weight[:, 0] == pytest.approx(2 * x.T @ error / len(x), rel=1e-12, abs=1e-13 * size)
    assert gradient.bias[0] == pytest.approx(2 * error.mean(), rel=1e-12, abs=1e-13 * np.abs(error).max())


def test_looking_changes_nothing(tmp_path: Path) -> None:
    kernel, other = (run_of(tmp_path, made(), batch_size=8).kernel for _ in range(2))
    for k in (kernel, other):
        k.advance(5)
    kernel.gradient()
    kernel.evaluate("validation")
    held = kernel.parameters()
    kernel.state().arrays.clear()
    held.weight[:] = 99
    assert np.array_equal(kernel.advance(20), other.advance(20))
    same(kernel, other)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA card that this torch can use")
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("batch", ["full", "8"])
def test_cuda_takes_the_same_way(tmp_path: Path, precision: str, batch: str) -> None:
    fields = {"precision": precision, "batch_size": batch, "val": 0, "device": "cuda"}
    run = run_of(tmp_path, made(), **fields)
    found = run.kernel.advance(300)
    wanted, _ = plain_loop(run, 300)
    assert_same_trajectory(found, wanted, precision, float(np.abs(run.table["y"].numbers).max()))  # type: ignore[index]
    again = run_of(tmp_path, made(), **fields).kernel
    assert np.array_equal(np.append(again.advance(137), again.advance(163)), found)
    same(again, run.kernel)
