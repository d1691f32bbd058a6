"""A kernel that gives way to another when a change during the run asks for what it cannot do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.base.errors import InputError
from engine.learn.kernels.contract import Floats, Kernel, Parameters, Split, State
from engine.learn.plan import Backend


class Unserved(InputError):
    """A change that this kernel cannot follow, though another may."""


class Steered:
    """One kernel at first, its successor after a change that it cannot follow.

    The successor takes over parameters, position, rate and optimizer as they are, so that a run steered in the same way
    at the same steps gives the same bits.

    Args:
        backend: the first kernel's.
        successor: what takes over from it.
        make: opens a kernel, with its data loaded.
    """

    def __init__(self, backend: Backend, successor: Backend, make: Callable[[Backend], Kernel]) -> None:
        self.backend, self._successor, self._make = backend, successor, make
        self._kernel = make(backend)

    def change(self, field: str, value: Any) -> None:
        """See `Kernel.change`."""
        try:
            self._kernel.change(field, value)
        except Unserved:
            if self.backend == "autograd":
                raise
            before = self._kernel.state()
            following: Backend = self._successor if self.backend != self._successor else "autograd"
            kernel = self._make(following)
            own = kernel.state()
            kernel.restore(State(own.arrays | before.arrays, own.facts | before.facts))
            self._kernel, self.backend = kernel, following
            self.change(field, value)

    def state(self) -> State:
        """See `Kernel.state`."""
        state = self._kernel.state()
        return State(state.arrays, state.facts | {"backend": self.backend})

    def restore(self, state: State) -> None:
        """See `Kernel.restore`."""
        backend: Backend = state.facts.get("backend", self.backend)  # type: ignore[assignment]
        if backend != self.backend:
            self._kernel, self.backend = self._make(backend), backend
        self._kernel.restore(state)

    @property
    def step(self) -> int:
        """Updates taken so far."""
        return self._kernel.step

    def advance(self, steps: int) -> Floats:
        """See `Kernel.advance`."""
        return self._kernel.advance(steps)

    def gradient(self) -> Parameters:
        """See `Kernel.gradient`."""
        return self._kernel.gradient()

    def evaluate(self, split: Split) -> float:
        """See `Kernel.evaluate`."""
        return self._kernel.evaluate(split)

    def outputs(self, split: Split) -> Floats:
        """See `Kernel.outputs`."""
        return self._kernel.outputs(split)

    def parameters(self) -> Parameters:
        """See `Kernel.parameters`."""
        return self._kernel.parameters()
