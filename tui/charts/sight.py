"""How a person wants to see curves: which steps and values show, how both are scaled, and what a key makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from tui.charts import sentences

if TYPE_CHECKING:
    from tui.charts.viewport import Viewport

Along = Literal["steps", "epochs", "time"]
AXES: tuple[Along, ...] = get_args(Along)
MARKERS = ("•", "×", "+", "▴", "◇", "▪", "○", "*", "#", "%")  # of curves, rows and classes that are told apart
PATIENT = 20.0  # seconds: what will end within them gets its whole axis at once, else one that grows
PAN = 0.2  # share of what is seen by which a key moves it
ZOOM = 2.0  # times as much as is seen after a key


@dataclass(frozen=True)
class Sight:
    """How curves are seen.

    Attributes:
        log_y: whether the values have a logarithmic axis; None: as the values suggest.
        window: the steps that show; None follows the curves.
        limits: of the value axis, in logarithms where it is logarithmic; None fits the curves.
        cursor: the step whose values are told.
        axis: what runs to the right.
        unit: places along it for one epoch, or one second.
        level: a value that is marked all along: the optimum.
        ceiling: values above it leave the picture at its top.
    """

    log_y: bool | None = None
    log_x: bool = False
    smooth: bool = False
    window: Viewport | None = None
    limits: tuple[float, float] | None = None
    cursor: float | None = None
    axis: Along = "steps"
    unit: float = 1.0
    level: float | None = None
    ceiling: float | None = None

    def seen(self, everything: Viewport) -> Viewport:
        """The steps that show, of all there are."""
        return replace(self.window or everything, log=self.log_x)

    def told(self, log_y: bool, *more: str) -> list[str]:
        """How the axes are, in words for a title, and what else there is to say of them."""
        words = ["log y" if log_y else "linear y", *["log x"] * self.log_x, *more]
        return [*words, *["raw + smoothed"] * self.smooth, *[sentences.ZOOMED()] * (self.window is not None)]

    def zoomed(self, factor: float, place: float, everything: Viewport) -> Sight:
        """The steps around a place 0..1 spread (a factor below 1) or drawn together, to everything at most."""
        moved = self.seen(everything).zoom(factor, place)
        whole = factor > 1 and moved.stop - moved.start >= everything.stop - everything.start
        return replace(self, window=None if whole else moved)

    def steered(self, what: str, everything: Viewport, log_y: bool, anchor: float) -> Sight:
        """How it is seen after a key: log_y, log_x, smooth, reset, left, right, in or out.

        Args:
            log_y: whether the value axis is logarithmic now.
            anchor: the step around which it is zoomed.
        """
        match what:
            case "log_y":
                return replace(self, log_y=not log_y, limits=None)
            case "log_x":
                return replace(self, log_x=not self.log_x, limits=None)
            case "smooth":
                return replace(self, smooth=not self.smooth)
            case "reset":
                return replace(self, window=None, limits=None, cursor=None)
            case "left" | "right":
                return replace(self, window=self.seen(everything).pan(-PAN if what == "left" else PAN))
        place = min(1.0, max(0.0, float(self.seen(everything).place(anchor))))
        return self.zoomed(1 / ZOOM if what == "in" else ZOOM, place, everything)
