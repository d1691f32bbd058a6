"""GPUs beside the first one, and GPUs that are shared, by faked answers of torch and of the driver."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from engine.devices import DeviceInfo, driver, remedies
from engine.learn import recommend as choosing
from engine.learn import speeds
from engine.learn.kernels import graphs
from engine.learn.kernels.differentiation import Differentiated
from engine.learn.kernels.memory import OutOfMemory
from engine.learn.kernels.streaming import Pipe
from engine.learn.recommend import Recommendation, settle
from engine.learn.speeds import Speed
from tests.conftest import made, message, prepared_run, recipe

GB = 2**30


class Cuda:
    """Stands for torch.cuda of a machine with two GPUs: notes what is done, and which device is current then."""

    def __init__(self) -> None:
        self.current = 0
        self.done: list[tuple[Any, ...]] = []

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take torch.cuda's place."""
        cuda = self

        class Stream:
            def __init__(self, device: torch.device) -> None:
                self.device = device

            def wait_stream(self, other: Any) -> None:
                cuda.note("wait", self, other)

            def wait_event(self, event: Any) -> None:
                cuda.note("wait event", self, event)

        class Event:
            def record(self, stream: Any) -> None:
                cuda.note("record", stream.device)

            def synchronize(self) -> None:
                cuda.note("synchronize")

        class Graph:
            def replay(self) -> None:
                cuda.note("replay")

        @contextmanager
        def device(wanted: torch.device) -> Iterator[None]:
            before, cuda.current = cuda.current, wanted.index
            yield
            cuda.current = before

        @contextmanager
        def stream(wanted: Any) -> Iterator[None]:
            yield

        @contextmanager
        def graph(_: Any, stream: Any = None, capture_error_mode: str = "global") -> Iterator[None]:
            cuda.note("capture", stream.device if stream else torch.device("cuda", 0), capture_error_mode)
            yield

        streams: dict[torch.device, Stream] = {}
        for name, value in {
            "Stream": Stream, "Event": Event, "CUDAGraph": Graph, "device": device, "stream": stream, "graph": graph,
            "current_stream": lambda wanted: streams.setdefault(wanted, Stream(wanted)),
        }.items():  # fmt: skip
            monkeypatch.setattr(torch.cuda, name, value)

    def note(self, *what: Any) -> None:
        """Take an action down, with the device that is current."""
        self.done.append((*what, self.current))


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """torch.cuda of two GPUs that compute nothing."""
    fake = Cuda()
    fake.install(monkeypatch)
    return fake


@pytest.mark.parametrize("index", [0, 1])
def test_a_step_is_recorded_and_replayed_on_the_device_of_the_run(cuda: Cuda, index: int) -> None:
    device, seen = torch.device("cuda", index), list[int]()

    def work() -> torch.Tensor:
        seen.append(cuda.current)
        return torch.zeros(())

    replay, _ = graphs.record(work, device)
    replay()
    assert seen == [index] * (graphs.WARM_UP + 1)
    # A thread that sends rows may wait for the device meanwhile: only this thread's calls may spoil the recording.
    assert ("capture", device, "thread_local", index) in cuda.done
    assert cuda.done[-1] == ("replay", index)
    assert cuda.current == 0


@pytest.mark.parametrize("index", [0, 1])
def test_rows_on_their_way_keep_their_memory_from_others(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch, index: int
) -> None:
    device = torch.device("cuda", index)
    empty, empty_like, held = torch.empty, torch.empty_like, list[tuple[int, Any]]()
    monkeypatch.setattr(torch, "empty", lambda *sizes, dtype, pin_memory: empty(*sizes, dtype=dtype))
    monkeypatch.setattr(torch, "empty_like", lambda like, device: empty_like(like))
    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda self: True)
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda self, stream: held.append((id(self), stream)))
    rows = np.arange(40.0).reshape(20, 2)
    pipe = Pipe([rows], 8, device)
    try:
        assert len({place for place, _ in held}) == 2  # both blocks, before anything is sent
        assert {stream.device for _, stream in held} == {device}
        assert not any(what[0] == "record" for what in cuda.done)
        # What the training stream has let go of may still be in its hands.
        assert any(what[0] == "wait" and what[2].device == device for what in cuda.done)
        pipe.order(np.arange(20)[::-1].copy())
        found = [pipe.rows(start, min(start + 8, 20))[0].clone() for start in (0, 8, 16)]
        assert np.array_equal(np.concatenate([part.numpy() for part in found]), rows[::-1])
        assert all(what[-1] == index for what in cuda.done if what[0] == "synchronize")
    finally:
        pipe.close()


