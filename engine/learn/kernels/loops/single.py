"""Updates of models whose one output is linear in the features: linear and logistic regression.

Rows are worked on in tiles that fit in the cache, feature by feature, so that every inner loop runs along the samples:
the processor's wide registers are full even where there are three features. A tile's first pass gives the outputs, its
second the gradient, and memory is read once. The bias is the weight of a last feature, which is 1 everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.learn.kernels.loops import generated
from engine.learn.kernels.loops.jit import jit, part
from engine.learn.kernels.loops.rules import Regime, Trained, penalise
from engine.learn.kernels.loops.source import version
from engine.learn.kernels.loops.tiles import BACK, COUNT, EPOCH, ROW, Order, TileBuffers, TileTable

Vector = NDArray[Any]
Ints = NDArray[np.int64]

VERSION = version()  # of the records in it
_generated = generated.module()
_update, _output_gradients = _generated.update, _generated.output_gradients

# Slices keep the indices of inner loops plain: of an index that is a sum numba cannot tell that it is not negative, and
# the loop would fetch number by number.


@part
def _outputs(x: Vector, base: int, rows: int, p: Vector, out: Vector) -> None:
    """out [rows] = Σ weight * feature, for a tile x[base:] of [p, rows]."""
    z = out[:rows]
    j = 0
    for i in range(rows):
        z[i] = 0
    while j + 4 <= len(p):
        a = x[base : base + rows]
        b = x[base + rows : base + 2 * rows]
        c = x[base + 2 * rows : base + 3 * rows]
        e = x[base + 3 * rows : base + 4 * rows]
        u, v, w, t = p[j], p[j + 1], p[j + 2], p[j + 3]
        for i in range(rows):
            z[i] += (u * a[i] + v * b[i]) + (w * c[i] + t * e[i])
        base += 4 * rows
        j += 4
    while j < len(p):
        a, u = x[base : base + rows], p[j]
        for i in range(rows):
            z[i] += u * a[i]
        base += rows
        j += 1


@part
def _gradient(x: Vector, base: int, rows: int, output_gradients: Vector, total: NDArray[np.float64]) -> None:
    """Add to total [p] the sums over a tile's rows of slope * feature."""
    zero, s = output_gradients.dtype.type(0), output_gradients[:rows]
    j = 0
    while j + 4 <= len(total):
        a = x[base : base + rows]
        b = x[base + rows : base + 2 * rows]
        c = x[base + 2 * rows : base + 3 * rows]
        e = x[base + 3 * rows : base + 4 * rows]
        u, v, w, t = zero, zero, zero, zero
        for i in range(rows):
            u += s[i] * a[i]
            v += s[i] * b[i]
            w += s[i] * c[i]
            t += s[i] * e[i]
        total[j] += u
        total[j + 1] += v
        total[j + 2] += w
        total[j + 3] += t
        base += 4 * rows
        j += 4
    while j < len(total):
        a, u = x[base : base + rows], zero
        for i in range(rows):
            u += s[i] * a[i]
        total[j] += u
        base += rows
        j += 1


@part
def _fetch(table: TileTable, order: Order, epoch: int, first: int, rows: int, room: TileBuffers) -> None:
    """Gather rows into a tile."""
    p = len(room.total)
    for i in range(rows):
        source = order.blocks[epoch, first + i]
        room.y[i] = table.y[source]
        if len(table.weight):
            room.weight[i] = table.weight[source]
        row, out = table.x[source * p : source * p + p], room.x[i:]
        for j in range(p):
            out[j * rows] = row[j]


@jit
def run(
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    limit: float,
    unit: float,
    at: Ints,
    batch: int,
    order: Order,
    table: TileTable,
    to: Trained,
    regime: Regime,
    room: TileBuffers,
) -> int:
    """Take a step for each rate; how many were taken. Fewer mean that a loss was bad, or that an order is wanted.

    Args:
        rates: [steps] learning rates.
        losses: [steps] takes the loss before each update, times `unit`; the bad one too.
        limit: a loss above it, or not finite, ends the run: p is then as it was before the last update.
        at: [PLACES] where the run stands: EPOCH; ROW, rows of it already used; COUNT, updates made with this optimizer
            state; BACK becomes 1 at a bad loss.
        batch: rows of an update, whole blocks; the last of an epoch may have fewer.
        to: the weights, with the bias last.
    """
    n, p, g = len(table.y), to.p, to.g
    T = p.dtype.type
    x, y, weight = table.x, table.y, table.weight
    if len(room.x):
        x, y, weight = room.x, room.y, room.weight
    for step in range(len(rates)):
        epoch = at[EPOCH] - order.first if order.first >= 0 else 0
        if epoch >= len(order.blocks):
            return step
        first = at[ROW]
        count = min(batch, n - first)
        for j in range(len(p)):
            room.total[j] = 0
        value, done, start, end = 0.0, 0, 0, 0
        while done < count:
            if len(room.x):
                rows, base, row = min(table.width, count - done), 0, 0
                _fetch(table, order, epoch, first + done, rows, room)
            else:
                if start == end:
                    start = order.blocks[epoch, (first + done) // table.block] * table.block
                    end = min(start + table.block, n)
                rows, base, row = min(table.width, end - start), start * len(p), start
                start += rows
            _outputs(x, base, rows, p, room.z)
            value += _output_gradients(table.loss, room.z, y, weight, row, rows, room.loss)
            _gradient(x, base, rows, room.z, room.total)
            done += rows
        scale = 1.0 / count
        value = (value * scale + table.floor) * unit
        losses[step] = value
        if not value <= limit:
            at[BACK] = 1
            for j in range(len(p)):
                p[j] = to.previous[j]
            return step
        for j in range(len(p)):
            g[j] = T(room.total[j] * scale)
        penalise(to, regime)
        at[COUNT] += 1
        _update(to, at[COUNT], rates[step], regime)
        at[ROW] = first + count
        if at[ROW] >= n:
            at[ROW] = 0
            at[EPOCH] += 1
    return len(rates)
