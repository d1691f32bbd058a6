"""The views of a run beside its losses, each one record: all that keys, palette, tabs and help know of it.

To add one, write one more record here and what draws it, or call `register` with it before the app begins:

    from tui.charts.views.base import Drawing, RunView
    from tui.registry.views import ChartView, register


    class Steps(RunView):
        def fits(self, subject):
            return subject.snapshot.steps is not None

        def draw(self, subject, found, turn, ink, size):
            now = subject.snapshot
            return Drawing([[(f" step {now.step} of {now.steps}", ink.text)]])


    register(
        ChartView(
            name="steps",
            label="steps",
            help="How many of the steps have been taken.",
            runs="runs that know how many steps they take",
            view=Steps,
        )
    )

The order of the records is that in which a person goes through them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.registry import Registry


@dataclass(frozen=True)
class ChartView:
    """One view of a run.

    Attributes:
        name, label, help: see `engine.registry.Member`; the label is the title of its tab, the help a sentence.
        runs: those that it is for, as half a sentence: what is said of any other.
        view: what draws it: a subclass of `tui.charts.views.base.RunView`, or where that is, as "package.module:Class".
    """

    name: str
    label: str
    help: str
    runs: str
    view: Callable[[ChartView], object] | str

    @property
    def refusal(self) -> str:
        """What is said where a person asks for it and the run is none of those."""
        return f"The view {self.label} is for {self.runs}."


REGISTRY: Registry[ChartView] = Registry(
    "view",
    ChartView(
        name="fit",
        label="fit",
        help="Predicted against actual values; over a single feature the fitted curve.",
        runs="models that predict a number",
        view="tui.charts.views.fit:FitView",
    ),
    ChartView(
        name="residuals",
        label="residuals",
        help="Actual minus predicted values over the predicted ones: a pattern in them is something not yet learned.",
        runs="models that predict a number",
        view="tui.charts.views.fit:ResidualsView",
    ),
    ChartView(
        name="boundary",
        label="boundary",
        help="Which class the model gives where, over the two raw columns, with the train rows.",
        runs="classifiers over two columns of numbers",
        view="tui.charts.views.boundary:BoundaryView",
    ),
    ChartView(
        name="confusion",
        label="confusion",
        help="How many rows of each class are taken for which; the arrows go through the splits.",
        runs="classifiers",
        view="tui.charts.views.confusion_roc:ConfusionView",
    ),
    ChartView(
        name="roc",
        label="ROC",
        help="True against false positives for every threshold, and the area under the curve.",
        runs="classifiers",
        view="tui.charts.views.confusion_roc:RocView",
    ),
    ChartView(
        name="metric",
        label="metric",
        help="A metric over the steps, on validation and train rows; the arrows go through the metrics.",
        runs="runs with a model or with evaluations",
        view="tui.charts.views.over_steps:MetricView",
    ),
    ChartView(
        name="rate",
        label="rate",
        help="The learning rate over the steps, as the schedule and your changes made it.",
        runs="runs whose learning rate is known",
        view="tui.charts.views.over_steps:RateView",
    ),
    ChartView(
        name="gradient",
        label="gradient",
        help="The norm of the gradient of all parameters at every evaluation, on a logarithmic axis.",
        runs="runs with an evaluation",
        view="tui.charts.views.over_steps:GradientView",
    ),
    ChartView(
        name="weights",
        label="weights",
        help="The weights on normalized features over the steps; of a network the norms of its layers.",
        runs="runs whose parameters are known",
        view="tui.charts.views.over_steps:WeightsView",
    ),
    ChartView(
        name="bars",
        label="bars",
        help="The weights on normalized features as bars, the largest first: how much each feature matters.",
        runs="linear models",
        view="tui.charts.views.weightbars:BarsView",
    ),
)
register, remove = REGISTRY.register, REGISTRY.remove


def modules() -> tuple[str, ...]:
    """The modules of what draws them, to be imported before a person waits for them."""
    return tuple(dict.fromkeys(view.view.partition(":")[0] for view in REGISTRY if isinstance(view.view, str)))


def labels() -> str:
    """What they are called, one after the other, for sentences."""
    return ", ".join(view.label for view in REGISTRY)
