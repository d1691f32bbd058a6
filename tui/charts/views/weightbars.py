"""The weights as bars, the largest first."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.base.rounding import ZERO, alike
from tui.charts import sentences
from tui.charts.views.base import Drawing, RunView, Size, Subject
from tui.look.numbers import fixed
from tui.look.styles import Ink
from tui.widgets.cells import Span, left, right

NUMBER = 10  # cells of a number


class BarsView(RunView):
    """A bar for each weight on normalized features: how much a feature matters."""

    def fits(self, subject: Subject) -> bool:
        """For linear models."""
        return subject.snapshot.weights is not None

    def turns(self, subject: Subject) -> tuple[str, ...]:
        """The classes, where there are several outputs."""
        weights = subject.snapshot.weights
        return weights.outputs if weights is not None and len(weights.outputs) > 1 else ()

    def draw(self, subject: Subject, found: Any, turn: str, ink: Ink, size: Size) -> Drawing:
        """Names to the left, bars from a middle line, numbers to the right."""
        weights = subject.snapshot.weights
        assert weights is not None
        width, height = size
        column = weights.outputs.index(turn) if turn in weights.outputs else 0
        nothing = weights.shown()[0].weights[:, column]
        values = np.where(nothing, 0.0, weights.scaled[:, column])  # their order would be that of rounding
        order = np.argsort(-alike(np.where(np.isfinite(values), np.abs(values), np.inf)), kind="stable").tolist()
        name = max(6, min(22, width // 3, max(len(f) for f in weights.features) + 2))
        side = max(1, (width - name - NUMBER - 3) // 2)
        largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
        lines: list[list[Span]] = []
        room = height if len(order) <= height else height - 1
        for index in order[:room]:
            value = float(values[index])
            share = abs(value) / largest * side if largest > 0 and np.isfinite(value) else 0.0
            bar = _bar(share)
            style = ink.train if value >= 0 else ink.validation
            before = right(bar if value < 0 else "", side)
            after = left(bar if value >= 0 else "", side)
            lines.append(
                [
                    (left(f" {weights.features[index]}", name), ink.dim),
                    (before, style),
                    ("│", ink.faint),
                    (after, style),
                    (right(ZERO if nothing[index] else fixed(value, 5), NUMBER), ink.strong),
                ]
            )
        if len(order) > room:
            lines.append([(sentences.SMALLER_ONES(count=len(order) - room), ink.dim)])
        about = sentences.WEIGHTS_ON_NORMALIZED(turn=turn)
        return Drawing(lines, about, [(ink.train, "▬", "raises"), (ink.validation, "▬", "lowers")])


def _bar(cells: float) -> str:
    return "▬" * max(1 if cells > 0 else 0, round(cells))
