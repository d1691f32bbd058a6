"""The normalization modes, each one record: all that preparing, predicting, advising and exporting know of it.

Every mode brings each column to (x - offset) / scale, both found from the train rows. So weights fold back into raw
units, and the inverse, a saved model, predict.py and ONNX need no more than these two rows of numbers. A mode says how
they are found: once for this program, in numpy, and once as the lines of an exported script, in torch. To add one,
write one more record here, or call `register` with it from code of your own before the run is made:

    from engine.registry.modes import Mode, register

    register(
        Mode(
            name="midrange",
            label="mid-range",
            help="To [-1, 1].",
            fit=lambda np, columns: ((columns.low + columns.high) / 2, (columns.high - columns.low) / 2),
            script=\"\"\"
                low, high = {x}.min(dim=0).values, {x}.max(dim=0).values
                {offset}, {scale} = (low + high) / 2, (high - low) / 2
            \"\"\",
        )
    )

Two rules hold for every mode. A constant column keeps a scale of 1 where an offset is taken away: what is left of it is
rounding, which a division would blow up. A column that is not constant, but whose scale is no more than rounding beside
its numbers (a count that is mostly 0 has an interquartile range of 0), is divided by its standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from engine.registry import Registry


class Columns(Protocol):
    """What a mode may ask of the d columns of the train rows: float64 [d] each, in raw units, all finite."""

    @property
    def low(self) -> Any:
        """The smallest numbers."""

    @property
    def high(self) -> Any:
        """The largest numbers."""

    @property
    def largest(self) -> Any:
        """The largest magnitudes."""

    def moments(self) -> tuple[Any, Any]:
        """Mean and standard deviation; the latter over n - 1 or n, as the recipe says."""

    def quartiles(self) -> tuple[Any, Any]:
        """Median and interquartile range, by linear interpolation."""

    def each(self, function: Callable[[Any], float]) -> Any:
        """A function of one column [n], for every column, on all cores."""


@dataclass(frozen=True)
class Mode:
    """One way to bring columns to one scale.

    Attributes:
        name, label, help: see `engine.registry.Member`.
        fit: of numpy and the columns: (offset [d], scale [d]); an offset of None takes nothing away. A `fit` of None
            leaves features as they are.
        moments: whether `fit` asks for moments always; they are then summed up in the first pass over the rows.
        may_vanish: whether the scale can be 0 for a column that varies, as where its middle half is all the same; its
            standard deviation stands in then.
        script: lines in torch that leave offset and scale of {x}, float64 [n, d] or [n], in {offset} (where one is
            taken away) and {scale}; {std} stands for the arguments of Tensor.std, and `np` is numpy. "" where there are
            none: the export of a script then refuses the mode.
        remedy: its place among the modes that are advised against a bad scale, the least first.
    """

    name: str
    label: str
    help: str
    fit: Callable[[Any, Columns], tuple[Any, Any]] | None
    moments: bool = False
    may_vanish: bool = False
    script: str = ""
    remedy: int = 9

    @property
    def deviates(self) -> bool:
        """Whether it can depend on which standard deviation is taken."""
        return self.moments or self.may_vanish

    @property
    def scales(self) -> bool:
        """Whether it changes features at all."""
        return self.fit is not None


NONE = Mode(name="none", label="none", help="Features as they are.", fit=None)
ZSCORE = Mode(
    name="zscore",
    label="z-score",
    help="Mean 0, std 1.",
    fit=lambda np, columns: columns.moments(),
    moments=True,
    script="{offset}, {scale} = {x}.mean(dim=0), {x}.std({std})",
    remedy=1,
)
REGISTRY: Registry[Mode] = Registry(
    "normalization mode",
    NONE,
    Mode(
        name="max",
        label="max",
        help="Divide by max |x|.",
        fit=lambda np, columns: (None, columns.largest),
        script="{scale} = {x}.abs().max(dim=0).values",
        remedy=4,
    ),
    Mode(
        name="minmax",
        label="min-max",
        help="To [0, 1].",
        fit=lambda np, columns: (columns.low, columns.high - columns.low),
        script="""
            {offset} = {x}.min(dim=0).values
            {scale} = {x}.max(dim=0).values - {offset}
        """,
        remedy=2,
    ),
    ZSCORE,
    Mode(
        name="robust",
        label="robust",
        help="Median 0, IQR 1.",
        fit=lambda np, columns: columns.quartiles(),
        may_vanish=True,
        script="""
            low, {offset}, high = torch.from_numpy(np.percentile({x}.numpy(), [25, 50, 75], axis=0))
            {scale} = high - low
        """,
        remedy=3,
    ),
)
DEFAULT = ZSCORE.name
register, remove = REGISTRY.register, REGISTRY.remove


def remedies() -> tuple[str, ...]:
    """The modes that can be advised against a bad scale, the best first."""
    return tuple(one.name for one in sorted(REGISTRY, key=lambda one: one.remedy) if one.scales)
