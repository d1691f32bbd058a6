"""How busy, full, hot and hungry the machine is while a run trains, beside the charts and in TensorBoard.

    nvidia     the cards, through NVML
    sampler    processor, memory and cards, looked at once a second by a thread of its own

Nothing here may slow or break a run: what cannot be read is None, and without a driver there are no cards.
"""

from __future__ import annotations

from engine.telemetry.nvidia import Card, CardSample, NoCards, Nvidia
from engine.telemetry.sampler import Feed, Sample, Sampler, scalars

__all__ = ["Card", "CardSample", "Feed", "NoCards", "Nvidia", "Sample", "Sampler", "scalars"]
