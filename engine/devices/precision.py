"""Which number formats a device has, told before a run."""

from __future__ import annotations

from typing import Literal

from engine.devices import sentences
from engine.devices.info import DeviceInfo, Support
from engine.devices.listing import known

Precision = Literal["float32", "float64", "bf16", "fp16"]
WORDS = {"bf16": "bfloat16", "fp16": "float16"}


def precision_problem(device: str, precision: Precision) -> str | None:
    """Why a device cannot compute in a format, with the remedy; None where it can, or is not known yet.

    Args:
        device: a definite device, "cuda:0".
    """
    if _support(device, precision) != "none":
        return None
    other = sentences.FLOAT32_OR_CPU() if precision == "float64" else "float32"
    return sentences.NO_PRECISION(device=device, precision=WORDS.get(precision, precision), other=other)


def precision_remark(device: str, precision: Precision) -> str | None:
    """What to know of a format that a device has only in a way; None where there is nothing to say."""
    if _support(device, precision) != "emulated":
        return None
    return sentences.EMULATED(precision=WORDS.get(precision, precision), device=device)


def _support(device: str, precision: Precision) -> Support:
    if precision == "float32" or (device, precision) == ("cpu", "float64"):
        return "native"
    info = next((d for d in known() if d.name == device), DeviceInfo(device, "", True, "", float64=device != "mps"))
    if precision == "float64":
        return "native" if info.float64 else "none"
    return info.bf16 if precision == "bf16" else info.fp16
