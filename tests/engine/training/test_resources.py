"""The forecast of disk and memory: right where it can be checked, silent where a run is small."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.recipe import Recipe
from engine.training import resources as forecasts
from engine.training.resources import Forecast, check, forecast, parameters
from engine.training.run import Run
from tests.conftest import made, message, prepared_run, recipe, train


class Usage(NamedTuple):
    """As shutil.disk_usage gives it."""

    total: int
    used: int
    free: int


def ahead(folder: Path, steps: int, **fields: Any) -> tuple[Forecast, Recipe]:
    """The forecast of a run of so many steps, whose plan is made without them so that nothing large is begun."""
    chosen = recipe(folder, **{"tensorboard": True} | fields)
    run = prepared_run(chosen.replace({"steps": 10}), made(100))
    run.kernel.advance(0)
    return forecast(replace(run.plan, steps=steps, eval_every=max(1, steps // 250)), run.prepared, chosen), chosen


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2 * free, free, free))


@pytest.mark.parametrize("fields", [{"log_every": "all"}, {"log_every": 7}, {"log_every": "auto"}])
def test_the_forecast_is_near_what_a_run_then_takes(tmp_path: Path, fields: dict[str, Any]) -> None:
    fields = {"steps": 20_000, "tensorboard": True, "schedule": "cosine"} | fields
    chosen = recipe(tmp_path, **fields)
    run = prepared_run(chosen, made(100))
    found = forecast(run.plan, run.prepared, chosen)
    folder = train(chosen, made(100)).snapshot().run
    assert folder is not None
    assert (folder / "loss.f64").stat().st_size == found.losses
    events = sum(path.stat().st_size for path in folder.glob("events.out.*"))
    assert found.events == pytest.approx(events, rel=0.2)
    lines = (folder / "evaluations.jsonl").stat().st_size
    assert lines <= found.evaluations < 4 * lines
    assert found.sentences == () == check(found, chosen)


def test_a_long_run_is_told_with_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, 10**12)
    found, chosen = ahead(tmp_path, 2_000_000_000, log_every="all")
    assert found.losses == 16 * 10**9
    assert found.memory >= 1.4 * 10**9
    told = " ".join(check(found, chosen))
    for word in ("16.0 GB", "1.0 TB free", "TensorBoard", "--log-every auto", "2,000,000,000", "memory"):
        assert word in told
    auto, _ = ahead(tmp_path, 2_000_000_000)
    assert auto.events < 10**7


def test_a_run_that_the_disk_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, 3 * 10**9)
    found, chosen = ahead(tmp_path, 2_000_000_000)
    told = message(lambda: check(found, chosen))
    for word in ("16.0 GB", "3.0 GB", "--steps", "--runs", str(tmp_path)):
        assert word in told
    every, chosen = ahead(tmp_path, 2_000_000_000, log_every="all")
    assert "--log-every auto" in message(lambda: check(every, chosen))


@pytest.mark.parametrize("rule", [{"max_seconds": 10}, {"tol": 1e-3}, {"patience": 3}, {"target_loss": 1.0}])
def test_a_run_that_may_end_sooner_is_only_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any]
) -> None:
    disk(monkeypatch, 3 * 10**9)
    found, chosen = ahead(tmp_path, 2_000_000_000, **rule)
    assert "must end before" in check(found, chosen)[-1]


def test_what_an_earlier_part_has_taken_is_not_counted_again(tmp_path: Path) -> None:
    run: Run = prepared_run(recipe(tmp_path, steps=1000), made(100))
    assert forecast(run.plan, run.prepared, run.recipe, done=900).losses == 800
    assert forecast(run.plan, run.prepared, run.recipe, done=2000).losses == 0


def test_checkpoints_count_by_the_size_of_the_model(tmp_path: Path) -> None:
    fields = {"model": "mlp", "hidden": "200,100", "optimizer": "adam", "batch_norm": True}
    run = prepared_run(recipe(tmp_path, steps=1000, checkpoint_every=100, **fields), made(100))
    arrays = run.kernel.parameters().arrays.values()
    assert parameters(run.plan) == sum(array.size for array in arrays)
    run.kernel.advance(1)
    state = sum(array.nbytes for array in run.kernel.state().arrays.values())
    found = forecast(run.plan, run.prepared, run.recipe)
    assert 10 * state <= found.checkpoints <= 60 * state  # ten are kept, each perhaps with the best weights


def test_a_table_that_is_copied_to_a_card_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepared_run(recipe(tmp_path, steps=10), made(100))
    monkeypatch.setattr(forecasts, "LARGE", 100)
    plan = replace(run.plan, device="cuda:0", backend="autograd", batch=10)
    told = " ".join(forecast(plan, run.prepared, run.recipe).sentences)
    assert "on cuda:0" in told
    monkeypatch.setattr(forecasts, "memory_limit", lambda: (1000, 1000))
    cpu = " ".join(forecast(replace(plan, device="cpu"), run.prepared, run.recipe).sentences)
    assert "streamed" in cpu


def test_a_runs_folder_that_is_not_there_yet_lies_on_its_parents_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def usage(path: Path) -> Usage:
        seen.append(path)
        return Usage(10**12, 0, 10**12)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    found = Forecast(1, 1, 1, 1, 1)
    assert check(found, recipe(tmp_path / "a" / "b")) == ()
    assert seen == [tmp_path]


def test_a_large_run_is_told_of_before_it_begins(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasts, "LARGE", 1000)
    answer = cli("train houses --steps 200000 --backend autograd --max-seconds 0.5 --no-tensorboard")
    assert answer.code == 0
    assert "The run will take 1.6 MB" in answer.err
    assert len(answer.out.splitlines()) == 1
    assert "will take" in (Path(answer.out.strip()) / "log.txt").read_text()


def test_a_run_without_room_on_the_disk_does_not_begin(
    cli: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk(monkeypatch, 10**6)
    answer = cli("train houses --steps 2000000")
    assert answer.code == 2
    assert "16.3 MB" in answer.err
    assert not list((tmp_path / "runs").glob("*"))
