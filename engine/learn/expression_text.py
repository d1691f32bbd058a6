"""The text of an expression as Python's own syntax tree, which is read and never run.

What a person writes is not quite Python: 3x is a product, ^ a power, `lambda` a name like any other. So the text is cut
into tokens, what cannot follow what is told in a sentence, and Python's parser gets tokens that it reads without a
question: a * where none was written, names that are no words of its own. Where each part stands in the text is kept.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.base.errors import InputError
from engine.learn import sentences
from engine.learn.elementary import FUNCTIONS

LONGEST, DEEPEST = 1000, 50  # characters of an expression, and parentheses and powers inside each other
SPELLINGS = str.maketrans({"^": "**", "²": "**2 ", "³": "**3 ", "·": "*", "×": "*", "÷": "/", "−": "-", "π": " pi "})
ALLOWED = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Constant, ast.Load,
           ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub)  # fmt: skip
Known = Callable[[str, bool], object]
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)|(?P<sign>\*\*|[-+*/(),]))"
)


@dataclass(frozen=True)
class Token:
    """A number, a name or a sign, and where it stands."""

    kind: str  # number, name, sign, end
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of an expression, and one for its end. Raises InputError."""
    text = text.translate(SPELLINGS)
    if len(text) > LONGEST:
        raise InputError(sentences.TOO_LONG(characters=len(text), most=LONGEST))
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()
            raise InputError(sentences.NO_MEANING_AT(character=rest[0], rest=_short(rest)))
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind], match.start(kind), match.end(kind)))
        at = match.end()
    return [*found, Token("end", "", len(text), len(text))]


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"


class ExpressionText:
    """An expression that has been read.

    Attributes:
        parts: numbers, names, signs and functions of the syntax tree, each after the parts that it is made of, from the
            left; the last one is the whole.
    """

    def __init__(self, text: str, tokens: list[Token], python: _Python) -> None:
        self._text, self._tokens, self._python = text, tokens, python
        tree = ast.parse(python.text, mode="eval")
        for node in ast.walk(tree):
            if not isinstance(node, ALLOWED):
                raise InputError(sentences.NO_MEANING(part=type(node).__name__))
        self.parts = _from_the_left(tree.body)

    def token(self, part: ast.expr) -> Token:
        """The token that a part begins with."""
        return self._tokens[self._python.begins[part.col_offset]]

    def label(self, part: ast.expr) -> str:
        """A part as it was written, parentheses around the whole of it left away."""
        assert part.end_col_offset is not None
        end = self._tokens[self._python.ends[part.end_col_offset]].end
        return self._text[self.token(part).start : end].strip().replace("**", "^")


def _from_the_left(tree: ast.expr) -> list[ast.expr]:
    """Every part after those it is made of. No function calls itself: a sum of 500 terms is 500 parts deep."""
    found, waiting = [], [tree]
    while waiting:
        part = waiting.pop()
        found.append(part)
        match part:
            case ast.BinOp(left=left, right=right):
                waiting += [left, right]
            case ast.UnaryOp(operand=operand):
                waiting.append(operand)
            case ast.Call(args=given):
                waiting += given
    return found[::-1]


@dataclass
class _Python:
    """The tokens as Python's parser gets them, and which of ours begins and ends at which column."""

    text: str = ""
    begins: dict[int, int] = field(default_factory=dict)
    ends: dict[int, int] = field(default_factory=dict)

    def add(self, text: str, token: int | None = None) -> None:
        """Add a token, of ours the one with a number."""
        self.text += " " if self.text else ""
        if token is not None:
            self.begins[len(self.text)] = token
        self.text += text
        if token is not None:
            self.ends[len(self.text)] = token


@dataclass
class _Level:
    """What is open: a parenthesis, or the whole."""

    opening: Token | None = None
    is_call: bool = False  # commas may stand in it
    powers: int = 0  # inside each other, up to here


