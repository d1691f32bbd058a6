"""Statements of records, written in the precision of the run."""

from __future__ import annotations

import ast
from textwrap import dedent

OURS = ("decay", "log_one_plus")  # of `loops.exponential`; they work in float64


class _Typed(ast.NodeTransformer):
    """Write numbers, and what is worked out in float64, in the precision of the run; indices and ranges as they are.

    Args:
        double: leave in float64 what is worked out in it.
    """

    def __init__(self, double: bool) -> None:
        self._double = double

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return _cast(node) if isinstance(node.value, int | float) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "range":
            return node
        self.generic_visit(node)
        return _cast(node) if name in OURS and not self._double else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):  # a whole power is made of products
            node.right = self.visit(node.right)
        return node


def _cast(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("T", ast.Load()), [node], [])


def parsed(statements: str) -> ast.Module:
    """The syntax tree of a record's statements, indented or not."""
    return ast.parse(dedent(statements).strip())


def typed(tree: ast.Module, double: bool = False) -> str:
    """The text of statements whose numbers and results are of the type T; see `_Typed`."""
    return ast.unparse(ast.fix_missing_locations(_Typed(double).visit(tree)))
