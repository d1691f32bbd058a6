"""Every view of a run, in the order in which a person goes through them. Loaded with the first snapshot."""

from __future__ import annotations

from tui.charts.views.base import Subject, View
from tui.charts.views.boundary import BoundaryView
from tui.charts.views.confusion_roc import ConfusionView, RocView
from tui.charts.views.fit import FitView, ResidualsView
from tui.charts.views.over_steps import GradientView, MetricView, RateView, WeightsView
from tui.charts.views.weightbars import BarsView

VIEWS: tuple[View, ...] = (
    FitView(),
    ResidualsView(),
    BoundaryView(),
    ConfusionView(),
    RocView(),
    MetricView(),
    RateView(),
    GradientView(),
    WeightsView(),
    BarsView(),
)


def available(subject: Subject) -> list[View]:
    """The views that make sense for a run."""
    return [view for view in VIEWS if view.fits(subject)]
