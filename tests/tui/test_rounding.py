"""A model that fits its rows exactly: no screen and no command shows a number that is nothing but rounding."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cli import main
from engine.learn.rounded import Rounded
from tests.conftest import facts, losses
from tui.look.ascii import to_ascii
from tui.model.saved_run import read_kept

NOISE = re.compile(r"\d\.?\d*e-(1[3-9]|[2-9]\d)")
TICK = re.compile(r"(^|│)\s*[\d.]+e-\d+ ┤")  # of a logarithmic axis
EXACT = "size,rooms,idle,price\n" + "".join(
    f"{40 + 7 * i % 90},{i % 12},{i * i % 13},{2 * (40 + 7 * i % 90) - 3 * (i % 12)}\n" for i in range(60)
)
VALUES = {
    "dataset": "exact.csv", "target": "price", "pace": "max", "steps": 400, "checkpoint_every": 100, "name": "exact",
}  # fmt: skip


def noise(text: str) -> list[str]:
    """The lines with a number that is rounding."""
    return [line for line in text.splitlines() if NOISE.search(line) and not TICK.search(line)]


async def ended(driver: Any) -> None:
    """Train to the end."""
    await driver.press("space")
    await driver.done()
    await driver.see("done", pane="top")


async def test_no_screen_shows_rounding(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "exact.csv").write_text(EXACT)
    async with drive(values=VALUES) as driver:
        await ended(driver)
        await driver.see("≈ 0", pane="weights")
        await driver.see("Train loss ≈ 0, validation loss ≈ 0 (what is left is rounding)", pane="messages")
        assert not noise(driver.text())
        for _ in driver.app.screen.fit.views:
            for _ in range(4):
                await driver.until(lambda: "looking…" not in driver.text("fit"), "the view")
                assert not noise(driver.text("fit"))
                driver.app.screen.fit.action_move(1)  # to the next metric
                await driver.pilot.pause()
            await driver.press("v")
        while getattr(driver.app.focused, "id", "") != "chart":
            await driver.press("tab")
        await driver.press("enter", "end", "full_stop", *(["comma"] * 5))
        await driver.see("step ", pane="chart")
        assert not noise(driver.text())
        await driver.press("escape")
        for key, word in (("a", "rmse"), ("p", "adds"), ("w", "checkpoints of"), ("G", "All 400"), ("r", "1 run in")):
            await driver.press(key)
            await driver.see(word)
            assert not noise(driver.text()), key
        await driver.until(lambda: "gap" in driver.text("run-facts"), "the facts of the run")
        assert not noise(driver.text())


async def test_a_race_that_all_end_at_zero_shows_none(drive: Any, tmp_path: Path) -> None:
    (tmp_path / "exact.csv").write_text(EXACT)
    async with drive(values={**VALUES, "steps": 2000, "name": None}) as driver:
        await driver.press("N")
        await driver.until(lambda: driver.app.current_mode == "race", "the race")
        await driver.until(lambda: not driver.app.workspace.live and driver.text().count("done") >= 3, "the end")
        await driver.see("≈ 0")
        assert not noise(driver.text())


@pytest.mark.parametrize(
    "line", ["runs", "export exact --format report", "train --recipe runs/exact --name again --plain"]
)
def test_no_command_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exact.csv").write_text(EXACT)
    assert main(["train", "exact.csv", "--target", "price", "--steps", "400", "--name", "exact", "--plain"]) == 0
    assert main(line.split()) == 0
    told = capfd.readouterr()
    reports = [path.read_text() for path in tmp_path.glob("*.md")]
    for text in (told.out, told.err, *reports):
        assert not noise(text)
    assert "≈ 0" in told.out + told.err
    result = facts(tmp_path / "runs" / "exact")["result"]
    assert 0 <= result["train_loss"] < 1e-15
    assert 0 < losses(tmp_path / "runs" / "exact")[-1] < 1e-15, "files keep the number"


def test_with_ascii_only_it_is_a_tilde() -> None:
    assert to_ascii("≈ 0") == "~ 0"


def test_only_what_adds_nothing_is_a_weight_of_rounding() -> None:
    weights = np.array([[1.0], [1e-14], [0.0], [1e-14], [0.3]])
    reach = np.array([1.0, 1.0, 1.0, 1e14, 0.0])  # the fourth is of a feature that is large, the fifth's never varies
    found = Rounded.of(weights, np.array([1e-13]), reach)
    assert found.weights[:, 0].tolist() == [False, True, False, False, False]
    assert found.bias.tolist() == [True]
    assert not Rounded.of(weights, np.array([1e-13]), None).weights.any()


@pytest.mark.parametrize("normalize", ["none", "zscore", "minmax"])
def test_a_kept_run_tells_the_same_weights_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, normalize: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [(i * 37 % 21 / 8 - 1, i * 17 % 13 / 4 - 1, i * 29 % 19 / 8 - 1) for i in range(60)]
    text = "\n".join(f"{a!r},{b!r},{c!r},{2 * a - 3 * b!r}" for a, b, c in rows)
    (tmp_path / "exact.csv").write_text(f"size,rooms,idle,price\n{text}\n")
    line = f"train exact.csv --target price --name exact --steps 2000 --normalize {normalize}"
    assert main(line.split()) == 0
    weights = read_kept(tmp_path / "runs" / "exact").snapshot.weights
    assert weights is not None
    scaled, raw = weights.shown()
    for values, small in ((weights.scaled, scaled.weights), (weights.raw, raw.weights)):
        assert (small | (values == 0))[:, 0].tolist() == [False, False, True], weights
    assert (raw.bias | (weights.bias_raw == 0)).tolist() == [True]
