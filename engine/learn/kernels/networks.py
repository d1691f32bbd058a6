"""The models as torch modules, with the names and shapes of `engine.learn.models`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine import modules
from engine.base.errors import InputError
from engine.learn import models, sentences
from engine.learn.models import Architecture
from engine.registry.activations import REGISTRY
from engine.registry.families import REGISTRY as FAMILIES


class Dense(nn.Module):
    """x [n, fan in] @ weight [fan in, fan out] + bias [fan out]."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, self.weight)


class BatchNorm(nn.Module):
    """Batch norm over rows (Ioffe and Szegedy 2015), with torch's momentum of 0.1 for the running statistics."""

    mean: Tensor
    variance: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(size))
        self.shift = nn.Parameter(torch.zeros(size))
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("variance", torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        training = self.training and len(x) > 1  # one row has no variance: it is normalized as at prediction
        return functional.batch_norm(
            x, self.mean, self.variance, self.scale, self.shift, training, 0.1, models.BATCH_NORM_EPSILON
        )


class Network(nn.Module):
    """A multilayer perceptron: dense, batch norm, activation, dropout for each hidden layer, then dense."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self._shape = shape
        width = shape.inputs
        for number, size in enumerate(shape.hidden):
            self.add_module(f"hidden{number}", Dense(width, size))
            if shape.batch_norm:
                self.add_module(f"norm{number}", BatchNorm(size))
            width = size
        self._activation = REGISTRY[shape.activation].torch
        self.output = Dense(width, shape.outputs)

    def forward(self, x: Tensor) -> Tensor:
        for number in range(len(self._shape.hidden)):
            x = self.get_submodule(f"hidden{number}")(x)
            if self._shape.batch_norm:
                x = self.get_submodule(f"norm{number}")(x)
            x = self._activation(torch, x)
            if self._shape.dropout:
                x = functional.dropout(x, self._shape.dropout, self.training)
        return self.output(x)  # type: ignore[no-any-return]


class Functional(nn.Module):
    """A model that its record computes from its parameters by name."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self._shape = shape
        self._names = tuple(name for name, _ in shape.layout())
        for name, sizes in shape.layout():
            *groups, last = name.split(".")
            place: nn.Module = self
            for group in groups:
                if group not in place._modules:
                    place.add_module(group, nn.Module())
                place = place.get_submodule(group)
            place.register_parameter(last, nn.Parameter(torch.zeros(sizes)))
        self._outputs = FAMILIES[shape.family].torch
        self._bend = partial(REGISTRY[shape.activation].torch, torch)

    def forward(self, x: Tensor) -> Tensor:
        assert self._outputs is not None
        tensors = {name: self.get_parameter(name) for name in self._names}
        return self._outputs(torch, self._shape, tensors, x, self._bend)  # type: ignore[no-any-return]


def build(shape: Architecture, init: models.Init, seed: int) -> nn.Module:
    """The module with its initial parameters, on the CPU in float64.

    A module of the person's own begins as it makes itself (init "own"), under torch's seed; other inits overrule that,
    matrices by their fan in.

    Raises:
        InputError: the person's module cannot be loaded or built.
    """
    if not shape.own:
        module: nn.Module
        if not shape.chain:
            module = Functional(shape)
        else:
            module = Dense(shape.inputs, shape.outputs) if shape.linear else Network(shape)
        put(module.double(), models.init_parameters(shape, init, seed))
        return module
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed % 2**63)
        module = _own(shape).double()
    if init != "own":
        _reset(module, init, seed)
    return module


def flatten(module: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Move all trained parameters into one vector [p] and their gradients into another.

    The third vector is 1 for weights, and 0 for biases and the like, which no penalty touches.
    """
    trained = [p for p in module.parameters() if p.requires_grad]
    flat = torch.cat([p.detach().reshape(-1) for p in trained])
    gradient = torch.zeros_like(flat)
    decayed = torch.cat([torch.full_like(p.detach().reshape(-1), float(p.dim() >= 2)) for p in trained])
    at = 0
    for parameter in trained:
        part = slice(at, at + parameter.numel())
        parameter.data = flat[part].view(parameter.shape)
        parameter.grad = gradient[part].view(parameter.shape)
        at = part.stop
    return flat, gradient, decayed


def looks_across_rows(module: nn.Module) -> bool:
    """Whether a row's output depends on the other rows of its batch, so that a batch cannot be worked off in pieces."""
    return any(isinstance(m, BatchNorm | nn.modules.batchnorm._BatchNorm) for m in module.modules())


def put(module: nn.Module, arrays: Mapping[str, Any]) -> None:
    """Copy arrays into the parameters and buffers of their names."""
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if name in arrays:
                tensor.copy_(torch.as_tensor(arrays[name]))


def _own(shape: Architecture) -> nn.Module:
    place, _, name = shape.module.partition(":")
    try:
        maker = modules.fetch(shape.module)
    except InputError:
        raise
    except AttributeError as error:
        if error.name != name:
            raise InputError(
                sentences.MODULE_NOT_IMPORTED(module=place, error=type(error).__name__, said=error)
            ) from error
        why = modules.hidden(shape.module)
        raise InputError(sentences.NO_CLASS_IN_MODULE(module=place, name=name, why=why)) from None
    except (Exception, SystemExit) as error:
        raise InputError(sentences.MODULE_NOT_IMPORTED(module=place, error=type(error).__name__, said=error)) from error
    try:
        module = maker(shape.inputs, shape.outputs)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(
            sentences.CLASS_FAILED(
                module=shape.module, inputs=shape.inputs, outputs=shape.outputs, error=type(error).__name__, said=error
            )
        ) from error
    if not isinstance(module, nn.Module):
        raise InputError(sentences.NO_MODULE_MADE(module=shape.module, kind=type(module).__name__))
    if not any(p.requires_grad for p in module.parameters()):
        raise InputError(sentences.NO_PARAMETERS(module=shape.module))
    return module


def _reset(module: nn.Module, init: models.Init, seed: int) -> None:
    from engine.base.random_streams import stream

    random, fan_in = stream(seed, "initial parameters"), 1
    for name, parameter in module.named_parameters():
        shape = tuple(parameter.shape)
        if len(shape) >= 2:
            fan_in = int(np.prod(shape[1:]))  # torch's own layers keep [fan out, fan in, …]
        if init == "uniform":
            values = random.uniform(-1 / sqrt(fan_in), 1 / sqrt(fan_in), shape)
        elif init == "kaiming" and len(shape) >= 2:
            values = random.uniform(-sqrt(6 / fan_in), sqrt(6 / fan_in), shape)
        else:
            values = np.full(shape, 1.0 if init == "ones" else 0.0)
        put(module, {name: values})
