"""What of a number is rounding: it is shown as ≈ 0, and does not decide which of two losses is the better one."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHARE = 1e-12  # of the size that a number had first, such as the initial loss: what is less is rounding
DIGITS = 36  # of a number in base 2 that last digits do not reach: 11 in base 10
ZERO = "≈ 0"  # how it is shown; with ASCII only: ~ 0


def is_rounding(value: float | None, size: float | None) -> bool:
    """Whether a number is no more than rounding; exactly 0, and a number whose first size is unknown, is not.

    Args:
        size: what it is measured against: for a loss the initial one, for a gradient its norm before the first update.
    """
    return value is not None and value != 0 and vanishes(value, size)


def vanishes(value: float | None, size: float | None) -> bool:
    """Whether a number is 0 or no more than rounding, which are the same for a loss and for a gap to the optimum."""
    return value is not None and size is not None and isfinite(size) and abs(value) < SHARE * abs(size)


def told(value: float, size: float | None, spec: str = ".6g") -> str:
    """A loss in words: written as `spec` says, and ≈ 0 where it is no more than rounding beside `size`."""
    return ZERO if vanishes(value, size) else format(value, spec)


def least(sizes: Iterable[float | None]) -> float | None:
    """The least of some sizes, those left out that are not known, not finite or 0; None without any."""
    return min((s for s in sizes if s is not None and isfinite(s) and s > 0), default=None)


def margin(loss: float, size: float) -> float:
    """By how much a loss must be beaten for more than rounding.

    A model's outputs are known to a share SHARE of their size at best. The loss L of outputs that would have the loss
    S, were they 0, is then known to SHARE * sqrt(L * S): a squared error is, and any other loss by a wide margin.

    Args:
        loss: finite or not.
        size: S; less than `loss` or not finite where it is not known.
    """
    loss = abs(loss)
    if not isfinite(loss):
        return 0.0
    return SHARE * sqrt(loss) * sqrt(max(loss, size) if isfinite(size) else loss)


def cleared(values: NDArray[np.float64], size: float) -> NDArray[np.float64]:
    """Values of any shape with 0 for those that are rounding beside a size."""
    import numpy as np

    return np.where(np.abs(values) < SHARE * size, 0.0, values) if isfinite(size) else values


def raised(values: NDArray[np.float64], first: float | None, share: float = SHARE**2) -> NDArray[np.float64]:
    """Values with those between 0 and a share of the first one raised to it: a logarithmic axis is not for rounding.

    Args:
        first: NaN or infinite, or None, where nothing is known.
        share: for a loss that of outputs which are rounding, squared; SHARE for a gradient.
    """
    import numpy as np

    floor = share * abs(first) if first is not None and isfinite(first) else 0.0
    return np.where((values >= 0) & (values < floor), floor, values)


def alike(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of any shape, cut down to the digits that every machine gives, so that equal ones sort as such."""
    import numpy as np

    finite = np.isfinite(values) & (values != 0)
    with np.errstate(all="ignore"):
        grain = np.exp2(np.floor(np.log2(np.abs(np.where(finite, values, 1.0)))) - DIGITS)
        return np.where(finite, np.round(values / grain) * grain, values)
