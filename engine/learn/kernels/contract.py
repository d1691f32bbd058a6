"""The one contract that every way of training obeys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Parameters:
    """What is learned, as numpy float64, portable from one kernel to another.

    A linear model has "weight" [d, k] (features by outputs) and "bias" [k]; for others see `engine.learn.models`.
    """

    arrays: dict[str, Floats]

    @property
    def weight(self) -> Floats:
        """[d, k] of a linear model."""
        return self.arrays["weight"]

    @property
    def bias(self) -> Floats:
        """[k] of a linear model."""
        return self.arrays["bias"]

    @property
    def finite(self) -> bool:
        """Whether no parameter is NaN or infinite."""
        return all(bool(np.isfinite(a).all()) for a in self.arrays.values())


@dataclass(frozen=True)
class State:
    """All that is needed to go on bit for bit: arrays in their own dtypes, and small plain facts."""

    arrays: dict[str, NDArray[Any]]
    facts: dict[str, int | float | str]


class Stepper(Protocol):
    """What takes the steps of an update rule that looks at the loss several times in an update.

    It is made of the flat parameters [p] and the flat gradient [p], which it changes and reads in place.
    """

    def step(self, loss_and_gradient: Callable[[], Tensor], penalty: Callable[[], Tensor], lr: float) -> Tensor:
        """One update; the loss before it, a scalar.

        Args:
            loss_and_gradient: gives the loss without penalties and leaves the gradient with them in the flat vector.
            penalty: what is added to the loss.
        """

    def state(self) -> State:
        """What the next updates depend on."""

    def restore(self, state: State) -> None:
        """Go back to a state."""


class Kernel(Protocol):
    """A model, its data and its optimizer, ready to take steps.

    `advance(a)` then `advance(b)` equals `advance(a + b)` bit for bit.
    """

    @property
    def step(self) -> int:
        """Updates taken so far."""

    def advance(self, steps: int) -> Floats:
        """Take up to `steps` updates; the loss before each, float64 [taken], in the target's own units.

        A loss that is not finite or above the limit given to the kernel ends it early: it is the last one returned,
        the update it belongs to is not taken, and the parameters are those of the step before, whose loss was good.
        """

    def change(self, field: str, value: Any) -> None:
        """Let a recipe field that is marked live take a new value from the next update on."""

    def gradient(self) -> Parameters:
        """The gradient of the train loss, all rows, at the current parameters."""

    def evaluate(self, split: Split) -> float:
        """The loss of all rows of a split at the current parameters, in the target's own units."""

    def outputs(self, split: Split) -> Floats:
        """What the model gives for all rows of a split: float64 [n, k], scaled targets or logits."""

    def parameters(self) -> Parameters:
        """The current parameters (a copy)."""

    def state(self) -> State:
        """Everything that the next steps depend on (a copy)."""

    def restore(self, state: State) -> None:
        """Go back to a state."""
