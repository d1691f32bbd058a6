"""Running on a card: recorded steps and memory that runs out, by faked answers; the real thing where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.data.table import Table
from engine.learn.kernels import graphs, memory, numerics, placement
from engine.learn.kernels.contract import Kernel
from engine.learn.kernels.memory import OutOfMemory
from engine.runs.origin import Origin
from engine.training.run import Run
from engine.training.session import Session
from engine.training.snapshot import Phase
from tests.conftest import facts, finished, losses, made, prepared_run, recipe

Floats = NDArray[np.float64]
CARD = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA card that this torch can use")


def run_of(folder: Path, rows: Table | None = None, **fields: Any) -> Run:
    return prepared_run(recipe(folder, backend="autograd", **fields), made(101) if rows is None else rows)


# Recorded steps. The fake below replays a recording by doing its work again, on the places that it was recorded with.


class Graphs:
    """Stands for CUDA's graphs."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def record(self, work: Callable[[], Tensor], device: torch.device) -> tuple[Callable[[], None], Tensor]:
        """As `graphs.record`."""
        for _ in range(graphs.WARM_UP):
            work()
        result = work().clone()  # the recording itself computes nothing; the caller puts back what this changed
        self.recorded += 1

        def replay() -> None:
            self.replayed += 1
            result.copy_(work())

        return replay, result


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Graphs:
    """Let the processor record steps."""
    fake = Graphs()
    monkeypatch.setattr(graphs, "record", fake.record)
    monkeypatch.setattr(graphs, "refusal", lambda _: None)
    return fake


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizer": "sgd"},
        {"optimizer": "momentum", "schedule": "cosine"},
        {"optimizer": "nesterov", "clip": 0.1},
        {"optimizer": "adagrad"},
        {"optimizer": "rmsprop", "l1": 0.01},
        {"optimizer": "adam", "lr": 0.1, "warmup": 10},
        {"optimizer": "adamw", "lr": 0.1, "l2": 0.1},
        {"optimizer": "adam", "model": "mlp", "hidden": "6", "batch_norm": True, "precision": "float64"},
        {"optimizer": "sgd", "batch_size": "full"},
    ],
)
def test_a_recorded_step_takes_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: Graphs, fields: dict[str, Any]
) -> None:
    fields = {"batch_size": 8, "epochs": 20} | fields
    kernel = run_of(tmp_path, **fields).kernel
    found = np.concatenate([kernel.advance(n) for n in (1, 30, 19)])
    assert graph.recorded == 1
    # 81 train rows in batches of 8: the last of an epoch has one row, and is not what was recorded.
    assert graph.replayed == (50 if fields["batch_size"] == "full" else 46)
    monkeypatch.setattr(graphs, "refusal", lambda _: "not wanted")
    plain = run_of(tmp_path, **fields).kernel
    wanted = plain.advance(50)
    assert graph.recorded == 1
    assert np.allclose(found, wanted, rtol=1e-9, atol=1e-12 * wanted[0])
    whole = kernel.parameters().arrays
    for name, array in plain.parameters().arrays.items():
        assert np.allclose(whole[name], array, rtol=1e-7, atol=1e-10), name


def test_chunks_of_recorded_steps_change_no_bit(tmp_path: Path, graph: Graphs) -> None:
    fields = {"batch_size": 8, "optimizer": "adam", "lr": 0.05}
    wanted = run_of(tmp_path, **fields).kernel.advance(60)
    kernel = run_of(tmp_path, **fields).kernel
    first = kernel.advance(23)
    other = run_of(tmp_path, **fields).kernel
    other.restore(kernel.state())
    assert np.array_equal(np.append(first, kernel.advance(37)), wanted)
    assert np.array_equal(other.advance(37), wanted[23:])


