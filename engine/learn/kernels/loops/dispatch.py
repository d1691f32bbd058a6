"""The activations as the compiled loops take them: one module made of all records, named and kept by its content.

A compiled function for each record, put together as closures, could not be kept on disk, and a call through a pointer
would cost more than the activation. So the text of one module is written in which the records' statements stand in
branches; it lies beside the compiled code, in a folder named by the hash of that text and of the loops. A record that
is edited, or registered while the program runs, makes another text, another folder, and so other code.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

from engine.base.files import write_bytes
from engine.registry.activations import REGISTRY

OURS = ("decay", "log_one_plus")  # of `exponential`; they work in float64
HEAD = '''"""Made by ravine of its activations; see engine/learn/kernels/loops/dispatch.py."""

from math import exp, log, sqrt, tanh

from engine.learn.kernels.loops.exponential import decay, log_one_plus, times
from engine.learn.kernels.loops.jit import part


@part
def activate(activation, values, bias, curves, here, rows, units):
    """values [rows, units] = activation(values + bias); curves, from `here` on, takes the derivative."""
    T = values.dtype.type
    zero = T(0)
    if curves is None:
        below = zero
'''
LINES = """\
        for i in range(0, rows * units, units):
            a = values[i : i + units]
            for j in range(units):
                z = a[j] + bias[j]
                a[j] = z if z > zero else below * z
        return
    for i in range(0, rows * units, units):
        a, curve = values[i : i + units], curves[here + i : here + i + units]
"""
BRANCH = """\
        if activation == CODE:
            for j in range(units):
                z = a[j] + bias[j]
STATEMENTS
                curve[j] = slope
                a[j] = value
"""
BACK = '''

@part
def deactivate(activation, slope, a, curves, here, count):
    """slope [count] times the derivative of the activation whose value is a."""
    T = a.dtype.type
    zero, one = T(0), T(1)
    if curves is None:
        below = zero
'''
BACK_LINES = """\
        for i in range(count):
            slope[i] *= one if a[i] > zero else below
    else:
        curve = curves[here : here + count]
        for i in range(count):
            slope[i] *= curve[i]
"""


def code(name: str) -> int:
    """The number of an activation in the generated module."""
    return REGISTRY.names.index(name)


def text() -> str:
    """The source text of the module, for the records that there are now."""
    slopes = "".join(
        f"        if activation == {code(one.name)}:\n            below = T({one.below!r})\n"
        for one in REGISTRY
        if one.below
    )
    branches = "".join(
        BRANCH.replace("CODE", str(code(one.name))).replace("STATEMENTS", indent(_typed(one.loop), " " * 16))
        for one in REGISTRY
        if one.loop and one.below is None
    )
    return HEAD + slopes + LINES + branches.replace("\n        if", "\n        elif") + BACK + slopes + BACK_LINES


class _Typed(ast.NodeTransformer):
    """Write numbers, and what is worked out in float64, in the precision of the run."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return _cast(node) if isinstance(node.value, int | float) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        return _cast(node) if isinstance(node.func, ast.Name) and node.func.id in OURS else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node.left = self.visit(node.left)
        if not isinstance(node.op, ast.Pow):  # a whole power is made of products
            node.right = self.visit(node.right)
        return node


def _cast(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("T", ast.Load()), [node], [])


def _typed(loop: str) -> str:
    tree = _Typed().visit(ast.parse(dedent(loop).strip()))
    return ast.unparse(ast.fix_missing_locations(tree))


def version() -> str:
    """A hash of the loops and of the records' statements in them."""
    content = hashlib.sha256(text().encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        content.update(source.read_bytes())
    return content.hexdigest()[:16]


def activations() -> ModuleType:
    """The module for the records that there are now, with `activate` and `deactivate`."""
    from engine.learn.kernels.loops.jit import folder

    name = f"activations_{version()}"
    return _load(f"{__package__}.{name}", _written(folder() / f"{name}.py"))


def network() -> Any:
    """`loops.network` with the activations that there are now."""
    from engine.learn.kernels.loops import network as first

    if version() == first.VERSION:
        return first
    return _load(f"{first.__name__}_{version()}", Path(first.__file__))


def _written(path: Path) -> Path:
    """The path, with the text under it. A file that is there already is left alone: numba looks at its time."""
    content = text().encode()
    if not path.exists() or path.read_bytes() != content:
        write_bytes(path, content)
    return path


def _load(name: str, path: Path) -> ModuleType:
    """The module of a file under a name, loaded once; under it numba finds the module again."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
