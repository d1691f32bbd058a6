"""What a JSON value must look like, declared as plain values and judged once, where a file is read.

A shape is a function of a value and of the place where it stands; it raises `Misshapen` with a phrase such as
"result.steps is 'many', not a whole number". Fields that a record does not name may hold anything: a newer ravine may
have added them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from engine.base import sentences

LARGEST = 2**63  # a whole number below it fits where numpy and the kernels keep it
SHOWN = 40  # letters of a bad value in a phrase

Shape = Callable[[Any, str], None]


class Misshapen(ValueError):
    """What is wrong with a value, as a phrase."""


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises Misshapen."""
    try:
        return json.loads(text)
    except RecursionError:
        raise Misshapen(sentences.TOO_DEEP()) from None
    except json.JSONDecodeError as error:
        raise Misshapen(sentences.NOT_JSON(reason=error)) from None
    except UnicodeDecodeError:
        raise Misshapen(sentences.NO_UTF8()) from None
    except ValueError:  # a whole number of thousands of digits
        raise Misshapen(sentences.LONG_NUMBER()) from None


def _bad(value: Any, place: str, wanted: str) -> Misshapen:
    return Misshapen(sentences.NOT_WANTED(place=place or sentences.IT(), value=_shown(value), wanted=wanted))


def _shown(value: Any) -> str:
    """A bad value in a few letters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**SHOWN:  # Python refuses to write out the longest ones
        return sentences.VERY_LONG_NUMBER()
    if isinstance(value, str | int | float):
        text = repr(value[: 2 * SHOWN] if isinstance(value, str) else value)
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return sentences.A_LIST() if isinstance(value, list) else sentences.AN_OBJECT()


def number(value: Any, place: str = "") -> None:
    """A finite number."""
    if type(value) is float:
        if isfinite(value):
            return
    elif type(value) is int and -LARGEST <= value < LARGEST:
        return
    raise _bad(value, place, sentences.NUMBER())


def floating(value: Any, place: str = "") -> None:
    """A number that may be NaN or infinite, as Python's own JSON has them."""
    if type(value) is not float:
        number(value, place)


def whole(value: Any, place: str = "") -> None:
    """A whole number that fits into 64 bits."""
    if type(value) is not int or not -LARGEST <= value < LARGEST:
        raise _bad(value, place, sentences.WHOLE_NUMBER())


def count(value: Any, place: str = "") -> None:
    """A whole number, at least 0, that fits into 64 bits."""
    if type(value) is not int or not 0 <= value < LARGEST:
        raise _bad(value, place, sentences.COUNT())


def text(value: Any, place: str = "") -> None:
    """A text."""
    if not isinstance(value, str):
        raise _bad(value, place, sentences.TEXT())


def switch(value: Any, place: str = "") -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _bad(value, place, sentences.TRUE_OR_FALSE())


def anything(value: Any, place: str = "") -> None:
    """Whatever it is."""


def one_of(*words: str) -> Shape:
    """One of some texts."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, str) or value not in words:
            raise _bad(value, place, sentences.ONE_OF(words=words))

    return judge


def named(words: Callable[[], Sequence[str]]) -> Shape:
    """One of the texts that there are when it is judged."""

    def judge(value: Any, place: str = "") -> None:
        one_of(*words())(value, place)

    return judge


def maybe(shape: Shape) -> Shape:
    """Null, or what the shape says."""

    def judge(value: Any, place: str = "") -> None:
        if value is not None:
            shape(value, place)

    return judge


def either(*shapes: Shape, wanted: str) -> Shape:
    """What any of the shapes says."""

    def judge(value: Any, place: str = "") -> None:
        for shape in shapes:
            try:
                return shape(value, place)
            except Misshapen:
                continue
        raise _bad(value, place, wanted)

    return judge


def listed(shape: Shape) -> Shape:
    """A list of values of one shape."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, list):
            raise _bad(value, place, sentences.A_LIST())
        for position, item in enumerate(value):
            shape(item, f"{place}[{position}]")

    return judge


def table(shape: Shape) -> Shape:
    """An object with any names and values of one shape."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, dict):
            raise _bad(value, place, sentences.AN_OBJECT())
        for name, item in value.items():
            shape(item, _under(place, name))

    return judge


def record(needed: Mapping[str, Shape], more: Mapping[str, Shape] | None = None) -> Shape:
    """An object with the fields of `needed`, and perhaps those of `more`, which may also be null."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, dict):
            raise _bad(value, place, sentences.AN_OBJECT())
        for name, shape in needed.items():
            if name not in value:
                raise Misshapen(sentences.MISSING(place=_under(place, name)))
            shape(value[name], _under(place, name))
        for name, shape in (more or {}).items():
            if value.get(name) is not None:
                shape(value[name], _under(place, name))

    return judge


def _under(place: str, name: str) -> str:
    name = " ".join(name[:SHOWN].split())
    return f"{place}.{name}" if place else name
