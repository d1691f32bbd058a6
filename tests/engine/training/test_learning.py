"""Learning in full: optimizers and schedules are torch's, optima scikit-learn's; and what a run says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from engine.data.prepare import prepare
from engine.data.sources import load
from engine.learn import newton
from engine.learn.kernels import networks
from engine.learn.models import BATCH_NORM_EPSILON, Architecture, forward, init_parameters
from engine.learn.objective import row_losses
from engine.learn.schedules import Plateau, factors
from engine.recipe import build
from engine.runs import predictor
from engine.runs.checkpoint import load as load_checkpoint
from engine.training.run import Run
from engine.training.session import Session
from engine.training.snapshot import Phase
from tests.conftest import finished, message, near, prepared_run, recipe, table, train

Floats = NDArray[np.float64]


def run_of(folder: Path, **fields: Any) -> Run:
    """A run in float64 by the autograd kernel."""
    return prepared_run(recipe(folder, **({"backend": "autograd", "precision": "float64"} | fields)))


def ended(folder: Path, rows: Any = None, **fields: Any) -> tuple[dict[str, Any], str]:
    """The result of a run, and the paragraph it ends with."""
    session = train(recipe(folder, **fields), rows)
    ending = session.snapshot().ending
    assert ending is not None
    return session.result, ending.sentence


# Optimizers, penalties and clipping, against torch.optim.

OPTIMIZERS: dict[str, Callable[[Any, float], torch.optim.Optimizer]] = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.8),
    "nesterov": lambda p, lr: torch.optim.SGD(p, lr, momentum=0.8, nesterov=True),
    "adagrad": lambda p, lr: torch.optim.Adagrad(p, lr),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr),
    "adam": lambda p, lr: torch.optim.Adam(p, lr),
    "adamw": lambda p, lr: torch.optim.AdamW(p, lr, weight_decay=0.05),
}


def torch_losses(
    run: Run,
    make: Callable[[Any, float], torch.optim.Optimizer],
    steps: int,
    *,
    l1: float = 0,
    l2: float = 0,
    clip: Any = None,
) -> tuple[list[float], list[Floats]]:
    """Full-batch training of the run's model by torch's own layers, penalties and optimizer."""
    shape, data = run.plan.architecture, run.prepared.train
    start = init_parameters(shape, run.plan.init, run.plan.seed)
    sizes = (shape.inputs, *shape.hidden, shape.outputs)
    dense = [nn.Linear(a, b, dtype=torch.float64) for a, b in pairwise(sizes)]
    for layer, (weight, bias) in zip(dense, zip(*[iter(start.values())] * 2, strict=True), strict=True):
        layer.weight.data, layer.bias.data = torch.tensor(weight.T), torch.tensor(bias)
    model = nn.Sequential(*[part for layer in dense for part in (layer, nn.Tanh())][:-1])
    optimizer = make(model.parameters(), run.plan.lr)
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)[:, None]
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(model(x), y)
        losses.append(loss.item())
        penalty = sum(l1 * layer.weight.abs().sum() + l2 / 2 * (layer.weight**2).sum() for layer in dense)
        (loss + penalty).backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
    return losses, [p.detach().numpy() for layer in dense for p in (layer.weight.T, layer.bias)]


@pytest.mark.parametrize("model", ["logistic", "mlp"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_follows_torch_over_a_thousand_steps(name: str, model: str, tmp_path: Path) -> None:
    wishes = {"dataset": "moons:rows=40", "model": model, "hidden": "6", "activation": "tanh", "init": "uniform"}
    wishes |= {"optimizer": name, "lr": 0.02, "momentum": 0.8, "batch_size": "full", "steps": 1000, "l2": 0}
    wishes |= {"weight_decay": 0.05} if name == "adamw" else {}
    run = run_of(tmp_path, **wishes)
    found = run.kernel.advance(1000)
    wanted, parameters = torch_losses(run, OPTIMIZERS[name], 1000)
    assert np.allclose(found, wanted, rtol=1e-6, atol=1e-12)
    for mine, its in zip(run.kernel.parameters().arrays.values(), parameters, strict=True):
        assert np.allclose(mine, its, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("wishes", [{"l1": 0.01}, {"l2": 0.1}, {"clip": 0.05}, {"l1": 0.02, "l2": 0.05, "clip": 0.1}])
def test_penalties_spare_the_bias_and_clipping_comes_after_them(wishes: dict[str, float], tmp_path: Path) -> None:
    more = {"dataset": "moons:rows=40", "model": "mlp", "hidden": "6", "activation": "tanh", "optimizer": "sgd"}
    run = run_of(tmp_path, **(more | {"lr": 0.1, "batch_size": "full", "l2": 0, "steps": 200} | wishes))
    wanted, _ = torch_losses(run, OPTIMIZERS["sgd"], 200, **wishes)
    assert np.allclose(run.kernel.advance(200), wanted, rtol=1e-6, atol=1e-12)  # losses are without the penalty


# Schedules, against torch.optim.lr_scheduler.


def torch_rates(make: Callable[[torch.optim.Optimizer], Any], steps: int) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [1, 2, 4, 7, 100, 999])
def test_schedules_are_those_of_torch(steps: int) -> None:
    from torch.optim import lr_scheduler as oracle

    wanted = torch_rates(lambda o: oracle.CosineAnnealingLR(o, steps), steps)
    assert np.allclose(factors("cosine", 0, steps, 0, steps), wanted, rtol=1e-9, atol=1e-12)
    wanted = torch_rates(lambda o: oracle.StepLR(o, -(-steps // 3), 0.1), steps)
    assert np.allclose(factors("step", 0, steps, 0, steps), wanted, rtol=1e-12)
    assert (factors("constant", 0, steps, 0, steps) == 1).all()
    if steps > 3:  # torch divides by zero below
        wanted = torch_rates(lambda o: oracle.OneCycleLR(o, 1.0, total_steps=steps, cycle_momentum=False), steps)
        assert np.allclose(factors("onecycle", 0, steps, 0, steps), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "onecycle"])
def test_warm_up_rises_and_the_schedule_takes_the_rest(schedule: Any) -> None:
    whole = factors(schedule, 10, 100, 0, 100)
    rest = factors(schedule, 0, 90, 0, 90)
    assert np.allclose(whole[:10], np.arange(1, 11) / 10 * rest[0])
    assert np.allclose(whole[10:], rest)
    parts = [factors(schedule, 10, 100, start, 7) for start in range(0, 98, 7)]
    assert np.array_equal(np.concatenate(parts), whole[:98])  # a step's factor depends on the step alone


def test_the_plateau_is_that_of_torch() -> None:
    random = np.random.default_rng(0)
    losses = 1 / np.arange(1, 200) ** 0.3 + 0.05 * random.random(199)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, mine = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0), Plateau()
    for loss in losses.tolist():
        scheduler.step(loss)
        mine.evaluated(loss)
        near(mine.factor, optimizer.param_groups[0]["lr"], 1e-12)
    assert mine.factor < 0.1


def test_a_run_takes_the_rates_of_its_schedule(tmp_path: Path) -> None:
    run = run_of(tmp_path, dataset="linear3", schedule="cosine", warmup=5, lr=0.1, steps=40, optimizer="sgd")
    now, data = run.kernel.parameters(), run.prepared.train
    weight, bias = now.weight.copy(), now.bias.copy()
    for rate in 0.1 * factors("cosine", 5, 40, 0, 40):
        error = 2 / len(data.y) * (data.x @ weight + bias - data.y[:, None])
        weight, bias = weight - rate * data.x.T @ error, bias - rate * error.sum(axis=0)
    run.kernel.advance(40)
    assert np.allclose(run.kernel.parameters().weight, weight, rtol=1e-9)
    assert np.allclose(run.kernel.parameters().bias, bias, rtol=1e-9)


# Optima, against scikit-learn.


@pytest.mark.parametrize("dataset", ["titanic", "iris", "breast_cancer", "wine"])
def test_lbfgs_reaches_scikit_learns_optimum(dataset: str, tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    chosen = recipe(tmp_path, dataset=dataset, val=0, optimizer="lbfgs", steps=300)
    prepared = prepare(chosen.data, chosen.normalization, load(chosen.data))
    rows = prepared.train
    run = prepared_run(chosen.replace({"l2": 1 / len(rows)}))
    run.advance(300)
    model = LogisticRegression(C=1.0, tol=1e-12, max_iter=100_000).fit(rows.x, rows.y)
    now = run.kernel.parameters()
    sides = model.coef_.T, model.intercept_
    if len(prepared.classes) > 2:  # adding one vector to every class changes nothing
        sides = sides[0] - sides[0].mean(axis=1, keepdims=True), sides[1] - sides[1].mean()
        now.weight[:] -= now.weight.mean(axis=1, keepdims=True)
        now.bias[:] -= now.bias.mean()
    mine = row_losses(run.plan.loss, rows.x @ now.weight + now.bias, rows.y).mean()
    its = row_losses(run.plan.loss, rows.x @ sides[0] + sides[1], rows.y).mean()
    penalty = 0.5 / len(rows)
    wanted = its + penalty * (sides[0] ** 2).sum()
    near(mine + penalty * (now.weight**2).sum(), wanted, 0, 1e-8)
    assert run.facts.optimum_loss is not None
    near(run.facts.optimum_loss, float(its), 0, 1e-8)
    assert np.allclose(now.weight, sides[0], atol=1e-4)


def test_newton_finds_the_published_coefficients_of_the_titanic() -> None:
    """1,046 passengers of known age: class, sex and age; published maximum likelihood, deviance 982.45."""
    chosen = build(
        {"dataset": "titanic", "val": 0, "features": "pclass,sex,age", "missing": "drop", "normalize": "none"}
    )
    prepared = prepare(chosen.data, chosen.normalization, load(chosen.data))
    rows = prepared.train
    assert len(rows) == 1046
    found = newton.minimise("bce", rows.x, rows.y, 2, None, 0.0)
    assert found is not None
    near(2 * found.loss * len(rows), 982.45, 0, 0.005)
    weights = dict(zip(prepared.features, found.weights[:, 0].tolist(), strict=True))
    wanted = {"sex=male": -2.497845, "age": -0.034393, "pclass=2": -1.280570, "pclass=3": -2.289661}
    assert set(weights) == set(wanted)
    for name, value in wanted.items():
        near(weights[name], value, 0, 5e-7)
    near(float(found.bias[0]), 3.522074, 0, 5e-7)


# Precision.


@pytest.mark.parametrize("precision", ["bf16", "fp16", "float32"])
@pytest.mark.parametrize("model", ["auto", "mlp"])
def test_half_precision_runs_and_falls(precision: str, model: str, tmp_path: Path) -> None:
    run = run_of(tmp_path, dataset="moons", model=model, hidden="16", precision=precision, epochs=30)
    losses = run.kernel.advance(300)
    assert np.isfinite(losses).all()
    assert losses[-10:].mean() < 0.6 * losses[:3].mean()
    assert {a.dtype for a in run.kernel.parameters().arrays.values()} == {np.dtype(np.float64)}
    assert run.kernel.state().arrays["parameters"].dtype == np.float32  # the master weights


# Dropout and batch norm.


def test_dropout_leaves_units_out_in_training_only(tmp_path: Path) -> None:
    wishes = {"dataset": "moons", "model": "mlp", "hidden": "32", "batch_size": "full", "steps": 5}
    with_it, without = run_of(tmp_path, dropout=0.5, **wishes), run_of(tmp_path, **wishes)
    assert with_it.kernel.evaluate("train") == with_it.kernel.evaluate("train")
    assert with_it.kernel.evaluate("train") == without.kernel.evaluate("train")
    assert with_it.kernel.advance(1) != without.kernel.advance(1)
    now = with_it.kernel.parameters().arrays
    outputs = forward(with_it.plan.architecture, now, with_it.prepared.validation.x)
    assert np.allclose(with_it.kernel.outputs("validation"), outputs, rtol=1e-9)


def test_batch_norm_is_torchs_in_training_and_by_running_statistics_at_prediction(tmp_path: Path) -> None:
    run = run_of(
        tmp_path,
        dataset="moons:rows=101",
        model="mlp",
        hidden="5",
        batch_norm=True,
        batch_size=16,
        optimizer="sgd",
        lr=0.1,
        steps=60,
        shuffle="none",
        val=0,
    )
    start = init_parameters(run.plan.architecture, run.plan.init, run.plan.seed)
    model = nn.Sequential(
        nn.Linear(2, 5), nn.BatchNorm1d(5, eps=BATCH_NORM_EPSILON), nn.ReLU(), nn.Linear(5, 1)
    ).double()
    for layer, name in ((model[0], "hidden0"), (model[3], "output")):
        layer.weight.data, layer.bias.data = (
            torch.tensor(start[f"{name}.weight"].T),
            torch.tensor(start[f"{name}.bias"]),
        )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.from_numpy(run.prepared.train.x), torch.from_numpy(run.prepared.train.y)[:, None]
    wanted = []
    while len(wanted) < 60:
        for at in range(0, 101, 16)[: 60 - len(wanted)]:
            loss = functional.binary_cross_entropy_with_logits(model(x[at : at + 16]), y[at : at + 16])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            wanted.append(loss.item())
    assert np.allclose(run.kernel.advance(60), wanted, rtol=1e-6)
    now = run.kernel.parameters().arrays
    assert np.allclose(now["norm0.mean"], model[1].running_mean.numpy(), rtol=1e-6)  # type: ignore[operator]
    assert np.allclose(now["norm0.variance"], model[1].running_var.numpy(), rtol=1e-6)  # type: ignore[operator]
    with torch.no_grad():
        outputs = model.eval()(x).numpy()
    assert np.allclose(run.kernel.outputs("train"), outputs, rtol=1e-6, atol=1e-9)
    assert np.allclose(forward(run.plan.architecture, now, run.prepared.train.x), outputs, rtol=1e-6, atol=1e-9)


def test_a_batch_of_one_row_is_normalized_as_at_prediction(tmp_path: Path) -> None:
    run = run_of(tmp_path, dataset="moons:rows=33", model="mlp", batch_norm=True, batch_size=32, val=0, steps=8)
    assert np.isfinite(run.kernel.advance(8)).all()


# Modules of one's own.

MODULES = """
import torch
from torch import nn

