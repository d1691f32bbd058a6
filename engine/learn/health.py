"""How well the parameters of a model are, one by one and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.learn import sentences
from engine.learn.models import Architecture, hidden_layers
from engine.registry.activations import REGISTRY

Floats = NDArray[np.float64]
State = Literal["well", "NaN", "infinite", "exploding", "vanishing", "dead"]
LARGE = 1e6  # a parameter beyond it is exploding
SMALL = 1e-6  # gradient norm over weight norm under which a weight all but stands still ...
BEHIND = 1e-3  # ... and which is so much less than another weight's: at an optimum all of them stand still
ROWS = 1 << 15  # gone through at once


@dataclass(frozen=True)
class Health:
    """One parameter.

    Attributes:
        name: of the parameter.
        state: "well", or the worst that is true of it.
        words: what is to be told of it, half a sentence; empty where it is well.
        norm: of its values.
        gradient_norm: of the loss's gradient; NaN where that is not known.
        dead: the share of its units that are 0 for every row; NaN where that has no meaning.
    """

    name: str
    state: State
    words: str
    norm: float
    gradient_norm: float
    dead: float


def examine(
    architecture: Architecture,
    arrays: Mapping[str, Floats],
    gradient: Mapping[str, Floats] | None = None,
    x: Floats | None = None,
) -> tuple[Health, ...]:
    """A word on every parameter that is learned.

    Args:
        arrays: the parameters by name; what batch norm keeps beside them is left out.
        gradient: of the train loss, by the same names; without it nothing is said of vanishing.
        x: [n, d] the train rows as the model sees them; without them nothing is said of dead units.
    """
    gradient = gradient or {}
    learned = {name: values for name, values in arrays.items() if not name.endswith((".mean", ".variance"))}
    dead = _dead(architecture, arrays, x)
    pace = {name: _pace(values, gradient.get(name)) for name, values in learned.items()}
    fastest = max((p for p in pace.values() if np.isfinite(p)), default=np.nan)
    return tuple(_one(name, values, gradient.get(name), pace[name], fastest, dead) for name, values in learned.items())


def dead_units(architecture: Architecture, arrays: Mapping[str, Floats], x: Floats) -> tuple[NDArray[np.bool_], ...]:
    """For each hidden layer which units [units] are 0 for every row of x [n, d]; () unless they are flat below 0."""
    if REGISTRY[architecture.activation].below != 0 or not architecture.hidden or not architecture.chain:
        return ()
    alive = [np.zeros(size, np.bool_) for size in architecture.hidden]
    for start in range(0, len(x), ROWS):
        for number, layer in enumerate(hidden_layers(architecture, arrays, x[start : start + ROWS])):
            alive[number] |= (layer.output > 0).any(axis=0)
    return tuple(~a for a in alive)


def _dead(architecture: Architecture, arrays: Mapping[str, Floats], x: Floats | None) -> dict[str, NDArray[np.bool_]]:
    if x is None or not len(x) or not all(np.isfinite(a).all() for a in arrays.values()):
        return {}
    return {f"hidden{i}.weight": dead for i, dead in enumerate(dead_units(architecture, arrays, x))}


def _norm(values: Floats | None) -> float:
    if values is None:
        return float("nan")
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.linalg.norm(values))


def _pace(values: Floats, gradient: Floats | None) -> float:
    """Gradient norm over weight norm of a weight matrix; NaN for a bias, which may well be 0."""
    size = _norm(values)
    return _norm(gradient) / size if values.ndim > 1 and size > 0 else float("nan")


def _one(
    name: str,
    values: Floats,
    gradient: Floats | None,
    pace: float,
    fastest: float,
    dead: Mapping[str, NDArray[np.bool_]],
) -> Health:
    state: State = "well"
    words = ""
    units = dead.get(name)
    share = float(units.mean()) if units is not None else float("nan")
    if np.isnan(values).any():
        state, words = "NaN", sentences.NAN_OF(parameter=name, count=int(np.isnan(values).sum()), size=values.size)
    elif np.isinf(values).any():
        state, words = "infinite", sentences.IS_INFINITE(parameter=name)
    elif values.size and np.abs(values).max() > LARGE:
        state, words = "exploding", sentences.EXPLODES(parameter=name, largest=float(np.abs(values).max()))
    elif gradient is not None and not np.isfinite(gradient).all():
        state, words = "exploding", sentences.GRADIENT_NOT_FINITE(parameter=name)
    elif pace < SMALL and pace < BEHIND * fastest and not (units is not None and units.all()):
        state = "vanishing"
        words = sentences.GRADIENT_VANISHES(parameter=name, gradient=_norm(gradient), weights=_norm(values))
    elif units is not None and units.any():
        count = int(units.sum())
        layer = name.removesuffix(".weight")
        state = "dead"
        words = sentences.DEAD_UNITS(count=count, units=len(units), layer=layer)
    return Health(name, state, words, _norm(values), _norm(gradient), share)
