"""Dropout masks and the like from a generator of the kernel's own, whatever else draws in the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from engine.base.random_streams import stream


class Masks:
    """Keeps the state of torch's generator between the steps of a kernel.

    Args:
        wanted: whether the model draws at all; without that nothing is done.
        seed: the run's.
        device: where masks are drawn.
    """

    def __init__(self, wanted: bool, seed: int, device: torch.device) -> None:
        self._wanted, self._seed, self._device = wanted, seed, device
        self.state = self._fresh(0)
        self.redrawn: int | None = None  # the step from which on masks are not those of the run that was resumed

    def restore(self, state: Tensor, step: int) -> None:
        """Go back to the state after some steps.

        The generators of a CPU and of a GPU have states of different kinds. Where the state is of the other kind, the
        masks from here on come from a fresh generator, and `redrawn` says so.
        """
        fresh = self._fresh(step)
        if step == 0:
            self.state = fresh
        elif len(state) == len(fresh):
            self.state = state.clone()
        else:
            self.state = fresh
            self.redrawn = step if self._wanted else None

    def _fresh(self, step: int) -> Tensor:
        """The state of a generator that begins at a step."""
        names = ("dropout",) if step == 0 else ("dropout", step)
        seed = int(stream(self._seed, *names).integers(2**63))
        device = self._device if self._wanted and self._device.type in ("cuda", "mps", "xpu") else torch.device("cpu")
        return torch.Generator(device).manual_seed(seed).get_state()

    @contextmanager
    def own(self) -> Iterator[None]:
        """Draw from this generator inside; outside nothing has happened to torch's."""
        if not self._wanted:
            yield
            return
        host, before = torch.get_rng_state(), self._get()
        self._set(self.state)
        try:
            yield
            self.state = self._get()
        finally:
            self._set(before)
            torch.set_rng_state(host)

    def _get(self) -> Tensor:
        """The state of torch's own generator for the device."""
        kind = self._device.type
        if kind in ("cuda", "xpu"):
            found: Tensor = getattr(torch, kind).get_rng_state(self._device)
            return found
        return torch.mps.get_rng_state() if kind == "mps" else torch.get_rng_state()

    def _set(self, state: Tensor) -> None:
        kind = self._device.type
        place: Any = torch if kind == "cpu" else getattr(torch, kind)
        if kind in ("cuda", "xpu"):
            place.set_rng_state(state, self._device)
        else:
            place.set_rng_state(state)