class Good(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, outputs))
    def forward(self, x):
        return self.layers(x)

class Flat(Good):
    def forward(self, x):
        return self.layers(x)[:, 0]

class Raises(Good):
    def forward(self, x):
        raise RuntimeError("no weather")

class Picky(nn.Module):
    def __init__(self):
        super().__init__()

class Empty(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
    def forward(self, x):
        return x[:, :1]

class Listing(Good):
    def forward(self, x):
        return [1.0]

def not_a_module(inputs, outputs):
    return 3
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "learning_modules.py").write_text(MODULES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_module_of_ones_own_trains_like_any_other(modules: Path) -> None:
    result, _ = ended(
        modules, dataset="diabetes", model="learning_modules:Good", epochs=30, lr=0.01, normalize_target=True
    )
    assert result["train_loss"] < 0.7 * result["baseline_loss"]
    assert result["weights_raw"] is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Flat", "gives [2] for a batch [2, 2], not [2, 1]"),
        ("Raises", "fails on a batch [2, 2]: RuntimeError: no weather"),
        ("Picky", "called with the numbers of inputs and outputs, failed"),
        ("Empty", "no parameters to train"),
        ("Listing", "gives list for a batch"),
        ("not_a_module", "makes a int, not a torch.nn.Module"),
        ("Absent", "has no class Absent"),
    ],
)
def test_a_module_that_does_not_work_is_told(name: str, words: str, modules: Path) -> None:
    chosen = recipe(modules, dataset="houses", model=f"learning_modules:{name}")
    assert words in message(lambda: prepared_run(chosen))


