"""Every view of a run, in the order in which a person goes through them. Loaded with the first snapshot."""

from __future__ import annotations

from tui.charts.boundary import BoundaryView
from tui.charts.classes import ConfusionView, RocView
from tui.charts.scatter import FitView, ResidualsView
from tui.charts.steps import GradientView, MetricView, RateView, WeightsView
from tui.charts.view import Subject, View
from tui.charts.weightbars import BarsView

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
