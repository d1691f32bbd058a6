"""How curves are seen: what a key makes of it is the same for every chart."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from engine.base.loss_history import History
from engine.recipe import Event
from engine.training.snapshot import Mark, Phase, Snapshot
from tests.conftest import ROOT, recipe, train
from tui.charts.loss_drawing import whole
from tui.charts.multi_curve import whole as whole_of
from tui.charts.run_curves import RunCurve, Track
from tui.charts.sight import AXES, MARKERS, Sight
from tui.charts.viewport import Viewport
from tui.model.saved_run import read_kept

ALL = Viewport(0.0, 1000.0)
STEPS = st.floats(0.0, 1000.0)


@given(st.booleans(), STEPS, st.sampled_from([Viewport(0.0, 1000.0), Viewport(100.0, 200.0), Viewport(3.0, 7.0)]))
def test_a_key_and_its_opposite_bring_back_what_was_seen(log: bool, anchor: float, window: Viewport) -> None:
    sight = Sight(log_x=log, window=window)
    for there, back in (("log_y", "log_y"), ("log_x", "log_x"), ("smooth", "smooth")):
        once = sight.steered(there, ALL, bool(sight.log_y), anchor)
        assert once != sight
        again = once.steered(back, ALL, bool(once.log_y), anchor)
        assert replace(again, log_y=None) == sight
    closer = sight.steered("in", ALL, False, anchor)
    assert closer.window is not None
    assert closer.window.stop - closer.window.start <= max(4.0, (window.stop - window.start) / 2 + 1e-9)
    assert sight.steered("reset", ALL, False, anchor).window is None
    moved = sight.steered("right", ALL, False, anchor)
    assert moved.window is not None
    assert moved.window.start == pytest.approx(window.start + 0.2 * (window.stop - window.start))


@given(STEPS)
def test_zooming_out_ends_with_everything(anchor: float) -> None:
    sight = Sight().steered("in", ALL, False, anchor)
    for _ in range(3):
        sight = sight.steered("out", ALL, False, anchor)
    assert sight.window is None
    assert sight.seen(ALL) == ALL


def test_the_title_says_how_the_axes_are() -> None:
    assert Sight().told(True) == ["log y"]
    sight = Sight(log_x=True, smooth=True, window=ALL)
    assert sight.told(False, "more") == ["linear y", "log x", "more", "raw + smoothed", "zoomed, 0 shows all"]


def test_a_run_alone_and_among_others_has_the_same_steps() -> None:
    history = History()
    history.append(np.linspace(1.0, 0.1, 300))
    alone = whole(Snapshot(Phase.ENDED, step=300, steps=300, history=history), growing=False)
    assert whole_of([RunCurve("a", Style(), MARKERS[0], Track(history), AXES[0])]) == alone


def test_what_is_said_of_curves_stands_in_one_file() -> None:
    found: dict[str, list[str]] = {
        text: [] for text in ("raw + smoothed", "zoomed, 0 shows all", str(MARKERS), str(AXES))
    }
    for path in (ROOT / "tui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Tuple) else getattr(node, "value", "")
            if isinstance(text, str) and text in found:
                found[text].append(path.name)
    assert {text: len(files) for text, files in found.items()} == dict.fromkeys(found, 1)


def test_a_kept_run_has_the_marks_that_it_had_while_it_ran(tmp_path: Path) -> None:
    events = (Event(step=10, field="lr", value=0.05), Event(step=20, field="batch_size", value=25))
    chosen = replace(recipe(tmp_path, dataset="linear3", steps=40, lr=0.1, batch_size=10), events=events)
    now = train(chosen).snapshot()
    assert now.run is not None
    assert now.marks == (Mark.change(10, "lr", 0.05), Mark.change(20, "batch_size", 25))
    assert [mark.rate for mark in now.marks] == [0.05, None]
    assert read_kept(now.run).snapshot.marks == now.marks
    assert now.marks[0].text == "lr 0.05"
