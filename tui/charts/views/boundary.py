"""Which class a classifier gives for every pair of two raw columns, and the rows themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.style import Style

from engine.learn.metrics import decide, probabilities
from tui.charts import plot
from tui.charts.axes import Axes, Axis
from tui.charts.canvas import Sheet
from tui.charts.sight import MARKERS
from tui.charts.views.base import Drawing, Floats, ModelView, Size, Subject, outputs
from tui.look.styles import Ink

MOST = 1500  # rows that are drawn


@dataclass(frozen=True)
class Map:
    """The decided class of every braille dot of the axes, and some rows."""

    x: Axis
    y: Axis
    frame: tuple[int, int]
    decided: NDArray[np.int64]  # [dots down, dots across], the first line on top
    points: Floats  # [n, 2] raw
    classes: NDArray[np.int64]  # [n]


class BoundaryView(ModelView):
    """The plane of two raw columns, coloured by the class that the model gives."""

    sized = True

    def fits(self, subject: Subject) -> bool:
        """For classes, over two columns of numbers."""
        model = subject.model
        if model is None or not model.classes or len(model.inputs) != 2:
            return False
        return not any(one.is_coded or one.marked for one in model.inputs)

    def look(self, subject: Subject, turn: str, size: Size) -> Map:
        """Ask the model for every dot."""
        model, prepared = subject.model, subject.prepared
        assert model is not None
        assert prepared is not None
        rows = prepared.train
        take = np.linspace(0, len(rows.y) - 1, min(len(rows.y), MOST)).astype(np.int64)
        raw = prepared.normalizer.inverse(np.asarray(rows.x[take], np.float64))
        names = [one.name for one in model.inputs]
        points = raw[:, [model.features.index(name) for name in names]]
        x = Axis.around(points[:, 0], name=names[0], pad=0.06)
        y = Axis.around(points[:, 1], pad=0.06)
        # The labels' width decides how many columns there are; only the axes decide about the labels.
        frame = _blank(size, x, y).frame
        across = np.linspace(x.low, x.high, frame.width * plot.DOTS_X)
        up = np.linspace(y.high, y.low, frame.height * plot.DOTS_Y)
        grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
        given = outputs(model, prepared.normalizer.transform(_encoded(subject, names, grid)))
        decided = decide(probabilities(given)).reshape(len(up), len(across))
        return Map(x, y, (frame.width, frame.height), decided, points, rows.y[take].astype(np.int64))

    def draw(self, subject: Subject, found: Map, turn: str, ink: Ink, size: Size) -> Drawing:
        """The ground tinted by class, the boundary as a line, the rows with a marker of their class."""
        axes = Axes(ink, size, found.x, found.y)
        classes = subject.prepared.classes if subject.prepared is not None else ()
        if (axes.frame.width, axes.frame.height) != found.frame:
            return Drawing([[], [("  …", ink.faint)]])
        _edges(axes, found.decided, ink)
        for number in range(len(classes)):
            rows = found.points[found.classes == number]
            axes.dots(rows[:, 0], rows[:, 1], ink.kinds[number % len(ink.kinds)], MARKERS[number % len(MARKERS)])
        _tint(axes.sheet, axes, found.decided, ink)
        legend = [(ink.kinds[n % len(ink.kinds)], MARKERS[n % len(MARKERS)], name) for n, name in enumerate(classes)]
        names = [one.name for one in subject.model.inputs] if subject.model is not None else ["", ""]
        return Drawing(axes.sheet.lines(), f"{names[1]} ↑", legend)


def _blank(size: Size, x: Axis, y: Axis) -> Axes:
    from tui.look.styles import RAVINE, ink

    return Axes(ink(RAVINE), size, x, y)


def _encoded(subject: Subject, names: list[str], grid: Floats) -> Floats:
    """The encoded features [n, d] of raw pairs [n, 2]."""
    assert subject.prepared is not None
    encoder = subject.prepared.encoder
    if encoder.features == tuple(names):
        return grid
    pairs = [dict(zip(names, pair, strict=True)) for pair in grid.tolist()]
    return encoder.encode_rows(pairs)[0]


def _edges(axes: Axes, decided: NDArray[np.int64], ink: Ink) -> None:
    """Dots where the class to the right or below is another."""
    edge = np.zeros(decided.shape, np.bool_)
    edge[:, :-1] |= decided[:, :-1] != decided[:, 1:]
    edge[:-1] |= decided[:-1] != decided[1:]
    bits = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    tall, wide = axes.frame.height, axes.frame.width
    dots = edge.reshape(tall, plot.DOTS_Y, wide, plot.DOTS_X)
    codes = (dots * bits[None, :, None, :]).sum(axis=(1, 3))
    rows = ["".join(chr(0x2800 + int(code)) for code in line) for line in codes]
    axes.sheet.lay(axes.margin, 0, rows, ink.text)


def _tint(sheet: Sheet, axes: Axes, decided: NDArray[np.int64], ink: Ink) -> None:
    """The class in the middle of each cell as its ground."""
    middle = decided[plot.DOTS_Y // 2 :: plot.DOTS_Y, plot.DOTS_X // 2 :: plot.DOTS_X]
    grounds = [Style(bgcolor=ink.tint(style, 0.16)) for style in ink.kinds]
    for row in range(axes.frame.height):
        for column in range(axes.frame.width):
            sheet.ground(axes.margin + column, row, grounds[int(middle[row, column]) % len(grounds)])
