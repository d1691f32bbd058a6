"""Interrupted and resumed equals uninterrupted, bit for bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.base.errors import InputError
from engine.recipe import Event, Recipe, build, read_toml
from engine.runs import checkpoint, predictor, report
from engine.runs.folder import read_evaluations, read_facts
from engine.runs.origin import Origin
from engine.runs.store import list_runs
from engine.training.run import Run

CASES: dict[str, dict[str, Any]] = {
    "full batch": {"dataset": "houses", "steps": 400, "normalize": "none", "lr": 0.001},
    "mini-batches": {"dataset": "linear3", "batch_size": 7, "steps": 333, "val": 0.2},
    "classes": {"dataset": "titanic", "steps": 300},
    "many classes": {"dataset": "iris", "steps": 200, "optimizer": "adam", "patience": 500, "min_delta": 0.001},
    "network": {"dataset": "moons", "model": "mlp", "steps": 300, "dropout": 0.2, "batch_norm": True},
    "plateau": {"dataset": "diabetes", "batch_size": 64, "schedule": "plateau", "steps": 400, "lr": 0.1},
    "one-cycle": {
        "dataset": "linear3",
        "batch_size": 10,
        "schedule": "onecycle",
        "steps": 300,
        "optimizer": "nesterov",
    },
    "quasi-Newton": {"dataset": "iris", "optimizer": "lbfgs", "steps": 30},
    "autograd": {"dataset": "linear3", "batch_size": 7, "steps": 333, "val": 0.2, "backend": "autograd"},
    "autograd network": {"dataset": "moons", "model": "mlp", "steps": 150, "backend": "autograd"},
    "steered": {
        "dataset": "linear3",
        "steps": 200,
        "events": [{"step": 50, "field": "lr", "value": 0.01}, {"step": 120, "field": "batch_size", "value": 16}],
    },
}


def begin(recipe: Recipe, origin: Origin | None = None) -> Run:
    run = Run(recipe, origin=origin)
    run.prepare(lambda _: None, lambda: False)
    run.clock(True)
    return run


def finished(run: Run, chunk: int = 1000) -> Path:
    while run.advance(chunk):
        pass
    run.finish("limit")
    assert run.folder is not None
    return run.folder.path


def recipe_of(case: str, runs: Path) -> Recipe:
    wishes = dict(CASES[case])
    events = wishes.pop("events", [])
    recipe = build(wishes | {"runs": str(runs), "checkpoint_every": 50})
    return replace(recipe, events=tuple(Event(**event) for event in events))


def same(one: Path, other: Path) -> None:
    assert (one / "loss.f64").read_bytes() == (other / "loss.f64").read_bytes()
    mine, theirs = predictor.load(one).parameters.arrays, predictor.load(other).parameters.arrays
    for name, array in mine.items():
        assert np.array_equal(array, theirs[name]), name
    assert repr(read_evaluations(one)) == repr(read_evaluations(other))


@pytest.mark.parametrize("case", CASES)
def test_interrupted_many_times_equals_uninterrupted(case: str, tmp_path: Path) -> None:
    recipe = recipe_of(case, tmp_path)
    whole = finished(begin(recipe))
    steps = len(np.fromfile(whole / "loss.f64"))
    run = begin(recipe)
    assert run.folder is not None
    folder = run.folder.path
    for stop in (1, steps // 3, steps // 3 + 11, steps - 2):
        run.advance(stop - run.step)
        run.finish("interrupted")
        assert read_facts(folder)["state"] == "interrupted"
        run = begin(read_toml(folder), Origin.read(folder))
        assert run.step == stop
    assert finished(run, 17) == folder
    same(whole, folder)
    assert read_facts(folder)["result"]["train_loss"] == read_facts(whole)["result"]["train_loss"]


def test_directions_of_quasi_newton_come_out_the_same_after_a_restart(tmp_path: Path) -> None:
    # The length of these vectors is no multiple of what the processor takes at once.
    recipe = build({"dataset": "digits", "model": "mlp", "hidden": "32", "optimizer": "lbfgs", "runs": str(tmp_path)})
    recipe = recipe.replace({"steps": 60, "checkpoint_every": 5})
    whole = finished(begin(recipe))
    run = begin(recipe)
    assert run.folder is not None
    folder = run.folder.path
    for stop in (21, 38):
        run.advance(stop - run.step)
        run.finish("interrupted")
        run = begin(read_toml(folder), Origin.read(folder))
    same(whole, finished(run))
    for step, path in checkpoint.kept(whole).items():
        mine, theirs = checkpoint.load(path), checkpoint.load(checkpoint.kept(folder)[step])
        for name, array in mine.arrays.items():
            assert np.array_equal(array, theirs.arrays[name]), (step, name)


def test_what_was_written_after_the_last_checkpoint_is_taken_back(tmp_path: Path) -> None:
    recipe = recipe_of("mini-batches", tmp_path)
    whole = finished(begin(recipe))
    run = begin(recipe)
    assert run.folder is not None
    run.advance(190)  # the last checkpoint is that of step 150, and the process dies here
    again = begin(recipe, Origin.read(run.folder.path))
    assert again.step == 150
    same(whole, finished(again))


def test_a_finished_run_goes_on_when_it_is_given_more_steps(tmp_path: Path) -> None:
    recipe = recipe_of("mini-batches", tmp_path)
    long = finished(begin(recipe.replace({"schedule": "constant", "eval_every": 20})))
    short = finished(begin(recipe.replace({"schedule": "constant", "eval_every": 20, "steps": 111})))
    more = read_toml(short).replace({"steps": 333})
    same(long, finished(begin(more, Origin.read(short))))
    assert read_toml(short).stopping.steps == 333


def test_a_branch_takes_over_the_past_and_leaves_its_parent_alone(tmp_path: Path) -> None:
    recipe = recipe_of("full batch", tmp_path)
    parent = finished(begin(recipe))
    before = {p.name: p.read_bytes() for p in parent.iterdir() if p.is_file()}
    run = begin(recipe.replace({"steps": 300}), Origin.read(parent, 100, branch=True))
    assert run.step == 100
    run.change("lr", 0.0005)
    child = finished(run)
    assert child != parent
    losses, old = np.fromfile(child / "loss.f64"), np.fromfile(parent / "loss.f64")
    assert np.array_equal(losses[:100], old[:100])
    assert np.isclose(losses[100], old[100], rtol=1e-12)  # of the same weights; from here on steps have another rate
    assert losses[150] != old[150]
    assert {p.name: p.read_bytes() for p in parent.iterdir() if p.is_file()} == before
    assert read_facts(child)["origin"] == {"run": parent.name, "step": 100, "branch": True}


def test_a_checkpoint_that_was_not_kept_is_named_with_those_that_were(tmp_path: Path) -> None:
    parent = finished(begin(recipe_of("full batch", tmp_path)))
    with pytest.raises(InputError, match=r"no checkpoint of step 77; it has 50, 100, 150"):
        Origin.read(parent, 77)


def test_a_run_that_was_killed_before_its_first_checkpoint_says_how_to_begin_anew(tmp_path: Path) -> None:
    run = begin(recipe_of("full batch", tmp_path))
    assert run.folder is not None
    with pytest.raises(InputError, match=f"no checkpoint to resume from; `ravine train --recipe {run.folder.path}`"):
        Origin.read(run.folder.path)


def test_a_changed_table_stops_the_resuming_unless_it_is_allowed(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,y\n" + "".join(f"{i},{2 * i}\n" for i in range(20)))
    wishes = {"dataset": str(table), "target": "y", "features": "a", "types": {"a": "numeric"}, "steps": 50}
    recipe = build(wishes | {"runs": str(tmp_path / "runs")})
    run = begin(recipe)
    run.advance(10)
    run.finish("interrupted")
    assert run.folder is not None
    table.write_text("a,y\n" + "".join(f"{i},{3 * i}\n" for i in range(20)))
    with pytest.raises(InputError, match="has changed since"):
        begin(recipe, Origin.read(run.folder.path))
    assert begin(recipe, Origin.read(run.folder.path, changed_data=True)).step == 10


def test_a_run_goes_on_with_as_many_threads_as_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Another number of threads adds up in another order.
    wishes = {"dataset": "moons", "model": "mlp", "hidden": "600,600", "batch_size": 64, "backend": "autograd"}
    recipe = build(wishes | {"steps": 4, "runs": str(tmp_path)})
    monkeypatch.setattr("engine.learn.plan.available_cores", lambda: 2)
    run = begin(recipe)
    run.advance(2)
    run.finish("interrupted")
    assert run.folder is not None
    folder = run.folder.path
    assert read_facts(folder)["threads"] == 2
    monkeypatch.setattr("engine.learn.plan.available_cores", lambda: 1)
    assert finished(begin(read_toml(folder), Origin.read(folder))) == folder
    assert read_facts(folder)["threads"] == 2
    assert read_toml(folder).device.threads == "auto"


def test_going_on_takes_nothing_back_of_how_a_run_began(tmp_path: Path) -> None:
    recipe = recipe_of("full batch", tmp_path)
    parent = finished(begin(recipe))
    run = Run(recipe.replace({"steps": 300}), command="the first", origin=Origin.read(parent, 100, branch=True))
    run.prepare(lambda _: None, lambda: False)
    folder = finished(run)
    began = read_facts(folder)
    for steps in (320, 350):
        more = Run(read_toml(folder).replace({"steps": steps}), command="a later one", origin=Origin.read(folder))
        more.prepare(lambda _: None, lambda: False)
        finished(more)
    told = read_facts(folder)
    for name in ("created", "command", "origin"):
        assert told[name] == began[name]
    assert told["origin"] == {"run": parent.name, "step": 100, "branch": True}
    assert [part["step"] for part in told["resumed"]] == [300, 320]
    assert [part["command"] for part in told["resumed"]] == ["a later one"] * 2
    assert "Resumed at step 300, 320." in report.markdown(folder)
    newest = list_runs(tmp_path)[0]
    assert newest.path == folder  # the last one that anybody let go on
    assert newest.created == told["resumed"][-1]["time"] > told["created"]


def test_fewer_steps_than_were_taken_are_refused_and_change_nothing(tmp_path: Path) -> None:
    folder = finished(begin(recipe_of("full batch", tmp_path)))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    fewer = read_toml(folder).replace({"steps": 399})
    with pytest.raises(InputError, match="has taken 400 steps already, and 399 are asked for"):
        begin(fewer, Origin.read(folder))
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
