"""The random generators that a module of the person's own draws from: found, kept in checkpoints, and set back.

A generator is found where it is an attribute of the module, of a part of it or of their classes, or a global of the
Python file of these, also inside a list, a tuple or a dict. The generators of the whole process (numpy's, Python's and,
on a GPU, torch's for the CPU) are set for the length of a block of steps, and put back after it.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.base.random_streams import stream

PREFIX = "random:"  # of their names among the facts of a state
DEPTH = 2  # containers inside containers that are looked into
MOST = 64  # things of a container that are looked at

Generator = torch.Generator | np.random.Generator | np.random.RandomState | random.Random


class Generators:
    """The generators of a module.

    Args:
        module: the person's own; None for a model that draws only what `Masks` keeps.
        seed: the run's.
        device: where it trains.
    """

    def __init__(self, module: nn.Module | None, seed: int, device: torch.device) -> None:
        self._own: dict[str, Generator] = find(module) if module is not None else {}
        self._shared: dict[str, str] = {}  # the states of the process's generators, as this kernel left them
        if module is None:
            return
        first = stream(seed, "generators of the process").integers(2**32, size=3)
        self._shared["numpy"] = _text(np.random.RandomState(int(first[0])))
        self._shared["python"] = _text(random.Random(int(first[1])))
        if device.type != "cpu":
            self._shared["torch"] = _text(torch.Generator().manual_seed(int(first[2])))

    @contextmanager
    def own(self) -> Iterator[None]:
        """Let the process's generators be this kernel's inside; outside nothing has happened to them."""
        before = {name: read() for name, (read, _) in _PROCESS.items() if name in self._shared}
        for name, text in self._shared.items():
            _PROCESS[name][1](text)
        try:
            yield
            self._shared = {name: _PROCESS[name][0]() for name in self._shared}
        finally:
            for name, text in before.items():
                _PROCESS[name][1](text)

    def state(self) -> dict[str, str]:
        """The states of all of them by name, as text for a state's facts."""
        return {f"{PREFIX}{name}": text for name, text in self._shared.items()} | {
            f"{PREFIX}own:{name}": _text(generator) for name, generator in self._own.items()
        }

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Set them back to what `state` gave; one that is not among the facts stays as it is."""
        for name in self._shared:
            if f"{PREFIX}{name}" in facts:
                self._shared[name] = str(facts[f"{PREFIX}{name}"])
        for name, generator in self._own.items():
            if f"{PREFIX}own:{name}" in facts:
                _set(generator, str(facts[f"{PREFIX}own:{name}"]))


def find(module: nn.Module) -> dict[str, Generator]:
    """The generators of a module by the place of each, such as "noise.generator"."""
    found: dict[str, Generator] = {}
    for place, part in module.named_modules():
        _look(place or "model", vars(part), found, 0)
        for kind in type(part).__mro__:
            home = kind.__module__.partition(".")[0]
            if home in ("torch", "builtins"):
                continue
            _look(kind.__qualname__, dict(vars(kind)), found, 0)
            _look(kind.__module__, dict(vars(sys.modules.get(kind.__module__, object))), found, 0)
    return found


def hidden_changes(module: nn.Module, work: Callable[[], object]) -> tuple[str, ...]:
    """The plain attributes (numbers, texts) that some work changes: a checkpoint does not hold them."""

    def plain() -> dict[str, Any]:
        return {
            f"{place}.{name}".lstrip("."): value
            for place, part in module.named_modules()
            for name, value in vars(part).items()
            if isinstance(value, int | float | str) and name != "training"
        }

    before = plain()
    work()
    after = plain()
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def _look(place: str, held: Mapping[Any, Any], found: dict[str, Generator], depth: int) -> None:
    for name, value in list(held.items())[: MOST if depth else None]:
        where = f"{place}.{name}"
        if isinstance(value, Generator):
            shared = value is torch.default_generator or value is getattr(random, "_inst", None)
            if not shared and all(value is not other for other in found.values()):
                found[where] = value
        elif depth < DEPTH and isinstance(value, dict) and not str(name).startswith("__"):
            _look(where, value, found, depth + 1)
        elif depth < DEPTH and isinstance(value, list | tuple):
            _look(where, dict(enumerate(value)), found, depth + 1)


# The states as text: JSON whose arrays are written as bytes.


def _text(generator: Generator) -> str:
    state: Any
    if isinstance(generator, torch.Generator):
        state = generator.get_state().numpy()
    elif isinstance(generator, np.random.Generator):
        state = generator.bit_generator.state
    elif isinstance(generator, np.random.RandomState):
        state = generator.get_state(legacy=False)
    else:
        state = generator.getstate()
    return json.dumps(_plain(state))


def _set(generator: Generator, text: str) -> None:
    state = _thick(json.loads(text))
    if isinstance(generator, torch.Generator):
        generator.set_state(torch.from_numpy(state))
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.setstate(state)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"bytes": value.tobytes().hex(), "dtype": value.dtype.str}
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):  # Python's own generator: whole numbers of 32 bits, among other things
        if len(value) > 8:
            return {"tuple": _plain(np.array(value, dtype=np.uint32))}
        return {"parts": [_plain(part) for part in value]}
    return value.item() if isinstance(value, np.generic) else value


def _thick(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return np.frombuffer(bytes.fromhex(value["bytes"]), dtype=np.dtype(value["dtype"])).copy()
    if "tuple" in value:
        return tuple(_thick(value["tuple"]).tolist())
    if "parts" in value:
        return tuple(_thick(part) for part in value["parts"])
    return {name: _thick(part) for name, part in value.items()}


def _numpy_state() -> str:
    return json.dumps(_plain(np.random.get_state(legacy=False)))  # noqa: NPY002 (what the person's code may draw from)


def _set_numpy(text: str) -> None:
    np.random.set_state(_thick(json.loads(text)))  # noqa: NPY002


_PROCESS: dict[str, tuple[Callable[[], str], Callable[[str], object]]] = {
    "numpy": (_numpy_state, _set_numpy),
    "python": (
        lambda: json.dumps(_plain(random.getstate())),
        lambda text: random.setstate(_thick(json.loads(text))),
    ),
    "torch": (
        lambda: json.dumps(_plain(torch.get_rng_state().numpy())),
        lambda text: torch.set_rng_state(torch.from_numpy(_thick(json.loads(text)))),
    ),
}
