"""Rows that do not fit on the device: streamed in blocks, with the very losses of rows that lie there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.data.table import Table, fingerprint, numeric
from engine.learn.kernels import placement
from engine.learn.kernels.streaming import Pipe
from engine.training.run import Run
from tests.conftest import made, message, near, prepared_run, recipe

Floats = NDArray[np.float64]
CPU = torch.device("cpu")


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A device with room for next to nothing, and blocks of a few rows."""
    monkeypatch.setattr(placement, "SMALL", 0)
    monkeypatch.setattr(placement, "CHUNK", 600)
    monkeypatch.setattr(placement, "free_memory", lambda _: 1000)
    monkeypatch.setattr(placement, "memory_limit", lambda: (2**40, 2**40))
    return monkeypatch


def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "free_memory", lambda _: 2**40)


def run_of(folder: Path, rows: Table | None = None, **fields: Any) -> Run:
    return prepared_run(recipe(folder, backend="autograd", **fields), made(201) if rows is None else rows)


def streamed(run: Run) -> bool:
    """Whether the run's kernel says that it streams."""
    return any("streamed" in note for note in run.kernel.notes)  # type: ignore[attr-defined]


def classes(rows: int = 90) -> Table:
    """Three classes of unequal size."""
    random = np.random.default_rng(1)
    y = np.repeat([0.0, 1.0, 2.0], [rows // 2, rows // 3, rows - rows // 2 - rows // 3])
    columns = (
        *(numeric(f"x{j}", y * (j - 1) + random.standard_normal(len(y))) for j in range(3)),
        numeric("y", y),
    )
    return Table("classes", "classes", columns, len(y), "y", fingerprint(columns), origin="function", task="multiclass")


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("shuffle", ["full", "blocks", "none"])
@pytest.mark.parametrize("batch", [7, 64])
def test_where_the_rows_lie_changes_no_bit(
    tmp_path: Path, scarce: pytest.MonkeyPatch, precision: str, shuffle: str, batch: int
) -> None:
    fields = {"batch_size": batch, "precision": precision, "shuffle": shuffle, "normalize": "minmax"}
    away = run_of(tmp_path, **fields)
    plenty(scarce)
    here = run_of(tmp_path, **fields)
    assert streamed(away)
    assert not streamed(here)
    wanted = here.kernel.advance(130)
    assert np.array_equal(np.concatenate([away.kernel.advance(n) for n in (1, 40, 89)]), wanted)
    near(away.kernel.evaluate("train"), here.kernel.evaluate("train"), 1e-12 if precision == "float64" else 1e-5)
    assert np.array_equal(away.kernel.parameters().weight, here.kernel.parameters().weight)
    assert away.kernel.outputs("validation").shape == here.kernel.outputs("validation").shape


@pytest.mark.parametrize(
    "fields",
    [
        {"class_weight": "balanced", "batch_size": 8},
        {"model": "mlp", "hidden": "5", "batch_size": 8, "dropout": 0.2},
        {"model": "mlp", "hidden": "5", "batch_size": 8, "batch_norm": True},
    ],
)
def test_classes_their_weights_and_networks(tmp_path: Path, scarce: pytest.MonkeyPatch, fields: dict[str, Any]) -> None:
    away = run_of(tmp_path, classes(), **fields).kernel
    plenty(scarce)
    here = run_of(tmp_path, classes(), **fields).kernel
    assert np.array_equal(away.advance(50), here.advance(50))


@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_all_rows_at_once_are_worked_off_in_pieces(tmp_path: Path, scarce: pytest.MonkeyPatch, optimizer: str) -> None:
    fields = {"batch_size": "full", "optimizer": optimizer, "val": 0}
    away = run_of(tmp_path, **fields)
    plenty(scarce)
    here = run_of(tmp_path, **fields)
    found, wanted = away.kernel.advance(12), here.kernel.advance(12)
    assert streamed(away)
    # Sums of the same terms in another order.
    assert np.allclose(found, wanted, rtol=1e-9, atol=1e-12 * wanted[0])
    mine, other = away.kernel.gradient(), here.kernel.gradient()
    assert np.allclose(mine.weight, other.weight, rtol=1e-6, atol=1e-9 * np.abs(wanted[0]))


def test_a_run_on_all_rows_goes_on_bit_for_bit_where_memory_is_plenty_by_then(
    tmp_path: Path, scarce: pytest.MonkeyPatch
) -> None:
    fields = {"batch_size": "full", "optimizer": "sgd", "val": 0}
    kernel = run_of(tmp_path, **fields).kernel
    kernel.advance(5)
    state = kernel.state()
    wanted = kernel.advance(20)
    plenty(scarce)
    other = run_of(tmp_path, **fields).kernel
    other.restore(state)
    assert np.array_equal(other.advance(20), wanted)


def test_another_batch_size_and_a_state_in_the_middle_of_an_epoch(tmp_path: Path, scarce: pytest.MonkeyPatch) -> None:
    away, other = (run_of(tmp_path, batch_size=8).kernel for _ in range(2))
    plenty(scarce)
    here = run_of(tmp_path, batch_size=8).kernel
    for kernel in (away, here):
        kernel.advance(5)
        kernel.gradient()  # which looks at all rows in between
        kernel.change("batch_size", 13)
    assert np.array_equal(away.advance(9), here.advance(9))
    other.restore(away.state())
    wanted = here.advance(40)
    assert np.array_equal(away.advance(40), wanted)
    assert np.array_equal(other.advance(40), wanted)


def test_rows_that_the_memory_does_not_hold_lie_in_a_file_that_goes_with_them(
    tmp_path: Path, scarce: pytest.MonkeyPatch
) -> None:
    scarce.setattr(placement, "memory_limit", lambda: (1000, 1000))
    scarce.setattr(tempfile, "tempdir", str(tmp_path))
    away = run_of(tmp_path / "a", batch_size=8, precision="float32")
    assert any("temporary file" in note for note in away.kernel.notes)  # type: ignore[attr-defined]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    plenty(scarce)
    here = run_of(tmp_path / "a", batch_size=8, precision="float32")
    assert np.array_equal(away.kernel.advance(60), here.kernel.advance(60))


def test_a_disk_without_room_for_the_file_is_said(tmp_path: Path, scarce: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    scarce.setattr(placement, "memory_limit", lambda: (1000, 1000))
    scarce.setattr(os, "posix_fallocate", full)
    told = message(lambda: run_of(tmp_path, batch_size=8))
    for word in ("No space left", "TMPDIR"):
        assert word in told


def test_batch_norm_over_rows_that_are_not_all_there_is_refused(tmp_path: Path, scarce: pytest.MonkeyPatch) -> None:
    fields = {"model": "mlp", "hidden": "4", "batch_norm": True, "batch_size": "full"}
    told = message(lambda: run_of(tmp_path, **fields))
    for word in ("Batch norm", "--batch-size"):
        assert word in told


def test_divergence_is_found_in_streamed_rows_too(tmp_path: Path, scarce: pytest.MonkeyPatch) -> None:
    away = run_of(tmp_path, batch_size=8, lr=50.0).kernel
    plenty(scarce)
    here = run_of(tmp_path, batch_size=8, lr=50.0).kernel
    wanted = here.advance(500)
    assert len(wanted) < 500
    assert np.array_equal(away.advance(500), wanted)
    assert np.array_equal(away.parameters().weight, here.parameters().weight)


@pytest.mark.parametrize(
    ("size", "free", "host", "home", "words"),
    [
        (2**20, 0, 0, "device", []),
        (10 * 2**30, 40 * 2**30, 0, "device", []),
        (10 * 2**30, 29 * 2**30, 64 * 2**30, "memory", ["10.0 GiB", "29.0 GiB", "cuda:0", "one ahead"]),
        (10 * 2**30, 29 * 2**30, 16 * 2**30, "file", ["TMPDIR", "--shuffle blocks"]),
    ],
)
def test_rows_of_more_than_a_third_of_the_free_memory_are_streamed(
    monkeypatch: pytest.MonkeyPatch, size: int, free: int, host: int, home: str, words: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free, 80 * 2**30))
    monkeypatch.setattr(placement, "memory_limit", lambda: (2**40, host))
    found = placement.decide(size, torch.device("cuda:0"))
    assert found.home == home
    for word in words:
        assert word in found.sentence


@pytest.mark.parametrize("seed", range(5))
def test_a_pipe_gives_the_rows_of_any_order_by_any_steps(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, width = int(random.integers(1, 400)), int(random.integers(1, 9))
    arrays = [random.standard_normal((rows, width)).astype(np.float32), np.arange(rows)]
    batch = int(random.integers(1, 40))
    pipe = Pipe(arrays, batch * int(random.integers(1, 5)), CPU)
    for order in (None, random.permutation(rows), random.permutation(rows), None):
        pipe.order(order)
        start = int(random.integers(0, rows))  # as after a resumption
        while start < rows:
            stop = min(start + batch, rows)
            x, number = pipe.rows(start, stop)
            index = np.arange(start, stop) if order is None else order[start:stop]
            assert np.array_equal(x.numpy(), arrays[0][index])
            assert np.array_equal(number.numpy(), index)
            start = stop
            if random.random() < 0.02:
                break  # an epoch that is left in its middle
    pipe.close()
