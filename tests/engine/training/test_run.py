"""Whole runs from the command line: the figures of the notes, recovered weights, TensorBoard."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from safetensors import safe_open

from engine.data.builtins import load as built_in
from tests.conftest import DEADLINE, Answer, environment, facts, losses, near, wait_for, write_csv

Cli = Callable[..., Answer]


def test_houses_figures(cli: Cli) -> None:
    answer = cli(
        "train --dataset houses --normalize none --init zeros --lr 0.001 --steps 100001 --precision float64 --json"
    )
    assert answer.code == 0
    told = answer.json
    found = losses(Path(told["run"]))
    assert len(found) == told["steps"] == 100_001
    # The figures of the notes; they are given with 17 and 11 digits, and float64 descent keeps 1e-9 of them.
    near(found[0], 14631.285714285714, 1e-12)
    near(found[5000], 54.610838336, 1e-9)
    near(found[100_000], 11.563633794, 1e-9)
    near(told["optimum_loss"], 6.102774177, 1e-9)
    near(told["lr_bound"], 0.00123203, 1e-5)  # as many digits as are given
    near(told["condition_number"], 141_217, 1e-5)
    near(told["gap"], (told["train_loss"] - told["optimum_loss"]) / (1142.1224489795918 - told["optimum_loss"]), 1e-9)


def test_scales_figures_and_a_prediction_in_raw_units(cli: Cli) -> None:
    answer = cli("train scales --normalize zscore --std sample --init ones --lr 0.5 --precision float64")
    assert answer.code == 0
    found = losses(Path(answer.out.strip()))
    assert found[:5] == pytest.approx([635.20971, 25.92266, 8.41304, 3.34310, 1.78683], abs=5e-6)  # 5 decimals given
    told = cli("predict last --values 3,2500")
    assert told.code == 0
    near(float(told.out), 36.0, 0, 1e-3)
    by_name = cli("predict last --values", "x2=2500, x1=3")
    assert by_name.out == told.out


def test_scales_under_max(cli: Cli) -> None:
    answer = cli("train scales --normalize max --init ones --lr 0.5 --steps 3 --precision float64")
    near(losses(Path(answer.out.strip()))[0], 609.12256, 0, 5e-6)


def test_scales_diverges_without_normalization_and_its_advice_works(cli: Cli) -> None:
    asked = "train scales --init ones --precision float64"
    answer = cli(f"{asked} --normalize none --lr 0.5")
    assert answer.code == 3
    run = Path(answer.out.strip())
    advice = re.search(r"With --normalize (\w+) .* try --lr (\S+?)\.?$", answer.err.strip())
    assert advice, answer.err
    mode, rate = advice.groups()
    assert "x2" in answer.err
    told = facts(run)
    assert told["state"] == "ended"
    assert told["result"]["ended"] == "diverged"
    kept = np.array(told["result"]["weights_raw"] + [told["result"]["bias_raw"]])
    assert np.isfinite(kept).all()
    kept_losses = losses(run)
    assert len(kept_losses) == told["result"]["steps"] + 1
    assert np.isfinite(kept_losses[:-1]).all()
    # Either half of the advice is followed, the other choices left as they were.
    for changed in (f"--normalize {mode} --lr 0.5", f"--normalize none --lr {rate}"):
        again = cli(f"{asked} {changed}")
        assert again.code == 0, again.err
        after = losses(Path(again.out.strip()))
        assert after[-1] < after[0] / 2


@pytest.mark.parametrize("mode", ["none", "max", "minmax", "zscore", "robust"])
def test_linear3_recovers_least_squares_under_every_normalization(cli: Cli, mode: str) -> None:
    told = cli(f"train linear3 --normalize {mode} --steps 8000 --json").json
    table = built_in("linear3")
    x = np.column_stack([*(table[n].numbers for n in ("x1", "x2", "x3")), np.ones(100)])
    wanted = np.linalg.lstsq(x, table["y"].numbers, rcond=None)[0]
    # After 8000 steps at half the stability bound and κ under 200 the distance has shrunk below rounding.
    assert told["weights_raw"] == pytest.approx(wanted[:3], rel=1e-9)
    near(told["bias_raw"], wanted[3], 1e-9)
    assert told["weights_raw"] == pytest.approx([1.1, 2.2, 3.3], abs=0.2)  # five deviations of 0.1/sqrt(100/12)
    assert told["gap"] < 1e-12


@pytest.mark.parametrize("fields", [[], ["--normalize-target"], ["--normalize", "robust"]])
def test_a_table_of_ones_own_ends_at_least_squares_on_its_train_rows(
    cli: Cli, tmp_path: Path, fields: list[str]
) -> None:
    random = np.random.default_rng(1)
    x = random.standard_normal((10_000, 4)) * [1.0, 50.0, 0.02, 1000.0] + [0.0, 300.0, 1.0, -5000.0]
    y = x @ [3.0, -0.2, 100.0, 0.004] + 7 + random.standard_normal(10_000)
    write_csv(tmp_path / "made.csv", ["a", "b", "c", "d", "amount"], np.column_stack([x, y]))
    answer = cli("train made.csv --target amount --val 0.2 --json", *fields)
    assert answer.code == 0, answer.err
    run = Path(answer.json["run"])
    told = facts(run)["result"]
    rows = facts(run)["data"]["rows"]
    assert rows == {"train": 8000, "validation": 2000, "test": 0}

    from engine.data.prepare import prepare
    from engine.data.sources import load
    from engine.recipe import read_toml

    recipe = read_toml(run)
    prepared = prepare(recipe.data, recipe.normalization, load(recipe.data))
    held = prepared.validation.index
    inside = np.setdiff1d(np.arange(10_000), held)
    assert len(inside) == 8000
    wanted = np.linalg.lstsq(np.column_stack([x, np.ones(10_000)])[inside], y[inside], rcond=None)[0]
    assert [*told["weights_raw"], told["bias_raw"]] == pytest.approx(wanted, rel=1e-6)
    assert told["val_loss"] == pytest.approx(np.mean((x[held] @ wanted[:4] + wanted[4] - y[held]) ** 2), rel=1e-6)

    # The same from the arrays alone, folded by hand.
    with safe_open(run / "model.safetensors", framework="np") as file:
        weight, bias = file.get_tensor("weight")[:, 0], file.get_tensor("bias")[0]
        schema = json.loads(file.metadata()["schema"])
    scale, offset = (np.array(schema["normalizer"][name]) for name in ("scale", "offset"))
    target = schema["target_scale"]
    raw = target["scale"] * weight / scale
    assert raw == pytest.approx(wanted[:4], rel=1e-6)
    near(target["scale"] * bias + target["offset"] - raw @ offset, wanted[4], 1e-6)


def test_mini_batches_of_a_table_with_noise_end_near_least_squares(cli: Cli, tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    x = random.standard_normal((2000, 2))
    y = x @ [2.0, -1.0] + 3  # no noise: the last loss is that of rounding, whatever the batches
    write_csv(tmp_path / "plane.csv", ["a", "b", "y"], np.column_stack([x, y]))
    told = cli("train plane.csv --target y --batch-size 32 --epochs 20 --json").json
    assert [*told["weights_raw"], told["bias_raw"]] == pytest.approx([2.0, -1.0, 3.0], abs=1e-9)
    assert told["epochs"] == 20
    assert told["steps"] == 20 * 50


def test_equal_recipes_give_equal_runs_to_the_last_bit(cli: Cli) -> None:
    asked = "train linear3 --batch-size 7 --init uniform --seed 5 --val 0.3 --steps 500 --json"
    first, second, other = cli(asked).json, cli(asked).json, cli(asked, "--split-seed", "1").json
    one, two, three = (losses(Path(r["run"])) for r in (first, second, other))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)
    for name in ("train_loss", "val_loss", "weights_raw", "bias_raw", "metrics", "gap"):
        assert first[name] == second[name]


def test_the_json_object_has_every_field_and_no_nan(cli: Cli) -> None:
    told = cli("train --steps 5 --json").json
    wanted = """run ended steps epochs seconds steps_per_second backend device train_loss val_loss optimum_loss gap
    metrics features weights_raw bias_raw weights_scaled bias_scaled lr lr_bound condition_number"""
    assert set(wanted.split()) <= set(told)
    assert told["ended"] == "limit"
    assert told["features"] == ["size", "age"]
    assert told["val_loss"] is None
    assert set(told["metrics"]) == {"train", "validation", "test"}
    assert set(told["metrics"]["train"]) >= {"mse", "rmse", "mae", "r2"}
    near(told["metrics"]["train"]["mse"], told["train_loss"], 1e-12)


def test_perfectly_collinear_features_have_no_condition_number_and_still_train(cli: Cli, tmp_path: Path) -> None:
    a = np.arange(1.0, 31)
    write_csv(tmp_path / "twice.csv", ["a", "b", "y"], np.column_stack([a, 2 * a, 5 * a]))
    told = cli("train twice.csv --target y --val 0 --json").json
    assert told["condition_number"] is None
    assert told["ended"] == "limit"
    assert told["train_loss"] < 1e-6


# TensorBoard.


def curve(address: str, run: str, tag: str) -> list[list[float]]:
    query = urlencode({"run": run, "tag": tag})
    return get(f"{address}/data/plugin/scalars/scalars?{query}")  # type: ignore[no-any-return]


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
        return json.load(answer)


def test_tensorboard_itself_shows_the_runs(cli: Cli, tmp_path: Path) -> None:
    for words in ("--name one --steps 300 --log-every all", "--name two --steps 50 --val 0.3 --lr 0.2"):
        assert cli(f"train linear3 {words}").code == 0
    log = tmp_path / "tensorboard.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", "runs", "--port", "0", "--host", "127.0.0.1"]
            + ["--load_fast=false", "--reload_interval=1"],
            cwd=tmp_path,
            env=environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:

        def address() -> str | None:
            assert server.poll() is None, log.read_text()
            found = re.search(r"http://[\w.]+:\d+", log.read_text())
            return found and found.group()

        at = wait_for(address, "TensorBoard's address")
        tags = f"{at}/data/plugin/scalars/tags"
        wait_for(lambda: {"loss/validation"} <= get(tags).get("two", {}).keys(), "TensorBoard has read the runs")
        assert set(get(tags)) == {"one", "two"}
        assert {"loss/train", "learning_rate"} <= get(tags)["one"].keys()
        points = wait_for(lambda: [p for p in [curve(at, "one", "loss/train")] if len(p) == 300], "all points")[0]
        wanted = losses(tmp_path / "runs" / "one")
        assert [step for _, step, _ in points] == list(range(300))
        assert np.array_equal(np.float32([value for _, _, value in points]), np.float32(wanted))  # it keeps float32
        created = facts(tmp_path / "runs" / "one")["created"]
        assert all(created - 1 <= wall <= created + DEADLINE for wall, _, _ in points)
        rate = curve(at, "two", "learning_rate")
        assert rate[0][1:] == [0, pytest.approx(0.2, rel=1e-7)]  # float32
    finally:
        server.terminate()
        server.wait(DEADLINE)
