"""Dates as numbers: days since 1970-01-01, with the time of day as a fraction."""

from __future__ import annotations

import datetime as dt
import math

_EPOCH = dt.datetime(1970, 1, 1)
_DAY = 86_400.0

FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
)
"""How dates are written, tried in this order: ISO 8601 first; 3/4/2026 is read as the 4th of March unless some cell of
the column makes that impossible."""


def parse(text: str, formats: tuple[str, ...] = FORMATS) -> float | None:
    """Days since 1970-01-01 of a date or date and time; None where it is neither. Zones are turned into UTC."""
    text = text.strip()
    try:
        moment = dt.datetime.fromisoformat(text) if len(text) >= 10 and text[4:5] == "-" else None
    except ValueError:
        moment = None
    for form in () if moment is not None else formats:
        try:
            moment = dt.datetime.strptime(text, form)
            break
        except ValueError:
            continue
    if moment is None:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return (moment - _EPOCH).total_seconds() / _DAY


def show(day: float) -> str:
    """The date of a number of days, ISO 8601, with the time where there is one; empty for NaN."""
    if not math.isfinite(day):
        return ""
    try:
        moment = _EPOCH + dt.timedelta(seconds=round(day * _DAY, 3))
    except OverflowError:
        return f"{day:.10g} days"
    if moment.time() == dt.time():
        return moment.date().isoformat()
    return moment.isoformat(sep=" ", timespec="seconds")
