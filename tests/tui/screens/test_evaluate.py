"""The evaluation screen, by keyboard only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.look.numbers import figures, fixed

SIZES = [(160, 45), (120, 36)]
TITANIC = {"dataset": "titanic", "pace": "max", "epochs": "10", "batch_size": "256"}


@pytest.mark.parametrize("size", SIZES)
async def test_metrics_stand_beside_their_baselines_and_the_worst_rows_are_listed(
    drive: Any, size: tuple[int, int]
) -> None:
    async with drive(size=size, values=TITANIC) as driver:
        await driver.press("space")
        await driver.done()
        result = json.loads((driver.app.workspace.snapshot.run / "run.json").read_text())["result"]
        await driver.press("a")
        await driver.see("metrics", "shares", "n/a", pane="figures")
        for split in ("train", "validation"):
            for value in result["metrics"][split].values():
                assert fixed(value, 5) in driver.text("figures")
        said = "the model beats the baseline (class priors) in 6 of 6 metrics (n/a: not defined)."
        assert said in " ".join(driver.text("figures").split())
        await driver.see("actual ↓ decided →", "precision", "recall", pane="classes")
        said = f"The positive class is 1, decided from a probability of {result['threshold']:.4g} on."
        assert said in " ".join(driver.text("conditions").split())
        await driver.see("2 parameter tensors healthy", "weight", "bias", pane="conditions")
        await driver.see("the 20 worst of 262 validation rows", "pclass", pane="worst")
        worst = driver.app.screen.evaluation.parts["validation"].worst
        assert [case.loss for case in worst] == sorted((case.loss for case in worst), reverse=True)
        await driver.press("left")
        await driver.see("the 20 worst of 1,047 train rows", pane="worst")
        while driver.app.focused.id != "worst":
            await driver.press("v")
        await driver.press("down")
        case = driver.app.screen.evaluation.parts["train"].worst[1]
        await driver.see(f"{case.place}: pclass {case.values['pclass']}, sex {case.values['sex']}", pane="messages")
        await driver.press("escape")
        await driver.until(lambda: driver.app.current_mode == "train")


async def test_it_is_said_which_way_predictions_are_off(drive: Any, tmp_path: Path) -> None:
    lines = [f"{x},{2 * x + (9 if x % 5 else -40)}" for x in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    async with drive(values={"dataset": "t.csv", "target": "y", "steps": 40, "pace": "max", "lr": 0.1}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("a")
        await driver.see("on average", pane="classes")
        seen = driver.text("classes")
        result = driver.app.screen.evaluation.parts["validation"]
        off = result.predicted - result.target
        assert f"{figures(abs(off.mean()), 4)}  {'too high' if off.mean() > 0 else 'too low'}" in seen


async def test_on_a_small_screen_v_goes_through_the_panes(drive: Any) -> None:
    async with drive(size=(80, 24), values={"pace": "max"}) as driver:
        await driver.press("space")
        await driver.done()
        await driver.press("a")
        await driver.see("mse", "6.1028", "1,142.1", "in 4 of 4", pane="figures")
        for pane, texts in (
            ("classes", ("50 % within", "on average")),
            ("worst", ("the 7 worst of 7 train rows", "size", "age")),
            ("conditions", ("2 parameter tensors healthy",)),
        ):
            await driver.press("v")
            await driver.until(lambda pane=pane: driver.app.focused.id == pane and driver.app.focused.display)
            await driver.see(*texts, pane=pane)


async def test_a_live_run_is_evaluated_as_it_stands(drive: Any) -> None:
    async with drive(values={"dataset": "iris", "pace": "60"}) as driver:
        await driver.press("space")
        await driver.see("● training", pane="top")
        await driver.press("a")
        await driver.see("this run at step", "accuracy", pane="figures")
        first = driver.app.screen.of
        await driver.until(lambda: driver.app.screen.of != first, "a later look")
        await driver.see("setosa", "versicolor", "virginica", pane="classes")


async def test_the_run_under_the_cursor_is_evaluated(drive: Any) -> None:
    async with drive(values={"pace": "max", "steps": "3", "name": "short"}) as driver:
        await driver.press("a")
        await driver.see("There is no trained run yet", pane="figures")
        await driver.press("t", "space")
        await driver.done()
        await driver.until(lambda: driver.app.workspace.set({"name": "long", "steps": "300"}))
        await driver.ready()
        await driver.press("space")
        await driver.until(lambda: "long" in str(driver.app.workspace.snapshot.run))
        await driver.done()
        await driver.press("r")
        await driver.see("2 runs in", pane="run-list")
        await driver.until(lambda: driver.app.screen.runs[0].name == "long")
        await driver.press("down", "a")
        await driver.see("metrics · short", "mse", pane="figures")
        (driver.app.workspace.runs_folder / "short" / "model.safetensors").unlink()
        await driver.press("r", "a")
        await driver.see("model.safetensors", pane="figures")