def test_a_module_that_is_not_there_is_told(modules: Path) -> None:
    assert "cannot be imported" in message(lambda: prepared_run(recipe(modules, model="no_such_place:Net")))


def test_targets_and_outputs_of_other_shapes_fail_and_do_not_broadcast(tmp_path: Path) -> None:
    run = run_of(tmp_path, dataset="linear3")
    kernel: Any = run.kernel
    outputs, y = torch.zeros(100, 1, dtype=torch.float64), torch.zeros(100, dtype=torch.float64)
    with pytest.raises((AssertionError, ValueError)):
        kernel._model.objective(y, outputs, None)
    with pytest.raises(ValueError, match="would broadcast"):
        row_losses("mse", np.zeros((100, 1)), np.zeros((100, 1)))


# Equal runs.


@pytest.mark.parametrize(
    "wishes",
    [
        {"dataset": "titanic", "epochs": 3},
        {"dataset": "moons", "model": "mlp", "dropout": 0.3, "batch_norm": True, "epochs": 3},
        {"dataset": "houses", "steps": 100},
    ],
)
def test_equal_seeds_give_equal_bits_and_others_do_not(wishes: dict[str, Any], tmp_path: Path) -> None:
    runs = [train(recipe(tmp_path, seed=seed, **wishes)).snapshot().run for seed in (4, 4, 5)]
    bits = [(run / "loss.f64").read_bytes() for run in runs if run is not None]
    models = [predictor.load(run).parameters.arrays for run in runs if run is not None]
    assert bits[0] == bits[1]
    assert all(np.array_equal(models[0][name], models[1][name]) for name in models[0])
    if wishes["dataset"] != "houses":  # where nothing is drawn
        assert bits[0] != bits[2]


