"""The text of the functions that give losses of rows and their gradients by the outputs, a loop for each record."""

from __future__ import annotations

from textwrap import indent

from engine.learn.kernels.loops.source.typed import parsed, typed
from engine.registry.losses import REGISTRY, Loss

OUTPUT = '''\
@part
def output_gradients(loss, outputs, targets, weight, first, count, row):
    """The sum of the losses of `count` rows; their gradients take the place of the outputs [count or more].

    Targets and weights (empty for ones) are those of more rows, of which these begin at `first`; row [count or more]
    takes each row's loss.
    """
    T = outputs.dtype.type
    total, target = T(0), targets[first : first + count]
'''
# The sum is taken on the way, without a look at weights: regression has none.
SQUARED = """\
    if loss == CODE:
        for i in range(count):
            z, y = outputs[i], target[i]
STATEMENTS
            total += value
            outputs[i] = gradient
        return float(total)
"""
BRANCH = """\
    if loss == CODE:
        for i in range(count):
            z, y = outputs[i], target[i]
STATEMENTS
            row[i] = value
            outputs[i] = gradient
"""
SUM = """\
    if len(weight):
        share = weight[first : first + count]
        for i in range(count):
            row[i] *= share[i]
            outputs[i] *= share[i]
    for i in range(count):
        total += row[i]
    return float(total)
"""
CLASSES = '''

@part
def class_gradients(loss, outputs, classes, label, weight, rows):
    """The sum of the losses of some rows; their gradients take the place of the logits, outputs [rows, classes].

    label: [rows or more] class numbers; weight: row weights likewise, or empty for ones.
    """
    T = outputs.dtype.type
    total, one = 0.0, T(1)
    for i in range(rows):
        z, y, w = outputs[i * classes : i * classes + classes], label[i], one
        if len(weight):
            w = weight[i]
'''
CLASSES_BRANCH = """\
        if loss == CODE:
STATEMENTS
            total += value
"""


def code(name: str) -> int:
    """The number of a loss in the text."""
    return REGISTRY.names.index(name)


def text() -> str:
    """The two functions, for the records that there are now."""
    compiled = [one for one in REGISTRY if one.loop]
    squared = [_branch(SQUARED, one, 12) for one in compiled if one.squared]
    others = [_branch(BRANCH, one, 12) for one in compiled if not one.squared and not one.classes]
    classes = [_branch(CLASSES_BRANCH, one, 12) for one in compiled if one.classes]
    return "".join([OUTPUT, *squared, _chain(others), SUM, CLASSES, _chain(classes), "    return total\n"])


def _branch(text: str, one: Loss, depth: int) -> str:
    statements = typed(parsed(one.loop), double=True)
    return text.replace("CODE", str(code(one.name))).replace("STATEMENTS", indent(statements, " " * depth))


def _chain(branches: list[str]) -> str:
    """Branches of which one is taken."""
    first, *others = branches or [""]
    return first + "".join(branch.replace("if", "elif", 1) for branch in others)
