"""The processor and its memory, known without torch: what this process may use of them, not what is built in."""

from __future__ import annotations

import os
import sys
from functools import cache
from math import ceil
from pathlib import Path

from engine.base.versions import version
from engine.devices import sentences
from engine.devices.info import DeviceInfo, Support

CGROUP = Path("/sys/fs/cgroup")
PROC = Path("/proc")
PCI = Path("/sys/bus/pci/devices")
NVIDIA = "0x10de"  # the maker's number on the PCI bus
DISPLAY = ("0x0300", "0x0302")  # classes of a display controller and of a 3D controller


def cpu() -> DeviceInfo:
    """The processor, which is always usable."""
    cores, why = core_limit()
    title = os.uname().machine
    flags: set[str] = set()
    for line in _lines(PROC / "cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            title = value.strip()
        if name.strip() in ("flags", "Features"):
            flags = set(value.split())
            break
    memory, free = memory_limit()
    return DeviceInfo(
        "cpu",
        f"{title}, {cores} {'core' if cores == 1 else 'cores'}",
        True,
        "usable",
        memory,
        free,
        bf16=_native(flags, "amx_bf16", "avx512_bf16", "bf16"),
        fp16=_native(flags, "amx_fp16", "avx512_fp16", "asimdhp"),
        note=why,
    )


def _native(flags: set[str], *wanted: str) -> Support:
    """torch computes both short formats on every processor; where it lacks the instructions, through float32."""
    return "unknown" if not flags else "native" if flags.intersection(wanted) else "emulated"


def available_cores() -> int:
    """The cores that this process may use: by its affinity, its container's quota, and its Slurm task's share."""
    return core_limit()[0]


def core_limit() -> tuple[int, str]:
    """The cores that this process may use, and a sentence where something gives it fewer than its affinity does."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    least, why = cores, ""
    quota, _, period = (_lines(CGROUP / "cpu.max") or [""])[0].partition(" ")
    if quota.isdigit() and period.strip().isdigit() and int(period) > 0:
        share = max(1, ceil(int(quota) / int(period)))
        if share < least:
            least, why = share, sentences.CONTAINER_CORES(share=share, cores=cores)
    task = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if task.isdigit() and 0 < int(task) < least:
        least, why = int(task), sentences.SLURM_CORES(task=task, cores=cores)
    return least, why


def memory_limit() -> tuple[int, int]:
    """Bytes of memory that this process may use in all, and of them free; the container's limit counts."""
    import psutil

    found = psutil.virtual_memory()
    total, free = int(found.total), int(found.available)
    limit, used = ((_lines(CGROUP / f"memory.{part}") or [""])[0] for part in ("max", "current"))
    if limit.isdigit() and int(limit) < total:
        total = int(limit)
        free = min(free, max(0, total - int(used))) if used.isdigit() else min(free, total)
    return total, free


@cache
def nvidia_driver() -> str:
    """The version of the NVIDIA driver that is loaded, "580.65.06"; "" without one."""
    for word in " ".join(_lines(PROC / "driver/nvidia/version")[:1]).split():
        if word.count(".") and word.replace(".", "").isdigit():
            return word
    return ""


def nvidia_gpu() -> bool:
    """Whether an NVIDIA GPU is in this machine, whatever becomes of it: seen on the bus, or by its driver."""
    if nvidia_driver() or Path("/dev/nvidiactl").exists() or Path("/usr/lib/wsl/lib/libcuda.so.1").exists():
        return True
    return any(
        (_lines(device / "vendor") or [""])[0] == NVIDIA and (_lines(device / "class") or [""])[0].startswith(DISPLAY)
        for device in (PCI.iterdir() if PCI.is_dir() else ())
    )


def accelerator_likely() -> bool:
    """Whether it may be worth asking torch for a device beside the processor. Cheap, and wrong at times."""
    built = version("torch")
    if built is None:
        return False
    if sys.platform == "darwin":
        return os.uname().machine == "arm64"
    return not built.endswith("+cpu") and (nvidia_gpu() or "+xpu" in built or "+rocm" in built)


def _lines(path: Path) -> list[str]:
    """The lines of a small file that the kernel shows; none where it does not."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
