"""Who holds the memory of NVIDIA GPUs, by what the driver says (NVML, the library behind nvidia-smi)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from engine.devices import sentences


@dataclass(frozen=True)
class Holder:
    """A process that holds memory of a GPU."""

    pid: int
    memory: int  # bytes; 0 where the driver does not tell
    name: str = ""  # "" where the process cannot be seen from here, as from inside a container
    user: str = ""

    @property
    def words(self) -> str:
        """As a person reads it: "python (pid 4242, user ana) holds 70.1 GiB"."""
        process = self.name or sentences.ANOTHER_PROCESS()
        if not self.memory:
            return sentences.HOLDS_A_PART(process=process, pid=self.pid, user=self.user)
        return sentences.HOLDS(process=process, pid=self.pid, user=self.user, memory=self.memory / 2**30)


@dataclass(frozen=True)
class Occupancy:
    """The memory of a GPU at one moment, in bytes, and who else holds some, the greediest first."""

    free: int
    total: int
    holders: tuple[Holder, ...] = ()

    @property
    def neighbour(self) -> str:
        """The greediest of the other processes in words; "" where there is none that the driver tells of."""
        return self.holders[0].words if self.holders else ""


def known_by(uuid: str) -> str:
    """What the driver calls the UUID that torch gives."""
    return uuid if not uuid or uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"


def neighbour(uuid: str) -> str:
    """The other process that holds most of a GPU's memory, in words; "" where the driver does not tell."""
    held = occupancy({"": uuid}) if uuid else {}
    return held[""].neighbour if held else ""


def occupancy(uuids: Mapping[str, str]) -> dict[str, Occupancy]:
    """The memory of the GPUs that the driver answers for, by name.

    Args:
        uuids: by name ("cuda:0") what the driver knows each by, "GPU-…" or "MIG-…".
    """
    try:
        import pynvml
    except ImportError:
        return {}
    found: dict[str, Occupancy] = {}
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return {}
    try:
        for name, uuid in uuids.items():
            with suppress(pynvml.NVMLError, AttributeError):
                handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
                memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
                found[name] = Occupancy(int(memory.free), int(memory.total), _holders(pynvml, handle))
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return found


def _holders(nvml: Any, handle: Any) -> tuple[Holder, ...]:
    held: dict[int, int] = {}
    for question in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
        with suppress(nvml.NVMLError, AttributeError):
            for process in getattr(nvml, question)(handle):
                held[int(process.pid)] = max(held.get(int(process.pid), 0), int(process.usedGpuMemory or 0))
    held.pop(os.getpid(), None)
    return tuple(_known(pid, held[pid]) for pid in sorted(held, key=lambda pid: -held[pid]))


def _known(pid: int, memory: int) -> Holder:
    import psutil

    try:
        process = psutil.Process(pid)
        return Holder(pid, memory, process.name(), process.username())
    except (psutil.Error, OSError, KeyError):
        return Holder(pid, memory)
