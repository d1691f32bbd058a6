"""The normalization race: the same numbers as alone, each racer with its own end, commands for all, valid folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import Cancelled
from engine.learn.kernels.autograd import Autograd
from engine.learn.kernels.spectral import Spectral
from engine.recipe import Recipe, read_toml
from engine.registry.modes import REGISTRY
from engine.runs import predictor
from engine.runs.origin import Origin
from engine.runs.store import list_runs
from engine.training.race import Race
from engine.training.session import Session
from engine.training.snapshot import Phase, Snapshot
from tests.conftest import DEADLINE, environment, facts, finished, losses, made, message, recipe, train, wait_for

LONG = 100_000_000  # steps that no test waits for


def ended(race: Race) -> dict[str, Snapshot]:
    """Wait for the end of all."""
    wait_for(lambda: not race.snapshot().live, "the end of the race")
    assert race.join(DEADLINE)
    return race.snapshots()


def raced(chosen: Recipe, **options: Any) -> dict[str, Snapshot]:
    race = Race(chosen, **options)
    race.start()
    return ended(race)


def folder(now: Snapshot) -> Path:
    assert now.run is not None
    return now.run


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Race]:
    """A race that would take hours; by the slowest backend, so that its losses do not fill the disk."""
    race = Race(recipe(tmp_path, dataset="linear3", backend="autograd", steps=LONG, val=0.2, eval_every=1000))
    yield race
    race.stop()
    assert race.join(DEADLINE)


def going(race: Race, least: int) -> dict[str, Snapshot]:
    """Wait until every racer has taken so many steps."""
    wait_for(lambda: all(now.step >= least for now in race.snapshots().values()), f"{least} steps each")
    return race.snapshots()


@pytest.mark.parametrize(
    "fields",
    [
        {"dataset": "houses", "steps": 3000},
        {"dataset": "linear3", "steps": 700, "batch_size": 9, "val": 0.2, "backend": "compiled"},
        {"dataset": "linear3", "steps": 300, "batch_size": 9, "val": 0.2, "backend": "autograd"},
        {"dataset": "linear3", "steps": 120, "model": "mlp", "hidden": "8", "dropout": 0.3, "backend": "autograd"},
    ],
    ids=["spectral", "compiled", "autograd", "dropout"],
)
def test_every_racer_has_the_losses_and_the_weights_of_the_same_run_alone(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    chosen = recipe(tmp_path, **fields)
    found = raced(chosen)
    assert tuple(found) == REGISTRY.names
    for mode, now in found.items():
        assert now.phase is Phase.ENDED, now.error
        alone = train(recipe(tmp_path / "alone", **fields, normalize=mode)).snapshot()
        assert np.array_equal(losses(folder(now)), losses(folder(alone)))
        mine, other = predictor.load(folder(now)).parameters, predictor.load(folder(alone)).parameters
        assert mine.arrays.keys() == other.arrays.keys()
        assert all(np.array_equal(mine.arrays[name], other.arrays[name]) for name in mine.arrays)
        told, wanted = facts(folder(now)), facts(folder(alone))
        assert told["choices"] | {"runs": ""} == wanted["choices"] | {"runs": ""}  # but for where they lie
        assert told["result"]["ended"] == wanted["result"]["ended"]


def test_with_one_rate_for_all_the_raw_features_diverge_and_the_scaled_ones_arrive(tmp_path: Path) -> None:
    found = raced(recipe(tmp_path, dataset="houses", lr=0.5, steps=2000))
    reasons = {mode: now.ending.reason for mode, now in found.items() if now.ending is not None}
    assert reasons["none"] == "diverged"
    assert reasons["zscore"] == "limit"
    assert found["none"].step < 2000 == found["zscore"].step == found["minmax"].step
    assert {folder(now).name.rpartition("_")[2] for now in found.values()} == set(REGISTRY.names)
    assert all(facts(folder(now))["choices"]["lr"] == 0.5 for now in found.values())


def test_with_an_automatic_rate_every_mode_gets_its_own(tmp_path: Path) -> None:
    found = raced(recipe(tmp_path, dataset="houses", steps=50))
    rates = {now.plan.lr for now in found.values() if now.plan is not None}
    assert len(rates) == len(REGISTRY.names)
    assert all(now.ending is not None and now.ending.reason == "limit" for now in found.values())


def test_a_racer_that_breaks_ends_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advance, broken = Spectral.advance, []

    def breaking(self: Spectral, steps: int) -> Any:
        if not broken or broken[0] is self:
            broken[:] = [self]
            raise RuntimeError("the kernel broke")
        return advance(self, steps)

    monkeypatch.setattr(Spectral, "advance", breaking)
    found = raced(recipe(tmp_path, dataset="linear3", steps=500, backend="spectral"))
    assert "the kernel broke" in found["none"].error
    assert facts(folder(found["none"]))["state"] == "failed"
    for mode in REGISTRY.names[1:]:
        assert (found[mode].phase, found[mode].step) == (Phase.ENDED, 500)


def test_a_name_is_shared_with_the_mode_behind_it(tmp_path: Path) -> None:
    (tmp_path / "runs" / "mine_max").mkdir(parents=True)
    found = raced(recipe(tmp_path, dataset="linear3", steps=20, name="mine"))
    assert folder(found["robust"]).name == "mine_robust"
    assert "There is already a run" in found["max"].error
    assert sum(now.phase is Phase.ENDED for now in found.values()) == 4


def test_it_is_paused_stepped_and_resumed_as_one(long: Race) -> None:
    long.start()
    going(long, 50)
    long.pause()
    wait_for(lambda: long.snapshot().phase is Phase.PAUSED, "a pause")
    rest = {mode: now.step for mode, now in long.snapshots().items()}
    assert all(now.phase is Phase.PAUSED for now in long.snapshots().values())
    wait_for(lambda: all(facts(folder(now))["state"] == "paused" for now in long.snapshots().values()), "on disk")
    long.step()
    wait_for(lambda: all(now.step == rest[mode] + 1 for mode, now in long.snapshots().items()), "one step each")
    same = long.snapshot()
    assert same.phase is Phase.PAUSED
    long.resume()
    going(long, max(rest.values()) + 50)
    long.stop()
    found = ended(long)
    for now in found.values():
        assert now.ending is not None
        assert now.ending.reason == "stopped"
        assert len(losses(folder(now))) == now.step == facts(folder(now))["result"]["steps"]


def test_a_step_begins_a_race_that_is_then_paused(long: Race) -> None:
    long.step()
    wait_for(lambda: long.snapshot().phase is Phase.PAUSED, "a pause")
    assert {now.step for now in long.snapshots().values()} == {1}


def test_stopped_before_the_first_step(tmp_path: Path) -> None:
    race = Race(recipe(tmp_path, steps=5))
    race.stop("interrupted")
    race.start()
    assert {now.phase for now in ended(race).values()} == {Phase.FAILED}
    assert all(isinstance(lane.failure, Cancelled) for lane in race.lanes.values())
    assert not (tmp_path / "runs").exists()


def test_a_changed_rate_is_everybodys_and_replays(tmp_path: Path, long: Race) -> None:
    long.start()
    going(long, 30)
    long.change("lr", 0.01)
    wait_for(lambda: all(now.lr == 0.01 for now in long.snapshots().values()), "the new rate")
    going(long, max(now.step for now in long.snapshots().values()) + 50)
    long.stop()
    for now in ended(long).values():
        kept = read_toml(folder(now))
        assert [event.value for event in kept.events] == [0.01]
        again = train(kept.replace({"steps": now.step})).snapshot()
        assert np.array_equal(losses(folder(again)), losses(folder(now)))
    assert message(lambda: long.change("lr", "auto"))


def test_what_is_shown_is_the_racer_of_the_recipe_and_live_until_all_have_ended(tmp_path: Path) -> None:
    race = Race(recipe(tmp_path, dataset="houses", normalize="none", lr=0.5, steps=50_000, backend="autograd"))
    race.start()
    wait_for(lambda: not race.snapshots()["none"].live, "the end of the one that diverges")
    assert race.own == "none"
    now = race.snapshot()
    assert now.run == race.snapshots()["none"].run
    assert (now.live, now.ending, now.error) == (True, None, "")
    race.stop()
    ended(race)
    end = race.snapshot()
    assert end.ending is not None
    assert end.ending.reason == "diverged"
    assert race.snapshot() is end


def test_the_table_is_read_once_and_may_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.training import opening

    read, load = [], opening.load

    def counted(*given: Any, **options: Any) -> Any:
        read.append(given)
        return load(*given, **options)

    monkeypatch.setattr(opening, "load", counted)
    raced(recipe(tmp_path, dataset="linear3", steps=5))
    assert len(read) == 1
    found = raced(recipe(tmp_path, dataset="no/such/file.csv", steps=5), table=made())
    assert len(read) == 1
    assert all(facts(folder(now))["data"]["target"] == "y" for now in found.values())


def test_what_cannot_be_run_is_told_by_every_racer_and_leaves_no_folder(tmp_path: Path) -> None:
    found = raced(recipe(tmp_path, dataset="houses", target="nothing"))
    assert all(now.phase is Phase.FAILED and "nothing" in now.error for now in found.values())
    assert not (tmp_path / "runs").exists()


def test_a_pace_spreads_it_and_can_be_taken_away(tmp_path: Path) -> None:
    race = Race(recipe(tmp_path, dataset="linear3", steps=400, pace="86400"), paced=True)
    race.start()
    wait_for(lambda: race.snapshot().phase is Phase.TRAINING, "training")
    race.pace(None)
    assert {now.step for now in ended(race).values()} == {400}


def test_a_turn_is_not_counted_as_time_of_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    advance = Autograd.advance

    def slow(self: Autograd, count: int) -> Any:
        clock[0] += 1.0
        return advance(self, count)

    monkeypatch.setattr(Autograd, "advance", slow)
    monkeypatch.setattr("engine.training.stopwatch.time.perf_counter", lambda: clock[0])
    found = raced(recipe(tmp_path, dataset="linear3", steps=200, backend="autograd"))
    total = sum(facts(folder(now))["result"]["seconds"] for now in found.values())
    assert total == pytest.approx(clock[0])


def test_killed_in_the_middle_every_folder_is_whole_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    fields = {
        "dataset": "linear3",
        "batch_size": 9,
        "backend": "autograd",
        "checkpoint_every": 50,
        "schedule": "constant",
    }
    code = (
        "import sys; from engine.training.race import Race; from engine.recipe import Recipe;"
        f"fields = {fields!r} | {{'runs': sys.argv[1], 'tensorboard': False, 'steps': {LONG}}};"
        "race = Race(Recipe().replace(fields)); race.start(); race.join()"
    )
    runs = tmp_path / "runs"
    process = subprocess.Popen([sys.executable, "-c", code, str(runs)], env=environment())
    try:
        wait_for(
            lambda: len(list(runs.glob("*/checkpoints/step-100.safetensors"))) == len(REGISTRY.names),
            "checkpoints of all",
        )
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    found = list_runs(runs)
    assert {run.state for run in found} == {"interrupted"}
    assert {run.normalization for run in found} == set(REGISTRY.names)
    for run in found:
        kept = read_toml(run.path)
        steps = Origin.read(run.path).state.facts["step"] + 40
        resumed = Session(kept.replace({"steps": steps}), origin=Origin.read(run.path))
        resumed.start()
        assert finished(resumed).step == steps
        alone = train(recipe(tmp_path / "alone", **fields, steps=steps, normalize=run.normalization)).snapshot()
        assert np.array_equal(losses(run.path), losses(folder(alone)))