# What a run says of itself.


def test_divergence_names_the_step_the_rate_its_bound_and_a_remedy(tmp_path: Path) -> None:
    session = train(recipe(tmp_path, dataset="houses", normalize="none", lr=0.01, steps=1000))
    ending = session.snapshot().ending
    assert ending is not None
    assert ending.reason == "diverged"
    assert session.result["steps"] < 100
    for word in (f"Diverged at step {session.result['steps']}", "0.01 is above 0.00123", "size has the largest scale"):
        assert word in ending.sentence
    again = train(recipe(tmp_path, dataset="houses", normalize="none", lr=0.01, steps=1000).replace(ending.remedy))
    assert again.result["ended"] == "limit"
    assert again.result["gap"] < 1e-6


def separable(rows: int = 60) -> Any:
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, 2))
    x += np.sign(x[:, :1]) * [2.0, 0.0]
    return table(x, (x[:, 0] > 0).astype(float))


def test_perfect_separation_is_named(tmp_path: Path) -> None:
    _, sentence = ended(tmp_path, separable(), task="binary", l2=0, steps=200, val=0)
    assert "separates the classes" in sentence
    assert "--l2" in sentence
    _, sentence = ended(tmp_path, separable(), task="binary", l2=0.1, steps=200, val=0)
    assert "separates" not in sentence


