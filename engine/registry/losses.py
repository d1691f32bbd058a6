"""What is made small, each loss one record: all that training, judging and exporting know of it.

To add one, write one more record here, or call `register` with it from code of your own before the run is made:

    from engine.registry.losses import Loss, median, register

    register(
        Loss(
            name="log-cosh",
            label="log-cosh",
            help="log(cosh(error)): half the square of a small error, the size of a large one less log 2.",
            tasks=("regression",),
            numpy=lambda np, z, y: np.logaddexp(z - y, y - z) - np.log(2),
            gradient=lambda np, z, y: np.tanh(z - y),
            torch=lambda torch, z, y: z - y + torch.nn.functional.softplus(2 * (y - z)) - 0.6931471805599453,
            plain="outputs - {y} + functional.softplus(2 * ({y} - outputs)) - 0.6931471805599453",
            loop='''
                e = abs(z - y)
                value = e + log_one_plus(decay(2 * e)) - 0.6931471805599453
                gradient = tanh(z - y)
            ''',
            constant=median,
            constant_name="median",
            steepest=1.0,
            second=lambda np, z, y: 1 - np.tanh(z - y) ** 2,
        )
    )

Functions are given the library that they use, so that this file imports none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import dedent
from typing import Any, Literal

from engine.registry import Registry
from engine.registry.formulas import sigmoid, softmax

Task = Literal["regression", "binary", "multiclass"]


@dataclass(frozen=True)
class Loss:
    """One loss: what a row costs whose model output is z and whose target is y.

    Of a regression y and z are in scaled units. Of classes z are logits: of two classes that of the second, where y is
    0 or 1; where `classes`, one for each class, where y is the number of the class. Of n rows, z and y are [n], or z
    [n, k].

    Attributes:
        name, label, help: see `engine.registry.Member`.
        tasks: those that it fits.
        numpy: of numpy, z and y, float64: the loss of each row [n].
        gradient: of the same: the derivative of each row's loss by z, of its shape.
        plain: the loss of each row as source text, where `torch` and `functional` are imported: an expression of
            `outputs` and {y}, both [n, 1], or with `classes` [n, k] and [n]; lines that it needs stand before it. For
            exported scripts.
        layer: the name of the class in torch.nn that computes the same, for training and exported scripts; "" where
            there is none.
        torch: of torch, outputs and targets, shaped as in `plain`: the loss of each row, by functions that torch can
            differentiate. None where there is a `layer`.
        classes: whether a model has one output for each class, by the softmax of which it is to predict.
        loop: statements for the compiled loops, which leave `value` and its derivative `gradient` of the numbers z and
            y. They may call what those of activations may, and sign(a); `decay` and `log_one_plus` are float64. With
            `classes` z is [classes] and w the row's weight: they leave `value` times w, and the gradient times w in z.
            "" where there are none: the compiled backend then refuses the loss.
        constant: of numpy, y and row weights [n]: the best constant output, a number, or with `classes` [k]. None where
            that gives the classes their shares, as the negative log-likelihood does.
        constant_name: what predicts so, in words.
        degree: the power of its unit that a regression loss has: 2 of squared errors, 1 of plain ones; 0 where it has
            none, and is told in scaled units.
        squared: whether it is (z - y)^2 itself. Faster loops and a solution in closed form then serve it.
        steepest: the greatest second derivative by an output; None where the gradient jumps.
        second: of numpy, z and y: the second derivative by z [n], or with `classes` a function of two numbers of
            classes: that by their logits [n]. By these the optimum of a linear model is found. Of logits of `classes`
            nothing but their differences may count. None: the optimum is not looked for.
    """

    name: str
    label: str
    help: str
    tasks: tuple[Task, ...]
    numpy: Callable[[Any, Any, Any], Any]
    gradient: Callable[[Any, Any, Any], Any]
    plain: str
    layer: str = ""
    torch: Callable[[Any, Any, Any], Any] | None = None
    classes: bool = False
    loop: str = ""
    constant: Callable[[Any, Any, Any], Any] | None = None
    constant_name: str = "class priors"
    degree: Literal[0, 1, 2] = 0
    squared: bool = False
    steepest: float | None = None
    second: Callable[[Any, Any, Any], Any] | None = None

    def __post_init__(self) -> None:
        if not self.layer and self.torch is None:
            raise ValueError(f"The record of the loss {self.name} needs a layer of torch.nn or a formula for torch.")

    @property
    def for_regression(self) -> bool:
        """Whether it is for regression: its targets are numbers, not classes."""
        return "regression" in self.tasks

    def source(self, target: str) -> tuple[list[str], str]:
        """`plain` for a target: the lines before, and the expression."""
        *before, last = dedent(self.plain).strip().replace("{y}", target).splitlines()
        return before, last


def mean(np: Any, y: Any, weight: Any) -> Any:
    """The weighted mean of y [n]."""
    return np.average(y, weights=weight)


def median(np: Any, y: Any, weight: Any) -> Any:
    """The middle of y [n], of whatever weight."""
    return np.median(y)


def _huber(np: Any, z: Any, y: Any) -> Any:
    error = np.abs(y - z)
    return np.where(error <= 1, error**2 / 2, error - 0.5)


def _own(np: Any, z: Any, y: Any) -> Any:
    """The logit of each row's class [n]."""
    return z[np.arange(len(y)), y]


