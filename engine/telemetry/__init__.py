"""How busy, full, hot and hungry the machine is while a run trains, beside the charts and in TensorBoard.

    nvidia     the GPUs, through NVML
    sampler    processor, memory and GPUs, looked at once a second by a thread of its own

Nothing here may slow or break a run: what cannot be read is None, and without a driver there are no GPUs.
"""

from __future__ import annotations

from engine.telemetry.nvidia import Gpu, GpuSample, NoGpu, Nvidia
from engine.telemetry.sampler import Feed, Sample, Sampler, scalars

__all__ = ["Feed", "Gpu", "GpuSample", "NoGpu", "Nvidia", "Sample", "Sampler", "scalars"]
