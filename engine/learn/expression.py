"""The gradient of an expression by reverse-mode differentiation, with every step of it to be looked at.

Every part of an expression is computed and noted on a tape, from the left, the parts before what is made of them; then
the tape is walked backwards, and each part hands its gradient on to the parts it was made of (the chain rule;
Linnainmaa 1970, Griewank and Walther 2008).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from engine.base.errors import InputError
from engine.learn import sentences
from engine.learn.elementary import (
    EXTREMES,
    FUNCTIONS,
    NEGATIVE,
    PAIRS,
    SINGLE,
    Compute,
    ComputePair,
    Numbers,
    Undefined,
    extreme_derivatives,
)
from engine.learn.expression_text import ExpressionText, read, tokens_of

CONSTANTS = {"pi": math.pi, "e": math.e}
SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


@dataclass(frozen=True)
class Node:
    """A part of an expression.

    Attributes:
        label: the part as it was written.
        value: of the part.
        gradient: of the whole expression with respect to this part; None for a part without a variable. Of a variable
            that occurs more than once, each place has the share that comes through it.
        children: the parts it is made of.
    """

    label: str
    value: float
    gradient: float | None
    children: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Gradient:
    """An expression's value, its derivative by each variable, and the tree of how they came about."""

    value: float
    gradients: dict[str, float]
    tree: Node


def differentiate(text: str, values: Mapping[str, float]) -> Gradient:
    """Value and gradient of an expression such as log((3x + 4y)^2).

    It may have numbers, variables, + - * / ^ (or **), products without a sign (3x, 2(x + 1)), parentheses, pi, e, and
    log (or ln), exp, sqrt, sin, cos, tan, tanh, sigmoid, relu, abs, and min and max of several.

    Args:
        text: the expression.
        values: a finite number for each variable.

    Raises:
        InputError: what cannot be read, a name without a value, or a value at which the expression is not defined.
    """
    for name, value in values.items():
        if name in CONSTANTS or name in FUNCTIONS:
            kind = sentences.CONSTANT() if name in CONSTANTS else sentences.FUNCTION()
            raise InputError(sentences.NAME_TAKEN(name=name, kind=kind))
        if not math.isfinite(value):
            raise InputError(sentences.NOT_FINITE(name=name, value=value))
    read_text = read(text, lambda name, called: _check_name(name, values, called=called))
    tape = _Computer(read_text, values).tape()
    gradients = _backward(tape)
    nodes: list[Node] = []
    for note, gradient in zip(tape, gradients, strict=True):
        children = tuple(nodes[i] for i in note.parents)
        nodes.append(Node(note.label, note.value, gradient if note.varies else None, children))
    found = dict.fromkeys(values, 0.0)
    for note, gradient in zip(tape, gradients, strict=True):
        if note.variable:
            found[note.variable] += gradient
    return Gradient(tape[-1].value, found, nodes[-1])


def variables(text: str) -> tuple[str, ...]:
    """The names in an expression that need a value, in the order they come in. Raises InputError."""
    names = (token.text for token in tokens_of(text) if token.kind == "name")
    return tuple(dict.fromkeys(name for name in names if name not in CONSTANTS and name not in FUNCTIONS))


@dataclass(frozen=True)
class _Note:
    """A line of the tape: what was computed from which lines before it."""

    label: str
    value: float
    parents: tuple[int, ...] = ()
    derivatives: Numbers = ()  # by each parent
    variable: str = ""
    varies: bool = False  # whether a variable is part of it


def _backward(tape: list[_Note]) -> list[float]:
    """The gradient of the last line with respect to every line."""
    gradients = [0.0] * len(tape)
    gradients[-1] = 1.0
    for at in range(len(tape) - 1, -1, -1):
        for parent, derivative in zip(tape[at].parents, tape[at].derivatives, strict=True):
            if tape[parent].varies:
                gradients[parent] += gradients[at] * derivative
    return gradients