def test_vanishing_progress_is_told_with_a_way_out(tmp_path: Path) -> None:
    result, sentence = ended(tmp_path, dataset="houses", normalize="none", lr=0.001, steps=3000)
    assert result["gap"] > 1e-3
    assert "vanished in a flat direction" in sentence
    assert "--normalize zscore" in sentence


def test_overfitting_is_told(tmp_path: Path) -> None:
    wishes = {"dataset": "poly:rows=24,noise=1", "degree": 9, "val": 0.5, "optimizer": "lbfgs", "steps": 200}
    _, sentence = ended(tmp_path, **wishes)
    assert "Overfitting: the validation loss is" in sentence
    assert "times the train loss" in sentence


def test_underfitting_is_told(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 101)[:, None]
    result, sentence = ended(tmp_path, table(x, x[:, 0] ** 2), val=0.2, steps=200)
    assert "Underfitting" in sentence
    assert "--degree 2" in sentence
    better, _ = ended(tmp_path, table(x, x[:, 0] ** 2), val=0.2, degree=2, steps=2000)
    assert better["train_loss"] < 0.01 * result["train_loss"]


def test_a_flat_loss_is_told_with_the_step_it_began(tmp_path: Path) -> None:
    _, sentence = ended(tmp_path, dataset="houses", steps=500, lr=0.5)
    assert "flat since step" in sentence


