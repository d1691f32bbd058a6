"""What a classifier gets right and wrong: the confusion matrix and the ROC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.style import Style

from tui.charts import sentences
from tui.charts.axes import Axes, Axis
from tui.charts.sight import MARKERS
from tui.charts.views.base import Drawing, ModelView, Size, Subject, outputs
from tui.look.numbers import count, fixed
from tui.look.styles import Ink
from tui.widgets.cells import Span, clip, left, right

MARK = "+"  # of the positive one of two classes

if TYPE_CHECKING:
    from engine.analysis.evaluation import Part, ThresholdCurve


class ClassesView(ModelView):
    """A view of one split of a classifier's rows."""

    def fits(self, subject: Subject) -> bool:
        """For classes."""
        return subject.model is not None and bool(subject.model.classes)

    def turns(self, subject: Subject) -> tuple[str, ...]:
        """The splits that have rows."""
        return subject.splits

    def look(self, subject: Subject, turn: str, size: Size) -> Part:
        """Evaluate the split."""
        from engine.analysis import evaluation

        model, prepared, plan = subject.model, subject.prepared, subject.plan
        assert model is not None
        assert prepared is not None
        assert plan is not None
        given = outputs(model, getattr(prepared, turn).x)
        found = evaluation.examine(prepared, {turn: given}, plan.loss, subject.decision, worst=0)  # type: ignore[dict-item]
        return next(iter(found.parts.values()))


class ConfusionView(ClassesView):
    """How many rows of each class are taken for which."""

    def draw(self, subject: Subject, found: Part, turn: str, ink: Ink, size: Size) -> Drawing:
        """A table, darker where there are more."""
        assert found.confusion is not None
        classes = subject.prepared.classes if subject.prepared is not None else ()
        good = float(np.trace(found.confusion)) / max(1, found.rows)
        decision = subject.decision
        at = "" if decision is None else sentences.FROM_ON(mark=MARK, threshold=decision.threshold)
        parts: dict[str, Any] = {"rows": count(found.rows), "at": at, "actual": True, "decided": True}
        about = sentences.CONFUSION(split=turn, accuracy=100 * good, **parts)
        for name in ("decided", "rows", "actual", "at"):
            if cell_len(about) <= size[0] - 6:
                break
            parts[name] = ""
            about = sentences.CONFUSION(split=turn, accuracy=100 * good, **parts)
        positive = None if decision is None else decision.positive
        return Drawing(matrix(found.confusion, classes, ink, size, positive), about)


def marked(classes: tuple[str, ...], positive: int | None, room: int) -> list[str]:
    """The names of the classes on so many cells, the positive one with its mark before it."""
    return [clip(f"{MARK} {name}" if index == positive else name, room) for index, name in enumerate(classes)]


def matrix(
    counts: NDArray[np.int64], classes: tuple[str, ...], ink: Ink, size: Size, positive: int | None = None
) -> list[list[Span]]:
    """A confusion matrix as lines: rows are the actual class, columns the decided one, shaded by the row's share.

    Args:
        positive: of two classes the number of the one that is marked.
    """
    width, height = size
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = marked(classes, positive, 14)
    label = max(6, min(max(cell_len(n) for n in names), max(6, width // 4)))
    texts = [[count(int(c)) for c in row] for row in counts]
    need = max(max(cell_len(t) for row in texts for t in row), 3) + 2
    cell = min(max(need, max(cell_len(n) for n in names) + 2), (width - label - 4) // len(classes))
    if cell < need and cell < 2:
        return [[], [(sentences.TOO_MANY_CLASSES(), ink.dim)]]
    tall = 3 if height >= 3 * len(classes) + 2 and cell >= 7 else 1
    lines: list[list[Span]] = [
        [(" " * (label + 2), ink.dim), *((_middle(clip(name, max(1, cell - 1)), cell), ink.dim) for name in names)]
    ]
    for i, name in enumerate(names):
        for line in range(tall):
            spans: list[Span] = [(" " + right(name if line == tall // 2 else "", label) + " ", ink.dim)]
            for j in range(len(names)):
                hue = ink.optimum if i == j else ink.bad
                share = float(shares[i, j])
                style = (ink.strong if share else ink.faint) + Style(bgcolor=ink.tint(hue, 0.06 + 0.54 * share))
                text = texts[i][j] if cell >= need else _shade(share)
                if line != tall // 2:
                    text = f"{100 * share:.0f} %" if line == tall // 2 + 1 and counts[i].any() else ""
                    style = (ink.text if share else ink.faint) + Style(bgcolor=ink.tint(hue, 0.06 + 0.54 * share))
                spans.append((_middle(text, cell), style))
            lines.append([*spans, (" ", ink.dim)])
    return lines if len(lines) <= height else [*lines[: height - 1], [(sentences.ALL_CLASSES(), ink.dim)]]


def _shade(share: float) -> str:
    return " ░▒▓█"[0 if not share else 1 + min(3, int(share * 4))]


def _middle(text: str, width: int) -> str:
    before = max(0, (width - cell_len(text)) // 2)
    return left(" " * before + text, width)


class RocView(ClassesView):
    """True against false positives for every threshold."""

    def draw(self, subject: Subject, found: Part, turn: str, ink: Ink, size: Size) -> Drawing:
        """A curve for the positive one of two classes, or one for each of more."""
        axes = Axes(
            ink, size, Axis(0.0, 1.0, name=sentences.FALSE_POSITIVES()), Axis(0.0, 1.0)
        )  # fmt: skip
        axes.line([0, 1], [0, 1], ink.faint)
        legend = []
        one = len(found.curves) == 1
        threshold = 0.5 if subject.decision is None else subject.decision.threshold
        for number, curve in enumerate(found.curves):
            style, marker = ink.kinds[number % len(ink.kinds)], MARKERS[number % len(MARKERS)]
            if not np.isfinite(curve.roc_auc):
                continue
            axes.line(curve.false, curve.true, style)
            if one:
                at = _at(curve, threshold)
                axes.dots([curve.false[at]], [curve.true[at]], ink.accent, "●")
                legend.append((ink.accent, "●", sentences.THRESHOLD(threshold=threshold)))
            else:
                few = np.unique(np.linspace(0, len(curve.false) - 1, 8).astype(np.int64))
                axes.dots(curve.false[few], curve.true[few], style, marker)
            legend.insert(
                number, (style, "──" if one else marker, sentences.AUC(curve=curve.name, auc=fixed(curve.roc_auc, 4)))
            )
        if not legend:
            return Drawing([[], [(sentences.ONE_CLASS(), ink.faint)]], turn)
        return Drawing(axes.sheet.lines(), sentences.ROC_AXES(split=turn), legend)


def _at(curve: ThresholdCurve, threshold: float) -> int:
    """The point of the curve whose threshold is the least that is at least the given one."""
    return max(0, int(np.count_nonzero(curve.thresholds >= threshold)) - 1)
