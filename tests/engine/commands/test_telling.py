"""Plain lines about a run that goes on."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.commands.telling import spacing
from tests.conftest import losses, wait_for

EPOCH = re.compile(r"epoch ([\d,]+) of ([\d,]+): loss (\S+?)(, validation (\S+?))?(, [\d,]+ s to go)?")


@pytest.mark.parametrize(
    ("batches", "steps", "wanted"),
    [
        (33, 3300, 33),
        (33, 33, 33),
        (2, 2000, 2),
        (2, 200_000, 200),
        (1, 1000, 50),
        (1, 100_001, 5000),
        (1, 7, 1),
        (1, 39, 1),
    ],
)
def test_every_epoch_has_a_line_unless_there_are_very_many(batches: int, steps: int, wanted: int) -> None:
    assert spacing(batches, steps) == wanted


def test_a_line_for_each_epoch_with_the_mean_of_its_rows(cli: Callable[..., Any], tmp_path: Path) -> None:
    answer = cli("train --dataset linear3 --batch-size 32 --val 0.2 --epochs 7 --name a --plain")
    assert answer.code == 0
    lines = [found for line in answer.err.splitlines() if (found := EPOCH.fullmatch(line))]
    assert [int(line[1]) for line in lines] == list(range(1, 8))
    assert {line[2] for line in lines} == {"7"}
    assert all(float(line[5]) > 0 for line in lines)
    rows = np.array([32.0, 32.0, 16.0])  # of 80 train rows
    wanted = losses(tmp_path / "runs" / "a").reshape(7, 3) @ rows / 80
    assert [float(line[3]) for line in lines] == pytest.approx(wanted.tolist(), rel=1e-5)


def test_full_batches_have_a_line_now_and_then(cli: Callable[..., Any], tmp_path: Path) -> None:
    answer = cli("train --dataset houses --normalize none --lr 0.0001 --steps 1000 --name a --plain")
    lines = answer.err.splitlines()
    assert len(lines) == 21
    assert lines[0].startswith("step 50 of 1,000: loss ")
    assert float(lines[-2].rpartition(" ")[2]) == pytest.approx(losses(tmp_path / "runs" / "a")[-1], rel=1e-5)


def test_a_run_whose_batch_size_changes_on_the_way_tells_of_steps(cli: Callable[..., Any], tmp_path: Path) -> None:
    cli("train --dataset linear3 --val 0 --batch-size 20 --steps 9 --name a")
    written = (tmp_path / "runs" / "a" / "recipe.toml").read_text()
    change = 'events = [{step = 5, field = "batch_size", value = 50}]'
    (tmp_path / "steered.toml").write_text(written.replace('name = "a"', 'name = "b"').replace("events = []", change))
    answer = cli("train --recipe steered.toml --plain --json")
    assert answer.code == 0, answer.err
    assert answer.err.startswith("step 1 of 9: loss ")
    assert answer.json["epochs"] == 3  # 5 updates of 20 rows, and 4 of 50


def test_a_resumed_run_tells_of_what_is_new(cli: Callable[..., Any]) -> None:
    cli("train --dataset houses --steps 1000 --name a")
    answer = cli("resume a --steps 2000 --plain")
    assert answer.code == 0, answer.err
    assert answer.err.startswith("step 1,100 of 2,000: ")


def test_json_is_silent_unless_lines_are_asked_for(cli: Callable[..., Any]) -> None:
    assert "epoch" not in cli("train --dataset titanic --epochs 2 --json").err
    answer = cli("train --dataset titanic --epochs 2 --json --plain")
    assert answer.err.startswith("epoch 1 of 2: ")
    assert answer.json["epochs"] == 2


def test_where_nobody_looks_a_long_run_tells_of_itself_without_escapes(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    told = tmp_path / "told"
    with told.open("wb") as err:
        started = start("train --dataset titanic --backend autograd --epochs 100000", stderr=err)
        wait_for(lambda: told.read_bytes().startswith(b"epoch "), "a line about an epoch")
        started.process.send_signal(signal.SIGINT)
        _, out, _ = started.end()
    assert EPOCH.fullmatch(told.read_text().partition("\n")[0])
    assert "\x1b" not in told.read_text() + out
    assert b"\r" not in told.read_bytes() + out.encode()


def test_a_short_run_says_only_how_it_ended(cli: Callable[..., Any]) -> None:
    assert cli("train --dataset houses").err.count("\n") == 1
