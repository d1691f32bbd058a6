"""The model families, each one record: all that planning, training, predicting and exporting know of one.

A family is either a chain of dense layers (one alone, or hidden ones before it), which every backend and export knows
how to make from its shape; then a record says for which targets it is, and no more. Or it says what it computes: the
names and shapes of its parameters, and the outputs, once for each library. To add one, write one more record here, or
call `register` with it from code of your own before the run is made:

    from engine.registry.families import Family, register

    def pairs(library, shape, p, x, bend):
        products = [x[:, i : i + 1] * x[:, j : j + 1] for i in range(shape.inputs) for j in range(i)]
        return library.concatenate([x, *products], 1) @ p["weight"] + p["bias"]

    register(
        Family(
            name="pairwise",
            label="Pairwise",
            help="A plane over the features and the products of each two of them.",
            noun="a pairwise model",
            tasks=("regression", "binary", "multiclass"),
            parameters=lambda shape: (
                ("weight", (shape.inputs * (shape.inputs + 1) // 2, shape.outputs)),
                ("bias", (shape.outputs,)),
            ),
            numpy=pairs,
            torch=pairs,
            script='''
                products = [x[:, i : i + 1] * x[:, j : j + 1] for i in range(x.shape[1]) for j in range(i)]
                return torch.cat([x, *products], 1) @ weight + bias
            ''',
            scalar='''
                x = x + [x[i] * x[j] for i in range(len(x)) for j in range(i)]
                return [math.fsum(a * row[k] for a, row in zip(x, p["weight"])) + b for k, b in enumerate(p["bias"])]
            ''',
        )
    )

Functions are given the library that they use, so that this file imports none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from engine.registry import Registry

Task = Literal["regression", "binary", "multiclass"]
Layout = tuple[tuple[str, tuple[int, ...]], ...]
OWN = "module"  # the family of a module:Class of a person's own, of which nothing else is known


class Shape(Protocol):
    """What a family is told of the model: `engine.learn.models.Architecture`."""

    @property
    def inputs(self) -> int:
        """Columns of the normalized features."""

    @property
    def outputs(self) -> int:
        """1, or a logit for each class."""

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of each hidden layer; () where the family has none."""


Parameters = Mapping[str, Any]
Bend = Callable[[Any], Any]  # the activation of the hidden units, elementwise


@dataclass(frozen=True)
class Family:
    """A kind of model: from normalized features x [n, inputs] to outputs [n, outputs].

    Attributes:
        name, label, help: see `engine.registry.Member`; the name is what `--model` takes.
        noun: what a model of it is called in a sentence: "a linear model".
        tasks: the targets that it fits.
        usual: those of them for which it is what `auto` means.
        classes: whether it has an output for each of two classes (True), one for both (False), or as the loss wants it.
        hidden: whether it has hidden layers, so that their sizes and their activation can be chosen.
        parameters: of the shape: names and shapes of the parameters in their order, matrices as [fan in, fan out]; dots
            in a name part it into groups. None for a chain of dense layers; then all that follows is left out.
        numpy: of numpy, the shape, the parameters by name, x and the activation: the outputs, float64, at prediction.
        torch: of torch and the same: the outputs, differentiable.
        script: the body of a function of x in exported scripts, in torch; each parameter is a variable of its name with
            _ for dots, `bend(z)` the activation, `functional` torch's. Both styles are made of it. "" where there is
            none: the export of a script then refuses the family.
        onnx: of op(name, *inputs, **attributes), which adds a node of opset 17 whose inputs are tensors by name,
            arrays or numbers, and of the shape, parameters, the name of x and the activation: the name of the outputs.
            None: the export then refuses the family.
        scalar: the body of a function of x, a list of floats, in plain Python for predict.py, which returns the list
            of outputs; `p[name]` is a list, of lists where it is a matrix, `bend(z)` the activation, `math` imported.
            "" where there is none: that export then refuses the family.
    """

    name: str
    label: str
    help: str
    noun: str
    tasks: tuple[Task, ...]
    usual: tuple[Task, ...] = ()
    classes: bool | None = None
    hidden: bool = False
    parameters: Callable[[Shape], Layout] | None = None
    numpy: Callable[[Any, Shape, Parameters, Any, Bend], Any] | None = None
    torch: Callable[[Any, Shape, Parameters, Any, Bend], Any] | None = None
    script: str = ""
    onnx: Callable[[Callable[..., str], Shape, Parameters, str, Callable[[str], str]], str] | None = None
    scalar: str = ""

    def __post_init__(self) -> None:
        if self.parameters is not None and (self.numpy is None or self.torch is None):
            raise ValueError(f"The model {self.name} has parameters of its own, so it needs both numpy and torch.")

    @property
    def chain(self) -> bool:
        """Whether it is dense layers one after another, with hidden ones or one alone."""
        return self.parameters is None

    @property
    def linear(self) -> bool:
        """Whether it is one dense layer, whose outputs are linear in the features."""
        return self.chain and not self.hidden


LINEAR = Family(
    name="linear",
    label="Linear",
    help="A plane: least squares where the loss is the mean squared error.",
    noun="a linear model",
    tasks=("regression",),
    usual=("regression",),
)
NETWORK = Family(
    name="mlp",
    label="MLP",
    help="A multilayer perceptron: hidden layers of units, each followed by an activation.",
    noun="a network",
    tasks=("regression", "binary", "multiclass"),
    hidden=True,
)
REGISTRY: Registry[Family] = Registry(
    "model",
    LINEAR,
    Family(
        name="logistic",
        label="Logistic",
        help="Logistic regression: a plane of the log-odds of two classes.",
        noun="logistic regression",
        tasks=("binary",),
        usual=("binary",),
        classes=False,
    ),
    Family(
        name="softmax",
        label="Softmax",
        help="Softmax regression: a plane for each class.",
        noun="softmax regression",
        tasks=("binary", "multiclass"),
        usual=("multiclass",),
        classes=True,
    ),
    NETWORK,
)
register, remove = REGISTRY.register, REGISTRY.remove


def usual(task: str) -> str:
    """What `auto` means for a task."""
    return next(one.name for one in REGISTRY if task in one.usual)


def fitting(task: str) -> tuple[str, ...]:
    """What to choose for a task: the usual one, then those that may be of any shape."""
    others = (one.name for one in REGISTRY if task in one.tasks and not one.linear and task not in one.usual)
    return (usual(task), *others)
