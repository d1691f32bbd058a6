"""Which device `auto` stands for: by figures that were measured before, and never by timing a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.analysis.survey import survey
from engine.devices import DeviceInfo
from engine.learn import recommend as choosing
from engine.learn import speeds
from engine.learn.plan import Plan
from engine.learn.recommend import planned, recommend, settle
from engine.learn.speeds import Speed, clock, current, measure, recall, work
from engine.runs.origin import Origin
from engine.training.run import Run
from tests.conftest import fake_python, made, prepared_run, recipe, train

CPU = DeviceInfo("cpu", "A processor", True, "usable")
CARD = DeviceInfo("cuda:0", "A card", True, "usable")
SLOW = Speed("cpu", "A processor", (1e4, 1e6, 1e8), (1e-6, 1e-4, 1e-2))
FAST = Speed("cuda:0", "A card", (1e4, 1e8), (3e-5, 1e-4))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with a card, on which nothing has been measured."""
    monkeypatch.setattr(speeds, "_path", lambda: tmp_path / "cache" / "speeds.json")
    monkeypatch.setattr(choosing, "accelerator_likely", lambda: True)
    monkeypatch.setattr(choosing, "probe", lambda: (CPU, CARD))
    return monkeypatch


def keep(found: Sequence[Speed]) -> None:
    """Lay measurements down as `measure` does."""
    path = speeds._path()
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"speeds": [vars(speed) for speed in found]}))


def plan(folder: Path, hidden: str, batch: int, **fields: Any) -> Plan:
    fields = {"model": "mlp", "hidden": hidden, "batch_size": batch, "val": 0, "device": "cpu"} | fields
    return prepared_run(recipe(folder, **fields), made(300)).plan


def test_times_between_and_beyond_the_measured_ones() -> None:
    assert SLOW.step(1e4) == SLOW.step(10) == 1e-6
    assert SLOW.step(1e5) == pytest.approx(1e-5)
    assert SLOW.step(1e9) == pytest.approx(0.1)
    assert SLOW.step(1e8) == pytest.approx(1e-2)


def test_a_small_step_is_for_the_processor_and_a_large_one_for_the_card(tmp_path: Path) -> None:
    small, large = plan(tmp_path, "8", 10), plan(tmp_path, "300,300", 300)
    assert work(small) == 3 * 10 * (3 * 8 + 8 * 1)
    first, second = recommend(small, (SLOW, FAST)), recommend(large, (SLOW, FAST))
    assert (first.device, second.device) == ("cpu", "cuda:0")
    for found in (first, second):
        for word in ("cpu", "cuda:0", "times as long", "measured"):
            assert word in found.sentence
    assert "1 µs" in first.sentence
    assert "30 µs" in first.sentence


def test_what_cannot_be_compared_stays_on_the_processor(tmp_path: Path) -> None:
    large = plan(tmp_path, "300,300", 300)
    assert recommend(large, ()).device == "cpu"
    assert recommend(large, (SLOW,)).device == "cpu"
    assert recommend(replace(large, backend="spectral"), (SLOW, FAST)).device == "cpu"
    own = replace(large, architecture=replace(large.architecture, family="module", module="a:B"))
    assert recommend(own, (SLOW, FAST)).device == "cpu"
    apple = replace(FAST, device="mps")
    assert recommend(replace(large, precision="float64"), (SLOW, apple)).device == "cpu"
    assert recommend(large, (SLOW, apple)).device == "mps"


