"""The train screen: panels, loss, weights, fit."""

from __future__ import annotations

from time import monotonic
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from tui.charts.loss_chart import LossChart
from tui.charts.views.pane import ViewsPane
from tui.charts.weights_table import WeightsTable
from tui.keys.keymap import named
from tui.keys.table import bindings
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.screens.train.dataset_panel import DatasetPanel
from tui.screens.train.device_panel import DevicePanel
from tui.screens.train.hyperparameters_panel import HyperparametersPanel
from tui.screens.train.layout import SIDE, arrange
from tui.screens.train.normalization_panel import NormalizationPanel
from tui.widgets.panel import Panel

NUMBERS = 0.5  # seconds between two looks at the weights while training


class TrainScreen(RavineScreen):
    """Home."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("train")]

    def panes(self) -> ComposeResult:
        """Four panels, two charts, the weights."""
        self.dataset = DatasetPanel(id="panel1")
        self.panels: tuple[Panel, ...] = (
            self.dataset,
            NormalizationPanel(id="panel2"),
            HyperparametersPanel(id="panel3"),
            DevicePanel(id="panel4"),
        )
        self.chart = LossChart(id="chart")
        self.weights = WeightsTable(id="weights")
        self.fit = ViewsPane(id="fit")
        self.large = ""
        self._numbers_due = 0.0
        self._open = "panel1"
        yield from self.panels
        yield self.chart
        yield self.weights
        yield self.fit

    @property
    def views(self) -> int:
        """How many views of the run there are."""
        return len(self.fit.views)

    def on_mount(self) -> None:
        """The cursor begins in the first panel, charts as they were liked last time."""
        liking = self.ravine.liking
        self.chart.like(liking)
        self.fit.like(str(liking.get("view", "")))
        if liking.get("large") in ("chart", "weights", "fit"):
            self.large = liking["large"]
        (self.query_one(f"#{self.large}") if self.large else self.panels[0]).focus()

    def _like(self) -> None:
        """What is to be remembered of how things are looked at."""
        self.ravine.liking = {**self.ravine.liking, **self.chart.liked, "view": self.fit.liked, "large": self.large}

    def places(self, width: int, height: int) -> dict[str, Region]:
        """See `arrange`."""
        focused = self.focused
        if focused is not None:
            name = focused.id if focused.id in SIDE else focused.parent.id if focused.parent is not None else None
            self._open = name if name in SIDE else self._open
        wanted = {panel.id or "": panel.wanted for panel in self.panels}
        layout = arrange(width, height, wanted, self._open, self.large)
        side: tuple[Panel | WeightsTable | ViewsPane, ...] = (*self.panels, self.weights, self.fit)
        for pane in side:
            folded = pane.id in layout.folded
            if folded != pane.folded:
                pane.folded = folded
                pane.set_class(folded, "folded")
        return layout.places

    def show(self) -> None:
        """Hand everybody the newest state."""
        workspace = self.ravine.workspace
        if workspace is None:
            super().show()
            return
        if not workspace.ticking:
            for panel in self.panels:
                panel.redraw()
            self._hint()
        before = self.views
        self.fit.show(workspace)
        super().show()
        if self.views != before:
            self.key_line.show(self.situation())
        now = workspace.snapshot
        self.chart.empty = self._invitation()
        self.chart.show(now)
        if workspace.phase != "training" or monotonic() >= self._numbers_due:
            # Numbers that change faster than they can be read are only traffic.
            self._numbers_due = monotonic() + NUMBERS
            self.weights.show(now, workspace.batch)

    def _invitation(self) -> list[str]:
        workspace = self.ravine.workspace
        assert workspace is not None
        if workspace.problem:
            told = [sentences.NOT_RUNNABLE(), "", workspace.problem]
            if workspace.table is not None and workspace.recipe.data.target is None and workspace.table.target is None:
                told += [
                    "",
                    sentences.TO_TRAIN(key=named("run.toggle")),
                ]
            return told
        return [
            sentences.PRESS(key=named("run.toggle")),
            "",
            sentences.PANELS(),
        ]

    def refit(self) -> None:
        """The panels hold more or fewer lines than before."""
        self.lay_out()
        self.dataset.ask_target()

    def on_descendant_focus(self) -> None:
        """On a small screen the focused pane unfolds."""
        self.lay_out()
        self._hint()
        super().on_descendant_focus()

    def _hint(self) -> None:
        focused = self.focused
        panel = focused.parent if focused is not None and isinstance(focused.parent, Panel) else focused
        self.messages.hint = panel.help() if isinstance(panel, Panel) else ("", False)

    def on_panel_moved(self, message: Panel.Moved) -> None:
        """The cursor is on another line: its help is due."""
        self._hint()
        super().show()

    def action_panel(self, number: int) -> None:
        """Go to a panel."""
        if self.large:
            self.action_large(self.large)
        self.set_focus(self.panels[number - 1])  # at once: the next key is for it

    def action_chart(self, what: str) -> None:
        """Hand a key to the chart."""
        self.chart.action_chart(what)
        self._like()
        super().show()

    def action_view(self, by: int) -> None:
        """Another view; where its pane is folded, unfold it first."""
        if self.fit.folded:
            self.fit.focus()
        else:
            self.fit.action_view(by)
        self._like()
        super().show()

    def choose_view(self, name: str) -> None:
        """A view by its name."""
        self.fit.choose_view(name)
        self.fit.focus()
        self._like()

    def action_large(self, pane: str) -> None:
        """Show a pane alone, or all again."""
        self.large = "" if self.large == pane else pane
        self._like()
        self.lay_out()
        self.show()
