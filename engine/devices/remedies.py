"""From an error of torch or CUDA to the exact reason and the command that mends it.

Errors are recognised by words of CUDA's own messages (cudaGetErrorString), which have been the same since CUDA 10.
Which build serves which GPU: PyTorch's RELEASE.md, "CUDA Support Matrix"; which driver serves which build: NVIDIA's
CUDA Compatibility guide, "Minor Version Compatibility".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.devices import sentences

# Index of download.pytorch.org; the least CUDA version of the driver (12000 for 12.0) and that driver; the lowest and
# the highest GPU it serves. Newest first; cu128 is for GPUs of 2025 under a driver of CUDA 12.
WHEELS = (
    ("cu130", 13000, "580", 75, 129),
    ("cu126", 12000, "525", 50, 90),
    ("cu128", 12000, "525", 75, 129),
    ("cu118", 11000, "450", 50, 90),
)


@dataclass(frozen=True)
class Build:
    """What this torch was built for, and what the driver offers it."""

    version: str = ""  # "2.13.0+cu130"
    cuda: str = ""  # "13.0"; "" without CUDA
    architectures: tuple[str, ...] = ()  # "sm_90", …, "compute_120"
    driver_cuda: int = 0  # 13000 for 13.0; 0 without a driver
    driver: str = ""  # "580.65.06"


def number(capability: str) -> int:
    """120 for "sm_120", 90 for "sm_90a"; 0 for anything else."""
    digits = "".join(c for c in capability.partition("_")[2] if c.isdigit())
    return int(digits) if digits else 0


def serves(architectures: Sequence[str], capability: str) -> bool:
    """Whether a build has code for a GPU: binaries of its generation up to it, or PTX of any generation up to it."""
    gpu = number(capability)
    for name in architectures:
        built = number(name)
        if built <= gpu and (name.startswith("compute_") or built // 10 == gpu // 10):
            return True
    return False


def install(capability: str, driver_cuda: int) -> str:
    """The command that installs a build for a GPU under a driver; "" where there is none.

    Args:
        capability: "sm_120"; "" for any GPU.
        driver_cuda: 0 for unknown, which counts as the newest.
    """
    gpu = number(capability) or 80
    for index, least, _, low, high in WHEELS:
        if (driver_cuda >= least or not driver_cuda) and low <= gpu <= high:
            return f"pip uninstall -y torch && pip install torch --index-url https://download.pytorch.org/whl/{index}"
    return ""


def explain(
    error: BaseException | str, build: Build, capability: str = "", free: int = 0, memory: int = 0, holder: str = ""
) -> tuple[str, str]:
    """The reason in words, and the command that mends it or "".

    Args:
        error: what torch raised.
        capability, free, memory: of the GPU that was tried, where it got that far.
        holder: the other process that holds most of its memory, in words.
    """
    first, text = first_line(error), str(error).lower()
    if "no kernel image" in text or "invalid device function" in text:
        return incompatible(build, capability)
    if "too old" in text:
        return too_old(build)
    if "found no nvidia driver" in text or "insufficient for cuda runtime" in text:
        if build.driver:
            return too_old(build)
        return sentences.NO_DRIVER(), "nvidia-smi"
    if "busy or unavailable" in text:
        reason = sentences.BUSY()
        return reason, "sudo nvidia-smi -c DEFAULT"
    if "out of memory" in text:
        room = sentences.MEMORY_LEFT(free=free / 2**30, memory=memory / 2**30) if memory else ""
        by = holder or sentences.SEE_HOLDER()
        return sentences.MEMORY_FULL(room=room, by=by), "nvidia-smi"
    if any(words in text for words in ("fallen off", "is lost", "no cuda-capable device", "invalid device ordinal")):
        return (
            sentences.VANISHED(),
            "nvidia-smi",
        )
    if "driver/library version mismatch" in text or "error 803" in text or "error 804" in text:
        return sentences.DRIVER_UPDATED(), "sudo reboot"
    if "not compiled with cuda" in text or ("built" in text and "without cuda" in text):
        return without_cuda(build)
    if any(words in text for words in ("ecc error", "unspecified launch failure", "hardware stack", "mmu fault")):
        return sentences.FAULT(said=first), "nvidia-smi -q -d ECC,PAGE_RETIREMENT"
    return first, ""


def incompatible(build: Build, capability: str) -> tuple[str, str]:
    """This build has no code for this GPU."""
    command = install(capability, build.driver_cuda)
    reason = sentences.BUILT_FOR_OTHERS(
        architectures=", ".join(build.architectures) or sentences.OTHER_GPUS(), capability=capability
    )
    if command:
        return sentences.INSTALL_BUILD(reason=reason, command=command), command
    if number(capability) < min(low for _, _, _, low, _ in WHEELS):
        return sentences.NO_BUILD(reason=reason), ""
    return sentences.BUILDS_TOO_NEW(reason=reason, cuda=_dotted(build.driver_cuda)), ""


def too_old(build: Build) -> tuple[str, str]:
    """The driver does not serve this build's CUDA."""
    need = next((driver for index, _, driver, *_ in WHEELS if index[2:4] == build.cuda[:2]), "")
    command = install("", build.driver_cuda) if build.driver_cuda else ""
    said = sentences.DRIVER_TOO_OLD(
        driver=build.driver,
        serves=_dotted(build.driver_cuda) if build.driver_cuda else "",
        cuda=f"CUDA {build.cuda}" if build.cuda else sentences.NEWER_CUDA(),
        need=need,
        command=command,
    )
    return said, command


def without_cuda(build: Build) -> tuple[str, str]:
    """A build for the processor only."""
    command = install("", build.driver_cuda)
    return sentences.NO_CUDA(version=build.version, command=command), command


def first_line(error: BaseException | str) -> str:
    """The first line of a message, or the error's own name."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
