"""From an error of torch or CUDA to the exact reason and the command that mends it.

Errors are recognised by words of CUDA's own messages (cudaGetErrorString), which have been the same since CUDA 10.
Which build serves which card: PyTorch's RELEASE.md, "CUDA Support Matrix"; which driver serves which build: NVIDIA's
CUDA Compatibility guide, "Minor Version Compatibility".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Index of download.pytorch.org; the least CUDA version of the driver (12000 for 12.0) and that driver; the lowest and
# the highest card it serves. Newest first; cu128 is for cards of 2025 under a driver of CUDA 12.
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
    """Whether a build has code for a card: binaries of its generation up to it, or PTX of any generation up to it."""
    card = number(capability)
    for name in architectures:
        built = number(name)
        if built <= card and (name.startswith("compute_") or built // 10 == card // 10):
            return True
    return False


def install(capability: str, driver_cuda: int) -> str:
    """The command that installs a build for a card under a driver; "" where there is none.

    Args:
        capability: "sm_120"; "" for any card.
        driver_cuda: 0 for unknown, which counts as the newest.
    """
    card = number(capability) or 80
    for index, least, _, low, high in WHEELS:
        if (driver_cuda >= least or not driver_cuda) and low <= card <= high:
            return f"pip uninstall -y torch && pip install torch --index-url https://download.pytorch.org/whl/{index}"
    return ""


def explain(
    error: BaseException | str, build: Build, capability: str = "", free: int = 0, memory: int = 0, holder: str = ""
) -> tuple[str, str]:
    """The reason in words, and the command that mends it or "".

    Args:
        error: what torch raised.
        capability, free, memory: of the card that was tried, where it got that far.
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
        return "no NVIDIA driver is loaded; install it, then check with nvidia-smi", "nvidia-smi"
    if "busy or unavailable" in text:
        reason = (
            "it is busy: another process holds it alone (exclusive mode), or it is being reset; "
            "nvidia-smi shows by whom, and sudo nvidia-smi -c DEFAULT lets several processes in"
        )
        return reason, "sudo nvidia-smi -c DEFAULT"
    if "out of memory" in text:
        room = f": {free / 2**30:.1f} of {memory / 2**30:.1f} GiB are free" if memory else ""
        by = f"; {holder}" if holder else "; nvidia-smi shows which process holds it"
        return f"its memory is full{room}{by}", "nvidia-smi"
    if any(words in text for words in ("fallen off", "is lost", "no cuda-capable device", "invalid device ordinal")):
        return (
            "it has vanished since it was listed; nvidia-smi shows what is left, a reboot brings it back",
            "nvidia-smi",
        )
    if "driver/library version mismatch" in text or "error 803" in text or "error 804" in text:
        return "the driver was updated while it was loaded (driver and library differ): reboot", "sudo reboot"
    if "not compiled with cuda" in text or ("built" in text and "without cuda" in text):
        return without_cuda(build)
    if any(words in text for words in ("ecc error", "unspecified launch failure", "hardware stack", "mmu fault")):
        return f"it reports a fault of its own: {first}", "nvidia-smi -q -d ECC,PAGE_RETIREMENT"
    return first, ""


def incompatible(build: Build, capability: str) -> tuple[str, str]:
    """This build has no code for this card."""
    command = install(capability, build.driver_cuda)
    reason = f"this PyTorch is built for {', '.join(build.architectures) or 'other cards'}, this card is {capability}"
    if command:
        return f"{reason}: install a build for it with `{command}`", command
    if number(capability) < min(low for _, _, _, low, _ in WHEELS):
        return f"{reason}, which no build on pytorch.org serves any more: use --device cpu", ""
    return f"{reason}: its builds on pytorch.org need a newer driver than CUDA {_dotted(build.driver_cuda)}", ""


def too_old(build: Build) -> tuple[str, str]:
    """The driver does not serve this build's CUDA."""
    has = f"the driver {build.driver}".strip() + (
        f" serves CUDA {_dotted(build.driver_cuda)}" if build.driver_cuda else ""
    )
    need = next((driver for index, _, driver, *_ in WHEELS if index[2:4] == build.cuda[:2]), "")
    reason = f"{has}, this PyTorch needs CUDA {build.cuda or 'of a newer one'}"
    newer = f"update the driver{f' to {need} or newer' if need else ''}"
    command = install("", build.driver_cuda) if build.driver_cuda else ""
    if command:
        return f"{reason}: {newer}, or install an older build with `{command}`", command
    return f"{reason}: {newer}", ""


def without_cuda(build: Build) -> tuple[str, str]:
    """A build for the processor only."""
    command = install("", build.driver_cuda)
    return f"this PyTorch ({build.version}) is built without CUDA: install a build with it by `{command}`", command


def first_line(error: BaseException | str) -> str:
    """The first line of a message, or the error's own name."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