# How a run ends.


def test_patience_restores_the_best_weights(tmp_path: Path) -> None:
    wishes = {
        "dataset": "moons:rows=60,noise=0.4",
        "model": "mlp",
        "val": 0.5,
        "lr": 0.05,
        "epochs": 300,
        "patience": 5,
    }
    session = train(recipe(tmp_path, **wishes))
    run = session.snapshot().run
    assert run is not None
    pairs = np.fromfile(run / "validation.f64", "<f8").reshape(-1, 2)
    assert session.result["ended"] == "patience"
    assert session.result["steps"] < 600
    near(session.result["val_loss"], float(pairs[:, 1].min()), 1e-6)
    assert pairs[-1, 1] > pairs[:, 1].min() or pairs[-1, 0] < session.result["steps"]
    ending = session.snapshot().ending
    assert ending is not None
    best = int(pairs[pairs[:, 1].argmin(), 0])
    assert f"the weights of step {best:,}" in ending.sentence.replace(
        "weights are those of step", "the weights of step"
    )


def test_tolerance_ends_at_the_gap(tmp_path: Path) -> None:
    result, sentence = ended(tmp_path, dataset="houses", tol=1e-3, eval_every=1, steps=1000)
    assert result["ended"] == "tol"
    assert 0 < result["gap"] <= 1e-3
    assert result["steps"] < 100
    assert "0.001" in sentence


def test_tolerance_ends_a_network_when_its_loss_has_settled(tmp_path: Path) -> None:
    wishes = {"dataset": "moons", "model": "mlp", "hidden": "8", "batch_size": "full", "tol": 1e-2, "eval_every": 10}
    result, _ = ended(tmp_path, steps=5000, **wishes)
    assert result["ended"] == "tol"
    assert result["steps"] < 5000


def test_a_target_loss_ends_it(tmp_path: Path) -> None:
    result, _ = ended(tmp_path, dataset="houses", target_loss=10, eval_every=1, steps=1000)
    assert result["ended"] == "target"
    assert result["train_loss"] <= 10
    assert result["steps"] < 100


def test_a_time_limit_ends_it(tmp_path: Path) -> None:
    wishes = {"dataset": "moons", "model": "mlp", "max_seconds": 0.2, "steps": 10**9, "tensorboard": False}
    session = Session(recipe(tmp_path, **wishes))
    session.start()
    assert finished(session).phase is Phase.ENDED
    assert session.result["ended"] == "time"
    assert 0.2 <= session.result["seconds"] < 5


