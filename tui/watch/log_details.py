"""What the logs hold beside their curves, in lines: values, hyperparameters, texts, histograms, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from textual.binding import BindingType

from tui.keys.table import WATCHING, bindings
from tui.look.numbers import BARS, figures, short
from tui.watch import sentences
from tui.widgets.cells import Span, apart, left, right, tame, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.watch.curve import Values
    from engine.watch.run import WatchedRun
    from engine.watch.summary import LoggedHistogram
    from tui.charts.multi_curve import Logged

VIEWS = ("values", "hparams", "texts", "histograms", "problems")
MOST = 400  # lines of a text that are shown


class Details(Scrolling, inherit_bindings=False):
    """The pane under the chart. Arrows scroll it while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list", WATCHING)]

    def __init__(self) -> None:
        super().__init__(id="details", classes="pane")
        self.view = VIEWS[0]
        self.curves: list[Logged] = []  # those that show
        self.run: WatchedRun | None = None  # the one under the cursor
        self.cursor: float | None = None  # a step
        self.problems: list[str] = []

    def available(self) -> list[str]:
        """The views that have something to show."""
        run = self.run
        found = {
            "values": True,
            "hparams": bool(run and run.choices),
            "texts": bool(run and run.texts),
            "histograms": bool(run and run.histograms),
            "problems": bool(self.problems),
        }
        return [view for view in VIEWS if found[view]]

    def turn(self, by: int) -> None:
        """To another view."""
        views = self.available()
        at = views.index(self.view) if self.view in views else 0
        self.view, self.roll.first = views[(at + by) % len(views)], 0
        self.redraw()

    def told(self, width: int) -> list[list[Span]]:
        """The lines of the view."""
        views = self.available()
        view = self.view if self.view in views else "values"
        name = f" of {self.run.name}" if self.run is not None and view in ("hparams", "texts", "histograms") else ""
        self.head((*apart([(one, "bold" if one == view else "") for one in views], " · "), (name, "")))
        lines = {
            "values": self._values,
            "hparams": self._hparams,
            "texts": self._texts,
            "histograms": self._histograms,
            "problems": self._problems,
        }
        return lines[view](width)

    def _values(self, width: int) -> list[list[Span]]:
        """One line for each curve: its newest point, its extremes, and what it was at the cursor."""
        ink = self.ink
        if not self.curves:
            return []
        at = self.cursor
        heads = ["last", "step"] + (["least", "greatest", "points"] if width >= 84 else [])
        heads += [f"at {at:,.0f}"] if at is not None else []
        room = max(8, width - 4 - 12 * len(heads))
        lines: list[list[Span]] = [[(left("", room + 3), ink.faint), *((right(h, 12), ink.faint) for h in heads)]]
        for curve in self.curves:
            steps, _, values = curve.points.points()
            last = curve.points.last
            if last is None:
                continue
            first = curve.points.first
            cells = [figures(last[2], 6, first), f"{last[0]:,}"]
            if width >= 84:
                found = curve.points.columns(np.array([steps[0], steps[-1] + 1]))
                ends = (float(found.low[0]), float(found.high[0]))
                cells += [figures(ends[0], 5, first), figures(ends[1], 5, first), f"{len(values):,}"]
            if at is not None:
                cells.append(_near(steps, values, at, first))
            styles = [ink.strong, *[ink.dim] * len(cells)]
            lines.append(
                [
                    (f" {curve.marker} ", curve.style),
                    (left(curve.label, room), ink.text),
                    *((right(cell, 12), style) for cell, style in zip(cells, styles, strict=False)),
                ]
            )
        return lines

    def _hparams(self, width: int) -> list[list[Span]]:
        ink, run = self.ink, self.run
        if run is None:
            return []
        choices = dict(run.choices)
        size = min(max((len(name) for name in choices), default=0) + 2, max(10, width // 2))
        lines: list[list[Span]] = [[(left(" status", size + 1), ink.dim), (run.status, ink.text)]] * bool(run.status)
        for name, value in sorted(choices.items()):
            told = figures(value, 6) if isinstance(value, float) else str(value)
            texts = wrap(told, max(8, width - size - 2), 4) or [""]
            lines.append([(left(f" {name}", size + 1), ink.dim), (texts[0], ink.text)])
            lines += [[(" " * (size + 1), ink.dim), (text, ink.text)] for text in texts[1:]]
        return lines

    def _texts(self, width: int) -> list[list[Span]]:
        """The newest text of each tag."""
        ink, run = self.ink, self.run
        lines: list[list[Span]] = []
        for tag, texts in sorted(dict(run.texts).items()) if run is not None else []:
            if not texts:
                continue
            lines.append([(f" {tag}", ink.strong), (sentences.TEXT_STEP(step=texts[-1].step), ink.dim)])
            for line in texts[-1].text.splitlines()[:MOST]:
                plain = tame(line.expandtabs(2))
                indent = len(plain) - len(plain.lstrip())
                lines += [[("   " + " " * indent + part, ink.text)] for part in wrap(plain, width - 4 - indent, MOST)]
        return lines

    def _histograms(self, width: int) -> list[list[Span]]:
        """The newest histogram of each tag as small bars."""
        ink, run = self.ink, self.run
        found = sorted((tag, kept[-1]) for tag, kept in (dict(run.histograms).items() if run else ()) if kept)
        room = min(max((len(tag) for tag, _ in found), default=8) + 1, max(10, width // 3))
        bars = max(8, min(48, width - room - 36))
        lines: list[list[Span]] = []
        for tag, histogram in found:
            drawn, low, high = sparks(histogram, bars)
            lines.append(
                [
                    (" " + left(tag, room), ink.text),
                    (right(figures(low, 3), 10) + " ", ink.dim),
                    (drawn, ink.train),
                    (" " + left(figures(high, 3), 10), ink.dim),
                    (sentences.STEP(step=short(histogram.step)), ink.faint),
                ]
            )
        return lines

    def _problems(self, width: int) -> list[list[Span]]:
        return [[(f" {line}", self.ink.bad)] for text in self.problems for line in wrap(text, width - 2, 6)]


def _near(steps: NDArray[np.int64], values: Values, at: float, first: float | None) -> str:
    """The value of the point that is nearest to a step; nothing before the first point and behind the last."""
    if not len(steps) or not steps[0] <= at <= steps[-1]:
        return ""
    place = int(np.searchsorted(steps, at))
    place = min(range(max(0, place - 1), place + 1), key=lambda i: abs(float(steps[i]) - at))
    return figures(float(values[place]), 6, first)


def sparks(histogram: LoggedHistogram, width: int) -> tuple[str, float, float]:
    """A histogram as `width` bars of equal buckets, its least and its greatest edge."""
    buckets = histogram.buckets[np.isfinite(histogram.buckets).all(axis=1)]
    if not len(buckets):
        return " " * width, float("nan"), float("nan")
    low, high = float(buckets[0, 0]), float(buckets[-1, 1])
    edges = np.linspace(low, high, width + 1)
    if not high > low:
        return BARS[-1].center(width), low, high
    # Counts up to each edge, spread evenly within a bucket.
    ends = np.append(buckets[0, 0], buckets[:, 1])
    sums = np.append(0.0, np.cumsum(buckets[:, 2]))
    counts = np.diff(np.interp(edges, ends, sums))
    top = counts.max() or 1.0
    levels = np.where(counts > 0, np.maximum(1, np.round(counts / top * 8)), 0).astype(int)
    return "".join(BARS[level] for level in levels.tolist()), low, high
