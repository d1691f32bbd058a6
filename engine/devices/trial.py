"""A real kernel on every device that torch sees. Runs in the child process, the only place where torch is imported.

Every question is put so that a torch which does not know it, or a driver which fails at it, costs that answer alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

from engine.devices import driver, host, remedies, scope, sentences
from engine.devices.info import DeviceInfo, Support
from engine.devices.remedies import Build

SIDE = 64  # of the matrices that are multiplied: the product of two of ones adds up to SIDE ** 3
AMPERE, VOLTA = 80, 70  # the first GPUs with bf16 and with fp16 of their own


@dataclass
class DeviceSurvey:
    """What torch sees before anything is tried."""

    build: Build
    names: list[str] = field(default_factory=list)
    broken: list[DeviceInfo] = field(default_factory=list)  # GPUs that are there but out of torch's reach
    absent: dict[str, str] = field(default_factory=dict)  # by kind of device: why torch sees none


def survey() -> DeviceSurvey:
    """Look at the build and count devices."""
    import torch

    found = DeviceSurvey(_build())
    if torch.cuda.is_available():
        found.names += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    else:
        reason, remedy = _why_no_cuda(found.build)
        found.absent["cuda"] = reason
        if host.nvidia_gpu():
            found.broken.append(DeviceInfo("cuda", "NVIDIA", False, reason, driver=found.build.driver, remedy=remedy))
    if torch.backends.mps.is_available():
        found.names.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found.names += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
    return found


def _build() -> Build:
    import torch

    def ask(question: Any, default: Any) -> Any:
        try:
            return question()
        except (RuntimeError, AttributeError, AssertionError):
            return default

    return Build(
        version=str(ask(lambda: torch.__version__, "")),
        cuda=ask(lambda: torch.version.cuda, None) or "",
        architectures=tuple(ask(torch.cuda.get_arch_list, ())),
        driver_cuda=int(ask(lambda: getattr(torch, "_C")._cuda_getDriverVersion(), 0)),  # noqa: B009 (it has no stub)
        driver=host.nvidia_driver(),
    )


def _why_no_cuda(build: Build) -> tuple[str, str]:
    """Why torch sees no NVIDIA GPU, and what mends it."""
    import torch

    if not build.cuda:
        return remedies.without_cuda(build)
    if scope.visible(os.environ) == ():
        return sentences.HIDDEN(), "unset CUDA_VISIBLE_DEVICES"
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return remedies.explain(error, build)
    return sentences.NO_GPU(), ""


def attempt(name: str, build: Build) -> DeviceInfo:
    """Run a kernel on a device, read its result, and see which number formats it has."""
    try:
        return _attempt(name, build)
    except Exception as error:  # noqa: BLE001 (whatever one device does, the others are tried)
        return DeviceInfo(name, name, False, f"{type(error).__name__}: {remedies.first_line(error)}")


def _attempt(name: str, build: Build) -> DeviceInfo:
    if name.startswith("cuda"):
        return _cuda(name, int(name.partition(":")[2]), build)
    if name == "mps":
        return _tried(DeviceInfo(name, sentences.APPLE_GPU(), False, ""), build, float64=False)
    import torch

    index = int(name.partition(":")[2])
    title = str(torch.xpu.get_device_name(index))
    try:
        facts = torch.xpu.get_device_properties(index)
        info = DeviceInfo(name, title, False, "", int(facts.total_memory))
        return _tried(info, build, float64=bool(getattr(facts, "has_fp64", True)))
    except (RuntimeError, AttributeError):
        return _tried(DeviceInfo(name, title, False, ""), build)


def _cuda(name: str, index: int, build: Build) -> DeviceInfo:
    import torch

    where = scope.note(index, os.environ)
    info = DeviceInfo(name, sentences.NVIDIA_GPU(), False, "", driver=build.driver, note=where)
    title, capability, uuid, free, total = info.title, "", "", 0, 0
    try:
        facts = torch.cuda.get_device_properties(index)
        title, capability = facts.name, f"sm_{facts.major}{facts.minor}"
        uuid, total = str(getattr(facts, "uuid", "")), int(getattr(facts, "total_memory", 0))
        free, total = torch.cuda.mem_get_info(index)
    except RuntimeError as error:
        reason, remedy = remedies.explain(
            error, build, capability, free, total, driver.neighbour(driver.known_by(uuid))
        )
        return DeviceInfo(name, title, False, reason, total, free, capability, driver=build.driver, remedy=remedy)
    uuid = driver.known_by(uuid)
    if "MIG" in title and not where:
        where = sentences.MIG()
    generation = remedies.number(capability)
    return _tried(
        DeviceInfo(
            name, title, False, "", total, free, capability, driver=build.driver, uuid=uuid, note=where,
            bf16="native" if generation >= AMPERE else "emulated",
            fp16="native" if generation >= VOLTA else "emulated",
        ),
        build,
    )  # fmt: skip


def _tried(info: DeviceInfo, build: Build, *, float64: bool = True) -> DeviceInfo:
    """The same device with the verdict of a real, synchronized kernel."""
    import torch

    try:
        ones = torch.ones(SIDE, SIDE, device=info.name)
        right = float((ones @ ones).sum().cpu()) == float(SIDE) ** 3
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason, remedy = remedies.explain(
            error, build, info.capability, info.free, info.memory, driver.neighbour(info.uuid)
        )
        if info.capability and build.architectures and not remedies.serves(build.architectures, info.capability):
            reason, remedy = remedies.incompatible(build, info.capability)
        return replace(info, usable=False, verdict=reason, remedy=remedy, float64=float64)
    if not right:
        return replace(info, usable=False, verdict=sentences.WRONG_ARITHMETIC(), float64=float64)
    return replace(
        info,
        usable=True,
        verdict="usable",
        float64=float64 and _computes(info.name, "float64"),
        bf16=_support(info.name, "bfloat16", info.bf16),
        fp16=_support(info.name, "float16", info.fp16),
    )


def _support(name: str, dtype: str, guess: Support) -> Support:
    return (guess if guess != "unknown" else "native") if _computes(name, dtype) else "none"


def _computes(name: str, dtype: str) -> bool:
    """Whether the device multiplies matrices of a number format."""
    import torch

    try:
        ones = torch.ones(8, 8, device=name, dtype=getattr(torch, dtype))
        return float((ones @ ones).sum().cpu()) == 8.0**3
    except (RuntimeError, TypeError, AssertionError, NotImplementedError):
        return False
