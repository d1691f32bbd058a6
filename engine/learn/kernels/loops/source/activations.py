"""The text of the functions that apply activations and their derivatives, a branch for each record."""

from __future__ import annotations

from textwrap import indent

from engine.learn.kernels.loops.source.typed import parsed, typed
from engine.registry.activations import REGISTRY

FORWARD = '''\
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
    """The number of an activation in the text."""
    return REGISTRY.names.index(name)


def text() -> str:
    """The two functions, for the records that there are now."""
    derivatives = "".join(
        f"        if activation == {code(one.name)}:\n            below = T({one.below!r})\n"
        for one in REGISTRY
        if one.below
    )
    branches = "".join(
        BRANCH.replace("CODE", str(code(one.name))).replace("STATEMENTS", indent(typed(parsed(one.loop)), " " * 16))
        for one in REGISTRY
        if one.loop and one.below is None
    )
    return (
        FORWARD
        + derivatives
        + LINES
        + branches.replace("\n        if", "\n        elif")
        + BACK
        + derivatives
        + BACK_LINES
    )
