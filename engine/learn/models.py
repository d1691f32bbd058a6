"""The models: their parameters, where these begin, and what they compute. In numpy, so that predicting needs no torch.

A model maps features x [n, d] to outputs [n, k]: the scaled target for regression (k = 1), the logit of the second
class for two classes (k = 1), a logit for each class otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.base.random_streams import stream
from engine.registry import formulas
from engine.registry.activations import DEFAULT, REGISTRY
from engine.registry.families import OWN
from engine.registry.families import REGISTRY as FAMILIES

Floats = NDArray[np.float64]
Init = Literal["zeros", "ones", "uniform", "kaiming", "own"]

BATCH_NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Architecture:
    """The shape of a model: all that `forward` needs beside the parameters."""

    family: str  # one of `engine.registry.families`, or their OWN
    inputs: int
    outputs: int
    hidden: tuple[int, ...] = ()
    activation: str = DEFAULT  # one of `engine.registry.activations`
    dropout: float = 0.0
    batch_norm: bool = False
    module: str = ""  # "module:Class" of a model of one's own; else ""

    @property
    def own(self) -> bool:
        """Whether it is a class of a person's own, of which nothing but its parameters is known."""
        return self.family == OWN

    @property
    def chain(self) -> bool:
        """Whether it is dense layers one after another: what the compiled loops and `hidden_layers` know."""
        return self.family in FAMILIES and FAMILIES[self.family].chain

    @property
    def linear(self) -> bool:
        """Whether outputs are a linear function of the features."""
        return self.family in FAMILIES and FAMILIES[self.family].linear

    def layout(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Names and shapes of the parameters in their order; weights are [fan in, fan out]. Not where `own`."""
        own = FAMILIES[self.family].parameters
        if own is not None:
            return own(self)
        if self.linear:
            return (("weight", (self.inputs, self.outputs)), ("bias", (self.outputs,)))
        shapes: list[tuple[str, tuple[int, ...]]] = []
        width = self.inputs
        for number, size in enumerate(self.hidden):
            shapes += [(f"hidden{number}.weight", (width, size)), (f"hidden{number}.bias", (size,))]
            if self.batch_norm:
                shapes += [(f"norm{number}.scale", (size,)), (f"norm{number}.shift", (size,))]
            width = size
        shapes += [("output.weight", (width, self.outputs)), ("output.bias", (self.outputs,))]
        return tuple(shapes)

    @property
    def size(self) -> int:
        """Number of parameters. Not where `own`."""
        return sum(int(np.prod(shape)) for _, shape in self.layout())


def init_parameters(architecture: Architecture, init: Init, seed: int) -> dict[str, Floats]:
    """Initial parameters by name, float64, the same for every kernel and device.

    zeros and ones cover the bias too. uniform draws weights and biases from ±1/sqrt(fan in), as torch.nn.Linear does.
    kaiming draws weights from ±sqrt(6/fan in) (He et al. 2015, for ReLU), biases are 0. Batch norm begins as the
    identity.
    """
    if init in ("zeros", "ones") and not architecture.batch_norm:
        return {name: np.full(shape, 1.0 if init == "ones" else 0.0) for name, shape in architecture.layout()}
    random = stream(seed, "initial parameters")
    found: dict[str, Floats] = {}
    fan_in = 1
    for name, shape in architecture.layout():
        if len(shape) == 2:
            fan_in = shape[0]
        if name.startswith("norm"):
            found[name] = np.full(shape, 1.0 if name.endswith("scale") else 0.0)
        elif init == "uniform":
            found[name] = random.uniform(-1 / sqrt(fan_in), 1 / sqrt(fan_in), shape)
        elif init == "kaiming" and len(shape) == 2:
            found[name] = random.uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in), shape)
        else:
            found[name] = np.full(shape, 1.0 if init == "ones" else 0.0)
    return found


def buffers(architecture: Architecture) -> dict[str, Floats]:
    """What is not learned by descent but kept with the model: batch norm's running statistics."""
    found: dict[str, Floats] = {}
    if architecture.batch_norm:
        for number, size in enumerate(architecture.hidden):
            found[f"norm{number}.mean"] = np.zeros(size)
            found[f"norm{number}.variance"] = np.ones(size)
    return found


def sigmoid(z: Floats) -> Floats:
    """1/(1 + exp(-z)), without overflow."""
    return np.asarray(formulas.sigmoid(np, z))


def activate(name: str, z: Floats) -> Floats:
    """The activation of z, elementwise."""
    return np.asarray(REGISTRY[name].numpy(np, z))


def derivative(name: str, z: Floats, value: Floats) -> Floats:
    """The derivative of an activation at z, where it has `value`; elementwise."""
    return np.asarray(REGISTRY[name].slope(np, z, value))


@dataclass(frozen=True)
class Layer:
    """What one hidden layer computes for rows x [n, fan in]."""

    given: Floats  # [n, fan in] what it is given
    normal: Floats | None  # [n, units] after batch norm's centring and scaling by its running statistics
    total: Floats  # [n, units] what the activation is given
    output: Floats  # [n, units]


def hidden_layers(architecture: Architecture, arrays: Mapping[str, Floats], x: Floats) -> Iterator[Layer]:
    """The hidden layers one after another, as at prediction: no dropout, batch norm by its running statistics."""
    for number in range(len(architecture.hidden)):
        given, normal = x, None
        total = x @ arrays[f"hidden{number}.weight"] + arrays[f"hidden{number}.bias"]
        if architecture.batch_norm:
            width = np.sqrt(arrays[f"norm{number}.variance"] + BATCH_NORM_EPSILON)
            normal = (total - arrays[f"norm{number}.mean"]) / width
            total = normal * arrays[f"norm{number}.scale"] + arrays[f"norm{number}.shift"]
        x = activate(architecture.activation, total)
        yield Layer(given, normal, total, x)


def forward(architecture: Architecture, arrays: Mapping[str, Floats], x: Floats) -> Floats:
    """Outputs [n, k] for features x [n, d], as at prediction."""
    own = FAMILIES[architecture.family].numpy
    if own is not None:
        return np.asarray(own(np, architecture, arrays, x, lambda z: activate(architecture.activation, z)))
    if architecture.linear:
        return np.asarray(x @ arrays["weight"] + arrays["bias"])
    for layer in hidden_layers(architecture, arrays, x):
        x = layer.output
    return np.asarray(x @ arrays["output.weight"] + arrays["output.bias"])
