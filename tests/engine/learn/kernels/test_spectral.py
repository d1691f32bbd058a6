"""The spectral kernel: descent's own losses, to the last digits, without the steps."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data.sources import load
from engine.learn.kernels.contract import Kernel
from engine.recipe import Data
from tests.conftest import made, table
from tests.engine.learn.descent import Case, assert_follows, case, plain_loop

Floats = NDArray[np.float64]
HOUSES, SCALES, LINEAR3 = (load(Data(dataset=name)) for name in ("houses", "scales", "linear3"))


@njit
def descend(x: Floats, y: Floats, p: Floats, lr: float, l2: float, losses: Floats) -> None:
    """Gradient descent as in a textbook, row by row, in float64."""
    n, d = x.shape
    g = np.zeros(d + 1)
    for step in range(len(losses)):
        g[:] = 0
        total = 0.0
        for i in range(n):
            e = p[d] - y[i]
            for j in range(d):
                e += p[j] * x[i, j]
            total += e * e
            for j in range(d):
                g[j] += e * x[i, j]
            g[d] += e
        losses[step] = total / n
        for j in range(d):
            p[j] -= lr * (2 / n * g[j] + l2 * p[j])
        p[d] -= lr * 2 / n * g[d]


def plain_descent(of: Case, steps: int, lr: float | None = None, start: Floats | None = None) -> tuple[Floats, Floats]:
    """Losses, and the parameters after them."""
    train, losses = of.prepared.train, np.empty(steps)
    p = np.zeros(train.x.shape[1] + 1) if start is None else start.copy()
    descend(train.x, train.y, p, of.plan.lr if lr is None else lr, of.plan.l2, losses)
    return losses * of.prepared.target_scale.scale**2, p


def flat(kernel: Kernel) -> Floats:
    now = kernel.parameters()
    return np.append(now.weight[:, 0], now.bias)


@pytest.mark.parametrize("rows", [HOUSES, SCALES, LINEAR3, made()], ids=["houses", "scales", "linear3", "made"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"init": "ones"},
        {"normalize": "none"},
        {"normalize": "max", "normalize_target": True, "init": "uniform"},
        {"l2": 0.1},
        {"l2": 0.3, "init": "ones", "normalize_target": True},
    ],
)
def test_losses_are_those_of_a_plain_pytorch_loop(rows: Any, fields: dict[str, Any]) -> None:
    of = case(rows, batch_size="full", **fields)
    assert of.plan.backend == "spectral"
    assert_follows(of.kernel().advance(1000), plain_loop(of, 1000))


def test_two_million_steps_of_houses_are_right_to_nine_digits() -> None:
    of = case(HOUSES, lr=0.001)
    wanted, p = plain_descent(of, 2_000_000)
    kernel = of.kernel()
    found = kernel.advance(2_000_000)
    assert np.abs(found / wanted - 1).max() < 1e-9
    np.testing.assert_allclose(flat(kernel), p, rtol=1e-9)


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        (HOUSES, {"normalize": "none"}),  # a condition number of 1e7 and more
        (SCALES, {"normalize": "none"}),
        (made(40, 2), {"degree": 6, "normalize": "minmax"}),  # 1e12
        (made(40, 2), {"degree": 6, "normalize": "minmax", "l2": 1e-4}),
        (made(5, 8), {"normalize": "none"}),  # more features than rows
        (table(np.repeat(made(30, 2).columns[0].numbers[:, None], 3, axis=1), np.arange(30.0)), {}),  # three the same
    ],
)
def test_ill_conditioned_tables_stay_within_the_tolerance(rows: Any, fields: dict[str, Any]) -> None:
    of = case(rows, **fields)
    assert of.plan.backend == "spectral"
    wanted, p = plain_descent(of, 300_000)
    kernel = of.kernel()
    assert_follows(kernel.advance(300_000), wanted)
    train = of.prepared.train
    fitted = train.x @ p[:-1] + p[-1]
    np.testing.assert_allclose(kernel.outputs("train")[:, 0], fitted, rtol=1e-6, atol=1e-9 * np.abs(fitted).max())


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_no_chunking_changes_a_bit(l2: float) -> None:
    of = case(HOUSES, lr=0.001, l2=l2)
    whole = of.kernel()
    wanted = whole.advance(600_000)
    parts = of.kernel()
    random = np.random.default_rng(0)
    found: list[Floats] = []
    while parts.step < 600_000:
        chunk = int(min(random.choice([1, 2, 7, 511, 65_536, 262_144, 300_000]), 600_000 - parts.step))
        found.append(parts.advance(chunk))
    assert np.array_equal(np.concatenate(found), wanted)
    assert np.array_equal(flat(parts), flat(whole))


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_a_restored_state_goes_on_bit_for_bit(l2: float) -> None:
    of = case(HOUSES, lr=0.01, l2=l2)
    kernel = of.kernel()
    kernel.advance(1234)
    kernel.change("lr", 0.02)
    kernel.advance(77)
    state = kernel.state()
    wanted = kernel.advance(3000)
    again = of.kernel()
    again.restore(state)
    assert again.step == 1311
    assert np.array_equal(again.advance(3000), wanted)
    assert np.array_equal(flat(again), flat(kernel))
    assert np.array_equal(again.gradient().weight, kernel.gradient().weight)


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_learning_rates_changed_on_the_way(l2: float) -> None:
    of = case(LINEAR3, lr=0.01, l2=l2)
    changes = {10: {"lr": 0.3}, 11: {"lr": 0.001}, 500: {"lr": 0.2}}
    kernel = of.kernel()
    found = [kernel.advance(10)]
    for count, rate in ((1, 0.3), (489, 0.001), (500, 0.2)):
        kernel.change("lr", 7.0)
        kernel.change("lr", rate)  # the last word counts
        found.append(kernel.advance(count))
    assert_follows(np.concatenate(found), plain_loop(of, 1000, changes))


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("before", [0, 40])
def test_divergence_ends_at_the_first_bad_loss_with_the_parameters_before_it(l2: float, before: int) -> None:
    of = case(HOUSES, lr=0.1, l2=l2)
    kernel = of.kernel()
    early = kernel.advance(before)
    kernel.change("lr", 5.0)
    found = kernel.advance(100_000)
    limit = 1e6 * max(kernel_loss for kernel_loss in (14631.3, of.facts.baseline_loss))
    assert len(found) < 20
    assert (found[:-1] <= limit).all()
    assert found[-1] > limit
    assert kernel.step == before + len(found) - 1
    first, p = plain_descent(of, before)
    assert_follows(early, first) if before else None
    wanted, _ = plain_descent(of, len(found), 5.0, p)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)
    _, kept = plain_descent(of, len(found) - 2, 5.0, p)
    np.testing.assert_allclose(flat(kernel), kept, rtol=1e-9)
    assert kernel.evaluate("train") <= limit


def test_growth_goes_to_infinity_like_real_descent() -> None:
    of = case(SCALES, normalize="none", init="ones", lr=0.5)
    open_end = replace(of, facts=replace(of.facts, baseline_loss=1e300))
    found = open_end.kernel().advance(1000)
    assert not np.isfinite(found[-1])
    assert np.isfinite(found[:-1]).all()


def test_a_step_that_lands_on_the_optimum_stays_there() -> None:
    of = case(table(np.array([[-1.0], [1.0]]), np.array([1.0, 5.0])), normalize="none", lr=0.5)  # ρ = 0 everywhere
    assert np.allclose(of.kernel().advance(4), [13, 0, 0, 0], atol=1e-28)


def test_gradient_evaluation_and_outputs_belong_to_the_current_parameters() -> None:
    of = case(made(60), val=0.25, lr=0.1)
    kernel = of.kernel()
    kernel.advance(25)
    train, now = of.prepared.train, kernel.parameters()
    error = train.x @ now.weight[:, 0] + now.bias[0] - train.y
    np.testing.assert_allclose(kernel.gradient().weight[:, 0], 2 * train.x.T @ error / len(error))
    np.testing.assert_allclose(kernel.gradient().bias, 2 * error.mean())
    assert np.isclose(kernel.evaluate("train"), kernel.advance(1)[0], rtol=1e-12)
    kernel = of.kernel()
    held = of.prepared.validation
    assert np.isclose(kernel.evaluate("validation"), np.mean(held.y**2))
    assert kernel.outputs("validation").shape == (15, 1)
    assert np.isnan(kernel.evaluate("test"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"optimizer": "adam"}, "--optimizer sgd"),
        ({"batch_size": 8}, "--batch-size full"),
        ({"loss": "huber"}, "loss huber"),
        ({"schedule": "cosine"}, "--schedule constant"),
        ({"warmup": 5}, "--schedule constant"),
        ({"precision": "float32"}, "--precision float64"),
        ({"l1": 0.1}, "L1"),
        ({"clip": 1.0}, "clipping"),
        ({"model": "mlp"}, "model mlp"),
    ],
)
def test_what_it_cannot_follow_is_said_with_the_remedy(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        case(made(), backend="spectral", **fields)
    assert "leave out --backend" in str(caught.value)


@pytest.mark.parametrize("changed", [{"batch_size": 8}, {"optimizer": "adam"}])
def test_another_kernel_takes_over_what_it_cannot_follow(changed: dict[str, Any]) -> None:
    of = case(made(), lr=0.01)
    kernel = of.kernel()
    found = [kernel.advance(100)]
    for field, value in changed.items():
        kernel.change(field, value)
    found.append(kernel.advance(300))
    state = kernel.state()
    found.append(kernel.advance(100))
    assert_follows(np.concatenate(found), plain_loop(of, 500, {100: changed}))
    again = of.kernel()
    again.restore(state)
    assert np.array_equal(again.advance(100), found[-1])


def test_a_whole_run_imports_neither_torch_nor_numba(tmp_path: Any) -> None:
    words = ["train", "houses", "--steps", "1000", "--runs", str(tmp_path)]
    code = (
        "import sys; from engine.cli import main\n"
        f"assert main({words!r}) == 0\n"
        "found = {'torch', 'numba', 'llvmlite'} & set(sys.modules)\n"
        "assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
