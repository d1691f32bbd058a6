"""The panes of the evaluation screen: the figures against their baselines, the classes, and what else is to be told."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from engine.base.rounding import SHARE, vanishes
from engine.registry.metrics import ERRORS
from tui.look.numbers import count, error, fixed
from tui.screens import sentences
from tui.widgets.cells import Span, left, right, wrap
from tui.widgets.scroll import LINES, Scrolling

if TYPE_CHECKING:
    from engine.analysis.evaluation import Evaluation, Part

NUMBER = 10  # cells of a number


def known(value: float, digits: int = 5, of: float | None = None) -> str:
    """A figure, or n/a where it is not defined. `of`: what it is measured against, see `engine.base.rounding`."""
    return fixed(value, digits, of) if isfinite(value) else "n/a"


def metric(name: str, value: float, part: Part) -> str:
    """A metric of a split."""
    return error(value, 5, part.size(name), known) if name in ERRORS else known(value, 5, part.size(name))


def better(name: str, value: float, baseline: float) -> bool | None:
    """Whether a metric beats its baseline by more than rounding; None where one of them is not defined."""
    if not (isfinite(value) and isfinite(baseline)):
        return None
    if abs(value - baseline) <= SHARE * max(abs(value), abs(baseline), name not in ERRORS):
        return False
    return value < baseline if name in ERRORS else value > baseline


class EvaluationPane(Scrolling):
    """A pane on one evaluation and one of its splits, which scrolls where it is longer than high."""

    KIND = "text"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane")
        self.evaluation: Evaluation | None = None
        self.split = ""
        self.words: list[str] = []  # what is said instead, where there is no evaluation
        self.bad = False

    @property
    def part(self) -> Part | None:
        """The split that is looked at."""
        return self.evaluation.parts.get(self.split) if self.evaluation is not None else None  # type: ignore[call-overload]

    def told(self, width: int) -> list[list[Span]]:
        """The assessment, or why there is none."""
        if self.evaluation is None or self.part is None:
            style = self.ink.bad if self.bad else self.ink.faint
            return [[], *([(f"  {line}", style)] for text in self.words for line in wrap(text, width - 4, LINES))]
        return self.assessed(self.evaluation, self.part, width)

    def assessed(self, evaluation: Evaluation, part: Part, width: int) -> list[list[Span]]:
        """Everything that is to be said, on lines of `width` cells."""
        raise NotImplementedError


class Figures(EvaluationPane):
    """The metrics of every split, each beside its baseline."""

    def assessed(self, evaluation: Evaluation, part: Part, width: int) -> list[list[Span]]:
        """A line for each metric; a baseline for as many splits as fit, the one that is looked at first."""
        ink = self.ink
        splits = list(evaluation.parts)
        base = "mean" if evaluation.task == "regression" else "shares"
        name = 13
        wide = [s for s in (self.split, *splits) if s in evaluation.parts]
        paired: list[str] = []
        for split in dict.fromkeys(wide):
            if name + NUMBER * (len(splits) + len(paired) + 1) + 2 * len(splits) <= width:
                paired.append(split)
        head: list[Span] = [(left("", name), ink.faint)]
        sub: list[Span] = [(left(" metric", name), ink.faint)]
        for split in splits:
            size = NUMBER * (2 if split in paired else 1)
            rows = f"{split}, {count(evaluation.parts[split].rows)}"
            style = ink.accent if split == self.split else ink.dim
            head.append((right(rows if len(rows) <= size else split, size) + "  ", style))
            sub.append((right("model", NUMBER) + (right(base, NUMBER) if split in paired else "") + "  ", ink.faint))
        lines = [head, sub]
        for one_of in part.figures:
            line: list[Span] = [(left(f" {one_of.replace('_', ' ')}", name), ink.dim)]
            for split in splits:
                one = evaluation.parts[split]
                value, against = one.figures[one_of], one.baseline[one_of]
                good = better(one_of, value, against)
                style = ink.strong if good is None else ink.good if good else ink.bad
                line.append((right(metric(one_of, value, one), NUMBER), style))
                told = right(metric(one_of, against, one), NUMBER) if split in paired else ""
                line.append((told + "  ", ink.dim))
            lines.append(line)
        lines += [[], *([(f" {text}", ink.text)] for text in wrap(_verdict(evaluation, self.split), width - 2, 4))]
        return lines


def _verdict(evaluation: Evaluation, split: str) -> str:
    part = evaluation.parts[split]  # type: ignore[index]
    against = sentences.BASELINE_MEAN() if evaluation.task == "regression" else sentences.BASELINE_PRIORS()
    found = [better(name, value, part.baseline[name]) for name, value in part.figures.items()]
    decided = [good for good in found if good is not None]
    note = sentences.NOT_DEFINED() if len(decided) < len(found) else ""
    text = sentences.BEATS(split=split, baseline=against, better=sum(decided), metrics=len(decided), note=note)
    decision = evaluation.decision
    if decision is None:
        return text
    return sentences.OF_DECISION(text=text, class_=decision.name, threshold=decision.threshold)


class Classes(EvaluationPane):
    """The confusion matrix and the figures of each class; for amounts how large the errors are."""

    def assessed(self, evaluation: Evaluation, part: Part, width: int) -> list[list[Span]]:
        """The matrix first."""
        if part.confusion is None or part.per_class is None:
            return self._errors(evaluation, part, width)
        from tui.charts.views.confusion_roc import MARK, marked, matrix

        ink, classes, decision = self.ink, evaluation.classes, evaluation.decision
        positive = None if decision is None else decision.positive
        right_ones = 100 * float(np.trace(part.confusion)) / max(1, part.rows)
        at = "" if decision is None else sentences.FROM_ON(mark=MARK, threshold=decision.threshold)
        lines: list[list[Span]] = [[(sentences.ACCURACY(accuracy=right_ones, at=at), ink.dim)]]
        lines += matrix(part.confusion, classes, ink, (width, 2 * len(classes) + 2), positive)
        name = max(8, min(18, width - 4 * NUMBER - 2))
        heads = ("precision", "recall", "f1", "rows")
        lines += [[], [(left(" class", name), ink.faint), *((right(head, NUMBER), ink.faint) for head in heads)]]
        for index, one in enumerate(marked(classes, positive, name - 1)):
            line: list[Span] = [(left(f" {one}", name), ink.strong if index == positive else ink.dim)]
            values = [float(part.per_class[key][index]) for key in ("precision", "recall", "f1")]
            line += [(right(known(value, 4), NUMBER), ink.text) for value in values]
            line.append((right(count(int(part.per_class["support"][index])), NUMBER), ink.dim))
            lines.append(line)
        return lines

    def _errors(self, evaluation: Evaluation, part: Part, width: int) -> list[list[Span]]:
        ink = self.ink
        sizes = np.sort(np.abs(part.residuals))
        sizes = sizes[np.isfinite(sizes)]
        if not len(sizes):
            return [[], [(sentences.NO_FINITE(), ink.bad)]]
        lines: list[list[Span]] = [[(sentences.HOW_FAR(target=evaluation.target), ink.dim)], []]
        amount = part.largest_target
        largest = float(sizes[-1]) or 1.0
        for share in (25, 50, 75, 90, 95, 99, 100):
            value = float(sizes[min(len(sizes) - 1, int(np.ceil(share / 100 * len(sizes))) - 1)])
            words = sentences.WITHIN(percent=share) if share < 100 else sentences.ALL_WITHIN()
            room = 0 if vanishes(value, amount) else max(0, width - 14 - NUMBER - 3)
            bar = "▬" * round(value / largest * room)
            lines.append(
                [
                    (left(words, 14), ink.dim),
                    (right(error(value, 5, amount), NUMBER), ink.strong),
                    (f"  {bar}", ink.train),
                ]
            )
        bias = float(np.nanmean(part.residuals))  # actual less predicted
        way = sentences.TOO_LOW() if bias > 0 else sentences.TOO_HIGH()
        way = sentences.NEITHER() if vanishes(bias, amount) or bias == 0 else way
        lines += [
            [],
            [
                (sentences.ON_AVERAGE(), ink.dim),
                (f"  {error(abs(bias), 4, amount)}", ink.text),
                (f"  {way}", ink.dim),
            ],
        ]
        return lines


class Conditions(EvaluationPane):
    """The decision threshold, and how well the parameters are, in words."""

    def assessed(self, evaluation: Evaluation, part: Part, width: int) -> list[list[Span]]:
        """Words first, then the norms of every parameter."""
        ink = self.ink
        lines: list[list[Span]] = []
        for text in _threshold(evaluation, part):
            lines += [[(f" {line}", ink.text)] for line in wrap(text, width - 2, 6)]
        lines += [[]] if lines else []
        if not evaluation.health:
            return [*lines, [(sentences.MODULE_PARAMETERS(), ink.faint)]]
        complaints = evaluation.complaints
        well = len(evaluation.health) - len(complaints)
        for complaint in complaints:
            lines += [
                [(f" {line}", ink.bad)] for line in wrap(complaint[:1].upper() + complaint[1:] + ".", width - 2, 4)
            ]
        if not complaints:
            lines.append([(sentences.HEALTHY(tensors=well), ink.good)])
        name = max(8, min(18, width - 3 * NUMBER - 2))
        heads = ("norm", "gradient", "dead")
        lines += [[], [(left(" parameter", name), ink.faint), *((right(head, NUMBER), ink.faint) for head in heads)]]
        for one in evaluation.health:
            dead = f"{100 * one.dead:.0f} %" if isfinite(one.dead) else "n/a"
            values = (known(one.norm, 4), known(one.gradient_norm, 4, evaluation.gradient_size), dead)
            style = ink.bad if one.words else ink.dim
            lines.append([(left(f" {one.name}", name), style), *((right(v, NUMBER), ink.text) for v in values)])
        return lines


def _threshold(evaluation: Evaluation, part: Part) -> list[str]:
    decision = evaluation.decision
    if decision is None:
        return []
    words = [decision.sentence]
    if decision.threshold != 0.5:
        now, half = part.figures["f1"], part.at_half["f1"]
        words.append(sentences.F1_HERE(now=known(now, 4), half=known(half, 4)))
    return [" ".join(words)]
