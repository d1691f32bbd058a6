"""Updates of layers of units: softmax regression (no hidden layer) and multilayer perceptrons.

All parameters lie in one flat vector and layers are views of it, so that an update is one loop whatever the shape.
Products are BLAS's; bias, activation and their derivatives are one loop each. A batch is worked on in tiles of rows, so
that what lies between the layers stays in the cache.

What a model does not need is None rather than an empty array: numba then leaves out the code for it, which halves the
time that the rest takes to compile. It sees that only of a function's own arguments.

Activations and update rules are in a module that is made of the records (see `source`). Ask `dispatch` for this module:
it loads this one once more when a record has been added or edited.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learn.kernels.loops import generated
from engine.learn.kernels.loops.jit import jit, part
from engine.learn.kernels.loops.layers import LayerBuffers, Layers, LayerTable
from engine.learn.kernels.loops.products import add_product_of_turned, product, product_with_turned
from engine.learn.kernels.loops.rules import Regime, Trained, penalise
from engine.learn.kernels.loops.source import version
from engine.learn.kernels.loops.tiles import BACK, COUNT, EPOCH, ROW, Order

Vector = NDArray[Any]
Ints = NDArray[np.int64]

VERSION = version()  # of the records in it
_generated = generated.module()
_activate, _deactivate, _update = _generated.activate, _generated.deactivate, _generated.update
_output_gradients, _class_gradients = _generated.output_gradients, _generated.class_gradients


@part
def _add_bias(a: Vector, bias: Vector, rows: int, units: int) -> None:
    for i in range(0, rows * units, units):
        row = a[i : i + units]
        for j in range(units):
            row[j] += bias[j]


@part
def _add_columns(a: Vector, out: Vector, rows: int, units: int) -> None:
    for i in range(0, rows * units, units):
        row = a[i : i + units]
        for j in range(units):
            out[j] += row[j]


@part
def _tile(
    rows: int,
    p: Vector,
    g: Vector,
    layers: Layers,
    room: LayerBuffers,
    hidden: Vector | None,
    curves: Vector | None,
    y: Vector | None,
    label: Ints | None,
) -> float:
    """The sum of the losses of the rows fetched; their gradient is added to g [p].

    Args:
        hidden, curves, y, label: the room's slope, curve, y and label.
    """
    widths, last = layers.widths, len(layers.widths) - 2
    weights = 0  # where the layer's parameters begin in p
    here = 0  # where its values begin in room.value
    values = room.x
    for number in range(last + 1):
        fan_in, units = widths[number], widths[number + 1]
        bias = weights + fan_in * units
        out = room.value[here:]
        product(values, p[weights:], out, rows, fan_in, units, room.one_zero)
        if number == last:
            _add_bias(out, p[bias:], rows, units)
        elif hidden is not None:
            _activate(layers.activation, out, p[bias:], curves, here, rows, units)
            here += layers.tile * units
        values = out
        weights = bias + units
    total = 0.0
    if y is not None:
        total = _output_gradients(layers.loss, values, y, room.weight, 0, rows, room.row)
    if label is not None:
        total = _class_gradients(layers.loss, values, widths[last + 1], label, room.weight, rows)
    slope = values
    for number in range(last, -1, -1):
        fan_in, units = widths[number], widths[number + 1]
        bias = weights - units
        weights = bias - fan_in * units
        _add_columns(slope, g[bias:], rows, units)
        if number == 0:
            add_product_of_turned(room.x, slope, g[weights:], rows, fan_in, units, room.one_zero)
        elif hidden is not None:
            here -= layers.tile * fan_in
            values, below = room.value[here:], hidden[here:]
            add_product_of_turned(values, slope, g[weights:], rows, fan_in, units, room.one_zero)
            product_with_turned(slope, p[weights:], below, rows, fan_in, units, room.one_zero)
            _deactivate(layers.activation, below, values, curves, here, rows * fan_in)
            slope = below
    return total


@part
def _fetch(
    table: LayerTable,
    order: Order,
    epoch: int,
    first: int,
    rows: int,
    room: LayerBuffers,
    y: Vector | None,
    label: Ints | None,
) -> None:
    """Gather rows into a tile; y and label are the table's."""
    d = len(room.x) // len(room.row)
    for i in range(rows):
        source = order.blocks[epoch, first + i]
        row, out = table.x[source * d : source * d + d], room.x[i * d : i * d + d]
        for j in range(d):
            out[j] = row[j]
        if y is not None:
            room.y[i] = y[source]  # type: ignore[index]  # it is there where y is
        if label is not None:
            room.label[i] = label[source]  # type: ignore[index]
        if len(table.weight):
            room.weight[i] = table.weight[source]


@jit
def run(
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    limit: float,
    unit: float,
    at: Ints,
    batch: int,
    order: Order,
    table: LayerTable,
    to: Trained,
    regime: Regime,
    layers: Layers,
    room: LayerBuffers,
) -> int:
    """Take a step for each rate; how many were taken. Arguments as in `single.run`, and the layers.

    The parameters are each layer's weights [fan in, units] and biases [units], layer after layer.
    """
    n, p, g = len(table.x) // (len(room.x) // len(room.row)), to.p, to.g
    T = p.dtype.type
    for step in range(len(rates)):
        epoch = at[EPOCH] - order.first if order.first >= 0 else 0
        if epoch >= len(order.blocks):
            return step
        first = at[ROW]
        count = min(batch, n - first)
        for j in range(len(p)):
            g[j] = 0
        value, done = 0.0, 0
        while done < count:
            rows, start = min(layers.tile, count - done), first + done
            _fetch(table, order, epoch, start, rows, room, table.y, table.label)
            value += _tile(rows, p, g, layers, room, room.slope, room.curve, room.y, room.label)
            done += rows
        scale = 1.0 / count
        value *= scale * unit
        losses[step] = value
        if not value <= limit:
            at[BACK] = 1
            for j in range(len(p)):
                p[j] = to.previous[j]
            return step
        share = T(scale)
        for j in range(len(p)):
            g[j] *= share
        penalise(to, regime)
        at[COUNT] += 1
        _update(to, at[COUNT], rates[step], regime)
        at[ROW] = first + count
        if at[ROW] >= n:
            at[ROW] = 0
            at[EPOCH] += 1
    return len(rates)
