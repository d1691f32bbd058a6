"""A table in numbers, for a screen: each column before and after preparation, the target, the parts, the reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.data import sentences
from engine.data.parallel import Progress, Stop, each
from engine.data.prepare import Prepared
from engine.data.select import LeftOut
from engine.data.table import Codes, Column, Floats, Table

if TYPE_CHECKING:
    from engine.recipe import ColumnKind

BINS = 16
_MOST_LISTED = 12
_MANY = 100_000


@dataclass(frozen=True)
class Histogram:
    """How many cells lie in each of equal parts of low..high; `counts` is () where no cell is a finite number."""

    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True)
class FeatureSummary:
    """One encoded, normalized column over the train rows. `std` is the sample standard deviation."""

    name: str
    low: float
    high: float
    mean: float
    std: float
    histogram: Histogram


@dataclass(frozen=True)
class ColumnSummary:
    """One raw column over all rows of the table.

    Attributes:
        name, kind: of the column.
        reason: why it has this kind, half a sentence; "" where that is plain.
        role: "target", "feature" or "left out".
        left_out: why it is left out, half a sentence; "" where it is not.
        missing, unique: cells without a value, and different values among the others.
        low, high, mean, std: of numbers and dates (days), missing cells apart; NaN for categories and without values.
        histogram: of numbers and dates; None for categories.
        top: the commonest categories with their counts, at most 12; () for numbers.
        correlation: with the target over the rows that have both; NaN where it has no meaning.
        measure: what `correlation` is: "r" (Pearson, -1 to 1; numbers with a number or a binary target), "eta"
            (correlation ratio, 0 to 1; where one of the two is a category) or "" where there is none.
        features: what became of it.
    """

    name: str
    kind: ColumnKind
    reason: str
    role: str
    left_out: str
    missing: int
    unique: int
    low: float
    high: float
    mean: float
    std: float
    histogram: Histogram | None
    top: tuple[tuple[str, int], ...]
    correlation: float
    measure: str
    features: tuple[FeatureSummary, ...]


@dataclass(frozen=True)
class ClassCount:
    """Rows of one class in each part."""

    name: str
    train: int
    validation: int
    test: int
    positive: bool = False  # of two classes the one that figures are of


@dataclass(frozen=True)
class Summary:
    """Everything a data screen shows beside the rows themselves.

    Attributes:
        name, rows: of the table.
        columns: in the order of the table.
        task, target: "" before anything is prepared.
        train, validation, test: numbers of rows.
        features: how many encoded columns.
        classes: the balance of classes; () for regression.
        left_out: columns that are not learned from.
        notes: all that was left out or repaired and why, a sentence each.
    """

    name: str
    rows: int
    columns: tuple[ColumnSummary, ...]
    task: str
    target: str
    train: int
    validation: int
    test: int
    features: int
    classes: tuple[ClassCount, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def summarize(
    table: Table,
    prepared: Prepared | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> Summary:
    """The summary of a table, and of what was prepared from it.

    A million rows take a second or so: call it away from the screen's thread.

    Raises:
        Cancelled: as asked.
    """
    if prepared is not None:
        table = prepared.plan.table
    done = 0

    def one(column: Column) -> ColumnSummary:
        nonlocal done
        found = _column(column, prepared)
        done += 1
        if progress:
            progress(sentences.SUMMARIZING(), done / len(table.columns))
        return found

    size = sum(column.data.nbytes for column in table.columns)
    columns = tuple(each(one, table.columns, work=size, cancelled=cancelled))
    if prepared is None:
        return Summary(table.name, table.rows, columns, "", "", 0, 0, 0, 0, (), (), table.notes)
    return Summary(
        table.name,
        table.rows,
        columns,
        prepared.task,
        prepared.target,
        len(prepared.train),
        len(prepared.validation),
        len(prepared.test),
        len(prepared.features),
        _balance(prepared),
        prepared.left_out,
        prepared.notes,
    )


def _column(column: Column, prepared: Prepared | None) -> ColumnSummary:
    nan = math.nan
    low = high = mean = std = nan
    histogram: Histogram | None = None
    top: tuple[tuple[str, int], ...] = ()
    if column.is_coded:
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.categories))
        unique = int(np.count_nonzero(counts))
        order = np.argsort(-counts, kind="stable")[:_MOST_LISTED]
        top = tuple((column.categories[code], int(counts[code])) for code in order if counts[code])
    else:
        values = column.numbers if not column.missing else column.numbers[~np.isnan(column.numbers)]
        unique = _unique(values)
        low, high, mean, std = _moments(values)
        histogram = _histogram(values, low, high)
    role, left_out = _role(column.name, prepared)
    correlation, measure = (nan, "") if prepared is None else _correlation(column, prepared)
    features = () if prepared is None or role != "feature" else _features(column.name, prepared)
    return ColumnSummary(
        column.name,
        column.kind,
        column.reason,
        role,
        left_out,
        column.missing,
        unique,
        low,
        high,
        mean,
        std,
        histogram,
        top,
        correlation,
        measure,
        features,
    )


def _role(name: str, prepared: Prepared | None) -> tuple[str, str]:
    if prepared is None:
        return "", ""
    if name == prepared.target:
        return "target", ""
    if any(given.name == name for given in prepared.encoder.inputs):
        return "feature", ""
    reason = next((left.reason for left in prepared.left_out if left.name == name), sentences.NOTHING_IN_TRAIN())
    return sentences.LEFT_OUT_ROLE(), reason


def _unique(values: Floats) -> int:
    if len(values) < _MANY:
        return len(np.unique(values))
    import polars as pl

    return pl.Series(values).n_unique()


def _moments(values: Floats) -> tuple[float, float, float, float]:
    """Low, high, mean and sample standard deviation; NaN for no values."""
    if not values.size:
        return math.nan, math.nan, math.nan, math.nan
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return low, high, math.nan, math.nan
    largest = max(abs(low), abs(high))
    unit = 2.0 ** min(1023, math.frexp(largest)[1]) if largest > 1e140 else 1.0  # squares would overflow
    scaled = values / unit
    mean = float(scaled.mean())
    std = float(scaled.std(ddof=1)) if len(values) > 1 else 0.0
    return low, high, mean * unit, std * unit


def _histogram(values: Floats, low: float, high: float) -> Histogram:
    if not values.size or not math.isfinite(high / 2 - low / 2):
        return Histogram(low, high, ())
    if low == high:
        return Histogram(low, high, (len(values),))
    half = np.ldexp(values, -1) if max(abs(low), abs(high)) > 1e300 else values
    shrink = 0.5 if half is not values else 1.0
    counts, _ = np.histogram(half, bins=BINS, range=(low * shrink, high * shrink))
    return Histogram(low, high, tuple(counts.tolist()))


def _features(name: str, prepared: Prepared) -> tuple[FeatureSummary, ...]:
    """The encoded columns that come from one raw column alone, terms of higher degree apart."""
    own = next(given.columns for given in prepared.encoder.inputs if given.name == name)
    found = []
    for place, feature in enumerate(prepared.features):
        if feature in own:
            values = np.ascontiguousarray(prepared.train.x[:, place])
            low, high, mean, std = _moments(values)
            found.append(FeatureSummary(feature, low, high, mean, std, _histogram(values, low, high)))
    return tuple(found[:_MOST_LISTED])


def _correlation(column: Column, prepared: Prepared) -> tuple[float, str]:
    goal = prepared.plan.goal
    if column.name == prepared.target or column.kind in ("identifier", "text"):
        return math.nan, ""
    there = ~np.isnan(goal.y) & ((column.codes >= 0) if column.is_coded else np.isfinite(column.numbers))
    if np.count_nonzero(there) < 2:
        return math.nan, ""
    y = goal.y[there]
    two = column.is_coded and len(column.categories) == 2
    if column.is_coded and not two:
        return (_eta(column.codes[there], y), "eta") if len(goal.classes) <= 2 else (math.nan, "")
    x = column.data[there].astype(np.float64)
    if len(goal.classes) > 2:
        return _eta(y.astype(np.int32), x), "eta"
    return _pearson(x, y), "r"


def _pearson(x: Floats, y: Floats) -> float:
    x, y = x / (np.abs(x).max() or 1.0), y / (np.abs(y).max() or 1.0)
    x, y = x - x.mean(), y - y.mean()
    size = math.sqrt(float(x @ x)) * math.sqrt(float(y @ y))
    return float(np.clip(x @ y / size, -1, 1)) if size > 1e-14 * len(x) else math.nan


def _eta(groups: Codes, values: Floats) -> float:
    """Correlation ratio: the root of the share of the values' variance that lies between the groups (Fisher, 1925)."""
    values = values / (np.abs(values).max() or 1.0)
    values = values - values.mean()
    counts = np.bincount(groups)
    sums = np.bincount(groups, weights=values)
    there = counts > 0
    total = float(values @ values)
    between = float((sums[there] ** 2 / counts[there]).sum())
    return math.sqrt(min(1.0, between / total)) if total > 1e-28 * len(values) else math.nan


def _balance(prepared: Prepared) -> tuple[ClassCount, ...]:
    def counts(y: Floats) -> NDArray[np.int64]:
        return np.bincount(y.astype(np.int64), minlength=len(prepared.classes))

    if not prepared.classes:
        return ()
    parts = zip(*(counts(part.y) for part in (prepared.train, prepared.validation, prepared.test)), strict=True)
    return tuple(
        ClassCount(name, int(train), int(validation), int(test), number == prepared.positive)
        for number, (name, (train, validation, test)) in enumerate(zip(prepared.classes, parts, strict=True))
    )