def test_class_weights_weigh_classes_equally(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    run = run_of(tmp_path, dataset="titanic", val=0, class_weight="balanced", optimizer="lbfgs", l2=0.01, steps=100)
    run.kernel.advance(100)
    rows = run.prepared.train
    assert rows.weight is not None
    for c in (0, 1):
        near(float(rows.weight[rows.y == c].sum()), len(rows) / 2, 1e-9)
    model = LogisticRegression(C=1 / (0.01 * len(rows)), class_weight="balanced", tol=1e-12, max_iter=10_000)
    model.fit(rows.x, rows.y)
    assert np.allclose(run.kernel.parameters().weight[:, 0], model.coef_[0], atol=1e-4)


# The start.


@pytest.mark.parametrize("init", ["zeros", "ones", "uniform", "kaiming"])
def test_every_start_is_drawn_once_for_all_devices(init: Any) -> None:
    shape = Architecture("mlp", 30, 3, (40,), batch_norm=True)
    first, second = init_parameters(shape, init, 1), init_parameters(shape, init, 1)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    module = networks.build(shape, init, 1)
    for name, parameter in module.named_parameters():
        assert np.array_equal(parameter.detach().numpy(), first[name])
    weights = first["hidden0.weight"]
    bound = {"uniform": 1 / np.sqrt(30), "kaiming": np.sqrt(6 / 30)}.get(init)
    if bound is None:
        assert set(weights.ravel()) == {float(init == "ones")}
        assert set(first["hidden0.bias"]) == {float(init == "ones")}
    else:
        assert 0.95 * bound < np.abs(weights).max() <= bound
        near(float(weights.std()), bound / np.sqrt(3), 0.05)
        assert (first["hidden0.bias"] == 0).all() == (init == "kaiming")
        assert not np.array_equal(init_parameters(shape, init, 2)["hidden0.weight"], weights)


def test_a_convex_model_keeps_its_last_weights_and_the_best_ones_beside_them(tmp_path: Path) -> None:
    wishes = {"dataset": "titanic", "epochs": 20, "lr": 2.0, "schedule": "constant", "batch_size": 8}
    run = train(recipe(tmp_path, **wishes)).snapshot().run
    assert run is not None
    pairs = np.fromfile(run / "validation.f64", "<f8").reshape(-1, 2)
    best = load_checkpoint(run / "checkpoints" / "best.safetensors")
    last = load_checkpoint(run / "checkpoints" / "last.safetensors")
    assert best.facts["step"] == pairs[pairs[:, 1].argmin(), 0] < last.facts["step"]
    facts = json.loads((run / "run.json").read_text())
    assert facts["kept_step"] == last.facts["step"]


def test_the_end_of_every_run_is_held_against_the_best_constant(tmp_path: Path) -> None:
    _, sentence = ended(tmp_path, dataset="houses", steps=50)
    assert "baseline (mean) 1,142" in sentence
    _, sentence = ended(tmp_path, dataset="iris", epochs=1)
    assert "baseline (class priors) " in sentence


def test_worse_than_the_mean_is_told_with_a_remedy_that_works(tmp_path: Path) -> None:
    wishes = {"dataset": "houses", "model": "mlp", "steps": 60}
    session = train(recipe(tmp_path, **wishes))
    ending = session.snapshot().ending
    assert ending is not None
    assert "worse than the baseline (mean)" in ending.sentence
    assert session.result["train_loss"] > session.result["baseline_loss"]
    again = train(recipe(tmp_path, **wishes).replace(ending.remedy))
    assert again.result["train_loss"] < again.result["baseline_loss"]


def test_a_ravine_too_long_to_walk_is_told_with_a_remedy_that_works(tmp_path: Path) -> None:
    wishes = {"dataset": "poly", "degree": 9, "steps": 1000}
    session = train(recipe(tmp_path, **wishes))
    ending = session.snapshot().ending
    assert ending is not None
    assert session.result["gap"] > 1e-3
    assert "try --optimizer lbfgs" in ending.sentence
    again = train(recipe(tmp_path, **wishes).replace(ending.remedy))
    assert again.result["gap"] < 1e-3