# Which GPU.


CPU = DeviceInfo("cpu", "A processor", True, "usable")
CARDS = tuple(DeviceInfo(f"cuda:{i}", "A card", True, "usable", 80 * GB, 80 * GB, uuid=f"GPU-{i}") for i in range(3))
SLOW = Speed("cpu", "A processor", (1e4, 1e6, 1e8), (1e-6, 1e-4, 1e-2))
FAST = Speed("cuda:0", "A card", (1e4, 1e8), (3e-5, 1e-4))
ANA = driver.Holder(4242, 79 * GB, "python", "ana")
LARGE: dict[str, Any] = {"model": "mlp", "hidden": "300,300", "batch_size": 240, "val": 0}


def of(free: int, *holders: driver.Holder) -> driver.Occupancy:
    return driver.Occupancy(free * GB, 80 * GB, holders)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine with three equal GPUs, measured."""
    monkeypatch.setattr(speeds, "recall", lambda: (SLOW, FAST))
    monkeypatch.setattr(choosing, "accelerator_likely", lambda: True)
    monkeypatch.setattr(choosing, "probe", lambda: (CPU, *CARDS))
    return monkeypatch


def auto(folder: Path, **fields: Any) -> Recommendation:
    chosen = recipe(folder, **LARGE | fields)
    return settle(chosen, prepared_run(chosen.replace({"device": "cpu"}), made(300)).plan)


def test_auto_takes_the_gpu_with_most_free_memory_and_says_why(tmp_path: Path, three: pytest.MonkeyPatch) -> None:
    held = {"cuda:0": of(0, ANA), "cuda:1": of(20), "cuda:2": of(70)}
    three.setattr(driver, "occupancy", lambda uuids: {name: held[name] for name in uuids})
    found = auto(tmp_path)
    assert found.device == "cuda:2"
    for word in ("70.0 of 80.0 GiB", "most free memory of 3", "cuda:0", "python (pid 4242, user ana) holds 79.0 GiB"):
        assert word in found.sentence


def test_auto_stays_on_the_cpu_where_every_gpu_is_full(tmp_path: Path, three: pytest.MonkeyPatch) -> None:
    three.setattr(driver, "occupancy", lambda uuids: {name: of(0, ANA) for name in uuids})
    found = auto(tmp_path)
    assert found.device == "cpu"
    for word in ("cuda:0", "0.0 of 80.0 GiB", "too little", "pid 4242"):
        assert word in found.sentence


def test_without_a_driver_that_answers_what_torch_saw_counts(tmp_path: Path, three: pytest.MonkeyPatch) -> None:
    three.setattr(driver, "occupancy", lambda uuids: {})
    three.setattr(choosing, "probe", lambda: (CPU, replace(CARDS[0], free=GB), replace(CARDS[1], free=9 * GB)))
    assert auto(tmp_path).device == "cuda:1"
    broken = replace(CARDS[0], usable=False, verdict="it is busy.")
    three.setattr(choosing, "probe", lambda: (CPU, broken))
    found = auto(tmp_path)
    assert found.device == "cpu"
    assert "it is busy." in found.sentence
    three.setattr(choosing, "probe", lambda: (CPU, broken, CARDS[2]))
    assert auto(tmp_path).device == "cuda:2"  # its twin does as well


def test_before_anything_was_measured_the_freest_of_all_kinds_is_taken(
    tmp_path: Path, three: pytest.MonkeyPatch
) -> None:
    three.setattr(speeds, "recall", lambda: ())
    held = {"cuda:0": of(10), "cuda:1": of(60), "cuda:2": of(50)}
    three.setattr(driver, "occupancy", lambda uuids: {name: held[name] for name in uuids})
    found = auto(tmp_path, hidden="900,900")
    assert found.device == "cuda:1"
    assert "ravine doctor" in found.sentence


# Who else is there.


class Refused(Exception):
    """NVML's error."""


