"""Which devices there are, and whether they really compute.

info       what is known of a device
host       the processor and its memory, and what this process may use of them
driver     who holds the memory of NVIDIA GPUs, by what the driver says
scope      what CUDA_VISIBLE_DEVICES, Slurm and MIG let it see
trial      a kernel run on every device, in a child process
remedies   from an error to its reason and the command that mends it
asking     how the child is asked
listing    the answers, and the definite device that a recipe's word stands for
precision  which number formats a device has
"""

from __future__ import annotations

from engine.devices.host import accelerator_likely, available_cores, cpu, memory_limit
from engine.devices.info import DeviceInfo, Support
from engine.devices.listing import TIMEOUT, absent, build, forget, known, probe, resolve
from engine.devices.precision import precision_problem, precision_remark

__all__ = [
    "TIMEOUT",
    "DeviceInfo",
    "Support",
    "absent",
    "accelerator_likely",
    "available_cores",
    "build",
    "cpu",
    "forget",
    "known",
    "memory_limit",
    "precision_problem",
    "precision_remark",
    "probe",
    "resolve",
]
