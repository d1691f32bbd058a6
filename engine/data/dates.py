"""Dates as numbers: days since 1970-01-01, with the time of day as a fraction."""

from __future__ import annotations

import datetime as dt
import math

from engine.data import sentences

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

ISO = "iso"
"""The name of ISO 8601 where a format is recorded."""

_MONTH_FIRST, _DAY_FIRST = "%m/%d/", "%d/%m/"


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


def swapped(form: str) -> str:
    """The format with day and month the other way round; "" where their order is plain from how it is written."""
    for one, other in ((_MONTH_FIRST, _DAY_FIRST), (_DAY_FIRST, _MONTH_FIRST)):
        if form.startswith(one):
            return other + form[len(one) :]
    return ""


def reread(text: str, form: str) -> tuple[float, bool] | None:
    """A later cell of a column whose dates were written in the format `form`; None where it is no date.

    Other formats are taken too, as long as they do not have day and month the other way round.

    Args:
        form: of `FORMATS`, another of strptime, or `ISO`; "" where none is known.

    Returns:
        Days since 1970-01-01, and whether day and month could be meant the other way round for all that `form` tells.
    """
    day_first = form.startswith("%d")
    against = _MONTH_FIRST if day_first else _DAY_FIRST
    known = (form,) if "%" in form else ()
    day = parse(text, known)
    if day is not None:
        return day, False
    # Where the order is not known a cell that can only be day first is read so.
    last = () if swapped(form) else tuple(other for other in FORMATS if other.startswith(against))
    for other in (*(one for one in FORMATS if not one.startswith(against)), *last):
        day = parse(text, (other,))
        if day is not None:
            against_it = parse(text, (swapped(other),)) if swapped(other) and not swapped(form) else None
            return day, against_it not in (None, day)
    return None


def write(day: float, form: str) -> str:
    """A day in the format `form` (see `reread`), without the time of day where that has none; empty for NaN."""
    if not math.isfinite(day):
        return ""
    if "%" not in form:
        return show(day)
    try:
        moment = _EPOCH + dt.timedelta(seconds=round(day * _DAY))
        # Linux does not fill years before 1000 up to the four digits that strptime asks for.
        return moment.strftime(form.replace("%Y", f"{moment.year:04}"))
    except (OverflowError, ValueError):
        return show(day)


def show(day: float) -> str:
    """The date of a number of days, ISO 8601, with the time where there is one; empty for NaN."""
    if not math.isfinite(day):
        return ""
    try:
        moment = _EPOCH + dt.timedelta(seconds=round(day * _DAY, 3))
    except OverflowError:
        return sentences.DAYS(days=day)
    if moment.time() == dt.time():
        return moment.date().isoformat()
    return moment.isoformat(sep=" ", timespec="seconds")
