"""The compiled loops, and autograd beside them, against a plain PyTorch loop; and what the contract asks for."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from dataclasses import replace
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.base.random_streams import stream
from engine.learn.kernels import measure
from engine.learn.kernels.contract import Kernel
from engine.learn.kernels.loops import jit, permutation
from engine.learn.kernels.loops.products import add_product_of_turned, product_with_turned
from engine.learn.kernels.loops.products import product as multiply
from engine.learn.kernels.order import BLOCK, rows_of_epoch
from tests.conftest import PROGRAM, environment, losses, made
from tests.engine.learn.descent import Case, assert_follows, case, classes, plain_loop

Floats = NDArray[np.float64]

AMOUNTS, TWO, THREE = made(90, 3), classes(2), classes(3)
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "linear": (AMOUNTS, {"model": "linear"}),
    "huber": (AMOUNTS, {"model": "linear", "loss": "huber"}),
    "logistic": (TWO, {"model": "logistic"}),
    "softmax": (THREE, {"model": "softmax"}),
    "mlp": (AMOUNTS, {"model": "mlp", "hidden": "7,5", "normalize_target": True}),
    "mlp-classes": (THREE, {"model": "mlp", "hidden": "6"}),
}
# Rates at which a network's losses do not hang on the last bit of its parameters: at higher ones two PyTorch loops
# whose initial parameters differ by 1e-15 part company too.
OPTIMIZERS = {
    "sgd": 0.02,
    "momentum": 0.005,
    "nesterov": 0.005,
    "adagrad": 0.05,
    "rmsprop": 0.0005,
    "adam": 0.002,
    "adamw": 0.002,
}
BATCHES: tuple[dict[str, Any], ...] = (
    {"batch_size": "full"},
    {"batch_size": 16},  # 90 and 120 rows: the last batch of an epoch is smaller
    {"batch_size": 16, "shuffle": "none"},
)
PENALTIES: tuple[dict[str, Any], ...] = ({}, {"l2": 0.05}, {"l1": 0.01, "clip": 0.5}, {"l1": 0.003, "l2": 0.02})
SCHEDULES: tuple[dict[str, Any], ...] = (
    {},
    {"schedule": "cosine", "warmup": 50},
    {"schedule": "onecycle"},
    {"schedule": "step"},
    {"warmup": 200},
)
ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "leaky-relu", "sigmoid")
COMMON = {"precision": "float64", "steps": 1000}


def cases() -> list[Any]:
    """Every model with every optimizer and batch; penalties, schedules and activations take turns among them."""
    more, rates, shapes = cycle(PENALTIES), cycle(SCHEDULES), cycle(ACTIVATIONS)
    found = []
    for model, optimizer, batch in product(MODELS, OPTIMIZERS, BATCHES):
        if optimizer not in ("sgd", "adam") and (batch == BATCHES[2] or model in ("huber", "mlp-classes")):
            continue
        fields = {**next(more), **next(rates), **batch, "optimizer": optimizer, "lr": OPTIMIZERS[optimizer]}
        if "mlp" in model:
            fields["activation"] = next(shapes)
        found.append(pytest.param(model, fields, id=f"{model}-{'-'.join(map(str, fields.values()))}"))
    return found


def compare(model: str, fields: dict[str, Any]) -> None:
    rows, kind = MODELS[model]
    of = case(rows, backend="compiled", **COMMON, **kind, **fields)
    wanted = plain_loop(of, 1000)
    assert_follows(of.kernel().advance(1000), wanted)
    if not of.plan.full_batch:
        assert_follows(replace(of, plan=replace(of.plan, backend="autograd")).kernel().advance(1000), wanted)


@pytest.mark.parametrize(("model", "fields"), cases())
def test_losses_are_those_of_a_plain_pytorch_loop(model: str, fields: dict[str, Any]) -> None:
    compare(model, fields)


@pytest.mark.parametrize("penalty", PENALTIES[1:])
@pytest.mark.parametrize("schedule", SCHEDULES[1:])
def test_penalties_and_schedules(penalty: dict[str, Any], schedule: dict[str, Any]) -> None:
    compare("logistic", {"optimizer": "adam", "lr": 0.01, "batch_size": 32, **penalty, **schedule})


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("logistic", {"class_weight": "balanced", "batch_size": 16}),
        ("logistic", {"class_weight": "balanced", "batch_size": "full"}),
        ("softmax", {"class_weight": "balanced", "batch_size": 16}),
        ("mlp-classes", {"class_weight": "balanced", "batch_size": "full"}),
        ("linear", {"loss": "mae", "batch_size": 8}),
        ("linear", {"normalize_target": True, "batch_size": 8, "init": "ones"}),
        ("mlp", {"normalize_target": True, "batch_size": 1, "loss": "huber", "init": "uniform"}),
        ("mlp", {"hidden": "4", "batch_size": "full", "loss": "mae"}),
    ],
)
def test_row_weights_and_the_other_losses(model: str, fields: dict[str, Any]) -> None:
    rows, kind = MODELS[model]
    of = case(rows, backend="compiled", **COMMON, lr=0.01, optimizer="momentum", **(kind | fields))
    assert_follows(of.kernel().advance(1000), plain_loop(of, 1000))


@pytest.mark.parametrize(("batch", "features"), [(100, 3), (1024, 3), (2048, 3), (3000, 3), (1024, 20)])
def test_blocks_are_shuffled_as_rows_of_epoch_says(batch: int, features: int) -> None:
    """With 20 features a tile has fewer rows than a block."""
    of = case(made(3500, features), backend="compiled", shuffle="blocks", batch_size=batch, lr=0.01, steps=60)
    assert_follows(of.kernel().advance(40), plain_loop(of, 40))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("batch", [16, "full"])
def test_float32_stays_close(model: str, batch: Any) -> None:
    rows, kind = MODELS[model]
    of = case(rows, backend="compiled", precision="float32", optimizer="adam", lr=0.01, batch_size=batch, **kind)
    exact = replace(of, plan=replace(of.plan, precision="float64"))
    found, wanted = of.kernel().advance(200), plain_loop(exact, 200)
    # Each of 200 steps rounds losses and parameters to 2^-24 of themselves.
    np.testing.assert_allclose(found, wanted, rtol=200 * 2.0**-24, atol=20 * 2.0**-24 * wanted[0])


# The contract.


def flat(kernel: Kernel) -> Floats:
    return np.concatenate([array.reshape(-1) for array in kernel.parameters().arrays.values()])


def some(**fields: Any) -> list[Case]:
    """A case for each layout of rows and each loop."""
    common = {"backend": "compiled", "optimizer": "adam", "lr": 0.01, "steps": 1000}
    return [
        case(rows, **common, **(kind | fields | more))
        for rows, kind, more in (
            (AMOUNTS, {"model": "linear"}, {"batch_size": "full"}),
            (TWO, {"model": "logistic"}, {"batch_size": 16}),
            (TWO, {"model": "logistic"}, {"batch_size": 16, "shuffle": "none"}),
            (made(3000, 2), {"model": "linear"}, {"batch_size": BLOCK, "shuffle": "blocks"}),
            (THREE, {"model": "softmax"}, {"batch_size": 16}),
            (AMOUNTS, {"model": "mlp", "hidden": "5"}, {"batch_size": 16, "precision": "float32"}),
        )
    ]


@pytest.mark.parametrize("of", some(schedule="cosine"))
def test_no_chunking_changes_a_bit(of: Case) -> None:
    whole, parts = of.kernel(), of.kernel()
    wanted = whole.advance(400)
    random = np.random.default_rng(1)
    found: list[Floats] = []
    while parts.step < 400:
        found.append(parts.advance(int(min(random.choice([1, 2, 3, 50]), 400 - parts.step))))
    assert np.array_equal(np.concatenate(found), wanted)
    assert np.array_equal(flat(parts), flat(whole))


@pytest.mark.parametrize("of", some())
def test_a_state_from_within_an_epoch_goes_on_bit_for_bit(of: Case) -> None:
    kernel = of.kernel()
    kernel.advance(13)
    kernel.change("lr", 0.02)
    kernel.change("batch_size", 8)
    kernel.advance(10)
    state = kernel.state()
    wanted = kernel.advance(300)
    again = of.kernel()
    again.restore(state)
    assert again.step == 23
    assert np.array_equal(again.advance(300), wanted)
    assert np.array_equal(flat(again), flat(kernel))


@pytest.mark.parametrize("shuffle", ["full", "none"])
@pytest.mark.parametrize("model", ["logistic", "linear", "mlp"])
def test_changes_on_the_way(model: str, shuffle: str) -> None:
    rows, kind = MODELS[model]
    of = case(rows, backend="compiled", **COMMON, **kind, batch_size=16, shuffle=shuffle, optimizer="momentum", lr=0.01)
    changes: dict[int, dict[str, Any]] = {
        20: {"lr": 0.002},
        33: {"momentum": 0.5},
        50: {"optimizer": "adam"},
        101: {"batch_size": 7},  # within an epoch
        150: {"batch_size": "full"},
        200: {"optimizer": "rmsprop", "lr": 0.001},
        260: {"batch_size": 16},
    }
    kernel, found = of.kernel(), []
    for start, end in zip([0, *changes], [*changes, 400], strict=True):
        for field, value in changes.get(start, {}).items():
            kernel.change(field, value)
        found.append(kernel.advance(end - start))
    assert_follows(np.concatenate(found), plain_loop(of, 400, changes))


def test_a_plateaus_factor_multiplies_the_rate() -> None:
    of = case(TWO, backend="compiled", optimizer="sgd", lr=0.1, batch_size="full")
    kernel, plain = of.kernel(), of.kernel()
    kernel.change("lr_factor", 0.5)
    plain.change("lr", 0.05)
    assert np.array_equal(kernel.advance(50), plain.advance(50))


@pytest.mark.parametrize("model", ["linear", "logistic", "mlp"])
@pytest.mark.parametrize("batch", ["full", 16])
def test_divergence_keeps_the_parameters_before_it(model: str, batch: Any) -> None:
    rows, kind = MODELS[model]
    rate = {"linear": 3.0, "logistic": 1e9, "mlp": 50.0}[model]
    of = case(rows, backend="compiled", precision="float64", **kind, optimizer="sgd", lr=rate, batch_size=batch)
    kernel = of.kernel()
    found = kernel.advance(100_000)
    assert not found[-1] <= 1e6 * max(found[0], of.facts.baseline_loss)
    assert np.isfinite(found[:-1]).all()
    assert kernel.step == len(found) - 1
    again = of.kernel()
    again.advance(len(found) - 2)
    assert np.array_equal(flat(again), flat(kernel))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_of_all_rows_is_that_of_autograd(activation: str) -> None:
    for rows, fields in ((AMOUNTS, {"hidden": "5,4"}), (THREE, {"hidden": "3", "class_weight": "balanced"})):
        of = case(rows, model="mlp", precision="float64", activation=activation, **fields)
        own, torch = of.kernel(), replace(of, plan=replace(of.plan, backend="autograd")).kernel()
        for kernel in (own, torch):
            kernel.advance(3)
        for name, wanted in torch.gradient().arrays.items():
            np.testing.assert_allclose(own.gradient().arrays[name], wanted, rtol=1e-9, atol=1e-12)
        for split in ("train", "validation"):
            np.testing.assert_allclose(own.evaluate(split), torch.evaluate(split), rtol=1e-12)
        np.testing.assert_allclose(own.outputs("train"), torch.outputs("train"), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_the_gradient_of_a_linear_model_is_the_slope_of_its_loss(loss: str) -> None:
    of = case(AMOUNTS, backend="compiled", loss=loss, optimizer="adam", lr=0.1)
    kernel = of.kernel()
    kernel.advance(20)
    now, gradient, tiny = kernel.parameters(), kernel.gradient(), 1e-6
    for j in range(3):
        sides = []
        for sign in (1, -1):
            moved = now.weight.copy()
            moved[j] += sign * tiny
            sides.append(
                measure.evaluate(of.plan, of.prepared, type(now)({"weight": moved, "bias": now.bias}), "train")
            )
        assert np.isclose((sides[0] - sides[1]) / (2 * tiny), gradient.weight[j, 0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "mlp", "dropout": 0.5}, "dropout"),
        ({"model": "mlp", "batch_norm": True}, "batch norm"),
        ({"optimizer": "lbfgs"}, "--optimizer adam"),
        ({"precision": "bf16"}, "--precision float32"),
    ],
)
def test_what_it_has_no_loop_for_is_said_with_the_remedy(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        case(made(), backend="compiled", **fields)
    assert "leave out --backend" in str(caught.value)


def test_lbfgs_is_handed_to_autograd_on_the_way() -> None:
    of = case(AMOUNTS, backend="compiled", optimizer="sgd", lr=0.01)
    kernel = of.kernel()
    kernel.advance(5)
    kernel.change("optimizer", "lbfgs")
    kernel.change("lr", 1.0)
    assert kernel.advance(10)[-1] <= 1.0001 * of.facts.optimum_loss  # type: ignore[operator]


def test_a_whole_run_imports_no_torch(tmp_path: Any) -> None:
    words = ["train", "houses", "--optimizer", "adam", "--steps", "9", "--runs", str(tmp_path)]
    code = (
        "import sys; from engine.cli import main\n"
        f"assert main({words!r}) == 0\n"
        "assert 'numba' in sys.modules and 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


# The parts.


def test_the_process_that_compiles_takes_the_steps_of_those_that_come_after_it(tmp_path: Path) -> None:
    # Else a run that had to compile its loops would go on with other bits when it is resumed.
    words = "titanic --model mlp --optimizer rmsprop --lr 0.0001 --backend compiled --steps 400 --no-tensorboard"
    cache, runs = tmp_path / "cache", tmp_path / "runs"
    for name in ("first", "second"):
        command = [*PROGRAM, "train", *words.split(), "--runs", str(runs), "--name", name]
        own = environment(NUMBA_CACHE_DIR=str(cache))
        subprocess.run(command, env=own, cwd=tmp_path, capture_output=True, timeout=120, check=True)
    assert list(cache.rglob("*.nbc"))
    assert np.array_equal(losses(runs / "first"), losses(runs / "second"))


def test_one_process_compiles_and_the_others_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "folder", lambda: tmp_path)
    said: list[str] = []
    with jit.announced(called, "float64", said.append):
        lock = next(tmp_path.glob("*.lock"))
        with lock.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        monkeypatch.setattr(jit, "PATIENCE", 0.0)  # one that was suspended while it compiles holds nobody up for ever
        with jit.announced(called, "float32", said.append):
            pass
    with jit.announced(called, "float64", said.append):
        pass
    assert said == ["compiling the training loop, once for this machine"] * 2
    assert len(list(tmp_path.glob("*.done"))) == 2


@pytest.mark.parametrize("seed", [0, 7, 2**32, 2**63 - 1])
def test_permutations_are_numpys(seed: int) -> None:
    assert permutation.faithful()
    for n in (1, 2, 3, 33, 1000, 65_537):
        out = np.empty((3, n), np.int64)
        permutation.permute(out, *permutation.entropy(seed, "order"), 5, np.empty(permutation.ROOM, np.uint64))
        for i in range(3):
            assert np.array_equal(out[i], stream(seed, "order", 5 + i).permutation(n))


@pytest.mark.parametrize("rows", [10, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("shuffle", ["full", "blocks", "none"])
def test_an_epoch_takes_every_row_once(rows: int, shuffle: Any) -> None:
    order = rows_of_epoch(shuffle, 3, 2, rows)
    assert np.array_equal(np.sort(order), np.arange(rows))
    if shuffle == "blocks":
        whole = order[: rows // BLOCK * BLOCK].reshape(-1, BLOCK) // BLOCK
        assert (whole == whole[:, :1]).all()
        assert (order[len(whole) * BLOCK :] >= len(whole) * BLOCK).all()


def called(function: Any) -> Any:
    """A part of compiled code, which works only inside of it, as a function of its own."""

    def call(a: Any, b: Any, out: Any, m: int, k: int, n: int, one_zero: Any) -> None:
        function(a, b, out, m, k, n, one_zero)

    return numba.njit(call)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products(dtype: Any) -> None:
    random = np.random.default_rng(0)
    a, b, c = (random.standard_normal(shape).astype(dtype) for shape in ((5, 3), (3, 4), (5, 4)))
    one_zero, tolerance = np.array([1, 0], dtype), {"rtol": 1e-5, "atol": 1e-5}
    out = np.full((5, 4), np.nan, dtype)
    called(multiply)(a.ravel(), b.ravel(), out.reshape(-1), 5, 3, 4, one_zero)
    np.testing.assert_allclose(out, a @ b, **tolerance)
    total = np.ones((3, 4), dtype)
    called(add_product_of_turned)(a.ravel(), c.ravel(), total.reshape(-1), 5, 3, 4, one_zero)
    np.testing.assert_allclose(total, 1 + a.T @ c, **tolerance)
    back = np.full((5, 3), np.nan, dtype)
    called(product_with_turned)(c.ravel(), b.ravel(), back.reshape(-1), 5, 3, 4, one_zero)
    np.testing.assert_allclose(back, c @ b.T, **tolerance)
