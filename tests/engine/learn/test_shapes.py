"""The shapes that are told are the shapes that are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.learn.plan import Plan
from engine.learn.shapes import describe
from tests.conftest import prepared_run, recipe


def plan(folder: Path, **fields: Any) -> Plan:
    return prepared_run(recipe(folder, **fields)).plan


def test_the_notes_line(tmp_path: Path) -> None:
    lines = describe(plan(tmp_path, dataset="linear3", precision="float32"), 100)
    assert lines == (
        "inputs [100, 3] float32 cpu @ weights [3, 1] + bias [1] → outputs [100, 1] (bias broadcast over 100 rows)",
        "mse(outputs [100, 1], target [100, 1] float32) → loss []",
    )


def test_one_row_broadcasts_nothing(tmp_path: Path) -> None:
    assert "broadcast" not in " ".join(describe(plan(tmp_path, dataset="linear3"), 1))


def test_softmax_takes_class_numbers(tmp_path: Path) -> None:
    lines = describe(plan(tmp_path, dataset="iris"), 32)
    assert lines[0].startswith("inputs [32, 4] float64 cpu @ weights [4, 3] + bias [3] → outputs [32, 3]")
    assert lines[1] == "cross-entropy(outputs [32, 3], target [32] int64 class numbers) → loss []"


def test_a_network_is_told_layer_by_layer_as_torch_has_it(tmp_path: Path) -> None:
    import torch

    from engine.learn.kernels import networks

    chosen = plan(tmp_path, dataset="moons", model="mlp", hidden="7,5", dropout=0.1, batch_norm=True)
    lines = describe(chosen, 12)
    assert len(lines) == 10
    told = {
        name: size
        for line in lines
        for name, size in re.findall(r"([\w.]+\.(?:weight|bias|scale|shift)) (\[[^]]*\])", line)
    }
    module = networks.build(chosen.architecture, chosen.init, 0).float()
    assert told == {name: str(list(p.shape)) for name, p in module.named_parameters()}
    results: list[str] = []
    for child in module.children():
        child.register_forward_hook(lambda _module, _given, found: results.append(str(list(found.shape))))
    module(torch.zeros(12, 2))
    layers = [line.split("→ ")[1] for line in lines if "@" in line or "batch norm" in line]
    assert [re.search(r"\[[^]]*\]", line)[0] for line in layers] == results  # type: ignore[index]
    assert "relu(hidden0 [12, 7]) → [12, 7]" in lines


@pytest.mark.parametrize(("precision", "word"), [("bf16", "bfloat16"), ("fp16", "float16")])
def test_mixed_precision_is_told(precision: str, word: str, tmp_path: Path) -> None:
    assert word in describe(plan(tmp_path, dataset="linear3", precision=precision), 4)[0]
