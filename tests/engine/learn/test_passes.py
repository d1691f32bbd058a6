"""Passes over the rows, also where the batch size changes on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.learn.passes import EpochCounter, of_facts, of_plan
from engine.recipe import Event
from engine.registry.rules import SGD
from tests.conftest import recipe, train


def counted(rows: int, sizes: list[tuple[int, int]], steps: int) -> list[float]:
    """Passes after each update, by going through the rows batch by batch: whole ones, and the share of the open one."""
    found, whole, row, batch = [0.0], 0, 0, 0
    for step in range(steps):
        batch = max((one for one in sizes if one[0] <= step), key=lambda one: one[0])[1]
        row += batch
        if row >= rows:
            whole, row = whole + 1, 0
        found.append(whole + row / rows)
    return found


@given(
    st.integers(1, 200),
    st.integers(1, 60),
    st.lists(st.tuples(st.integers(1, 80), st.integers(1, 60)), max_size=4),
)
def test_they_are_those_of_going_through_the_rows(rows: int, first: int, changes: list[tuple[int, int]]) -> None:
    sizes = [(0, first), *sorted(dict(changes).items())]
    found = EpochCounter([(step, -(-rows // size)) for step, size in sizes])
    steps = np.arange(101.0)
    wanted = np.array(counted(rows, sizes, 100))
    # Within a pass one counts updates and the other rows; at most a batch of each change lies between them.
    room = sum(min(1.0, size / rows) for _, size in sizes) * 2
    assert np.abs(found.after(steps) - wanted).max() <= room
    assert found.updates(found.after(steps)) == pytest.approx(steps)


def test_without_a_change_whole_passes_are_exact() -> None:
    found = EpochCounter([(0, 33)])
    assert found.after(np.array([0.0, 33.0, 3300.0])).tolist() == [0.0, 1.0, 100.0]
    assert found.longest == 33


def test_a_run_whose_batch_size_was_changed_tells_of_the_passes_that_it_took() -> None:
    # 160 train rows: 8 batches of 20 are a pass, then 4 of 50 (the last of 10), then one of all.
    changes = [Event(8, "batch_size", 50), Event(16, "batch_size", "full")]
    plan: Any = SimpleNamespace(rows=160, batches=8, rule=SGD)
    facts = {"choices": {"batch_size": 20, "optimizer": SGD.name}, "data": {"rows": {"train": 160}}}
    for found in (of_plan(plan, changes), of_facts(facts, changes)):
        assert found.after(np.array([8.0, 12.0, 16.0, 20.0])).tolist() == [1.0, 2.0, 3.0, 7.0]


def test_the_result_of_such_a_run_has_the_passes_that_it_took(tmp_path: Path) -> None:
    chosen = recipe(tmp_path, dataset="linear3", val=0, batch_size=20, steps=9)
    session = train(replace(chosen, events=(Event(5, "batch_size", 50),)))  # of 100 rows
    assert session.result["epochs"] == 3
    assert session.snapshot().epoch == session.snapshot().epochs == 3


@pytest.mark.parametrize(
    "facts", [{}, {"choices": None}, {"choices": {"batch_size": "x"}, "data": {"rows": {"train": 9}}}]
)
def test_where_nothing_is_known_every_update_is_a_pass(facts: dict[str, Any]) -> None:
    assert of_facts(facts, ()).after(np.array([7.0])).tolist() == [7.0]
