"""The two compiled loops with their tables: rows laid out as each loop wants them, in the precision of the run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.data.prepare import Rows
from engine.learn.curvature import qr_factor
from engine.learn.kernels.contract import Floats
from engine.learn.kernels.loops import dispatch, layers, small, tiles
from engine.learn.kernels.loops.orders import IN_PLACE, Orders, one_after_the_other
from engine.learn.kernels.loops.rules import Regime, Trained
from engine.learn.kernels.loops.source import activations, losses
from engine.learn.kernels.loops.tiles import EPOCH, ROW, Order
from engine.learn.kernels.order import BLOCK
from engine.learn.plan import Plan
from engine.registry.activations import REGISTRY

Vector = NDArray[Any]  # float32 or float64
Ints = NDArray[np.int64]

TILE_BYTES = 1 << 17  # of a tile's features; a second cache holds two of them and more
NARROWEST, WIDEST = 64, 1024  # rows of a tile
LAYERS_TILE = 128  # rows of a network's tile


class SingleLoop:
    """`loops.single` on the train rows of a plan."""

    def __init__(self, plan: Plan, train: Rows, dtype: Any) -> None:
        self._plan, self._train, self._dtype = plan, train, dtype
        self.function, self._small = dispatch.single().run, dispatch.small().run
        self._orders = Orders(plan.shuffle, plan.seed, plan.rows)
        self._features = train.x.shape[1] + 1
        room = TILE_BYTES // (self._features * np.dtype(dtype).itemsize)
        self._width = min(max(1 << max(room, 1).bit_length() - 1, NARROWEST), WIDEST)
        self._y, self._weight = _cast(train.y, dtype), _cast(train.weight, dtype)
        self._block = -1  # of the newest table made to be used in place; 0 for the triangular factor
        self._table: tiles.TileTable
        self._factor: Vector  # that factor, row after row
        self._rows: Vector | None = None
        width = self._width
        empty = np.zeros(0, dtype)
        z, losses = np.zeros(width, dtype), np.zeros(width, dtype)
        self._room = tiles.TileBuffers(empty, empty, empty, z, losses, np.zeros(self._features))
        self._fetching = self._room._replace(
            x=np.zeros(width * self._features, dtype),
            y=np.zeros(width, dtype),
            weight=np.zeros(width if train.weight is not None else 0, dtype),
        )

    def run(
        self, rates: Floats, losses: Floats, limit: float, unit: float, at: Ints, batch: int, to: Trained, how: Regime
    ) -> int:
        """Take steps; see `loops.single.run`. May take fewer than asked for."""
        plan, row, epoch = self._plan, int(at[ROW]), int(at[EPOCH])
        room, most = self._room, len(rates)
        order: Order
        if batch >= plan.rows and row == 0:
            order, table = IN_PLACE, self._whole()
            if self._block == 0 and len(table.y) <= small.LARGEST:
                return self._small(  # type: ignore[no-any-return]
                    rates, losses, limit, unit, at, self._factor, table.y, table.floor, to, how, room.z[: len(table.y)]
                )
            batch = len(table.y)
        elif plan.shuffle == "none" and row % batch == 0:
            order, table = one_after_the_other(-(-plan.rows // batch)), self._in_place(batch)
        elif plan.shuffle == "blocks" and row % BLOCK == 0 and batch % BLOCK == 0:
            order, table = self._orders.blocks(epoch), self._in_place(BLOCK)
        else:
            order, table, room = self._orders.rows(epoch), self._gathered(), self._fetching
            if batch >= plan.rows or plan.shuffle != "full":
                most = -(-(plan.rows - row) // batch)  # to the end of the epoch; then one of the above may be right
        return self.function(  # type: ignore[no-any-return]
            rates[:most], losses, limit, unit, at, batch, order, table, to, how, room
        )

    def _made(self, x: Vector, y: Vector, weight: Vector, block: int, floor: float = 0.0) -> tiles.TileTable:
        return tiles.TileTable(x, y, weight, block, self._width, floor, losses.code(self._plan.loss))

    def _whole(self) -> tiles.TileTable:
        """All rows as one block. Of the squared error, the triangular factor of the rows, which is the same to it.

        With [X 1 y] = Q R the residuals are Q'(A w - y) turned round, so that their squares sum to the same loss with
        the same gradient, and a step costs as much as one on d + 1 rows.
        """
        n, p = self._plan.rows, self._features
        if not self._plan.objective.squared or self._train.weight is not None or n <= 2 * p:
            return self._in_place(n)
        if self._block != 0:
            upper = qr_factor(self._train.x, self._train.y) * np.sqrt(p / n)  # the loop takes the mean over p rows
            x = np.ascontiguousarray(upper[:p, :p].T).reshape(-1).astype(self._dtype)
            self._factor = np.ascontiguousarray(upper[:p, :p]).reshape(-1).astype(self._dtype)
            floor = float(upper[p, p]) ** 2 / p
            self._block, self._table = 0, self._made(x, upper[:p, p].astype(self._dtype), self._y[:0], p, floor)
        return self._table

    def _in_place(self, block: int) -> tiles.TileTable:
        """Tile after tile, in each feature after feature."""
        if self._block != block:
            n, p = self._plan.rows, self._features
            x = np.empty(n * p, self._dtype)
            for start in range(0, n, block):
                end = min(start + block, n)
                for first in range(start, end, self._width):
                    last = min(first + self._width, end)
                    tile = x[first * p : last * p].reshape(p, last - first)
                    tile[:-1] = self._train.x[first:last].T
                    tile[-1] = 1
            self._block, self._table = block, self._made(x, self._y, self._weight, block)
        return self._table

    def _gathered(self) -> tiles.TileTable:
        """Row after row."""
        if self._rows is None:
            rows = np.ones((self._plan.rows, self._features), self._dtype)
            rows[:, :-1] = self._train.x
            self._rows = rows.reshape(-1)
        return self._made(self._rows, self._y, self._weight, 1)


class LayersLoop:
    """`loops.network` on the train rows of a plan.

    Attributes:
        function: the compiled one.
    """

    def __init__(self, plan: Plan, train: Rows, dtype: Any) -> None:
        shape = plan.architecture
        self._plan = plan
        self.function = dispatch.network().run
        self._orders = Orders(plan.shuffle, plan.seed, plan.rows)
        self._as_they_are = one_after_the_other(plan.rows)
        classes = plan.objective.classes
        self._table = layers.LayerTable(
            _cast(train.x, dtype).reshape(-1),
            None if classes else _cast(train.y, dtype),
            train.y.astype(np.int64) if classes else None,
            _cast(train.weight, dtype),
        )
        widths = np.array([shape.inputs, *shape.hidden, shape.outputs], np.int64)
        tile = min(LAYERS_TILE, plan.rows)
        activation = REGISTRY[shape.activation]
        self._layers = layers.Layers(widths, activations.code(activation.name), losses.code(plan.loss), tile)
        units = tile * int(widths[1:].sum())
        self._room = layers.LayerBuffers(
            x=np.zeros(tile * shape.inputs, dtype),
            y=None if classes else np.zeros(tile, dtype),
            label=np.zeros(tile, np.int64) if classes else None,
            weight=np.zeros(tile if train.weight is not None else 0, dtype),
            value=np.zeros(units, dtype),
            slope=np.zeros(units, dtype) if shape.hidden else None,
            curve=None if not shape.hidden or activation.below is not None else np.zeros(units, dtype),
            row=np.zeros(tile, dtype),
            one_zero=np.array([1, 0], dtype),
        )

    def run(
        self, rates: Floats, losses: Floats, limit: float, unit: float, at: Ints, batch: int, to: Trained, how: Regime
    ) -> int:
        """Take steps; see `loops.network.run`. May take fewer than asked for."""
        most = len(rates)
        if batch >= self._plan.rows and at[ROW] == 0:
            order = self._as_they_are
        else:
            order = self._orders.rows(int(at[EPOCH]))
            if batch >= self._plan.rows:
                most = 1  # the rest of an epoch that was begun with smaller batches
        return self.function(  # type: ignore[no-any-return]
            rates[:most],
            losses,
            limit,
            unit,
            at,
            batch,
            order,
            self._table,
            to,
            how,
            self._layers,
            self._room,
        )


def _cast(array: Floats | None, dtype: Any) -> Vector:
    return np.zeros(0, dtype) if array is None else np.ascontiguousarray(array, dtype)
