"""Dropout masks and the like from a generator of the kernel's own, whatever else draws in the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from engine.streams import stream


class Masks:
    """Keeps the state of torch's generator between the steps of a kernel.

    Args:
        wanted: whether the model draws at all; without that nothing is done.
        seed: the run's.
        device: where masks are drawn.
    """

    def __init__(self, wanted: bool, seed: int, device: torch.device) -> None:
        self._wanted, self._device = wanted, device
        self._seed = int(stream(seed, "dropout").integers(2**63))
        self.state = torch.Generator().manual_seed(self._seed).get_state()
        self._begun = False  # the state is still that of a generator of the processor

    def restore(self, state: torch.Tensor, begun: bool) -> None:
        """Go back to a state, after the first step (`begun`) or before it."""
        self.state, self._begun = state.clone(), begun

    @contextmanager
    def own(self) -> Iterator[None]:
        """Draw from this generator inside; outside nothing has happened to torch's."""
        if not self._wanted:
            yield
            return
        card = self._device.type == "cuda"
        with torch.random.fork_rng(devices=[self._device] if card else []):
            if not card:
                torch.set_rng_state(self.state)
            elif self._begun:
                torch.cuda.set_rng_state(self.state, self._device)
            else:
                torch.cuda.manual_seed(self._seed)
            yield
            self.state = torch.cuda.get_rng_state(self._device) if card else torch.get_rng_state()
            self._begun = True
