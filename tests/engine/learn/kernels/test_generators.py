"""Random numbers that a module of one's own draws: kept with a checkpoint, or the promise is taken back in words."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.learn.kernels.contract import Kernel, State
from engine.learn.kernels.generators import find
from engine.learn.kernels.randomness import Masks
from tests.conftest import made, prepared_run, recipe

NOISE = """
import random
import numpy as np
import torch
from torch import nn

GLOBAL = np.random.default_rng(5)
TABLE = {{"one": [random.Random(7)]}}
def _draws(rng):
    while True:
        yield rng.normal()

HIDDEN = _draws(np.random.default_rng(9))

class Noise(nn.Module):
    shared = np.random.RandomState(3)
    def __init__(self, inputs, outputs):
        super().__init__()
        self.inner = nn.Linear(inputs, outputs)
        self.torch = torch.Generator().manual_seed(1)
        self.numpy = np.random.default_rng(2)
        self.calls = 0
    def forward(self, x):
        noise = {noise} if self.training else 0.0
        return self.inner(x) + 0.1 * noise
"""
KEPT = {
    "torch-attribute": "torch.randn(len(x), 1, generator=self.torch)",
    "numpy-attribute": "self.numpy.normal()",
    "class-attribute": "self.shared.normal()",
    "global": "GLOBAL.normal()",
    "in-a-container": "TABLE['one'][0].gauss(0, 1)",
    "torch-process": "torch.randn(len(x), 1)",
    "numpy-process": "np.random.normal()",
    "python-process": "random.gauss(0, 1)",
}


def kernel(folder: Path, name: str) -> Kernel:
    """A kernel as in a new process: the module is imported anew."""
    sys.modules.pop(name, None)
    chosen = recipe(folder, backend="autograd", model=f"{name}:Noise", batch_size=8, optimizer="adam", lr=0.01)
    return prepared_run(chosen, made(101)).kernel


def module(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, noise: str) -> str:
    (folder / f"{name}.py").write_text(NOISE.format(noise=noise))
    monkeypatch.syspath_prepend(folder)
    return name


@pytest.mark.parametrize("where", KEPT)
def test_a_resumed_run_draws_what_the_undisturbed_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    name = module(tmp_path, monkeypatch, f"noise_{where.replace('-', '_')}", KEPT[where])
    wanted = kernel(tmp_path, name).advance(60)
    np.random.seed(99)  # noqa: NPY002 (another state of the process than the first kernel met)
    random.seed(99)
    first = kernel(tmp_path, name)
    losses = first.advance(23)
    state = first.state()
    second = kernel(tmp_path, name)
    second.restore(State(dict(state.arrays), dict(state.facts)))
    assert np.array_equal(np.append(losses, second.advance(37)), wanted)
    assert not any("bit for bit" in note for note in second.notes)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("noise", "words"),
    [
        ("float(next(HIDDEN))", ["random numbers", "attribute"]),
        ("float(np.frombuffer(__import__('os').urandom(1), 'u1')[0])", ["random numbers"]),
        ("float(setattr(self, 'calls', self.calls + 1) or self.calls)", ["calls", "register_buffer"]),
    ],
)
def test_what_a_checkpoint_does_not_hold_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: str, words: list[str]
) -> None:
    name = module(tmp_path, monkeypatch, f"hidden{len(noise)}", noise)
    first = kernel(tmp_path, name)
    first.advance(5)
    second = kernel(tmp_path, name)
    second.restore(first.state())
    told = " ".join(second.notes)  # type: ignore[attr-defined]
    for word in ["not bit for bit", *words]:
        assert word in told
    assert second.step == 5
    assert np.isfinite(second.advance(5)).all()


def test_the_generators_of_the_process_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = module(tmp_path, monkeypatch, "quiet", "np.random.normal() + random.random() + torch.rand(1)")
    trained = kernel(tmp_path, name)
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    torch.manual_seed(1)
    wanted: list[Any] = [np.random.normal(), random.random(), float(torch.rand(1))]  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    torch.manual_seed(1)
    trained.advance(20)
    assert [np.random.normal(), random.random(), float(torch.rand(1))] == wanted  # noqa: NPY002


def test_a_generator_that_is_known_by_two_names_is_kept_once() -> None:
    part = torch.nn.Linear(1, 1)
    part.first = part.second = torch.Generator()  # type: ignore[assignment]
    assert list(find(torch.nn.Sequential(part))) == ["0.first"]


def test_masks_of_another_kind_of_device_are_drawn_anew_and_said() -> None:
    masks = Masks(True, 3, torch.device("cpu"))
    masks.restore(torch.zeros(16, dtype=torch.uint8), 40)  # as an NVIDIA GPU's generator has it: seed and offset
    assert masks.redrawn == 40
    with masks.own():
        first = torch.rand(4)
    again = Masks(True, 3, torch.device("cpu"))
    again.restore(torch.zeros(16, dtype=torch.uint8), 40)
    with again.own():
        assert torch.equal(torch.rand(4), first)
    at_first = Masks(True, 3, torch.device("cpu"))
    begun = at_first.state.clone()
    at_first.restore(torch.zeros(16, dtype=torch.uint8), 0)  # before the first step nothing has been drawn
    assert at_first.redrawn is None
    assert torch.equal(at_first.state, begun)


def test_a_dropout_run_of_a_gpu_goes_on_here(tmp_path: Path) -> None:
    fields = {"backend": "autograd", "model": "mlp", "hidden": "8", "dropout": 0.5, "batch_size": 8}
    first = prepared_run(recipe(tmp_path, **fields), made(101)).kernel
    first.advance(10)
    state = first.state()
    away = State(state.arrays | {"generator": np.zeros(16, np.uint8)}, state.facts)
    second = prepared_run(recipe(tmp_path, **fields), made(101)).kernel
    second.restore(away)
    assert np.isfinite(second.advance(10)).all()
    assert any("step 10" in note and "dropout" in note for note in second.notes)  # type: ignore[attr-defined]
    same = prepared_run(recipe(tmp_path, **fields), made(101)).kernel
    same.restore(state)
    assert not any("other masks" in note for note in same.notes)  # type: ignore[attr-defined]
