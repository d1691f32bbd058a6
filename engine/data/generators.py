"""Tables drawn at random from a recipe: `--dataset NAME:key=value,…`. Equal parameters give equal tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from engine.base.errors import InputError
from engine.base.random_streams import stream
from engine.data.builtins import BuiltIn
from engine.data.table import Codes, Column, Floats, Table, numeric

_ROWS = "number of rows"
_SEED = "seed of the draw"
_SPREAD = "standard deviation of the noise on each feature"

LIST = (
    BuiltIn(
        "linear",
        "a plane with noise and a chosen condition number",
        200,
        3,
        "regression",
        "generator",
        {
            "rows": (200, _ROWS),
            "features": (3, "number of features"),
            "noise": (0.1, "standard deviation of the noise on y"),
            "condition": (100, "largest variance of a feature over the smallest"),
            "rotated": (0, "1 turns the features so that no scaling of columns cures the ravine"),
            "seed": (0, _SEED),
        },
    ),
    BuiltIn(
        "poly",
        "a polynomial with noise, to under- and overfit with --degree",
        40,
        1,
        "regression",
        "generator",
        {
            "rows": (40, _ROWS),
            "degree": (3, "degree of the true polynomial"),
            "noise": (0.3, "standard deviation of the noise, that of the curve being 1"),
            "seed": (0, _SEED),
        },
    ),
    BuiltIn(
        "moons",
        "two half circles that reach into each other",
        400,
        2,
        "binary",
        "generator",
        {"rows": (400, _ROWS), "noise": (0.15, _SPREAD), "seed": (0, _SEED)},
    ),
    BuiltIn(
        "circles",
        "a circle within a circle",
        400,
        2,
        "binary",
        "generator",
        {
            "rows": (400, _ROWS),
            "noise": (0.08, _SPREAD),
            "factor": (0.5, "radius of the inner circle"),
            "seed": (0, _SEED),
        },
    ),
    BuiltIn(
        "blobs",
        "round clouds, one for each class",
        300,
        2,
        "multiclass",
        "generator",
        {
            "rows": (300, _ROWS),
            "classes": (3, "number of clouds"),
            "features": (2, "number of features"),
            "noise": (1, _SPREAD),
            "seed": (0, _SEED),
        },
    ),
    BuiltIn(
        "spiral",
        "arms that wind around each other",
        400,
        2,
        "binary",
        "generator",
        {
            "rows": (400, _ROWS),
            "classes": (2, "number of arms"),
            "turns": (1.5, "turns of each arm"),
            "noise": (0.03, _SPREAD),
            "seed": (0, _SEED),
        },
    ),
    BuiltIn(
        "xor",
        "four squares, opposite ones of one class",
        400,
        2,
        "binary",
        "generator",
        {"rows": (400, _ROWS), "noise": (0.05, _SPREAD), "seed": (0, _SEED)},
    ),
)

_WHOLE = {
    "rows": (2, 10_000_000),
    "features": (1, 10_000),
    "degree": (0, 30),
    "classes": (2, 100),
    "rotated": (0, 1),
    "seed": (0, 2**63 - 1),
}
_REAL = {"noise": (0.0, 1e6), "condition": (1.0, 1e14), "factor": (0.0, 1.0), "turns": (0.0, 100.0)}


def load(asked: str) -> Table:
    """The table for "NAME" or "NAME:key=value,…". Raises InputError for parameters that are not or do not fit."""
    name, _, given = asked.partition(":")
    spec = next(each for each in LIST if each.name == name)
    values = _values(spec, given)
    features, target = _DRAW[name](values)
    columns = (*features, target)
    task = spec.task
    if not target.is_coded:
        task = "regression"
    elif name in ("blobs", "spiral"):
        task = "binary" if len(target.categories) == 2 else "multiclass"
    return Table(
        name,
        asked,
        columns,
        len(target.data),
        target.name,
        origin="generator",
        task=task,
    )


def _values(spec: BuiltIn, given: str) -> dict[str, float]:
    values = {key: default for key, (default, _) in spec.parameters.items()}
    listed = ", ".join(spec.parameters)
    for part in filter(None, (part.strip() for part in given.split(","))):
        key, equals, text = (piece.strip() for piece in part.partition("="))
        if key not in values:
            from difflib import get_close_matches

            near = get_close_matches(key, values, n=1)
            hint = f"did you mean {near[0]}? They are {listed}" if near else f"they are {listed}"
            raise InputError(f"{spec.name} has no parameter {key!r}; {hint}.")
        low, high = _WHOLE.get(key) or _REAL[key]
        number = _number(text, whole=key in _WHOLE) if equals else None
        if number is None or not low <= number <= high:
            kind = "a whole number" if key in _WHOLE else "a number"
            raise InputError(
                f"{spec.name}: {key} is {text or 'empty'}, but must be {kind} from {low:,.12g} to {high:,.12g}."
            )
        values[key] = number
    if values.get("classes", 0) > values["rows"]:
        raise InputError(f"{spec.name}: {values['classes']:.0f} classes need at least as many rows.")
    if spec.name == "linear" and values["rows"] <= values["features"]:
        raise InputError(
            f"linear: {values['rows']:.0f} rows cannot tell {values['features']:.0f} features apart; "
            "ask for more rows than features."
        )
    return values


def _number(text: str, *, whole: bool) -> float | None:
    text = text.replace("_", "")
    try:
        if whole:
            try:
                return int(text)
            except ValueError:
                pass
        number = float(text)
    except ValueError:
        return None
    if not np.isfinite(number) or (whole and not number.is_integer()):
        return None
    return int(number) if whole else number


def _linear(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    """Features of mean 0 whose covariance (over n) has variances spaced evenly in logarithm from 1 to `condition`.

    They are orthogonal over the rows, so that on all rows the Hessian of the squared error, bias included, has this
    very condition number.
    """
    rows, width = int(p["rows"]), int(p["features"])
    random = stream(int(p["seed"]), "linear")
    raw = random.standard_normal((rows, width))
    orthogonal, _ = np.linalg.qr(raw - raw.mean(axis=0))
    spread = np.sqrt(np.geomspace(1.0, p["condition"], width)) if width > 1 else np.ones(1)
    x = orthogonal * (np.sqrt(rows) * spread)
    if p["rotated"]:
        turn, _ = np.linalg.qr(random.standard_normal((width, width)))
        x = x @ turn
    weights = np.round(random.uniform(-3, 3, width), 1)
    weights[weights == 0] = 1.0
    y = x @ weights + 4.4 + p["noise"] * random.standard_normal(rows)
    return [numeric(f"x{j + 1}", x[:, j]) for j in range(width)], numeric("y", y)


def _poly(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    """A sum of Chebyshev polynomials with random weights over [-1, 1], brought to standard deviation 1."""
    rows, random = int(p["rows"]), stream(int(p["seed"]), "poly")
    weights = random.standard_normal(int(p["degree"]) + 1)
    weights[-1] = np.copysign(max(abs(weights[-1]), 1.0), weights[-1])
    x = random.uniform(-1, 1, rows)
    grid = np.polynomial.chebyshev.chebval(np.linspace(-1, 1, 1001), weights)
    scale = float(grid.std()) or 1.0
    y = np.polynomial.chebyshev.chebval(x, weights) / scale + p["noise"] * random.standard_normal(rows)
    return [numeric("x", x)], numeric("y", y)


def _moons(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    rows, random = int(p["rows"]), stream(int(p["seed"]), "moons")
    classes = _dealt(rows, 2, random)
    angle = random.uniform(0, np.pi, rows)
    side = np.where(classes == 0, 1.0, -1.0)
    x1 = side * np.cos(angle) + (classes == 1)
    x2 = side * np.sin(angle) + 0.5 * (classes == 1)
    return _plane(x1, x2, p["noise"], random), _class(classes, 2)


def _circles(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    rows, random = int(p["rows"]), stream(int(p["seed"]), "circles")
    classes = _dealt(rows, 2, random)
    angle = random.uniform(0, 2 * np.pi, rows)
    radius = np.where(classes == 1, p["factor"], 1.0)
    return _plane(radius * np.cos(angle), radius * np.sin(angle), p["noise"], random), _class(classes, 2)


def _blobs(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    rows, count, random = int(p["rows"]), int(p["classes"]), stream(int(p["seed"]), "blobs")
    classes = _dealt(rows, count, random)
    centers = random.uniform(-8, 8, (count, int(p["features"])))
    x = centers[classes] + p["noise"] * random.standard_normal((rows, int(p["features"])))
    return [numeric(f"x{j + 1}", x[:, j]) for j in range(x.shape[1])], _class(classes, count)


def _spiral(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    rows, count, random = int(p["rows"]), int(p["classes"]), stream(int(p["seed"]), "spiral")
    classes = _dealt(rows, count, random)
    along = np.sqrt(random.uniform(0.01, 1, rows))
    angle = 2 * np.pi * (p["turns"] * along + classes / count)
    return _plane(along * np.cos(angle), along * np.sin(angle), p["noise"], random), _class(classes, count)


def _xor(p: Mapping[str, float]) -> tuple[list[Column], Column]:
    rows, random = int(p["rows"]), stream(int(p["seed"]), "xor")
    x = random.uniform(-1, 1, (rows, 2))
    classes = ((x[:, 0] > 0) != (x[:, 1] > 0)).astype(np.int32)
    if classes.min() == classes.max():  # a handful of rows may all fall on one side
        classes[0] = 1 - classes[0]
        x[0, 0] = -x[0, 0]
    return _plane(x[:, 0], x[:, 1], p["noise"], random), _class(classes, 2)


_DRAW: dict[str, Callable[[Mapping[str, float]], tuple[list[Column], Column]]] = {
    "linear": _linear,
    "poly": _poly,
    "moons": _moons,
    "circles": _circles,
    "blobs": _blobs,
    "spiral": _spiral,
    "xor": _xor,
}


def _dealt(rows: int, classes: int, random: np.random.Generator) -> Codes:
    """Classes of as equal a size as can be, in random order."""
    return random.permutation(np.arange(rows, dtype=np.int32) % np.int32(classes))


def _plane(x1: Floats, x2: Floats, noise: float, random: np.random.Generator) -> list[Column]:
    return [
        numeric("x1", x1 + noise * random.standard_normal(len(x1))),
        numeric("x2", x2 + noise * random.standard_normal(len(x2))),
    ]


def _class(classes: Codes, count: int) -> Column:
    return Column("class", "categorical", classes.astype(np.int32), tuple(str(number) for number in range(count)))
