"""The elementary functions of an expression: what they give, where they are defined, and their derivatives.

At a corner the derivative is torch's: relu and abs have 0 at 0, min and max share it when equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from engine.learn import sentences

Numbers = tuple[float, ...]


class Undefined(ArithmeticError):
    """Why a function has no value where it is asked for one."""


def _log(a: float) -> float:
    if a <= 0:
        raise Undefined(sentences.NO_LOGARITHM())
    return math.log(a)


def _ln(a: float) -> float:
    return _log(a)


def _sqrt(a: float) -> float:
    if a < 0:
        raise Undefined(sentences.NO_ROOT())
    return math.sqrt(a)


def _sigmoid(a: float) -> float:
    small = math.exp(-abs(a))
    return 1 / (1 + small) if a >= 0 else small / (1 + small)


def _relu(a: float) -> float:
    return max(a, 0.0)


def _divide(a: float, b: float) -> float:
    if b == 0:
        raise Undefined(sentences.DIVIDES_BY_ZERO())
    return a / b


def _power(a: float, b: float) -> float:
    if a < 0 and not b.is_integer():
        raise Undefined(sentences.NO_POWER())
    if a == 0 and b < 0:
        raise Undefined(sentences.NO_POWER_OF_ZERO())
    return float(a**b)


def _power_derivatives(a: float, b: float, value: float) -> Numbers:
    if b == 0:
        base = 0.0
    elif a == 0 and b < 1:
        base = math.inf
    else:
        try:
            base = b * _power(a, b - 1)
        except OverflowError:
            base = math.copysign(math.inf, b if a > 0 or b % 2 == 1 else -b)
    exponent = value * math.log(a) if a > 0 else 0.0 if a == 0 else math.nan
    return base, exponent


def extreme_derivatives(parts: Numbers, value: float) -> Numbers:
    """Equal shares for all that are the least, or the greatest."""
    share = 1 / parts.count(value)
    return tuple(share if part == value else 0.0 for part in parts)


Compute = Callable[[float], float]
ComputePair = Callable[[float, float], float]

# Of one part, by the names of the functions above and of math: the value, and the derivative by the part and the value.
SINGLE: dict[str, tuple[Compute, ComputePair]] = {
    compute.__name__.strip("_"): (compute, derivative)
    for compute, derivative in (
        (_log, lambda a, v: 1 / a),
        (_ln, lambda a, v: 1 / a),
        (math.exp, lambda a, v: v),
        (_sqrt, lambda a, v: 0.5 / v if v else math.inf),
        (math.sin, lambda a, v: math.cos(a)),
        (math.cos, lambda a, v: -math.sin(a)),
        (math.tan, lambda a, v: 1 + v * v),
        (math.tanh, lambda a, v: 1 - v * v),
        (_sigmoid, lambda a, v: v * (1 - v)),
        (_relu, lambda a, v: float(a > 0)),
        (abs, lambda a, v: math.copysign(1.0, a) if a else 0.0),
    )
}
NEGATIVE: tuple[Compute, ComputePair] = (lambda a: -a, lambda a, v: -1.0)
# Of two parts: the value, and the derivatives by both parts and the value.
PAIRS: dict[str, tuple[ComputePair, Callable[[float, float, float], Numbers]]] = {
    "+": (lambda a, b: a + b, lambda a, b, v: (1.0, 1.0)),
    "-": (lambda a, b: a - b, lambda a, b, v: (1.0, -1.0)),
    "*": (lambda a, b: a * b, lambda a, b, v: (b, a)),
    "/": (_divide, lambda a, b, v: (1 / b, -v / b)),
    "**": (_power, _power_derivatives),
}
EXTREMES: dict[str, Callable[[Numbers], float]] = {"min": min, "max": max}
FUNCTIONS = (*SINGLE, *EXTREMES)
