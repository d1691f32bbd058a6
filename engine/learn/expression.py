"""The gradient of an expression by reverse-mode differentiation, with every step of it to be looked at.

While an expression is read, every part is computed and noted on a tape; then the tape is walked backwards, and each
part hands its gradient on to the parts it was made of (the chain rule; Linnainmaa 1970, Griewank and Walther 2008).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from engine.base.errors import InputError
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
    extreme_slopes,
)

LONGEST, DEEPEST = 1000, 50  # characters of an expression, and parentheses inside each other
CONSTANTS = {"pi": math.pi, "e": math.e}
SPELLINGS = str.maketrans({"^": "**", "²": "**2 ", "³": "**3 ", "·": "*", "×": "*", "÷": "/", "−": "-", "π": " pi "})


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
            kind = "constant" if name in CONSTANTS else "function"
            raise InputError(f"{name} is a {kind}; give the variable another name.")
        if not math.isfinite(value):
            raise InputError(f"{name} is {value}; it must be a finite number.")
    tape = _Reader(text, values).read()
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
    names = (token.text for token in _tokens(text) if token.kind == "name")
    return tuple(dict.fromkeys(name for name in names if name not in CONSTANTS and name not in FUNCTIONS))


@dataclass(frozen=True)
class _Note:
    """A line of the tape: what was computed from which lines before it."""

    label: str
    value: float
    parents: tuple[int, ...] = ()
    slopes: Numbers = ()  # by each parent
    variable: str = ""
    varies: bool = False  # whether a variable is part of it


def _backward(tape: list[_Note]) -> list[float]:
    """The gradient of the last line with respect to every line."""
    gradients = [0.0] * len(tape)
    gradients[-1] = 1.0
    for at in range(len(tape) - 1, -1, -1):
        for parent, slope in zip(tape[at].parents, tape[at].slopes, strict=True):
            if tape[parent].varies:
                gradients[parent] += gradients[at] * slope
    return gradients


# Reading.


@dataclass(frozen=True)
class _Token:
    kind: str  # number, name, sign, end
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>\*\*|[-+*/(),]))"
)


def _tokens(text: str) -> list[_Token]:
    text = text.translate(SPELLINGS)
    if len(text) > LONGEST:
        raise InputError(f"The expression has {len(text):,} characters; up to {LONGEST:,} are read.")
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()
            raise InputError(f"“{rest[0]}” has no meaning in an expression, at “{_short(rest)}”.")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind), match.end(kind)))
        at = match.end()
    return [*found, _Token("end", "", len(text), len(text))]


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"


@dataclass(frozen=True)
class _Part:
    """A line of the tape and where it stands in the text, parentheses around it included."""

    line: int
    start: int
    end: int


class _Reader:
    """Reads an expression by precedence: sums, products, signs, powers, and what stands alone."""

    def __init__(self, text: str, values: Mapping[str, float]) -> None:
        self._text = text.translate(SPELLINGS)
        self._values = values
        self._tokens = _tokens(text)
        self._at = self._depth = 0
        self._tape: list[_Note] = []

    def read(self) -> list[_Note]:
        """The tape of the whole expression."""
        if self._next.kind == "end":
            raise InputError("There is no expression; write one such as log((3x + 4y)^2).")
        self._sum()
        if self._next.kind != "end":
            what = "a closing parenthesis without an opening one" if self._next.text == ")" else "not expected"
            raise InputError(f"“{self._next.text}” is {what} after “{self._read_so_far()}”.")
        return self._tape

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _read_so_far(self) -> str:
        before = self._text[: self._tokens[self._at - 1].end] if self._at else ""
        return before if len(before) <= 20 else "…" + before[-19:]

    def _sum(self) -> _Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise InputError(f"The expression has more than {DEEPEST} parentheses inside each other.")
        part = self._product()
        while self._next.text in ("+", "-"):
            sign = self._take().text
            part = self._pair(sign, part, self._product())
        self._depth -= 1
        return part

    def _product(self) -> _Part:
        part = self._signed()
        while True:
            if self._next.text in ("*", "/"):
                sign = self._take().text
                part = self._pair(sign, part, self._signed())
            elif self._next.kind in ("number", "name") or self._next.text == "(":
                if self._next.kind == "number":
                    raise InputError(f"A sign is missing between “{self._read_so_far()}” and “{self._next.text}”.")
                part = self._pair("*", part, self._powered())
            else:
                return part

    def _signed(self) -> _Part:
        signs = []
        while self._next.text in ("+", "-"):
            signs.append(self._take())
        part = self._powered()
        for sign in reversed(signs):
            if sign.text == "-":
                part = self._single(NEGATIVE, part, sign.start, part.end)
        return part

    def _powered(self) -> _Part:
        part = self._alone()
        if self._next.text == "**":
            self._take()
            self._depth += 1
            if self._depth > DEEPEST:
                raise InputError(f"The expression has more than {DEEPEST} powers inside each other.")
            part = self._pair("**", part, self._signed())  # from the right: 2^3^2 is 2^(3^2)
            self._depth -= 1
        return part

    def _alone(self) -> _Part:
        token = self._take()
        if token.kind == "number":
            return self._leaf(token, float(token.text))
        if token.kind == "name":
            return self._called(token) if token.text in FUNCTIONS else self._named(token)
        if token.text == "(":
            inner = self._sum()
            return _Part(inner.line, token.start, self._close(token))
        self._at -= 1
        if token.kind == "end":
            raise InputError(f"The expression ends after “{self._read_so_far()}”, where a number or a name is missing.")
        raise InputError(f"A number or a name is missing before “{_short(self._text[token.start :])}”.")

    def _close(self, opening: _Token) -> int:
        if self._next.text != ")":
            raise InputError(f"The parenthesis at “{_short(self._text[opening.start :])}” is not closed.")
        return self._take().end

    def _called(self, name: _Token) -> _Part:
        opening = self._next
        if opening.text != "(":
            raise InputError(f"{name.text} needs parentheses: {name.text}(…).")
        self._take()
        parts = [self._sum()]
        while self._next.text == ",":
            self._take()
            parts.append(self._sum())
        end = self._close(opening)
        if name.text in EXTREMES:
            return self._extreme(name.text, parts, name.start, end)
        if len(parts) > 1:
            raise InputError(f"{name.text} takes one number, not {len(parts)}.")
        return self._single(SINGLE[name.text], parts[0], name.start, end)

    def _named(self, token: _Token) -> _Part:
        name = token.text
        if name in CONSTANTS:
            return self._leaf(token, CONSTANTS[name])
        if name in self._values:
            return self._leaf(token, float(self._values[name]), name)
        if self._next.text == "(" and len(name) > 1:
            near = get_close_matches(name, FUNCTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FUNCTIONS)}."
            raise InputError(f"There is no function {name}; {hint}")
        if len(name) > 1 and all(letter in self._values for letter in name):
            raise InputError(f"{name} has no value; did you mean {' * '.join(name)}?")
        raise InputError(f"{name} has no value; give one, such as {name} = 1.")

    # Computing.

    def _note(self, note: _Note, start: int, end: int) -> _Part:
        if not math.isfinite(note.value):
            raise InputError(f"{note.label} is too large a number here.")
        self._tape.append(note)
        return _Part(len(self._tape) - 1, start, end)

    def _label(self, start: int, end: int) -> str:
        return self._text[start:end].strip().replace("**", "^")

    def _leaf(self, token: _Token, value: float, variable: str = "") -> _Part:
        note = _Note(token.text, value, variable=variable, varies=bool(variable))
        return self._note(note, token.start, token.end)

    def _single(self, function: tuple[Compute, ComputePair], part: _Part, start: int, end: int) -> _Part:
        compute, slope = function
        label, inner = self._label(start, end), self._tape[part.line]
        value = self._defined(label, lambda: compute(inner.value), (inner.value,))
        slopes = (slope(inner.value, value),)
        return self._note(_Note(label, value, (part.line,), slopes, varies=inner.varies), start, end)

    def _pair(self, sign: str, left: _Part, right: _Part) -> _Part:
        compute, slopes = PAIRS[sign]
        label, a, b = self._label(left.start, right.end), self._tape[left.line], self._tape[right.line]
        given = (a.value, b.value)
        value = self._defined(label, lambda: compute(*given), given)
        note = _Note(label, value, (left.line, right.line), slopes(*given, value), varies=a.varies or b.varies)
        return self._note(note, left.start, right.end)

    def _extreme(self, name: str, parts: list[_Part], start: int, end: int) -> _Part:
        lines = tuple(part.line for part in parts)
        given = tuple(self._tape[line].value for line in lines)
        value = EXTREMES[name](given)
        varies = any(self._tape[line].varies for line in lines)
        note = _Note(self._label(start, end), value, lines, extreme_slopes(given, value), varies=varies)
        return self._note(note, start, end)

    def _defined(self, label: str, compute: Callable[[], float], given: Numbers) -> float:
        try:
            return compute()
        except Undefined as error:
            shown = " and ".join(f"{value:.6g}" for value in given)
            raise InputError(f"{label} is not defined at {shown}: {error}.") from None
        except OverflowError:
            raise InputError(f"{label} is too large a number here.") from None
