"""Numbers as a person would write them."""

from __future__ import annotations

from collections.abc import Callable
from math import floor, isfinite, log10

from engine.base.rounding import ZERO, is_rounding, vanishes

BARS = " ▁▂▃▄▅▆▇█"  # a cell filled by eighths
UNITS = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(value: float) -> str:
    """A count in few characters: 950, 10k, 2.5M."""
    if not isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "NaN"
    if abs(value) < 1000 and float(value).is_integer():
        return str(int(value))
    for size, unit in UNITS:
        if abs(value) >= size * 0.99995:
            return f"{value / size:.4g}{unit}"
    return figures(value, 3)


def count(value: int) -> str:
    """A count, exact while it is short: 1,309, 250k."""
    return f"{value:,}" if abs(value) < 100_000 else short(float(f"{value:.3g}"))


def figures(value: float | None, digits: int = 4, of: float | None = None) -> str:
    """A measured value with so many significant digits: 6.103, 0.00123, 1.2e-7, 141,217.

    Args:
        of: the size that it had first: a value that is no more than rounding beside it is told as ≈ 0.
    """
    if value is None:
        return "-"
    if is_rounding(value, of):
        return ZERO
    if not isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "NaN"
    if value == 0:
        return "0"
    size = floor(log10(abs(value)))
    if size >= 7 or size < -4:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{_trim(mantissa)}e{int(exponent)}"
    if size >= digits - 1:
        return f"{value:,.0f}"
    return _trim(f"{value:.{digits - 1 - size}f}")


def fixed(value: float, digits: int = 4, of: float | None = None) -> str:
    """Like `figures`, with its closing zeros kept, so that a column of them lines up and stays calm."""
    if is_rounding(value, of):
        return ZERO
    if not isfinite(value) or value == 0:
        return figures(value, digits)
    size = floor(log10(abs(value)))
    if size >= 7 or size < -3:
        mantissa, _, exponent = f"{value:.{max(1, digits - 3)}e}".partition("e")
        return f"{mantissa}e{int(exponent)}"
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def error(value: float, digits: int, of: float | None, write: Callable[[float, int], str] = figures) -> str:
    """A loss or another error: one that is exactly 0 is as much rounding as its neighbours, and is told like them."""
    return ZERO if vanishes(value, of) else write(value, digits)


def gap(value: float, digits: int = 3) -> str:
    """A gap to the optimum, a share: what is less than rounding is told as ≈ 0."""
    return error(value, digits, 1.0)


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def volume(size: float) -> str:
    """An amount of bytes: 812 B, 2.5 kB, 50.0 MB, 1.2 GB."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit * 0.99995:
            return f"{size / unit:,.1f} {name}"
    return f"{size:.0f} B"


def duration(seconds: float) -> str:
    """A time span: 0:03, 12:40, 3:05:00, 4 d 02 h."""
    whole = int(seconds + 0.5)
    if whole >= 86_400:
        return f"{whole // 86_400} d {whole % 86_400 // 3600:02d} h"
    if whole >= 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"
