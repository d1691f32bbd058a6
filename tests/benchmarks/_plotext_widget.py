"""The chart of a growing curve in textual-plotext's own widget: what the app's canvas is held against.

Started as a program in a terminal. The curve has as many points as the canvas has columns, twice over; ten times a
second some steps are added to it, and the widget is refreshed.
"""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual_plotext import PlotextPlot

POINTS = 240


class Growing(App[None]):
    """One chart and nothing else."""

    def compose(self) -> ComposeResult:
        """The chart."""
        self.plot = PlotextPlot()
        yield self.plot

    def on_mount(self) -> None:
        """Ten frames a second."""
        self.steps = 1000
        self.set_interval(0.1, self.grow)

    def grow(self) -> None:
        """Some steps more."""
        self.steps += 100
        steps = [self.steps * i / POINTS for i in range(POINTS)]
        losses = [6.1 + 1142.0 * 0.5 ** (step / 4000) for step in steps]
        self.plot.plt.clear_data()
        self.plot.plt.title("loss")
        self.plot.plt.yscale("log")
        self.plot.plt.plot(steps, losses, marker="braille")
        self.plot.plt.plot(steps, [1.1 * loss for loss in losses], marker="braille")
        self.plot.refresh()


if __name__ == "__main__":
    Growing().run()
