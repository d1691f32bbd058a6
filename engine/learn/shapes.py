"""The tensors of a training step in words: what is multiplied, added and compared, with every shape.

inputs [100, 3] float64 cpu @ weights [3, 1] + bias [1] → outputs [100, 1] (bias broadcast over 100 rows)
"""

from __future__ import annotations

from engine.learn import sentences
from engine.learn.models import Architecture
from engine.learn.plan import Plan

DTYPES = {"float32": "float32", "float64": "float64", "bf16": "float32", "fp16": "float32"}
HALF = {"bf16": "bfloat16", "fp16": "float16"}


def describe(plan: Plan, batch_rows: int) -> tuple[str, ...]:
    """A line for each operation of the forward pass and the loss, in their order.

    Args:
        plan: of the run.
        batch_rows: rows of the batch that is looked at.
    """
    shape, rows = plan.architecture, batch_rows
    inputs = f"inputs [{rows}, {shape.inputs}] {DTYPES[plan.precision]} {plan.device}"
    lines = [] if plan.precision not in HALF else [_cast(plan)]
    if shape.own:
        lines.append(f"{shape.module}({inputs}) → outputs [{rows}, {shape.outputs}]")
    elif not shape.chain:
        lines.append(f"{shape.family}({inputs}) → outputs [{rows}, {shape.outputs}]")
    elif shape.linear:
        lines.append(_dense(inputs, "weights", "bias", rows, shape.inputs, shape.outputs, "outputs"))
    else:
        lines += _network(shape, inputs, rows)
    return (*lines, *_loss(plan, rows))


def _cast(plan: Plan) -> str:
    return sentences.HALF_PRODUCTS(precision=HALF[plan.precision])


def _dense(left: str, weight: str, bias: str, rows: int, fan_in: int, fan_out: int, result: str) -> str:
    return (
        f"{left} @ {weight} [{fan_in}, {fan_out}] + {bias} [{fan_out}] → {result} [{rows}, {fan_out}]"
        f"{_broadcast(bias, rows)}"
    )


def _broadcast(what: str, rows: int) -> str:
    return sentences.BROADCAST(what=what, rows=rows) if rows > 1 else ""


def _network(shape: Architecture, inputs: str, rows: int) -> list[str]:
    lines, width, left = [], shape.inputs, inputs
    for number, size in enumerate(shape.hidden):
        name = f"hidden{number}"
        lines.append(_dense(left, f"{name}.weight", f"{name}.bias", rows, width, size, name))
        if shape.batch_norm:
            parts = sentences.TWO(one=f"norm{number}.scale", other=f"norm{number}.shift")
            lines.append(
                f"batch norm: ({name} [{rows}, {size}] - mean [{size}]) / deviation [{size}] * norm{number}.scale "
                f"[{size}] + norm{number}.shift [{size}] → [{rows}, {size}]{_broadcast(parts, rows)}"
            )
        lines.append(f"{shape.activation}({name} [{rows}, {size}]) → [{rows}, {size}]")
        if shape.dropout:
            lines.append(
                f"dropout {shape.dropout:g}: {name} [{rows}, {size}] * mask [{rows}, {size}] → [{rows}, {size}]"
            )
        width, left = size, f"{name} [{rows}, {size}]"
    lines.append(_dense(left, "output.weight", "output.bias", rows, width, shape.outputs, "outputs"))
    return lines


def _loss(plan: Plan, rows: int) -> list[str]:
    """The loss, whose target must have the outputs' shape: [n] against [n, 1] would broadcast to [n, n]."""
    outputs = plan.architecture.outputs
    if plan.objective.classes:
        return [f"{plan.loss}(outputs [{rows}, {outputs}], target [{rows}] int64 class numbers) → loss []"]
    return [f"{plan.loss}(outputs [{rows}, {outputs}], target [{rows}, 1] {DTYPES[plan.precision]}) → loss []"]
