"""Which devices there are, and whether they really compute.

Asking torch means importing it, which holds the interpreter for a second, and a driver that misbehaves can hang or
abort: so the question is put in a child process. A device counts as usable only after a real kernel has run on it and
its result has been read back.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache

from engine.errors import InputError

TIMEOUT = 60.0  # seconds; a cold import of torch from a slow disk takes a while


@dataclass(frozen=True)
class DeviceInfo:
    """One device, as the panels and `ravine doctor` show it."""

    name: str  # what --device takes: "cpu", "cuda:0", "mps", "xpu:0"
    title: str  # the maker's name of it
    usable: bool
    verdict: str  # "usable", or the exact reason why not and what to do
    memory: int = 0  # bytes in all; 0 where unknown
    free: int = 0  # bytes not in use
    capability: str = ""  # "sm_90"
    float64: bool = True


def cpu() -> DeviceInfo:
    """The processor, which is always usable; known without torch."""
    cores = available_cores()
    title = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            title = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or a processor that does not name itself: the machine's word will do
    return DeviceInfo("cpu", f"{title}, {cores} {'core' if cores == 1 else 'cores'}", True, "usable")


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def probe(timeout: float = TIMEOUT) -> tuple[DeviceInfo, ...]:
    """Every device, the processor first. Takes a second or two the first time: call it in the background."""
    command = [sys.executable, "-P", "-m", "engine.devices"]  # -P: nothing from the folder that one stands in
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        problem = f"asking torch for its devices took over {timeout:.0f} s; check the driver (nvidia-smi)"
        return (cpu(), DeviceInfo("torch", "PyTorch", False, problem))
    except OSError as error:
        problem = f"PyTorch does not start: {sys.executable}: {error.strerror or error}"
        return (cpu(), DeviceInfo("torch", "PyTorch", False, problem))
    try:
        found = [DeviceInfo(**entry) for entry in json.loads(answer.stdout.strip().splitlines()[-1])]
    except (ValueError, TypeError, IndexError):
        last = (answer.stderr.strip().splitlines() or ["no answer"])[-1]
        return (cpu(), DeviceInfo("torch", "PyTorch", False, f"PyTorch does not start: {last}"))
    return (cpu(), *found)


def resolve(name: str) -> str:
    """The definite device that a recipe's `device` stands for: "cpu", "cuda:0", …

    `auto` is the processor while the models are small enough that it is faster.

    Raises:
        InputError: the device is not there or does not compute, with the reason.
    """
    if name in ("auto", "cpu"):
        return "cpu"
    found = probe()
    exact = name if name == "mps" or ":" in name else f"{name}:0"
    for device in found:
        if device.name == exact:
            if device.usable:
                return exact
            raise InputError(f"The device {exact} ({device.title}) cannot be used: {device.verdict}")
    usable = ", ".join(d.name for d in found if d.usable)
    for device in found:
        if device.name == "torch":
            raise InputError(f"The device {exact} cannot be used: {device.verdict}; usable here: {usable}.")
    raise InputError(f"There is no device {exact} that PyTorch can see; usable here: {usable}.")


def _accelerators() -> list[DeviceInfo]:
    """What torch sees beside the processor. Runs in the child process."""
    import torch

    found = []
    if torch.cuda.is_available():
        built = torch.cuda.get_arch_list()
        found += [_try_cuda(index, built) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(_verdict("mps", "Apple GPU", float64=False))
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found += [_verdict(f"xpu:{i}", torch.xpu.get_device_name(i)) for i in range(torch.xpu.device_count())]
    return found


def _try_cuda(index: int, built: list[str]) -> DeviceInfo:
    import torch

    name = f"cuda:{index}"
    try:
        facts = torch.cuda.get_device_properties(index)
        capability = f"sm_{facts.major}{facts.minor}"
        free, total = torch.cuda.mem_get_info(index)
    except RuntimeError as error:
        return DeviceInfo(name, "CUDA device", False, _first_line(error))
    info = _verdict(name, facts.name, memory=total, free=free, capability=capability)
    if not info.usable and built and capability not in built:
        reason = (
            f"this PyTorch is built for {', '.join(built)}, this card is {capability}: "
            "install a build for it from pytorch.org/get-started"
        )
        return DeviceInfo(name, facts.name, False, reason, total, free, capability)
    return info


def _verdict(
    name: str, title: str, *, memory: int = 0, free: int = 0, capability: str = "", float64: bool = True
) -> DeviceInfo:
    """Run a real kernel and read its result."""
    import torch

    try:
        ones = torch.ones(64, 64, device=name)
        usable = float((ones @ ones).sum().cpu()) == 64.0**3
        verdict = "usable" if usable else "its arithmetic is wrong: check the driver"
    except (RuntimeError, AssertionError) as error:
        usable, verdict = False, _first_line(error)
    return DeviceInfo(name, title, usable, verdict, memory, free, capability, float64)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps([asdict(device) for device in _accelerators()]) + "\n")