class _Check:
    """Goes through the tokens and says what cannot follow; what can is handed on to Python."""

    def __init__(self, text: str, tokens: list[Token], known: Known) -> None:
        self._text, self._tokens, self._known = text, tokens, known
        self._levels = [_Level()]
        self._depth = 1
        self._python = _Python()

    def run(self) -> _Python:
        """The tokens for Python. Raises InputError."""
        if self._tokens[0].kind == "end":
            raise InputError(sentences.NO_EXPRESSION())
        complete = False  # whether a number, a name or a closing parenthesis is what comes before
        for at, token in enumerate(self._tokens):
            complete = self._follow(at, token) if complete else self._begin(at, token)
        return self._python

    def _so_far(self, at: int) -> str:
        before = self._text[: self._tokens[at - 1].end] if at else ""
        return before if len(before) <= 20 else "…" + before[-19:]

    def _begin(self, at: int, token: Token) -> bool:
        """Where a number or a name is due."""
        if token.text == "(":
            called = at > 0 and self._tokens[at - 1].text in FUNCTIONS
            self._open(token, is_call=called)
            self._python.add("(", at)
            return False
        if at and self._tokens[at - 1].text in FUNCTIONS:
            name = self._tokens[at - 1].text
            raise InputError(sentences.NEEDS_PARENTHESES(name=name))
        if token.kind == "number":
            self._python.add(f"{token.text}.0" if token.text.isdigit() else token.text, at)  # Python has no 007
            return True
        if token.kind == "name":
            if token.text not in FUNCTIONS:
                self._known(token.text, self._tokens[at + 1].text == "(")
            self._python.add(f"n_{token.text}", at)
            return token.text not in FUNCTIONS
        if token.text in ("+", "-"):
            if token.text == "-":
                self._python.add("-", at)
            return False
        if token.kind == "end":
            raise InputError(sentences.ENDS_EARLY(text=self._so_far(at)))
        raise InputError(sentences.MISSING_BEFORE(text=_short(self._text[token.start :])))

    def _follow(self, at: int, token: Token) -> bool:
        """Behind a number, a name or a closing parenthesis."""
        level = self._levels[-1]
        if token.text == "**":
            level.powers += 1
            self._deeper(sentences.POWERS())
            self._python.add("**", at)
            return False
        self._depth -= level.powers
        level.powers = 0
        if token.text in ("+", "-", "*", "/"):
            self._python.add(token.text, at)
            return False
        if token.kind == "number":
            raise InputError(sentences.SIGN_MISSING(left=self._so_far(at), right=token.text))
        if token.kind == "name" or token.text == "(":
            self._python.add("*")
            return self._begin(at, token)
        if token.text == "," and level.is_call:
            self._python.add(",", at)
            return False
        if token.text == ")" and level.opening is not None:
            self._levels.pop()
            self._depth -= 1
            self._python.add(")", at)
            return True
        if level.opening is not None:
            raise InputError(sentences.NOT_CLOSED(text=_short(self._text[level.opening.start :])))
        if token.kind != "end":
            refused = sentences.NOT_OPENED if token.text == ")" else sentences.NOT_EXPECTED
            raise InputError(refused(text=token.text, before=self._so_far(at)))
        return True

    def _open(self, token: Token, *, is_call: bool) -> None:
        self._levels.append(_Level(token, is_call))
        self._deeper(sentences.PARENTHESES())

    def _deeper(self, what: str) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise InputError(sentences.TOO_DEEP(most=DEEPEST, what=what))


def read(text: str, known: Known) -> ExpressionText:
    """Read an expression.

    Args:
        known: raises InputError for a name that has no value; is told whether a parenthesis follows.

    Raises:
        InputError: what cannot be read, in a sentence.
    """
    tokens = tokens_of(text)
    text = text.translate(SPELLINGS)
    return ExpressionText(text, tokens, _Check(text, tokens, known).run())
