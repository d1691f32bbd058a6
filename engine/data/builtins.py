"""The tables that are there without a file, by their records in `engine.registry.datasets`. Equal parameters give equal
tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from importlib import import_module
from typing import Any

import numpy as np

from engine.base.errors import InputError
from engine.base.random_streams import stream
from engine.data import sentences
from engine.data.table import Column, Table, numeric
from engine.registry.datasets import REGISTRY, Dataset, Parameter


def load(asked: str) -> Table:
    """The table for "NAME" or "NAME:key=value,…". Raises InputError for parameters that are not or do not fit."""
    name, colon, given = asked.partition(":")
    one = REGISTRY[name]
    if colon and not one.parameters:
        raise InputError(sentences.NO_PARAMETERS(dataset=name))
    columns = _columns(one, _values(one, given))
    target = next((column for column in columns if column.name == one.target), columns[-1])
    task = one.task
    if target.is_coded:
        task = "binary" if len(target.categories) == 2 else "multiclass"
    return Table(name, asked, columns, len(target.data), target.name, origin=one.kind, task=task)


class _Stream:
    """A stream of random numbers that begins when it is asked for one: numpy.random takes its time to come."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._begin = partial(stream, seed, purpose)

    @cached_property
    def _generator(self) -> np.random.Generator:
        return self._begin()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)


def _columns(one: Dataset, values: Mapping[str, float]) -> tuple[Column, ...]:
    if isinstance(one.make, str):
        module, _, function = one.make.partition(":")
        made = getattr(import_module(module), function)(one)
    else:
        made = one.make(np, _Stream(int(values.get("seed", 0)), one.name), values)
    return tuple(_column(name, content) for name, content in made.items())


def _column(name: str, content: Any) -> Column:
    if isinstance(content, Column):
        return content
    if isinstance(content, tuple):
        codes, categories = content
        return Column(name, "categorical", np.asarray(codes, dtype=np.int32), tuple(categories))
    return numeric(name, content)


def _values(one: Dataset, given: str) -> dict[str, float]:
    values = {key: parameter.default for key, parameter in one.parameters.items()}
    for part in filter(None, (part.strip() for part in given.split(","))):
        key, equals, text = (piece.strip() for piece in part.partition("="))
        if key not in values:
            from difflib import get_close_matches

            near = get_close_matches(key, values, n=1)
            hint = (
                sentences.NEAR_PARAMETERS(near=near[0], names=list(one.parameters))
                if near
                else sentences.PARAMETERS(names=list(one.parameters))
            )
            raise InputError(sentences.NO_PARAMETER(dataset=one.name, name=key, hint=hint))
        asked = one.parameters[key]
        number = _number(text, whole=asked.whole) if equals else None
        if number is None or not asked.low <= number <= asked.high:
            raise InputError(
                sentences.BAD_PARAMETER(
                    dataset=one.name, name=key, value=text or sentences.EMPTY(), allowed=_allowed(asked)
                )
            )
        values[key] = number
    misfit = one.check(values)
    if misfit:
        raise InputError(sentences.OF_DATASET(dataset=one.name, problem=misfit))
    return values


def _allowed(asked: Parameter) -> str:
    within = sentences.WHOLE_NUMBER_FROM if asked.whole else sentences.NUMBER_FROM
    return within(low=asked.low, high=asked.high)


def _number(text: str, *, whole: bool) -> float | None:
    text = text.replace("_", "")
    try:
        if whole:
            try:
                return int(text)
            except ValueError:
                pass
        number = float(text)
    except ValueError:
        return None
    if not np.isfinite(number) or (whole and not number.is_integer()):
        return None
    return int(number) if whole else number
