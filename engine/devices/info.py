"""What is known of a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Support = Literal["native", "emulated", "none", "unknown"]


@dataclass(frozen=True)
class DeviceInfo:
    """One device, as the panels and `ravine doctor` show it."""

    name: str  # what --device takes: "cpu", "cuda:0", "mps", "xpu:0"
    title: str  # the maker's name of it
    usable: bool
    verdict: str  # "usable", or the exact reason why not and what to do
    memory: int = 0  # bytes in all; 0 where unknown
    free: int = 0  # bytes not in use when it was looked at
    capability: str = ""  # "sm_90"
    float64: bool = True
    bf16: Support = "unknown"  # emulated: it computes, though slower than float32
    fp16: Support = "unknown"
    driver: str = ""  # "580.65.06"
    uuid: str = ""  # "GPU-…" or "MIG-…", by which NVML knows it
    note: str = ""  # what the surroundings say of it: a MIG slice, the machine's own number for it
    remedy: str = ""  # the command that mends it, where one does