def _check_name(name: str, values: Mapping[str, float], *, called: bool) -> None:
    """Raises InputError for a name without a value. `called`: whether a parenthesis follows, as behind a function."""
    if name in CONSTANTS or name in values:
        return
    if called and len(name) > 1:
        near = get_close_matches(name, FUNCTIONS, n=1)
        if near:
            raise InputError(sentences.NO_FUNCTION_BUT_NEAR(name=name, near=near[0]))
        raise InputError(sentences.NO_FUNCTION(name=name, functions=list(FUNCTIONS)))
    if len(name) > 1 and all(letter in values for letter in name):
        raise InputError(sentences.NO_VALUE_BUT_PRODUCT(name=name, product=" * ".join(name)))
    raise InputError(sentences.NO_VALUE(name=name))


# Computing.


class _Computer:
    """Computes the parts of an expression in the order in which Python would."""

    def __init__(self, text: ExpressionText, values: Mapping[str, float]) -> None:
        self._text, self._values = text, values
        self._tape: list[_Note] = []
        self._lines: dict[ast.expr, int] = {}  # of the parts that are on the tape

    def tape(self) -> list[_Note]:
        """The tape of the whole expression."""
        for part in self._text.parts:
            note = self._noted(part)
            if not math.isfinite(note.value):
                raise InputError(sentences.TOO_LARGE_HERE(part=note.label))
            self._lines[part] = len(self._tape)
            self._tape.append(note)
        return self._tape

    def _noted(self, part: ast.expr) -> _Note:
        label = self._text.label(part)
        match part:
            case ast.Constant():
                token = self._text.token(part)
                return _Note(token.text, float(token.text))
            case ast.Name():
                return self._named(self._text.token(part).text)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._single(label, NEGATIVE, operand)
            case ast.BinOp(left=left, op=op, right=right):
                return self._pair(label, SIGNS[type(op)], left, right)
            case ast.Call(args=[*given]):
                name = self._text.token(part).text
                if name in EXTREMES:
                    return self._extreme(label, name, given)
                if len(given) > 1:
                    raise InputError(sentences.ONE_NUMBER(function=name, count=len(given)))
                return self._single(label, SINGLE[name], given[0])
        raise InputError(sentences.NO_MEANING(part=label))

    def _named(self, name: str) -> _Note:
        if name in CONSTANTS:
            return _Note(name, CONSTANTS[name])
        return _Note(name, float(self._values[name]), variable=name, varies=True)

    def _line(self, part: ast.expr) -> tuple[int, _Note]:
        line = self._lines[part]
        return line, self._tape[line]

    def _single(self, label: str, function: tuple[Compute, ComputePair], part: ast.expr) -> _Note:
        compute, derivative = function
        line, inner = self._line(part)
        value = _defined(label, lambda: compute(inner.value), (inner.value,))
        return _Note(label, value, (line,), (derivative(inner.value, value),), varies=inner.varies)

    def _pair(self, label: str, sign: str, left: ast.expr, right: ast.expr) -> _Note:
        compute, derivatives = PAIRS[sign]
        (first, a), (second, b) = self._line(left), self._line(right)
        given = (a.value, b.value)
        value = _defined(label, lambda: compute(*given), given)
        return _Note(label, value, (first, second), derivatives(*given, value), varies=a.varies or b.varies)

    def _extreme(self, label: str, name: str, parts: list[ast.expr]) -> _Note:
        lines, notes = zip(*(self._line(part) for part in parts), strict=True)
        given = tuple(note.value for note in notes)
        value = EXTREMES[name](given)
        varies = any(note.varies for note in notes)
        return _Note(label, value, lines, extreme_derivatives(given, value), varies=varies)


def _defined(label: str, compute: Callable[[], float], given: Numbers) -> float:
    try:
        return compute()
    except Undefined as error:
        raise InputError(
            sentences.UNDEFINED(part=label, values=[f"{value:.6g}" for value in given], why=error)
        ) from None
    except OverflowError:
        raise InputError(sentences.TOO_LARGE_HERE(part=label)) from None
