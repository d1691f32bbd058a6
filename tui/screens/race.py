"""The race screen: one recipe under every normalization, side by side, live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from tui.charts.multi_curve_pane import MultiCurvePane
from tui.charts.run_curves import RunCurve, Track
from tui.charts.sight import MARKERS, PATIENT, Sight
from tui.charts.viewport import Viewport, grown
from tui.keys.keymap import named
from tui.keys.table import bindings
from tui.look.numbers import error, figures, fixed, gap, short
from tui.model.race import Racer, arrival, outcome, race_of, racers, rule
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.widgets.cells import Cells, Span, clip, wrap
from tui.widgets.table import Listing, TableColumn

if TYPE_CHECKING:
    from tui.model.saved_run import RunRead

PICTURES = 0.2  # seconds between two pictures while they race
ABOVE = 10.0  # times the first loss: what goes higher leaves the picture, so that the others can be told apart

SIGN = TableColumn("", 1)
MODE = TableColumn("scale", 8)
STATE = TableColumn("state", 9)
LOSS = TableColumn("loss", 9, number=True)
GAP = TableColumn("gap", 8, number=True)
KAPPA = TableColumn("κ", 8, number=True)
RATE = TableColumn("lr", 8, number=True)
LIMIT = TableColumn(sentences.STABLE_UP_TO(), 12, number=True)
NEAR = TableColumn("within 1 %", 10, number=True)
STEPS = TableColumn("steps", 7, number=True)


class HorizontalRule(Cells):
    """What all of them have in common, and what comes of it."""

    def __init__(self) -> None:
        super().__init__(id="race-rule")
        self.text = ""

    def tell(self, text: str) -> None:
        """Say it."""
        if text != self.text:
            self.text = text
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """Wrapped."""
        return [[(f" {line}", self.ink.accent)] for line in wrap(self.text, width - 2, height)]


class RaceScreen(RavineScreen):
    """The curves over each other, a line for each racer. Enter opens one, when all have ended."""

    NAME = "race"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("race"), *bindings("curves")]

    def panes(self) -> ComposeResult:
        """The curves, the rule, the table."""
        self.chart = MultiCurvePane(id="race-chart")
        self.chart.what = "loss"
        self.chart.sight = Sight(log_x=True)  # what tells them apart happens in the first steps
        self.rule = HorizontalRule()
        self.listing = Listing("racers", id="racers", empty="")
        for pane in (self.chart, self.rule):
            pane.styles.position = "absolute"
        self.racers: tuple[Racer, ...] = ()
        self.large = False
        self._due = 0.0
        self._arrived: dict[str, int] = {}  # the first step near the optimum, by mode
        self._whole: bool | None = None  # whether the axis has the whole plan from the start
        yield self.chart
        yield self.rule
        yield self.listing

    @property
    def has_rows(self) -> bool:
        """Whether there has been a race."""
        return bool(self.racers)

    @property
    def run_path(self) -> Path | None:
        """The run of the racer under the cursor."""
        run = self.racers[self.listing.cursor].now.run if self.racers else None
        return self.ravine.workspace.place(run) if run is not None and self.ravine.workspace is not None else run

    def on_mount(self) -> None:
        """The cursor is in the table."""
        self.listing.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """The curves above, the table below with the rule over it."""
        places, between = self.body(width, height)
        if self.large:
            return {**places, "race-chart": between}
        small = height < 30
        if self.listing.has_class("folded") != small:
            self.listing.set_class(small, "folded")  # without its border: the chart keeps half of the screen
        said, tall = (1 if width >= 140 else 2), (6 if small else 8)
        if width < 120:  # what has come of it takes two lines there
            between = Region(0, between.y, width, between.height - 1)
            places["messages"] = Region(0, between.bottom, width, 3)
        top = between.height - said - tall
        return {
            **places,
            "race-chart": Region(0, between.y, width, top),
            "race-rule": Region(0, between.y + top, width, said),
            "racers": Region(0, between.y + top + said, width, tall),
        }

    # Showing.

    def show(self) -> None:
        """The newest of every racer; while they race not more often than can be seen."""
        workspace = self.ravine.workspace
        race = race_of(workspace) if workspace is not None else None
        if workspace is not None and race is not None:
            if workspace.ticking and workspace.phase == "training" and monotonic() < self._due and self.racers:
                return
            self._due = monotonic() + PICTURES
            found = racers(race)
            if not self.racers or found[0].now.history is not self.racers[0].now.history:
                self._whole, self._arrived = None, {}
            self.racers = found
            for racer in found:
                step = arrival(racer.now) if racer.mode not in self._arrived else None
                if step is not None:
                    self._arrived[racer.mode] = step
            self._draw_racers()
        elif not self.racers:
            self.chart.empty = sentences.NO_RACE_YET()
            self.chart.redraw()
        self._say()
        super().show()

    def _draw_racers(self) -> None:
        workspace, ink = self.ravine.workspace, self.chart.ink
        assert workspace is not None
        styles = self._styles()
        curves = [
            RunCurve(racer.name, styles[racer.mode], MARKERS[index % len(MARKERS)], Track(racer.now.history))
            for index, racer in enumerate(self.racers)
            if racer.now.history is not None and len(racer.now.history)
        ]
        self.chart.curves = curves
        self.chart.empty = next((racer.why for racer in self.racers if racer.why), "preparing")
        self.chart.everything = self._everything()
        self.chart.sight = self._sighted(self.chart.sight, curves)
        self.chart.redraw()
        self.rule.tell(rule(workspace.shown_recipe, self.racers))
        mode = replace(MODE, width=max(MODE.width, *(cell_len(racer.name) for racer in self.racers)))
        columns: tuple[TableColumn, ...] = (SIGN, mode, STATE, LOSS, GAP, KAPPA)
        if self.size.width >= 68:  # half a number would be another one
            columns += (RATE,)
        if self.size.width >= 120:
            columns += (LIMIT, NEAR, STEPS)
            rest = self.size.width - sum(column.width + 2 for column in columns) - 4
            columns += (TableColumn(sentences.STATUS(), max(8, rest)),)
        elif self.size.width >= 76:
            columns += (NEAR,)
        decision = next((racer.now.decision for racer in self.racers if racer.now.decision is not None), None)
        at = (
            ""
            if decision is None
            else sentences.POSITIVE_FROM(class_=clip(decision.name, 16), threshold=decision.threshold)
        )
        self.listing.border_title = sentences.NORMALIZATIONS(count=len(self.racers), positive=at)
        self.listing.fill(columns, len(self.racers), lambda line: self._line(self.racers[line], columns, ink.dim))

    def _styles(self) -> dict[str, Style]:
        kinds = self.chart.ink.kinds
        return {racer.mode: kinds[index % len(kinds)] for index, racer in enumerate(self.racers)}

    def _everything(self) -> Viewport | None:
        """The steps that show: all that are planned where the end is near, else an axis that doubles as they come."""
        steps = max(racer.now.steps for racer in self.racers)
        at = max(racer.now.step for racer in self.racers)
        if not any(racer.now.live for racer in self.racers):
            return None
        etas = [racer.now.eta for racer in self.racers if racer.now.eta is not None]
        if self._whole is None and etas:
            self._whole = max(etas) < PATIENT
        return Viewport(0.0, float(steps if self._whole else grown(max(1, at), steps)))

    def _sighted(self, sight: Sight, curves: list[RunCurve]) -> Sight:
        optimum = {racer.now.facts.optimum_loss for racer in self.racers if racer.now.facts is not None}
        known = [value for value in optimum if value is not None]
        first = [float(curve.track.history.values(0, 1)[0]) for curve in curves]
        ceiling = ABOVE * max(first) if first and max(first) > 0 else None
        return replace(sight, level=known[0] if known else None, ceiling=ceiling)

    def _line(self, racer: Racer, columns: tuple[TableColumn, ...], dim: Style) -> list[Span]:
        ink, now, plan = self.chart.ink, racer.now, racer.now.plan
        style = self._styles()[racer.mode]
        index = next(index for index, one in enumerate(self.racers) if one.mode == racer.mode)
        bad = racer.word in ("diverged", "failed")
        kappa = now.facts.condition_number if now.facts is not None else None
        cells: dict[str, Span] = {
            SIGN.heading: (MARKERS[index % len(MARKERS)], style),
            MODE.heading: (racer.name, ink.strong),
            STATE.heading: (racer.word, ink.bad if bad else ink.good if now.live else ink.text),
            LOSS.heading: (
                "" if racer.loss is None else error(racer.loss, 6, now.loss_size, fixed),
                ink.bad if bad else ink.strong,
            ),
            GAP.heading: ("" if racer.gap is None else gap(racer.gap), ink.text),
            KAPPA.heading: ("" if kappa is None else figures(kappa, 4), ink.text),
            RATE.heading: ("" if plan is None else figures(now.lr if now.lr is not None else plan.lr, 3), ink.text),
            LIMIT.heading: ("" if plan is None or plan.lr_limit is None else figures(plan.lr_limit, 3), dim),
            NEAR.heading: (f"{self._arrived[racer.mode]:,}" if racer.mode in self._arrived else "", ink.optimum),
            STEPS.heading: (short(now.step) if now.steps else "", ink.text),
        }
        return [cells.get(column.heading, (racer.why, ink.bad if bad else dim)) for column in columns]

    def _say(self) -> None:
        """How the race stands, and why the racer under the cursor ended."""
        if not self.racers:
            return
        racer = self.racers[self.listing.cursor]
        self.messages.instead = (outcome(self.racers, self._arrived), False)
        hint = f"{racer.name}: {racer.why}" if racer.why else ""
        bad = bool(hint) and racer.word in ("diverged", "failed")
        self.messages.hint = (clip(hint, max(1, self.size.width - 2)), bad)  # one line: the rest is for what came of it

    # Keys.

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another racer is under the cursor."""
        self._say()
        super().show()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """The run of this racer onto the train screen."""
        from tui.model.saved_run import ask_for_run

        path, workspace = self.run_path, self.ravine.workspace
        if path is None or workspace is None:
            return
        if workspace.live:
            self.app.notify(sentences.STILL_RACING(key=named("run.stop")), timeout=4)
        else:
            ask_for_run(path, self.post_message)

    def on_run_read(self, message: RunRead) -> None:
        """It has been read."""
        workspace = self.ravine.workspace
        if message.kept is None:
            self.app.notify(message.problem, severity="error", timeout=8)
        elif workspace is not None and not workspace.live:
            workspace.show_kept(message.kept)
            self.ravine.action_go("train")

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, in, out, reset."""
        self.chart.sight = self.chart.steered(what)
        self.chart.redraw()

    def action_enlarge(self) -> None:
        """The chart alone, or all again."""
        self.large = not self.large
        self.lay_out()
        if not self.large:
            self.listing.focus()  # which was lost with the list
        self._due = 0.0
        self.show()
