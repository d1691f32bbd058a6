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
        raise Misshapen("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Misshapen(f"it is not JSON: {error}") from None
    except UnicodeDecodeError:
        raise Misshapen("it is not UTF-8") from None
    except ValueError:  # a whole number of thousands of digits
        raise Misshapen("it holds a number that is too long") from None


def _bad(value: Any, place: str, wanted: str) -> Misshapen:
    return Misshapen(f"{place or 'it'} is {_shown(value)}, not {wanted}")


def _shown(value: Any) -> str:
    """A bad value in a few letters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**SHOWN:  # Python refuses to write out the longest ones
        return "a very long number"
    if isinstance(value, str | int | float):
        text = repr(value[: 2 * SHOWN] if isinstance(value, str) else value)
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return "a list" if isinstance(value, list) else "an object"


def number(value: Any, place: str = "") -> None:
    """A finite number."""
    if type(value) is float:
        if isfinite(value):
            return
    elif type(value) is int and -LARGEST <= value < LARGEST:
        return
    raise _bad(value, place, "a number")


def floating(value: Any, place: str = "") -> None:
    """A number that may be NaN or infinite, as Python's own JSON has them."""
    if type(value) is not float:
        number(value, place)


def whole(value: Any, place: str = "") -> None:
    """A whole number that fits into 64 bits."""
    if type(value) is not int or not -LARGEST <= value < LARGEST:
        raise _bad(value, place, "a whole number")


def count(value: Any, place: str = "") -> None:
    """A whole number, at least 0, that fits into 64 bits."""
    if type(value) is not int or not 0 <= value < LARGEST:
        raise _bad(value, place, "a whole number, at least 0")


def text(value: Any, place: str = "") -> None:
    """A text."""
    if not isinstance(value, str):
        raise _bad(value, place, "a text")


def switch(value: Any, place: str = "") -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _bad(value, place, "true or false")


def anything(value: Any, place: str = "") -> None:
    """Whatever it is."""


def one_of(*words: str) -> Shape:
    """One of some texts."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, str) or value not in words:
            raise _bad(value, place, f"one of {', '.join(words)}")

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
            raise _bad(value, place, "a list")
        for position, item in enumerate(value):
            shape(item, f"{place}[{position}]")

    return judge


def table(shape: Shape) -> Shape:
    """An object with any names and values of one shape."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, dict):
            raise _bad(value, place, "an object")
        for name, item in value.items():
            shape(item, _under(place, name))

    return judge


def record(needed: Mapping[str, Shape], more: Mapping[str, Shape] | None = None) -> Shape:
    """An object with the fields of `needed`, and perhaps those of `more`, which may also be null."""

    def judge(value: Any, place: str = "") -> None:
        if not isinstance(value, dict):
            raise _bad(value, place, "an object")
        for name, shape in needed.items():
            if name not in value:
                raise Misshapen(f"{_under(place, name)} is missing")
            shape(value[name], _under(place, name))
        for name, shape in (more or {}).items():
            if value.get(name) is not None:
                shape(value[name], _under(place, name))

    return judge


def _under(place: str, name: str) -> str:
    name = " ".join(name[:SHOWN].split())
    return f"{place}.{name}" if place else name