def _cross_entropy(np: Any, z: Any, y: Any) -> Any:
    top = z.max(axis=1)
    return np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - _own(np, z, y)


def _cross_entropy_gradient(np: Any, z: Any, y: Any) -> Any:
    found = softmax(np, z)
    found[np.arange(len(y)), y] -= 1
    return found


def _cross_entropy_second(np: Any, z: Any, y: Any) -> Callable[[int, int], Any]:
    probability = softmax(np, z)
    return lambda i, j: probability[:, i] * ((1.0 if i == j else 0.0) - probability[:, j])


def _bce_second(np: Any, z: Any, y: Any) -> Any:
    probability = sigmoid(np, z)
    return probability * (1.0 - probability)


MSE = Loss(
    name="mse",
    label="mean squared error",
    help="The square of the error.",
    tasks=("regression",),
    numpy=lambda np, z, y: (y - z) ** 2,
    gradient=lambda np, z, y: 2 * (z - y),
    plain="(outputs - {y}) ** 2",
    layer="MSELoss",
    loop="e = z - y; value = e * e; gradient = 2 * e",
    constant=mean,
    constant_name="mean",
    degree=2,
    squared=True,
    steepest=2.0,
)
MAE = Loss(
    name="mae",
    label="mean absolute error",
    help="The size of the error, which outliers sway little.",
    tasks=("regression",),
    numpy=lambda np, z, y: np.abs(y - z),
    gradient=lambda np, z, y: np.sign(z - y),
    plain="(outputs - {y}).abs()",
    layer="L1Loss",
    loop="e = z - y; value = abs(e); gradient = sign(e)",
    constant=median,
    constant_name="median",
    degree=1,
)
REGISTRY: Registry[Loss] = Registry(
    "loss",
    MSE,
    Loss(
        name="huber",
        label="Huber loss",
        help="Half the square of an error up to 1, in scaled units, and its size less a half beyond (Huber 1964).",
        tasks=("regression",),
        numpy=_huber,
        gradient=lambda np, z, y: np.clip(z - y, -1, 1),
        plain="""
            error = (outputs - {y}).abs()
            torch.where(error <= 1, error**2 / 2, error - 0.5)
        """,
        layer="HuberLoss",
        loop="""
            e = z - y
            a = abs(e)
            value = a - 0.5 if a > 1 else 0.5 * e * e
            gradient = sign(e) if a > 1 else e
        """,
        constant=median,
        constant_name="median",
        steepest=1.0,
    ),
    MAE,
    Loss(
        name="bce",
        label="binary cross-entropy",
        help="The negative log-likelihood of two classes, by one logit.",
        tasks=("binary",),
        numpy=lambda np, z, y: np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))),
        gradient=lambda np, z, y: sigmoid(np, z) - y,
        plain="""
            log_yes, log_no = functional.logsigmoid(outputs), functional.logsigmoid(-outputs)
            -{y} * log_yes - (1 - {y}) * log_no
        """,
        layer="BCEWithLogitsLoss",
        loop="""
            t = decay(abs(z))
            value = max(z, 0) - z * y + log_one_plus(t)
            gradient = (1 if z >= 0 else t) / (1 + t) - y
        """,
        steepest=0.25,
        second=_bce_second,
    ),
    Loss(
        name="cross-entropy",
        label="cross-entropy",
        help="The negative log-likelihood of classes, by a logit for each.",
        tasks=("binary", "multiclass"),
        classes=True,
        numpy=_cross_entropy,
        gradient=_cross_entropy_gradient,
        plain="""
            log_chances = outputs - outputs.logsumexp(dim=1, keepdim=True)
            -log_chances[torch.arange(len({y})), {y}]
        """,
        layer="CrossEntropyLoss",
        loop="""
            top = z[0]
            for c in range(1, classes):
                top = max(top, z[c])
            mass, own = 0, z[y] - top
            for c in range(classes):
                z[c] = decay(top - z[c])
                mass += z[c]
            value = (log(mass) - own) * w
            for c in range(classes):
                z[c] *= w / mass
            z[y] -= w
        """,
        steepest=0.5,
        second=_cross_entropy_second,
    ),
)
register, remove = REGISTRY.register, REGISTRY.remove


def default(task: Task) -> str:
    """The loss of a task where none is asked for: the first that fits it."""
    return next(one.name for one in REGISTRY if task in one.tasks)