def test_auto_takes_the_card_where_it_was_measured_to_be_faster(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    keep([SLOW, FAST])
    large = plan(tmp_path, "300,300", 300)
    assert settle(recipe(tmp_path), large).device == "cuda:0"
    assert settle(recipe(tmp_path, device="cpu"), large) == choosing.Recommendation("cpu")
    assert settle(recipe(tmp_path, backend="compiled"), large).device == "cpu"
    machine.setattr(choosing, "probe", lambda: (CPU, replace(CARD, usable=False, verdict="it is busy")))
    found = settle(recipe(tmp_path), large)
    assert found.device == "cpu"
    assert "ravine doctor" in found.sentence


def test_what_is_told_before_a_run_is_the_device_that_it_will_use(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    keep([SLOW, FAST])
    fields = {"dataset": "linear:rows=1000", "model": "mlp", "batch_size": 500}
    assert survey(recipe(tmp_path, **fields, hidden="300,300")).plan.device == "cuda:0"
    small = survey(recipe(tmp_path, **fields, hidden="8")).plan
    assert (small.device, small.backend) == ("cpu", "compiled")
    assert survey(recipe(tmp_path, dataset="houses")).plan.backend == "spectral"
    assert survey(recipe(tmp_path, dataset="houses", device="cuda:1")).plan.device == "cuda:1"


def test_a_small_run_asks_nobody(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    def never() -> Any:
        raise AssertionError("asked for devices")

    keep([SLOW, FAST])
    machine.setattr(choosing, "probe", never)
    assert settle(recipe(tmp_path), plan(tmp_path, "8", 10)) == choosing.Recommendation("cpu")
    machine.setattr(choosing, "accelerator_likely", lambda: False)
    assert settle(recipe(tmp_path), plan(tmp_path, "300,300", 300)) == choosing.Recommendation("cpu")


def test_before_anything_was_measured_only_a_very_large_step_goes_to_a_card(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    large = plan(tmp_path, "300,300", 300)
    assert settle(recipe(tmp_path), large).device == "cpu"
    found = settle(recipe(tmp_path), plan(tmp_path, "900,900", 300))
    assert found.device == "cuda:0"
    assert "ravine doctor" in found.sentence


def test_the_plan_says_why(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    keep([SLOW, FAST])
    fields = {"model": "mlp", "hidden": "300,300", "batch_size": 240, "val": 0}
    run = prepared_run(recipe(tmp_path, device="cpu", **fields), made(300))
    made_for = planned(recipe(tmp_path, **fields), run.prepared, run.facts)
    assert (made_for.device, made_for.backend) == ("cuda:0", "autograd")
    assert "times as long" in made_for.notes[-1]
    assert planned(run.recipe, run.prepared, run.facts) == run.plan


def test_a_child_measures_and_the_result_is_kept(tmp_path: Path, machine: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"cpu": [[1e4, 1e8], [1e-6, 1e-2]], "cuda:0": [[1e4, 1e8], [3e-5, 1e-4]]})
    machine.setattr(sys, "executable", fake_python(tmp_path, f"echo noise; echo '{answer}'"))
    assert not current((CPU, CARD))
    found = measure((CPU, CARD))
    assert found == recall() == (replace(SLOW, work=(1e4, 1e8), seconds=(1e-6, 1e-2)), FAST)
    assert current((CPU, CARD))
    assert not current((CPU, replace(CARD, title="Another card")))
    assert measure((CPU, replace(CARD, usable=False))) == ()


@pytest.mark.parametrize("script", ["exit 1", "echo '{'", "echo '{\"tpu\": [[1], [1]]}'", "true"])
def test_a_child_that_fails_measures_nothing(tmp_path: Path, machine: pytest.MonkeyPatch, script: str) -> None:
    machine.setattr(sys, "executable", fake_python(tmp_path, script))
    assert measure((CPU, CARD)) == recall() == ()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"speeds": [{"device": "cpu"}]}'])
def test_a_damaged_cache_is_no_cache(tmp_path: Path, machine: pytest.MonkeyPatch, content: str) -> None:
    keep([])
    speeds._path().write_text(content)
    assert recall() == ()


def test_the_real_clock_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(speeds, "SIZES", (("4", 8), ("8", 16)))
    monkeypatch.setattr(speeds, "LONG", 0.001)
    amounts, seconds = clock("cpu")
    assert amounts == [3 * 8 * (16 * 4 + 4), 3 * 16 * (16 * 8 + 8)]
    assert all(0 < s < 1 for s in seconds)
    speeds.main(["nowhere:0", "cpu"])
    assert list(json.loads(capsys.readouterr().out)) == ["cpu"]


def test_a_run_goes_on_where_it_began_though_a_card_is_faster_by_now(
    tmp_path: Path, machine: pytest.MonkeyPatch
) -> None:
    fields = {"model": "mlp", "hidden": "300,300", "batch_size": 240, "val": 0, "steps": 4}
    run = train(recipe(tmp_path, **fields), made(300)).snapshot().run
    assert run is not None
    keep([SLOW, FAST])
    further = Run(recipe(tmp_path, **fields | {"steps": 6}), made(300), origin=Origin.read(run))
    further.prepare(lambda _: None, lambda: False)
    assert further.plan.device == "cpu"
