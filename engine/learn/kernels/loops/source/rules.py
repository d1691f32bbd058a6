"""The text of the function that updates the parameters, a loop for each formula among the records.

Rules whose records state the same formula share one loop, which keeps what has to be compiled small: they differ in the
numbers that stand before it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import indent

from engine.learn.kernels.loops.source.typed import parsed, typed
from engine.registry.rules import REGISTRY, SGD, Rule

GIVEN = ("lr", "count", "momentum", "weight_decay")  # numbers that formulas may use, beside those they name
HEAD = '''\
@part
def update(to, count, lr, regime):
    """One update of the parameters by their gradient.

    Args:
        count: updates made with this optimizer state, this one included (1 at first).
    """
    p, g, state, previous = to.p, to.g, to.state, to.previous
    T, rule, momentum, weight_decay = p.dtype.type, regime.rule, regime.momentum, regime.weight_decay
'''
LOOP = """\
for i in range(len(p)):
    previous[i] = p[i]
"""


def code(name: str) -> int:
    """The number of a rule in the text."""
    return REGISTRY.names.index(name)


def plain() -> int:
    """The number of plain gradient descent."""
    return code(SGD.name)


@dataclass(frozen=True)
class StateLayout:
    """How the rules that there are now are told apart, and where the loops keep their state.

    Attributes:
        codes: the number of each rule that compiles.
        rows: the rows of the state [height, p] that hold the vectors of each rule, in its own order.
        height: rows that the greediest loop works on.
    """

    codes: dict[str, int]
    rows: dict[str, tuple[int, ...]]
    height: int


def layout() -> StateLayout:
    """The layout for the records that there are now."""
    codes, rows, height = {}, {}, 0
    for group in _groups():
        letters = _letters(group)
        height = max(height, len(letters))
        for one in group:
            codes[one.name] = code(one.name)
            rows[one.name] = tuple(letters.index(letter) for letter in one.letters)
    return StateLayout(codes, rows, height)


def text() -> str:
    """The function, for the records that there are now."""
    return HEAD + "".join(_branch(group) for group in _groups())


def _groups() -> list[list[Rule]]:
    """The rules that compile, those together that share a loop."""
    found: dict[tuple[str, frozenset[str]], list[Rule]] = {}
    for one in REGISTRY:
        if one.compiles:
            found.setdefault((one.each, _assigned(parsed(one.once))), []).append(one)
    return list(found.values())


def _letters(group: list[Rule]) -> tuple[str, ...]:
    """The vectors of a loop, in the order of the rule that keeps most."""
    most = max(group, key=lambda one: len(one.letters)).letters
    more = {letter: None for one in group for letter in one.letters if letter not in most}
    return (*most, *more)


def _branch(group: list[Rule]) -> str:
    """The numbers of each rule, and their loop."""
    lines = [f"if {' or '.join(f'rule == {code(one.name)}' for one in group)}:\n"]
    for number, one in enumerate(group):
        once = ast.unparse(parsed(one.once)) or "pass"
        if len(group) == 1:
            lines.append(indent(once + "\n", " " * 4))
            break
        last = number == len(group) - 1
        head = "else:" if last else f"{'el' if number else ''}if rule == {code(one.name)}:"
        lines.append(indent(f"{head}\n{indent(once, ' ' * 4)}\n", " " * 4))
    tree = parsed(group[0].each)
    numbers = sorted(_used(tree) & {*GIVEN, *_assigned(parsed(group[0].once))})
    if numbers:
        cast = ", ".join(f"T({name})" for name in numbers)
        lines.append(f"    {', '.join(f'{name}_' for name in numbers)} = {cast}\n")
    letters = _letters(group)
    places = {"p": "p[i]", "g": "g[i]"} | {letter: f"state[{row}, i]" for row, letter in enumerate(letters)}
    places |= {name: f"{name}_" for name in numbers}
    body = ast.unparse(_Placed(places).visit(ast.parse(typed(tree))))
    lines.append(indent(LOOP + indent(body, " " * 4) + "\n", " " * 4))
    lines.append("    return\n")
    return indent("".join(lines), " " * 4)


class _Placed(ast.NodeTransformer):
    """Write where numbers are kept in the place of their names."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = ast.parse(self._places.get(node.id, node.id), mode="eval").body
        assert isinstance(found, ast.Name | ast.Subscript)
        found.ctx = node.ctx
        return found


def _assigned(tree: ast.AST) -> frozenset[str]:
    return _names(tree, (ast.Store,))


def _used(tree: ast.AST) -> frozenset[str]:
    return _names(tree, (ast.Load,))


def _names(tree: ast.AST, contexts: Iterable[type]) -> frozenset[str]:
    kinds = tuple(contexts)
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, kinds))
