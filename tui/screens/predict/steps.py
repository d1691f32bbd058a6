"""The way from raw values to a prediction, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.base.rounding import is_rounding
from tui.look.numbers import figures, fixed
from tui.screens import sentences
from tui.widgets.cells import Span, left, right, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.runs.predictor import Explanation, Predictor

LEAST = 2  # features that are shown however little room there is
FEW = 3  # classes that are shown then, the likeliest


class PredictionSteps(Scrolling):
    """The table from raw to normalized to contribution to prediction; its features scroll."""

    def __init__(self) -> None:
        super().__init__(id="way", classes="pane")
        self.border_title = sentences.FROM_RAW()
        self.predictor: Predictor | None = None
        self.explanation: Explanation | None = None
        self.problem = ""
        self.invitation = ""  # what to do where there is no model yet
        self.said: list[tuple[str, bool]] = []  # about a file that is being predicted, and whether it is bad

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """A line for each encoded feature, the bias, the sum, the warnings; below them what is told of a file."""
        ink = self.ink
        told: list[list[Span]] = []
        for text, bad in self.said:
            told += [[(f"  {line}", ink.bad if bad else ink.text)] for line in wrap(text, width - 4, 3)]
        if told:
            told = [[(" a file", ink.strong), (" " + "─" * max(0, width - 9), ink.faint)], *told]
        lines = self._way(width, height - len(told))[: max(0, height - len(told))]
        return lines + [[]] * (height - len(told) - len(lines)) + told

    def _way(self, width: int, height: int) -> list[list[Span]]:
        ink, found = self.ink, self.explanation
        self.note("")
        if self.problem or self.invitation:
            text, style = (self.problem, ink.bad) if self.problem else (self.invitation, ink.text)
            return [[], *([(f"  {line}", style)] for line in wrap(text, width - 4, height))]
        if found is None or self.predictor is None:
            return []
        size = 12 if width >= 60 else 10
        name = max(10, min(24, width - 3 * size - 3))
        bar = max(0, width - name - 3 * size - 4)
        head, rows = self._features(found, name, size, bar)
        warnings: list[list[Span]] = [
            [(f"  {line}", ink.bad)] for text in found.warnings for line in wrap(text, width - 4, 2)
        ]
        what, room = "features", height - 1 - min(len(rows), LEAST)
        for most, whole in ((99, True), (FEW, True), (FEW, False), (1, False)):
            foot = self._foot(found, name, size, bar, most, whole) + warnings
            if len(foot) <= room:
                break
        else:  # too many warnings: they scroll with the features
            foot, rows = foot[: len(foot) - len(warnings)], rows + warnings
            what = sentences.FEATURES_AND_WARNINGS() if warnings else what
        seen = self.roll.fit(len(rows), max(LEAST, height - 1 - len(foot)))
        below = self.roll.below
        what = "feature" if (what, below) == ("features", 1) else what
        self.note(f"{self.roll.told} {what}" if below else self.roll.told)
        return [head, *rows[seen.start : seen.stop], *foot]

    def _features(self, found: Explanation, name: int, size: int, bar: int) -> tuple[list[Span], list[list[Span]]]:
        """The heading, and a line for each feature."""
        ink, adds = self.ink, found.contributions
        heads = ["raw", "normalized", *(["adds"] if adds is not None else [])]
        head: list[Span] = [(left(" feature", name), ink.faint), *((right(h, size), ink.faint) for h in heads)]
        if adds is not None and found.toward:
            head.append((f" to {found.toward}", ink.faint))  # of its logit
        largest = 0.0 if adds is None else max([0.0, *(abs(float(c)) for c in adds)])
        most = _most(found)
        rows = []
        for index, feature in enumerate(found.features):
            spans = [
                (left(f" {feature}", name), ink.text),
                (right(self._raw(feature, float(found.raw[index]), size), size), ink.text),
                (right(fixed(float(found.normalized[index]), 5, self._moved(index)), size), ink.dim),
            ]
            if adds is not None:
                value, told = float(adds[index]), right(fixed(float(adds[index]), 6, most), size)
                style = ink.train if value >= 0 or is_rounding(value, most) else ink.validation
                spans += [(told, ink.strong), (_bar(value, largest, bar), style)]
            rows.append(spans)
        return head, rows

    def _moved(self, index: int) -> float | None:
        """How far a feature's normalization moves its values: beside that a normalized one may be rounding."""
        assert self.predictor is not None
        way = self.predictor.normalizer
        return abs(float(way.offset[index]) / float(way.scale[index]))

    def _raw(self, feature: str, value: float, size: int) -> str:
        """A value of an encoded feature: a date as the table writes it, where there is room, and a number."""
        assert self.predictor is not None
        own = next((one for one in self.predictor.inputs if one.kind == "date" and one.name == feature), None)
        if own is None:
            return figures(value, 6)
        text = own.write(value)
        return text if len(text) <= size else text[:10] if text[4:5] == "-" else figures(value, 6)

    def _foot(self, found: Explanation, name: int, size: int, bar: int, most: int, whole: bool) -> list[list[Span]]:
        """The bias where the foot is `whole`, and the prediction; few classes and no blank line where room is short."""
        ink = self.ink
        lines: list[list[Span]] = []
        linear = found.contributions is not None
        if linear and whole:
            bias = [
                (left(" bias", name + 2 * size), ink.dim),
                (right(fixed(found.bias, 6, _most(found)), size), ink.strong),
            ]
            lines += [bias, [(" " * (name + 2 * size), ink.faint), ("─" * size, ink.faint)]]
        lines += self._answer(found, name + (2 * size if linear else size), size, bar, most)
        if most > FEW:
            lines.append([])
        return lines

    def _answer(self, found: Explanation, name: int, size: int, bar: int, most: int) -> list[list[Span]]:
        ink = self.ink
        assert self.predictor is not None
        target = self.predictor.target
        if not found.probabilities:
            answer = right(fixed(found.output, 7, _most(found)), size)
            return [[(left(f" {target}", name), ink.accent), (answer, ink.accent)]]
        lines: list[list[Span]] = [[(left(f" {target}", name), ink.accent), (right(found.decided, size), ink.accent)]]
        shown = dict(sorted(found.probabilities.items(), key=lambda one: -one[1])[:most])
        for label, probability in found.probabilities.items():
            if label in shown:
                style = ink.accent if label == found.decided else ink.dim
                share = right(f"{100 * probability:.2f} %", size)
                lines.append(
                    [(left(f"   {label}", name), style), (share, style), (_bar(probability, 1.0, bar), ink.train)]
                )
        decision = self.predictor.decision
        if decision is not None:  # of two classes, so that one share tells the other's
            words = sentences.DECIDED_FROM(class_=decision.name, percent=100 * decision.threshold)
            lines.append([(words, ink.dim)])
        elif len(shown) < len(found.probabilities):
            rest = sum(probability for label, probability in found.probabilities.items() if label not in shown)
            others = len(found.probabilities) - len(shown)
            words = sentences.OTHER_CLASSES(classes=others)
            lines.append([(left(words, name), ink.dim), (right(f"{100 * rest:.2f} %", size), ink.dim)])
        return lines


def _most(found: Explanation) -> float | None:
    """The largest of what is added up, beside which a sum may be rounding; None where nothing is added."""
    if found.contributions is None:
        return None
    return max(abs(found.bias), *(abs(float(c)) for c in found.contributions), 0.0)


def _bar(value: float, largest: float, room: int) -> str:
    if room < 6 or largest <= 0 or value != value:
        return ""
    cells = min(room - 2, round(abs(value) / largest * (room - 2)))
    return "  " + ("▬" * cells)
