"""The way from raw values to a prediction, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.cells import Cells, Span, left, right, wrap
from tui.numbers import figures, fixed

if TYPE_CHECKING:
    from engine.runs.predictor import Explanation, Predictor


class Way(Cells):
    """The table from raw to normalized to contribution to prediction."""

    def __init__(self) -> None:
        super().__init__(id="way", classes="pane")
        self.border_title = "from raw values to the prediction"
        self.predictor: Predictor | None = None
        self.explanation: Explanation | None = None
        self.problem = ""
        self.told: list[tuple[str, bool]] = []  # about a file that is being predicted, and whether it is bad

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A line for each encoded feature, the bias, the sum, the warnings."""
        ink = self.ink
        told: list[list[Span]] = []
        for text, bad in self.told:
            told += [[(f"  {line}", ink.bad if bad else ink.text)] for line in wrap(text, width - 4, 3)]
        if told:
            told = [[(" a file", ink.strong), (" " + "─" * max(0, width - 9), ink.faint)], *told]
        lines = self._way(width, height - len(told))[: max(0, height - len(told))]
        return lines + [[]] * (height - len(told) - len(lines)) + told

    def _way(self, width: int, height: int) -> list[list[Span]]:
        ink, found = self.ink, self.explanation
        if self.problem:
            return [[], *([(f"  {line}", ink.bad)] for line in wrap(self.problem, width - 4, height))]
        if found is None or self.predictor is None:
            return []
        size = 12 if width >= 60 else 10
        name = max(10, min(24, width - 3 * size - 3))
        bar = max(0, width - name - 3 * size - 4)
        adds = found.contributions
        heads = ("raw", "normalized", *(("adds",) if adds is not None else ()))
        lines: list[list[Span]] = [
            [(left(" feature", name), ink.faint), *((right(head, size), ink.faint) for head in heads)],
        ]
        warnings = [line for text in found.warnings for line in wrap(text, width - 4, 2)]
        room = max(1, height - 5 - len(warnings) - len(found.chances))
        largest = 0.0 if adds is None else max([abs(found.bias), *(abs(float(c)) for c in adds)])
        for index in range(min(room, len(found.features))):
            spans = [
                (left(f" {found.features[index]}", name), ink.text),
                (right(figures(float(found.raw[index]), 6), size), ink.text),
                (right(fixed(float(found.normalized[index]), 5), size), ink.dim),
            ]
            if adds is not None:
                spans += self._amount(float(adds[index]), largest, size, bar)
            lines.append(spans)
        if len(found.features) > room:
            rest = [(right(fixed(float(adds[room:].sum()), 6), size), ink.strong)] if adds is not None else []
            lines.append([(left(f" {len(found.features) - room} more", name + 2 * size), ink.dim), *rest])
        if adds is not None:
            lines.append([(left(" bias", name + 2 * size), ink.dim), *self._amount(found.bias, largest, size, bar)])
            lines.append([(" " * (name + 2 * size), ink.faint), ("─" * size, ink.faint)])
        lines += self._answer(found, name + (2 * size if adds is not None else size), size, bar)
        lines.append([])
        lines += [[(f"  {line}", ink.bad)] for line in warnings]
        return lines

    def _amount(self, value: float, largest: float, size: int, bar: int) -> list[Span]:
        ink = self.ink
        style = ink.train if value >= 0 else ink.validation
        return [(right(fixed(value, 6), size), ink.strong), (_bar(value, largest, bar), style)]

    def _answer(self, found: Explanation, name: int, size: int, bar: int) -> list[list[Span]]:
        ink = self.ink
        assert self.predictor is not None
        target = self.predictor.target
        if not found.chances:
            answer = right(figures(found.output, 7), size)
            return [[(left(f" {target}", name), ink.accent), (answer, ink.accent)]]
        lines: list[list[Span]] = [[(left(f" {target}", name), ink.accent), (right(found.decided, size), ink.accent)]]
        for label, chance in found.chances.items():
            style = ink.accent if label == found.decided else ink.dim
            share = right(f"{100 * chance:.2f} %", size)
            lines.append([(left(f"   {label}", name), style), (share, style), (_bar(chance, 1.0, bar), ink.train)])
        return lines


def _bar(value: float, largest: float, room: int) -> str:
    if room < 6 or largest <= 0 or value != value:
        return ""
    cells = min(room - 2, round(abs(value) / largest * (room - 2)))
    return "  " + ("▬" * cells)