def test_a_change_during_the_run_is_recorded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: Graphs
) -> None:
    def steered() -> Floats:
        kernel = run_of(tmp_path, batch_size=8, optimizer="momentum", lr=0.01).kernel
        found = [kernel.advance(5)]
        for field, value in (("lr", 0.02), ("momentum", 0.5), ("batch_size", 16), ("optimizer", "adam")):
            kernel.change(field, value)
            found.append(kernel.advance(5))
        return np.concatenate(found)

    found = steered()
    assert graph.recorded == 4  # a learning rate is read at every step
    monkeypatch.setattr(graphs, "refusal", lambda _: "not wanted")
    wanted = steered()
    assert np.allclose(found, wanted, rtol=1e-9, atol=1e-12 * wanted[0])


def test_what_cannot_be_recorded_is_launched_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: Graphs
) -> None:
    def refuse(work: Callable[[], Tensor], device: torch.device) -> Any:
        work()
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(graphs, "record", refuse)
    kernel = run_of(tmp_path, batch_size=8, optimizer="adam").kernel
    found = kernel.advance(30)
    monkeypatch.setattr(graphs, "refusal", lambda _: "not wanted")
    wanted = run_of(tmp_path, batch_size=8, optimizer="adam").kernel.advance(30)
    assert np.allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "NVIDIA"),
        ({"optimizer": "lbfgs"}, "L-BFGS"),
        ({"model": "mlp", "dropout": 0.1}, "dropout"),
        ({"precision": "fp16"}, "fp16"),
    ],
)
def test_why_steps_are_not_recorded(tmp_path: Path, fields: dict[str, Any], word: str) -> None:
    from dataclasses import replace

    plan = run_of(tmp_path, **fields).plan
    if fields:
        plan = replace(plan, device="cuda:0")
    assert word in str(graphs.refusal(plan))


def test_the_arithmetic_is_explained(tmp_path: Path) -> None:
    from dataclasses import replace

    plan = replace(run_of(tmp_path).plan, device="cuda:0", precision="float32", deterministic=True)
    told = " ".join(numerics.explain(plan))
    for word in ("TF32", "24 bits", "Deterministic"):
        assert word in told
    assert "autocast" in " ".join(numerics.explain(replace(plan, precision="bf16")))
    assert "scaled" in " ".join(numerics.explain(replace(plan, precision="fp16")))
    assert numerics.explain(replace(plan, device="cpu", precision="float64", deterministic=False)) == ()


# Memory that runs out.

GREEDY = """
import torch
from torch import nn

class Greedy(nn.Module):
    most, since = {most}, {since}
    def __init__(self, inputs, outputs):
        super().__init__()
        self.inner = nn.Linear(inputs, outputs)
        self.calls = 0
    def forward(self, x):
        self.calls += self.training
        if self.training and len(x) > self.most and self.calls > self.since:
            raise {error}
        return self.inner(x)
"""
ERRORS = [
    'torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")',
    'RuntimeError("[enforce fail] DefaultCPUAllocator: can\'t allocate memory: you tried to allocate 8 bytes")',
    'MemoryError("numpy")',
]


def greedy(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, **details: Any) -> str:
    """A module that takes no batch of more than `most` rows from the call `since` on."""
    (folder / f"{name}.py").write_text(GREEDY.format(**{"most": 20, "since": 0, "error": ERRORS[0]} | details))
    monkeypatch.syspath_prepend(folder)
    return f"{name}:Greedy"


@pytest.mark.parametrize("number", range(3))
def test_the_largest_batch_that_fits_is_offered_and_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    model = greedy(tmp_path, monkeypatch, f"greedy{number}", error=ERRORS[number], since=10)
    kernel = run_of(tmp_path, model=model, batch_size=50, optimizer="sgd", lr=0.01).kernel
    before = kernel.advance(7)
    kept = kernel.parameters().arrays
    with pytest.raises(OutOfMemory) as caught:
        kernel.advance(40)
    error = caught.value
    assert (error.batch, error.fits, error.step, kernel.step) == (50, 16, 7, 7)
    assert error.remedy == {"batch_size": "16"}
    for word in ("cpu", "50 rows", "--batch-size 16", "step 7"):
        assert word in str(error)
    for name, array in kernel.parameters().arrays.items():
        assert np.array_equal(array, kept[name])
    kernel.change("batch_size", 16)
    assert np.isfinite(kernel.advance(10)).all()
    assert len(before) == 7


