"""The gradient of the loss by back-propagation in numpy: what kernels with rows in another form tell, and what a stored
model's health is judged by, without torch.

Rumelhart, Hinton and Williams 1986; in float64, as at prediction (no dropout, batch norm by its running statistics).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from engine.learn.models import BATCH_NORM_EPSILON, Architecture, derivative, hidden_layers
from engine.learn.objective import output_gradients

Floats = NDArray[np.float64]
ROWS = 1 << 14  # gone through at once, so that what is between the layers of a network stays small


def gradient(
    architecture: Architecture,
    loss: str,
    arrays: Mapping[str, Floats],
    x: Floats,
    y: Floats,
    weight: Floats | None = None,
) -> dict[str, Floats]:
    """The gradient of the mean loss, without penalties, by parameter name. Not for a module of the person's own.

    Args:
        arrays: the parameters, and batch norm's running statistics.
        x: [n, d] normalized features, n >= 1.
        y: [n] scaled targets, or class numbers.
        weight: [n] row weights.
    """
    total = {name: np.zeros(shape) for name, shape in architecture.layout()}
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(x), ROWS):
            rows = slice(start, start + ROWS)
            weights = None if weight is None else weight[rows]
            for name, part in _parts(architecture, loss, arrays, x[rows], y[rows], weights, len(x)):
                total[name] += part
    return total


def _parts(
    architecture: Architecture,
    loss: str,
    arrays: Mapping[str, Floats],
    x: Floats,
    y: Floats,
    weight: Floats | None,
    count: int,
) -> Iterator[tuple[str, Floats]]:
    """What some rows of `count` add to the gradient of the mean, by parameter name."""
    layers = list(hidden_layers(architecture, arrays, x))
    last, name = (layers[-1].output if layers else x), "" if architecture.linear else "output."
    outputs = last @ arrays[f"{name}weight"] + arrays[f"{name}bias"]
    back = output_gradients(loss, outputs, y) / count
    if weight is not None:
        back = back * weight[:, None]
    yield f"{name}weight", last.T @ back
    yield f"{name}bias", back.sum(axis=0)
    for number in range(len(layers) - 1, -1, -1):
        layer = layers[number]
        back = back @ arrays[f"{name}weight"].T * derivative(architecture.activation, layer.total, layer.output)
        if layer.normal is not None:
            yield f"norm{number}.scale", np.sum(back * layer.normal, axis=0)
            yield f"norm{number}.shift", back.sum(axis=0)
            width = np.sqrt(arrays[f"norm{number}.variance"] + BATCH_NORM_EPSILON)
            back = back * (arrays[f"norm{number}.scale"] / width)
        name = f"hidden{number}."
        yield f"{name}weight", layer.given.T @ back
        yield f"{name}bias", back.sum(axis=0)
