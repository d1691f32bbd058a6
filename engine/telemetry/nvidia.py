"""What NVIDIA's driver says of its GPUs (NVML, the library behind nvidia-smi)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from engine.devices import scope
from engine.telemetry import sentences


class NoGpu(Exception):
    """There is no driver, or it does not answer; the reason in words."""


@dataclass(frozen=True)
class GpuSample:
    """One GPU at one moment. None where the driver does not tell, as for the utilisation of a MIG slice."""

    name: str  # as --device takes it: "cuda:0"
    utilisation: float | None = None  # percent of the last sixth of a second or so in which a kernel ran
    memory: int | None = None  # bytes in use, by every process
    memory_total: int | None = None  # bytes
    temperature: float | None = None  # degrees Celsius
    power: float | None = None  # watts


@dataclass(frozen=True)
class Gpu:
    """A GPU that can be asked."""

    name: str  # "cuda:0"
    title: str
    handle: Any


class Nvidia:
    """The GPUs that CUDA_VISIBLE_DEVICES lets a process see, in its order.

    Args:
        uuids: by name ("cuda:0") the UUIDs that torch gave, which settle which GPU is which; without them the
            environment's numbers are taken in the order of the PCI bus, which is NVML's.
        environment: os.environ.

    Raises:
        NoGpu: the library or the driver is missing, or does not answer.
    """

    def __init__(self, uuids: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None) -> None:
        try:
            import pynvml
        except ImportError as error:
            raise NoGpu(sentences.NO_LIBRARY()) from error
        self._nvml: Any = pynvml
        try:
            pynvml.nvmlInit()
            handles = self._handles(uuids or {}, os.environ if environment is None else environment)
        except pynvml.NVMLError as error:
            raise NoGpu(str(error)) from error
        self.gpus = tuple(Gpu(name, self._title(handle), handle) for name, handle in handles.items())

    def _handles(self, uuids: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, Any]:
        nvml = self._nvml
        if uuids:
            return {name: nvml.nvmlDeviceGetHandleByUUID(uuid) for name, uuid in uuids.items()}
        names = scope.visible(environment)
        if names is None:
            names = tuple(str(i) for i in range(nvml.nvmlDeviceGetCount()))
        found = {}
        for i, name in enumerate(names):
            with suppress(nvml.NVMLError):
                found[f"cuda:{i}"] = (
                    nvml.nvmlDeviceGetHandleByIndex(int(name))
                    if name.isdigit()
                    else nvml.nvmlDeviceGetHandleByUUID(name)
                )
        return found

    def _title(self, handle: Any) -> str:
        title = self._ask(lambda: self._nvml.nvmlDeviceGetName(handle))
        return title.decode() if isinstance(title, bytes) else str(title or sentences.GPU())

    def _ask(self, question: Callable[[], Any]) -> Any:
        """An answer, or None where this GPU or this driver has none."""
        try:
            return question()
        except (self._nvml.NVMLError, AttributeError):
            return None

    @property
    def driver(self) -> str:
        """The driver's version, "580.65.06"; "" unknown."""
        found = self._ask(lambda: self._nvml.nvmlSystemGetDriverVersion())
        return found.decode() if isinstance(found, bytes) else found or ""

    def sample(self) -> tuple[GpuSample, ...]:
        """All GPUs now. Takes some 0.1 ms a GPU; raises nothing."""
        return tuple(self._sample(gpu) for gpu in self.gpus)

    def _sample(self, gpu: Gpu) -> GpuSample:
        nvml, handle = self._nvml, gpu.handle
        rates = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        heat = self._ask(lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        power = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))  # milliwatts
        return GpuSample(
            gpu.name,
            None if rates is None else float(rates.gpu),
            None if memory is None else int(memory.used),
            None if memory is None else int(memory.total),
            None if heat is None else float(heat),
            None if power is None else power / 1000,
        )

    def close(self) -> None:
        """Let go of the driver."""
        self._ask(lambda: self._nvml.nvmlShutdown())