def test_a_moment_without_memory_and_a_model_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = greedy(tmp_path, monkeypatch, "large", most=0)
    with pytest.raises(OutOfMemory, match="smaller model") as caught:
        run_of(tmp_path, model=large, batch_size=50).kernel.advance(3)
    assert caught.value.remedy == {}

    kernel = run_of(tmp_path, batch_size=50).kernel
    step = type(kernel)._updates  # type: ignore[attr-defined]

    def once(self: Kernel, count: int) -> Floats:
        monkeypatch.setattr(type(kernel), "_updates", step)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(type(kernel), "_updates", once)
    with pytest.raises(OutOfMemory, match="Resume") as caught:
        kernel.advance(3)
    assert caught.value.remedy == {}
    assert len(kernel.advance(3)) == 3


def test_a_run_that_runs_out_of_memory_is_kept_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = greedy(tmp_path, monkeypatch, "run", since=30)
    chosen = recipe(tmp_path, backend="autograd", model=model, batch_size=50, optimizer="sgd", lr=0.01, steps=200)
    session = Session(chosen, table=made(101))
    session.start()
    end = finished(session)
    assert end.phase is Phase.FAILED
    assert end.ending is not None
    assert end.run is not None
    assert (end.ending.reason, end.ending.remedy, end.ending.remedy_text) == (
        "failed",
        {"batch_size": "16"},
        "batch size 16",
    )
    assert "--batch-size 16" in end.error
    assert facts(end.run)["state"] == "failed"
    kept = losses(end.run)
    origin = Origin.read(end.run)
    assert origin.state.facts["step"] == len(kept) < 200
    further = Run(chosen.replace({"batch_size": "16"}), made(101), origin=origin)
    further.prepare(lambda _: None, lambda: False)
    further.change("batch_size", "16")
    assert not further.advance(200)
    assert further.step == 200


def test_other_errors_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = greedy(tmp_path, monkeypatch, "broken", error='RuntimeError("size mismatch")', most=0)
    with pytest.raises(RuntimeError, match="size mismatch"):
        run_of(tmp_path, model=model, batch_size=50).kernel.advance(3)
    assert not memory.is_exhausted(ValueError("out of memory"))


def test_an_evaluation_takes_fewer_rows_at_once_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(tmp_path, batch_size=8)
    wanted = run.kernel.evaluate("train"), run.kernel.outputs("train")
    seen: list[int] = []
    slices = placement.Resident.slices

    def scarce(self: placement.Resident, size: int) -> Any:
        for rows in slices(self, size):
            seen.append(len(rows[0]))
            if len(rows[0]) > 10:
                raise torch.OutOfMemoryError("CUDA out of memory")
            yield rows

    monkeypatch.setattr(placement.Resident, "slices", scarce)
    assert np.isclose(run.kernel.evaluate("train"), wanted[0], rtol=1e-13)
    assert np.allclose(run.kernel.outputs("train"), wanted[1], rtol=1e-13)
    assert seen[-1] <= 10


@pytest.mark.parametrize(
    ("most", "above", "wanted"), [(16, 50, 16), (100, 50, 32), (17, 64, 16), (1, 2, 1), (0, 9, None), (5, 1, None)]
)
def test_the_search_for_a_batch_that_fits(most: int, above: int, wanted: int | None) -> None:
    def attempt(rows: int) -> None:
        if rows > most:
            raise MemoryError

    assert memory.largest_batch(attempt, above) == wanted


# A real card.


