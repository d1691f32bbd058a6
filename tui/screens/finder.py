"""The finder screen: the loss of a short trial run over a rising learning rate, and the rate that it speaks for."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from tui.keys.table import bindings
from tui.look.numbers import figures
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.tasks.background import in_background
from tui.widgets.cells import Cells, Span, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.learn.finder import Finding

SHOWN = 3.0  # times the first loss: above it the curve is cut off


class RateCurve(Cells, can_focus=True):
    """The curve with log x, the suggestion marked.

    Args:
        take: called when the suggestion is to be taken.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("finder")]
    KIND = "finder"

    def __init__(self, take: Callable[[], object]) -> None:
        super().__init__(id="rate-curve", classes="pane")
        self._take = take
        self.border_title = sentences.TRIAL_LOSS()
        self.finding: Finding | None = None
        self.limit: float | None = None  # the largest stable rate, where it is known
        self.words = ""
        self.bad = False

    def action_take(self) -> None:
        """Take the suggestion."""
        self._take()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The losses faint, their average in front."""
        ink, found = self.ink, self.finding
        if found is None or height < 6:
            style = ink.bad if self.bad else ink.faint
            return [[], *([(f"  {line}", style)] for line in wrap(self.words, width - 4, height))]
        from tui.charts.axes import Axes, Axis

        lines: list[list[Span]] = [[(f" {line}", ink.text)] for line in wrap(self.words, width - 2, 3)]
        top = SHOWN * float(found.losses[0])
        losses = np.where(found.losses <= top, found.losses, np.nan)
        smoothed = np.where(found.smoothed <= top, found.smoothed, np.nan)
        wide = np.nanmax(losses) > 100 * max(float(np.nanmin(smoothed)), 1e-300)
        x = Axis(float(np.log10(found.rates[0])), float(np.log10(found.rates[-1])), log=True)
        axes = Axes(ink, (width, height - len(lines)), x, Axis.around(losses, smoothed, log=bool(wide)))
        posts = [(found.suggestion, sentences.SUGGESTED(lr=figures(found.suggestion, 3)), ink.accent)]
        if self.limit is not None:
            posts.append((self.limit, sentences.STABLE_BELOW(lr=figures(self.limit, 3)), ink.optimum))
        for rate, _, style in posts:
            axes.post(rate, style)
        axes.line(found.rates, losses, ink.band)
        axes.line(found.rates, smoothed, ink.train)
        for rate, words, style in posts:
            axes.label(rate, words, style)
        return lines + axes.sheet.lines()


class FinderScreen(RavineScreen):
    """The trial run begins when the screen is gone to; nothing of it is kept."""

    NAME = "finder"

    @dataclass
    class Found(Message):
        """A finding, or why there is none."""

        key: int
        finding: Finding | None
        problem: str = ""

    def panes(self) -> ComposeResult:
        """The curve."""
        self.curve = RateCurve(self.take)
        self._given_up = threading.Event()
        self._number = 0
        yield self.curve

    @property
    def has_rows(self) -> bool:
        """Whether there is a suggestion."""
        return self.curve.finding is not None

    def on_mount(self) -> None:
        """Enter takes it at once."""
        self.curve.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """One pane."""
        places, body = self.body(width, height)
        return {**places, "rate-curve": body}

    def arrive(self) -> None:
        """Begin a trial run."""
        workspace = self.ravine.workspace
        if workspace is None:
            return
        self._given_up.set()
        self._number += 1
        self.curve.finding = None
        self._say(sentences.TRIAL_RUN())
        if workspace.problem or workspace.live:
            self._say(workspace.problem or sentences.STOP_FIRST(), bad=True)
            return
        survey = workspace.known
        self.curve.limit = workspace.rate_limit
        table = survey.table if survey is not None else None
        number, recipe = self._number, workspace.recipe
        given_up = self._given_up = threading.Event()
        in_background(
            lambda: self._work(number, recipe, table, given_up),
            "finder",
            lambda words: self.post_message(self.Found(number, None, words)),
        )

    def on_screen_suspend(self) -> None:
        """Somebody left: give it up."""
        self._given_up.set()

    def _work(self, number: int, recipe: Any, table: Any, given_up: threading.Event) -> None:
        from engine.base.errors import Cancelled, InputError
        from engine.learn.finder import find

        try:
            self.post_message(self.Found(number, find(recipe, table, given_up.is_set)))
        except Cancelled:
            return
        except InputError as error:
            self.post_message(self.Found(number, None, str(error)))

    def _say(self, words: str, *, bad: bool = False) -> None:
        self.curve.words, self.curve.bad = words, bad
        self.curve.redraw()

    def on_finder_screen_found(self, message: Found) -> None:
        """It has come; of an earlier visit it is thrown away."""
        if message.key != self._number:
            return
        self.curve.finding = message.finding
        self._say(message.problem, bad=True)
        if message.finding is not None:
            found = message.finding
            self._say(sentences.SUGGESTION(lr=figures(found.suggestion, 3), reason=found.reason))
        self.show()

    def take(self) -> None:
        """Put the suggestion into the panels, and go back to them."""
        workspace = self.ravine.workspace
        if workspace is not None and self.curve.finding is not None:
            workspace.set({"lr": float(f"{self.curve.finding.suggestion:.4g}")})
            self.ravine.action_go("train")
