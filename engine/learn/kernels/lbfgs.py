"""L-BFGS with a strong Wolfe line search, one outer iteration a step, on torch.optim's own implementation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine.learn.kernels.contract import State
from engine.registry.rules import LINE_SEARCH

LISTS = ("old_dirs", "old_stps")


class LBFGS:
    """Works on the flat parameters and the flat gradient of a model (Nocedal and Wright 2006, chapter 7)."""

    def __init__(self, flat: Tensor, gradient: Tensor) -> None:
        self._flat, self._gradient = flat, gradient
        self._leaf = flat.view(-1)
        self._leaf.grad = gradient
        self._optimizer = torch.optim.LBFGS([self._leaf], **LINE_SEARCH)  # type: ignore[arg-type]

    def step(self, loss_and_gradient: Callable[[], Tensor], penalty: Callable[[], Tensor], lr: float) -> Tensor:
        """One outer iteration; the loss before it.

        Args:
            loss_and_gradient: gives the loss without penalties and leaves the gradient with them in the flat vector.
            penalty: what the line search adds to the loss.
        """
        self._optimizer.param_groups[0]["lr"] = lr
        first: list[Tensor] = []

        def closure() -> Tensor:
            loss = loss_and_gradient()
            first.append(loss)
            return loss + penalty()

        self._optimizer.step(closure)  # type: ignore[no-untyped-call]
        return first[0]

    def state(self) -> State:
        """What the next iterations depend on."""
        inner = self._optimizer.state[self._leaf]
        arrays = {
            f"lbfgs:{name}": value.detach().cpu().numpy().copy()
            for name, value in inner.items()
            if isinstance(value, Tensor)
        }
        for name in LISTS:
            vectors = inner.get(name) or []
            empty = np.empty((0, len(self._flat)))
            arrays[f"lbfgs:{name}"] = torch.stack(vectors).cpu().numpy().copy() if vectors else empty
        ro = inner.get("ro") or []
        arrays["lbfgs:ro"] = torch.stack([torch.as_tensor(r) for r in ro]).cpu().numpy().copy() if ro else np.empty(0)
        facts: dict[str, int | float | str] = {
            f"lbfgs:{name}": value for name, value in inner.items() if isinstance(value, int | float)
        }
        return State(arrays, facts)

    def restore(self, state: State) -> None:
        """Go back to a state."""
        inner = self._optimizer.state[self._leaf]
        inner.clear()
        prefix, like = "lbfgs:", self._flat
        for name, array in state.arrays.items():
            if not name.startswith(prefix):
                continue
            short, tensor = name.removeprefix(prefix), torch.from_numpy(array.copy()).to(like.device)
            # Each vector in memory of its own: where it begins decides in which order BLAS adds up its products.
            inner[short] = [v.clone() for v in tensor.unbind()] if short in (*LISTS, "ro") else tensor
        for name, value in state.facts.items():
            if name.startswith(prefix):
                inner[name.removeprefix(prefix)] = value
        if "n_iter" not in inner:
            inner.clear()  # no iteration had been made