@CARD
@pytest.mark.cuda
@pytest.mark.parametrize("fields", [{"optimizer": "adam", "lr": 0.01}, {"optimizer": "sgd"}, {"batch_size": "full"}])
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_card_records_steps_that_take_the_processors_way(
    tmp_path: Path, fields: dict[str, Any], precision: str
) -> None:
    fields = {"batch_size": 8, "optimizer": "sgd", "precision": precision} | fields
    card = run_of(tmp_path, device="cuda", **fields).kernel
    found = np.concatenate([card.advance(n) for n in (1, 40, 59)])
    assert any("recorded once" in note for note in card.notes)  # type: ignore[attr-defined]
    wanted = run_of(tmp_path, device="cpu", **fields).kernel.advance(100)
    tolerance = 1e-6 if precision == "float64" else 1e-3
    assert np.allclose(found, wanted, rtol=tolerance, atol=1e-6 * wanted[0])


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there are no two NVIDIA GPUs that this torch can use")
@pytest.mark.cuda
def test_the_second_card_takes_the_way_of_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded, streamed and with dropout, and nothing is put on the first card."""
    fields = {"batch_size": 64, "optimizer": "adam", "lr": 0.01, "precision": "float32"}
    for more in ({}, {"model": "mlp", "hidden": "8", "dropout": 0.5}):
        first = run_of(tmp_path, made(5000), **fields, **more, device="cuda:0").kernel.advance(200)
        taken = torch.cuda.memory_allocated(0)
        second = run_of(tmp_path, made(5000), **fields, **more, device="cuda:1").kernel.advance(200)
        assert torch.cuda.memory_allocated(0) <= taken
        assert np.allclose(first, second, rtol=1e-5)
    monkeypatch.setattr(placement, "SMALL", 0)
    monkeypatch.setattr(placement, "free_memory", lambda _: 1000)
    here = run_of(tmp_path, made(5000), **fields, device="cuda:0").kernel.advance(200)
    assert np.array_equal(run_of(tmp_path, made(5000), **fields, device="cuda:1").kernel.advance(200), here)


@CARD
@pytest.mark.cuda
@pytest.mark.parametrize("shuffle", ["full", "none"])
def test_a_card_streams_rows_without_changing_a_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shuffle: str
) -> None:
    fields = {"device": "cuda", "batch_size": 64, "precision": "float32", "shuffle": shuffle}
    here = run_of(tmp_path, made(5000), **fields).kernel.advance(300)
    monkeypatch.setattr(placement, "SMALL", 0)
    monkeypatch.setattr(placement, "CHUNK", 1 << 12)
    monkeypatch.setattr(placement, "free_memory", lambda _: 1000)
    away = run_of(tmp_path, made(5000), **fields).kernel
    assert np.array_equal(away.advance(300), here)


@CARD
@pytest.mark.cuda
def test_a_card_without_room_offers_a_batch_that_fits(tmp_path: Path) -> None:
    free = torch.cuda.mem_get_info()[0]
    torch.cuda.set_per_process_memory_fraction(min(1.0, 2**28 / free))
    try:
        fields = {"model": "mlp", "hidden": "4096,4096", "device": "cuda", "batch_size": 16384, "val": 0}
        kernel = run_of(tmp_path, made(20000), **fields).kernel
        with pytest.raises(OutOfMemory) as caught:
            kernel.advance(3)
        if caught.value.fits:
            kernel.change("batch_size", caught.value.fits)
            assert np.isfinite(kernel.advance(3)).all()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


@CARD
@pytest.mark.cuda
def test_nothing_in_the_loop_waits_for_the_card(tmp_path: Path) -> None:
    kernel = run_of(tmp_path, device="cuda", batch_size=8, optimizer="adam").kernel
    kernel.advance(30)  # recorded by now
    updates = kernel._updates  # type: ignore[attr-defined]
    stack = torch.stack

    def last(*args: Any, **options: Any) -> Tensor:
        torch.cuda.set_sync_debug_mode("default")  # the losses may be waited for, after the last step
        return stack(*args, **options)

    torch.cuda.set_sync_debug_mode("error")
    try:
        torch.stack = last  # type: ignore[assignment]
        assert np.isfinite(updates(5)).all()
    finally:
        torch.stack = stack  # type: ignore[assignment]
        torch.cuda.set_sync_debug_mode("default")