def nvml(**answers: Any) -> SimpleNamespace:
    """A driver of one GPU that this process and two others share."""

    def refuse(*_: Any) -> Any:
        raise Refused

    def of_uuid(uuid: str) -> int:
        return 0 if uuid == "GPU-1" else refuse()

    found: dict[str, Any] = {
        "NVMLError": Refused, "nvmlInit": lambda: None, "nvmlShutdown": lambda: None,
        "nvmlDeviceGetHandleByUUID": of_uuid,
        "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(free=GB, total=80 * GB),
        "nvmlDeviceGetComputeRunningProcesses": lambda _: [
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=70 * GB),
            SimpleNamespace(pid=os.getppid(), usedGpuMemory=3 * GB),
            SimpleNamespace(pid=2**22 + 1, usedGpuMemory=5 * GB),
        ],
        "nvmlDeviceGetGraphicsRunningProcesses": refuse,
    }  # fmt: skip
    return SimpleNamespace(**found | answers)


def test_the_driver_names_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml())
    found = driver.occupancy({"cuda:0": "GPU-1", "cuda:1": "GPU-gone"})
    assert list(found) == ["cuda:0"]
    assert (found["cuda:0"].free, found["cuda:0"].total) == (GB, 80 * GB)
    first, second = found["cuda:0"].holders
    # One that cannot be seen from here, as from inside a container.
    assert first.words == f"another process (pid {2**22 + 1}) holds 5.0 GiB"
    assert second.pid == os.getppid()
    assert second.name
    assert second.name in second.words
    assert driver.neighbour(driver.known_by("1")) == first.words
    assert driver.neighbour("") == ""


@pytest.mark.parametrize("missing", ["nvmlInit", "nvmlDeviceGetMemoryInfo", "nvmlDeviceGetHandleByUUID"])
def test_a_driver_that_answers_nothing_is_no_harm(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    def refuse(*_: Any) -> Any:
        raise Refused

    monkeypatch.setitem(sys.modules, "pynvml", nvml(**{missing: refuse}))
    assert driver.occupancy({"cuda:0": "GPU-1"}) == {}
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert driver.occupancy({"cuda:0": "GPU-1"}) == {}


def test_a_full_gpu_names_who_holds_it() -> None:
    reason, _ = remedies.explain("CUDA error: out of memory", remedies.Build(), "sm_90", GB, 80 * GB, ANA.words)
    for word in ("1.0 of 80.0 GiB are free", "python (pid 4242, user ana) holds 79.0 GiB"):
        assert word in reason
    assert "pid 4242" in str(OutOfMemory("cuda:0", 3, 64, 32, ANA.words))


# L-BFGS, whose line search looks at gradients as they are.


def test_lbfgs_does_not_clip_and_says_so(tmp_path: Path) -> None:
    run = prepared_run(recipe(tmp_path, optimizer="lbfgs", clip=0.5), made(101))
    (told,) = (sentence for sentence in run.warnings if "--clip" in sentence)
    for word in ("lbfgs", "does not apply", "line search"):
        assert word in told
    assert run.plan.clip is None
    kernel = prepared_run(recipe(tmp_path, backend="autograd", clip=0.5, batch_size="full"), made(101)).kernel
    assert "clip" in message(lambda: kernel.change("optimizer", "lbfgs"))


def test_fp16_shows_lbfgs_the_true_gradient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluations(precision: str) -> tuple[int, float]:
        fields = {"backend": "autograd", "optimizer": "lbfgs", "model": "mlp", "hidden": "8", "precision": precision}
        kernel = prepared_run(recipe(tmp_path, **fields, device="cpu"), made(101)).kernel
        looks, count = Differentiated.loss_and_gradient, 0

        def counted(self: Any, *given: Any) -> Any:
            nonlocal count
            count += 1
            return looks(self, *given)

        with monkeypatch.context() as patched:
            patched.setattr(Differentiated, "loss_and_gradient", counted)
            found = kernel.advance(15)
        return count, float(found[-1] / found[0])

    exact, short = evaluations("float32"), evaluations("fp16")
    assert short[0] <= 3 * exact[0]  # rounding to 11 bits costs some; a gradient 65,536 times too long costs ten times
    assert short[1] < 0.5
