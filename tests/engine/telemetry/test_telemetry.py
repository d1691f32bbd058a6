"""Telemetry: what the driver and the machine say, and what happens when they say nothing."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.telemetry import Feed, GpuSample, NoGpu, Nvidia, Sample, Sampler, scalars
from tests.conftest import wait_for


class Refused(Exception):
    """NVML's error."""


class Driver:
    """A driver with two GPUs; `refuses` names the questions that it does not answer."""

    NVML_TEMPERATURE_GPU = 0
    NVMLError = Refused

    def __init__(self, *refuses: str) -> None:
        self._refuses = refuses
        self.open = 0

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("nvml") and name in object.__getattribute__(self, "_refuses"):
            raise Refused("Not Supported")
        return object.__getattribute__(self, name)

    def nvmlInit(self) -> None:
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"580.65.06"

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index > 1:
            raise Refused("Invalid Argument")
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:
        return int(uuid[-1])

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"Card {handle}"

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        return SimpleNamespace(gpu=40 + handle)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(used=2**30, total=8 * 2**30)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return 61

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        return 250_500


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Two GPUs that answer everything."""
    return install(monkeypatch, Driver())


def install(monkeypatch: pytest.MonkeyPatch, driver: Any) -> Any:
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return driver


def test_every_gauge_of_every_card(driver: Driver) -> None:
    nvidia = Nvidia(environment={})
    first, second = nvidia.sample()
    assert first == GpuSample("cuda:0", 40.0, 2**30, 8 * 2**30, 61.0, 250.5)
    assert (second.name, second.utilisation) == ("cuda:1", 41.0)
    assert [gpu.title for gpu in nvidia.gpus] == ["Card 0", "Card 1"]
    assert nvidia.driver == "580.65.06"
    nvidia.close()
    assert driver.open == 0


@pytest.mark.parametrize(
    ("environment", "uuids", "titles"),
    [
        ({"CUDA_VISIBLE_DEVICES": "1"}, {}, ["Card 1"]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, {}, ["Card 1", "Card 0"]),
        ({"CUDA_VISIBLE_DEVICES": ""}, {}, []),
        ({"CUDA_VISIBLE_DEVICES": "7,1"}, {}, ["Card 1"]),
        ({"CUDA_VISIBLE_DEVICES": "MIG-0"}, {}, ["Card 0"]),
        ({}, {"cuda:0": "GPU-1"}, ["Card 1"]),
    ],
)
def test_the_cards_are_those_that_cuda_sees(
    driver: Driver, environment: dict[str, str], uuids: dict[str, str], titles: list[str]
) -> None:
    assert [gpu.title for gpu in Nvidia(uuids, environment).gpus] == titles


def test_what_a_card_does_not_tell_is_none_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Driver("nvmlDeviceGetUtilizationRates", "nvmlDeviceGetTemperature"))
    first = Nvidia(environment={}).sample()[0]
    assert (first.utilisation, first.temperature, first.power) == (None, None, 250.5)
    assert "telemetry/cuda0/utilisation" not in scalars(Sample(0.0, gpus=(first,)))


@pytest.mark.parametrize("missing", [None, Driver("nvmlInit")])
def test_without_a_driver_there_are_no_cards_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, missing: Driver | None
) -> None:
    install(monkeypatch, missing)  # None in sys.modules is a module that cannot be imported
    with pytest.raises(NoGpu):
        Nvidia()
    with Sampler(interval=0.01) as sampler:
        found = wait_for(lambda: sampler.latest)
    assert found.gpus == ()
    assert sampler.problem
    assert found.memory > 0


def test_a_driver_that_breaks_while_it_is_watched_ends_nothing(driver: Driver) -> None:
    with Sampler(interval=0.01) as sampler:
        wait_for(lambda: sampler.latest)
        driver._refuses = tuple(name for name in dir(Driver) if name.startswith("nvmlDevice"))
        wait_for(lambda: sampler.latest is not None and sampler.latest.gpus[0].power is None)
        count = len(sampler.samples)
        wait_for(lambda: len(sampler.samples) > count)


def test_samples_become_curves(driver: Driver) -> None:
    with Sampler(interval=0.01, keep=5) as sampler:
        wait_for(lambda: len(sampler.samples) == 5)
    assert driver.open == 0
    before = len(sampler.samples)
    times, power = sampler.series("telemetry/cuda1/power")
    assert (power == 250.5).all()
    assert len(power) == before == 5
    assert (np.diff(times) > 0).all()
    memory = sampler.series("telemetry/process_gib")[1]
    assert (memory > 0.01).all()
    assert len(sampler.series("telemetry/unheard_of")[0]) == 0


def test_a_feed_hands_a_sample_on_once(driver: Driver) -> None:
    sampler = Sampler(interval=60.0)
    feed = Feed(sampler)
    assert feed.fresh() == {}
    with sampler:
        wait_for(lambda: sampler.latest)
        values = feed.fresh()
        assert values["telemetry/cuda0/temperature"] == 61.0
        assert values["telemetry/cuda0/memory_gib"] == 1.0
        assert 0 <= values["telemetry/cpu"] <= 100
        assert feed.fresh() == {}


def test_stopping_twice_and_starting_again_is_no_harm() -> None:
    sampler = Sampler(interval=0.01)
    sampler.stop()
    for _ in range(2):
        sampler.start()
        sampler.start()
        count = len(sampler.samples)
        wait_for(lambda count=count: len(sampler.samples) > count)  # type: ignore[misc]
        sampler.stop()
        sampler.stop()


@pytest.mark.cuda
def test_a_real_card_tells_its_memory() -> None:
    try:
        gpus = Nvidia().sample()
    except NoGpu as error:
        pytest.skip(f"there is no NVIDIA card: {error}")
    assert gpus
    assert gpus[0].memory_total
