"""The current device: where torch puts what names no device, such as a recording, an event or pinned memory.

It belongs to a thread, and is the first GPU until somebody sets it. So whatever computes on another one sets it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def on(device: torch.device) -> AbstractContextManager[object]:
    """Make an NVIDIA GPU the current device inside; for any other device nothing is done.

    Raises:
        RuntimeError, AssertionError: torch has no such device.
    """
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()
