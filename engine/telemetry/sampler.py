"""A thread that looks at the machine once a second, and what it has seen."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.telemetry.nvidia import GpuSample, NoGpu, Nvidia

Floats = NDArray[np.float64]

INTERVAL = 1.0  # seconds between two looks
KEEP = 3600  # samples kept for the charts: an hour, in about 1 MB


@dataclass(frozen=True)
class Sample:
    """The machine at one moment; None where it does not tell."""

    time: float  # seconds since 1970
    cpu: float | None = None  # percent of all cores, since the sample before
    memory: int | None = None  # bytes in use on the whole machine
    memory_total: int | None = None  # bytes
    own_memory: int | None = None  # bytes that this process holds
    gpus: tuple[GpuSample, ...] = ()


def scalars(sample: Sample) -> dict[str, float]:
    """A sample as TensorBoard scalars by tag: percent, GiB, degrees Celsius, watts. What is not known is left out."""
    values: dict[str, float | None] = {
        "telemetry/cpu": sample.cpu,
        "telemetry/memory_gib": _gib(sample.memory),
        "telemetry/process_gib": _gib(sample.own_memory),
    }
    for gpu in sample.gpus:
        place = f"telemetry/{gpu.name.replace(':', '')}"
        values |= {
            f"{place}/utilisation": gpu.utilisation,
            f"{place}/memory_gib": _gib(gpu.memory),
            f"{place}/temperature": gpu.temperature,
            f"{place}/power": gpu.power,
        }
    return {tag: value for tag, value in values.items() if value is not None}


def _gib(size: int | None) -> float | None:
    return None if size is None else size / 2**30


class Sampler:
    """Looks at the machine while it is started. Any thread may read.

    Args:
        uuids: of the GPUs to look at, by name; see `Nvidia`.
        interval: seconds between two looks.
        keep: samples kept.
        gpus: opens the GPUs; another one in tests.
    """

    def __init__(
        self,
        uuids: Mapping[str, str] | None = None,
        *,
        interval: float = INTERVAL,
        keep: int = KEEP,
        gpus: Callable[[Mapping[str, str] | None], Nvidia] = Nvidia,
    ) -> None:
        self._uuids, self._interval, self._open = uuids, interval, gpus
        self._samples: deque[Sample] = deque(maxlen=keep)
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._nvidia: Nvidia | None = None
        self.problem = ""  # why there are no GPUs

    def start(self) -> None:
        """Begin to look, at once and then at every interval."""
        if self._thread is None:
            self._end.clear()
            self._thread = threading.Thread(target=self._work, name="telemetry", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more; what was seen stays. Does not wait for a driver that hangs."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None

    def __enter__(self) -> Sampler:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def latest(self) -> Sample | None:
        """The newest sample; None before the first."""
        return self._samples[-1] if self._samples else None

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All samples kept, oldest first."""
        return tuple(self._samples.copy())

    def series(self, tag: str) -> tuple[Floats, Floats]:
        """The times (seconds since 1970) and values [n] of a tag of `scalars`, for a chart."""
        points = [(sample.time, values[tag]) for sample in self.samples if tag in (values := scalars(sample))]
        both = np.array(points, np.float64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def _work(self) -> None:
        import psutil

        try:
            self._nvidia = self._open(self._uuids)
        except NoGpu as error:
            self.problem = str(error)
        process = psutil.Process()
        with suppress(psutil.Error, OSError):
            psutil.cpu_percent()  # the first answer is about nothing
        while not self._end.wait(self._interval if self._samples else min(0.1, self._interval)):
            self._samples.append(self._look(process))
        if self._nvidia is not None:
            self._nvidia.close()

    def _look(self, process: object) -> Sample:
        import psutil

        assert isinstance(process, psutil.Process)
        cpu = memory = total = own = None
        with suppress(psutil.Error, OSError):
            cpu = float(psutil.cpu_percent())
            found = psutil.virtual_memory()
            memory, total = int(found.total - found.available), int(found.total)
            own = int(process.memory_info().rss)
        return Sample(time.time(), cpu, memory, total, own, self._nvidia.sample() if self._nvidia is not None else ())


class Feed:
    """Hands every sample on once, to whoever writes it down at its own pace.

    feed = Feed(sampler)
    values = feed.fresh()   # at every publication; {} unless there is a new sample
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._seen: Sample | None = None

    def fresh(self) -> dict[str, float]:
        """The newest sample's scalars by tag; {} where it has been handed on before. At once."""
        latest = self._sampler.latest
        if latest is None or latest is self._seen:
            return {}
        self._seen = latest
        return scalars(latest)
