"""The normalization race on its screen, by keyboard only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.registry.modes import REGISTRY
from engine.training.snapshot import Phase, Snapshot
from tui.model.race import Racer, outcome

SIZES = [(160, 45), (80, 24)]
NAMES = ("none", "max", "min-max", "z-score", "robust")


def kept(folder: Path) -> dict[str, dict[str, Any]]:
    """run.json of every run by its normalization."""
    found = [json.loads(path.read_text()) for path in (folder / "runs").glob("*/run.json")]
    return {facts["choices"]["normalize"]: facts for facts in found}


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_races_the_same_choices_under_every_normalization(
    drive: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    async with drive(size, values={"lr": 0.5, "pace": "max", "steps": 2000}) as driver:
        await driver.press("N")
        await driver.see(*NAMES, "κ", pane="racers")
        await driver.see("One learning rate for all: 0.5", pane="race-rule")
        await driver.done()
        await driver.see("diverged", "done", pane="racers")
        await driver.see("Z-score was first within 1 % of the optimum", "diverged", pane="messages")
        await driver.see("loss · log y", "• none", "▴ z-score", "┄┄ optimum", "steps", pane="race-chart")
        await driver.see("Too high for raw features", pane="race-rule")
        await driver.see("race again", "q quit", pane="keys")
    found = kept(tmp_path)
    assert set(found) == set(REGISTRY.names)
    assert found["none"]["result"]["ended"] == "diverged"
    assert found["zscore"]["result"]["ended"] == "limit"
    assert {facts["choices"]["lr"] for facts in found.values()} == {0.5}
    assert "--normalize robust" in found["robust"]["command"]
    assert "--normalize" not in found["zscore"]["command"]


@pytest.mark.parametrize("size", SIZES)
async def test_it_is_paused_gone_on_with_and_stopped_like_a_run(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size, values={"pace": "600", "dataset": "linear3"}) as driver:
        await driver.press("N")
        await driver.see("5 of 5 racing", pane="messages")
        await driver.see("space pause", pane="keys")
        await driver.press("t")
        await driver.see("N race", pane="keys")  # which goes back to it
        await driver.press("N")
        await driver.until(lambda: driver.app.current_mode == "race")
        await driver.press("space")
        await driver.see("5 of 5 paused", pane="messages")
        await driver.see("paused", pane="racers")
        steps = {mode: now.step for mode, now in driver.app.workspace.run.snapshots().items()}
        await driver.press("s")
        await driver.until(
            lambda: all(now.step == steps[mode] + 1 for mode, now in driver.app.workspace.run.snapshots().items())
        )
        await driver.press("space")
        await driver.see("5 of 5 racing", pane="messages")
        await driver.press("x")
        await driver.done()
        await driver.see("stopped", pane="racers")


@pytest.mark.parametrize("size", SIZES)
async def test_the_cursor_tells_why_one_ended_and_enter_opens_it(drive: Any, size: tuple[int, int]) -> None:
    async with drive(size, values={"lr": 0.5, "pace": "max"}) as driver:
        await driver.press("N")
        await driver.done()
        await driver.see("▸", pane="racers")
        await driver.see("none: Diverged at step", pane="messages")
        await driver.press("j", "j", "j")
        await driver.see("z-score: All 1,000 steps are done", pane="messages")
        await driver.press("k", "k", "enter")
        await driver.until(lambda: driver.app.current_mode == "train")
        assert driver.app.workspace.recipe.normalization.normalize == "max"
        assert driver.app.workspace.snapshot.ending.reason == "diverged"
        await driver.press("r")
        await driver.until(lambda: driver.app.current_mode == "runs")


async def test_with_an_automatic_rate_the_screen_says_that_each_has_its_own(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("N")
        await driver.done()
        await driver.see("Learning rate auto: each mode has the one that suits it", pane="race-rule")
        rates = {now.lr for now in driver.app.workspace.run.snapshots().values()}
        assert len(rates) == len(REGISTRY.names)


async def test_a_rate_that_was_changed_on_the_way_is_said_to_be_that_of_all(drive: Any) -> None:
    async with drive(values={"pace": "600"}) as driver:
        await driver.press("N")
        await driver.see("5 of 5 racing", pane="messages")
        await driver.press("right_square_bracket")
        await driver.see("One learning rate for all since step", "0.4475. Too high for raw features", pane="race-rule")


def test_raw_features_are_more_than_one() -> None:
    found = [
        Racer(mode, Snapshot(phase=Phase.ENDED, step=9), {"train_loss": loss, "gap": None})
        for mode, loss in (("none", 3.0), ("zscore", 2.0))
    ]
    assert "z-score came closest" in outcome(tuple(found), {}).lower()
    assert "; raw features are farthest: loss 3 after 9 steps" in outcome(tuple(found), {})
    assert outcome(tuple(found), {"none": 3, "zscore": 5}).startswith("Raw features were first within 1 %")


async def test_on_the_smallest_screen_no_number_is_cut(drive: Any) -> None:
    async with drive((60, 16), values={"pace": "max", "steps": 3}) as driver:
        await driver.press("N")
        await driver.done()
        await driver.see("141,217", pane="racers")
        lines = driver.text("racers").splitlines()
        kappas = [line.split()[-1] for line in lines if "done" in line]
        assert kappas == ["141,217", "669.9", "79.97", "4.575", "6.55"]


async def test_the_axes_and_the_size_of_the_chart_go_by_key(drive: Any) -> None:
    async with drive(values={"pace": "max"}) as driver:
        await driver.press("N")
        await driver.done()
        await driver.see("log y · log x", pane="race-chart")
        await driver.press("L", "l")
        await driver.see("linear y", pane="race-chart")
        assert "log x" not in driver.text("race-chart")
        await driver.press("plus")
        await driver.see("zoomed", pane="race-chart")
        await driver.press("0", "g")
        await driver.until(lambda: not driver.app.screen.listing.display)
        await driver.press("g")
        await driver.until(lambda: driver.app.screen.listing.display)


async def test_a_run_that_is_going_on_is_not_pushed_aside(drive: Any) -> None:
    async with drive(values={"pace": "600"}) as driver:
        await driver.press("space")
        await driver.until(lambda: driver.app.workspace.snapshot and driver.app.workspace.snapshot.step > 1)
        run = driver.app.workspace.run
        await driver.press("N")
        await driver.until(lambda: any("stop it with x" in str(n.message) for n in driver.app._notifications))
        assert driver.app.workspace.run is run
        assert driver.app.current_mode == "train"


@pytest.mark.parametrize("key", ["N", "space"])
async def test_another_race_follows_by_key_and_the_palette_has_it(drive: Any, tmp_path: Path, key: str) -> None:
    async with drive(values={"pace": "max", "steps": 50}) as driver:
        await driver.palette("race", "race")
        await driver.until(lambda: driver.app.current_mode == "race")
        await driver.done()
        first = driver.app.workspace.run
        await driver.see("race again", pane="keys")
        await driver.press(key)
        await driver.until(lambda: driver.app.workspace.run is not first)
        await driver.done()
        assert len(list((tmp_path / "runs").iterdir())) >= 2 * len(REGISTRY.names)


async def test_a_race_that_has_ended_is_shown_again_as_long_as_the_choices_are_the_same(
    drive: Any, tmp_path: Path
) -> None:
    async with drive(values={"pace": "max", "steps": 50}) as driver:
        await driver.press("N")
        await driver.until(lambda: driver.app.current_mode == "race")
        await driver.done()
        first = driver.app.workspace.run
        await driver.press("t")
        await driver.until(lambda: driver.app.current_mode == "train")
        await driver.press("N")
        await driver.until(lambda: driver.app.current_mode == "race")
        await driver.see("race again", pane="keys")
        assert driver.app.workspace.run is first
        await driver.press("t")
        await driver.until(lambda: driver.app.current_mode == "train")
        driver.app.workspace.set({"steps": 60})
        await driver.ready()
        await driver.press("N")
        await driver.until(lambda: driver.app.workspace.run is not first)


async def test_what_cannot_be_run_is_not_raced(drive: Any, tmp_path: Path) -> None:
    async with drive(values={"target": "nothing"}) as driver:
        await driver.press("N")
        await driver.pilot.pause()
        assert driver.app.current_mode == "train"
        assert not (tmp_path / "runs").exists()


async def test_quitting_asks_and_leaves_every_racer_to_be_resumed(drive: Any, tmp_path: Path) -> None:
    async with drive(values={"pace": "600"}) as driver:
        await driver.press("N")
        await driver.see("5 of 5 racing", pane="messages")
        await driver.press("q")
        await driver.until(lambda: len(driver.app.screen_stack) > 1)
        await driver.press("enter")
        await driver.until(lambda: not driver.app.is_running)
    found = kept(tmp_path)
    assert {facts["state"] for facts in found.values()} == {"interrupted"}
    assert len(list((tmp_path / "runs").glob("*/checkpoints/last.safetensors"))) == len(REGISTRY.names)


async def test_the_step_of_arrival_is_the_first_within_one_percent(drive: Any) -> None:
    from tui.model.race import NEAR, arrival, racers

    async with drive(values={"pace": "max"}) as driver:
        await driver.press("N")
        await driver.done()
        for racer in racers(driver.app.workspace.run):
            gaps = [racer.now.facts.gap(loss) for loss in racer.now.history.values().tolist()]
            assert arrival(racer.now) == next((step for step, gap in enumerate(gaps) if gap < NEAR), None)
