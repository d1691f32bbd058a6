"""The activations of hidden units, each one record: all that training, predicting and exporting know of it.

To add one, write one more record here, or call `register` with it from code of your own before the run is made:

    from engine.registry.activations import Activation, register

    register(
        Activation(
            name="softplus",
            label="Softplus",
            help="log(1 + exp(z)), a smooth ReLU.",
            numpy=lambda np, z: np.logaddexp(z, 0),
            slope=lambda np, z, value: -np.expm1(-value),
            torch=lambda torch, z: torch.nn.functional.softplus(z),
            plain="functional.softplus({})",
            layer="nn.Softplus()",
            scalar="lambda z: max(z, 0.0) + math.log1p(math.exp(-abs(z)))",
            loop="t = decay(abs(z)); value = max(z, 0) + log_one_plus(t); slope = (1 if z > 0 else t) / (1 + t)",
            onnx=lambda op, z: op("Add", op("Relu", z), op("Log", op("Add", op("Exp", op("Neg", op("Abs", z))), 1.0))),
        )
    )

Functions are given the library that they use, so that this file imports none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

from engine.registry import Registry
from engine.registry.formulas import sigmoid

LEAK = 0.01  # slope of leaky ReLU below 0
_GELU_1, _GELU_3 = sqrt(2 / pi), 0.044715  # the tanh form (Hendrycks and Gimpel 2016)


@dataclass(frozen=True)
class Activation:
    """One activation: what a hidden unit does to its sum z. All functions work elementwise.

    Attributes:
        name, label, help: see `engine.registry.Member`.
        numpy: of numpy and z [n, units] float64: the value, of the same shape; at prediction and for measures.
        slope: of numpy, z and the value: the derivative.
        torch: of torch and a tensor z: the value, by functions that torch can differentiate.
        plain: the same as source text with {} for z, where `torch` and `functional` are imported; exported scripts.
        layer: the torch.nn module as source text, where `nn` is imported; exported scripts.
        scalar: a function of one float as source text, where `math` is imported and `sigmoid` defined; predict.py.
        below: the derivative below 0 of an activation that leaves numbers above 0 as they are; the compiled loops then
            need nothing else. None for others.
        loop: statements for the compiled loops, which leave `value` and its derivative `slope` of the number z, all in
            the precision of the run. They may call abs, exp, log, max, min, sqrt, tanh, `decay(a)` = exp(-a) for a of
            at least 0, `log_one_plus(t)` = log(1 + t) for t of 0 to 1, and `times(a, b)` = a b, worked out before what
            stands around it. "" where there are none: the compiled backend then refuses the activation.
        onnx: of op(name, *inputs), which adds a node of opset 17 whose inputs are tensors by name or numbers, and the
            name of z: that of the value. None where ONNX has no such nodes: the export then refuses it.
    """

    name: str
    label: str
    help: str
    numpy: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any, Any], Any]
    torch: Callable[[Any, Any], Any]
    plain: str
    layer: str
    scalar: str
    below: float | None = None
    loop: str = ""
    onnx: Callable[[Callable[..., str], str], str] | None = None

    @property
    def compiles(self) -> bool:
        """Whether the compiled loops have it."""
        return self.below is not None or bool(self.loop)


def _silu_slope(np: Any, z: Any, value: Any) -> Any:
    gate = sigmoid(np, z)
    return gate * (1 + z * (1 - gate))


def _gelu_slope(np: Any, z: Any, value: Any) -> Any:
    bend = np.tanh(_GELU_1 * (z + _GELU_3 * z**3))
    return 0.5 * (1 + bend) + 0.5 * z * (1 - bend**2) * _GELU_1 * (1 + 3 * _GELU_3 * z**2)


def _leaky_relu_nodes(op: Callable[..., str], z: str) -> str:
    small = op("Mul", z, LEAK)
    return op("Where", op("Greater", z, 0.0), z, small)


def _gelu_nodes(op: Callable[..., str], z: str) -> str:
    cube = op("Mul", op("Mul", z, z), z)
    bend = op("Tanh", op("Mul", op("Add", z, op("Mul", cube, _GELU_3)), _GELU_1))
    return op("Mul", op("Mul", z, 0.5), op("Add", bend, 1.0))


RELU = Activation(
    name="relu",
    label="ReLU",
    help="z above 0, else 0 (Nair and Hinton 2010).",
    numpy=lambda np, z: np.maximum(z, 0),
    slope=lambda np, z, value: (z > 0).astype(np.float64),
    torch=lambda torch, z: torch.nn.functional.relu(z),
    plain="torch.relu({})",
    layer="nn.ReLU()",
    scalar="lambda z: max(z, 0.0)",
    below=0.0,
    onnx=lambda op, z: op("Relu", z),
)
REGISTRY: Registry[Activation] = Registry(
    "activation",
    RELU,
    Activation(
        name="leaky-relu",
        label="Leaky ReLU",
        help=f"z above 0, else {LEAK} z (Maas, Hannun and Ng 2013).",
        numpy=lambda np, z: np.where(z > 0, z, LEAK * z),
        slope=lambda np, z, value: np.where(z > 0, 1.0, LEAK),
        torch=lambda torch, z: torch.nn.functional.leaky_relu(z, LEAK),
        plain=f"functional.leaky_relu({{}}, {LEAK})",
        layer=f"nn.LeakyReLU({LEAK})",
        scalar=f"lambda z: z if z > 0 else {LEAK} * z",
        below=LEAK,
        onnx=_leaky_relu_nodes,
    ),
    Activation(
        name="gelu",
        label="GELU",
        help="z times the normal distribution's share below z, in the tanh form (Hendrycks and Gimpel 2016).",
        numpy=lambda np, z: 0.5 * z * (1 + np.tanh(_GELU_1 * (z + _GELU_3 * z**3))),
        slope=_gelu_slope,
        torch=lambda torch, z: torch.nn.functional.gelu(z, approximate="tanh"),
        plain='functional.gelu({}, approximate="tanh")',
        layer='nn.GELU(approximate="tanh")',
        scalar=f"lambda z: 0.5 * z * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + {_GELU_3} * z**3)))",
        loop=f"""
            t = tanh({_GELU_1!r} * (z + {_GELU_3} * z * z * z))
            slope = 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * {_GELU_1!r} * (1 + {3 * _GELU_3!r} * z * z)
            value = 0.5 * z * (1 + t)
        """,
        onnx=_gelu_nodes,
    ),
    Activation(
        name="silu",
        label="SiLU",
        help="z times the sigmoid of z, also called swish (Elfwing, Uchibe and Doya 2018).",
        numpy=lambda np, z: z * sigmoid(np, z),
        slope=_silu_slope,
        torch=lambda torch, z: torch.nn.functional.silu(z),
        plain="functional.silu({})",
        layer="nn.SiLU()",
        scalar="lambda z: z * sigmoid(z)",
        loop="""
            t = decay(abs(z))
            s = (1 if z >= 0 else t) / (1 + t)
            slope = s + z * times(s, 1 - s)
            value = s * z
        """,
        onnx=lambda op, z: op("Mul", z, op("Sigmoid", z)),
    ),
    Activation(
        name="tanh",
        label="tanh",
        help="The hyperbolic tangent, from -1 to 1.",
        numpy=lambda np, z: np.tanh(z),
        slope=lambda np, z, value: 1 - value**2,
        torch=lambda torch, z: torch.tanh(z),
        plain="torch.tanh({})",
        layer="nn.Tanh()",
        scalar="math.tanh",
        loop="value = tanh(z); slope = 1 - value * value",
        onnx=lambda op, z: op("Tanh", z),
    ),
    Activation(
        name="sigmoid",
        label="sigmoid",
        help="1/(1 + exp(-z)), from 0 to 1.",
        numpy=sigmoid,
        slope=lambda np, z, value: value * (1 - value),
        torch=lambda torch, z: torch.sigmoid(z),
        plain="torch.sigmoid({})",
        layer="nn.Sigmoid()",
        scalar="sigmoid",
        loop="""
            t = decay(abs(z))
            value = (1 if z >= 0 else t) / (1 + t)
            slope = value * (1 - value)
        """,
        onnx=lambda op, z: op("Sigmoid", z),
    ),
)
DEFAULT = RELU.name
register, remove = REGISTRY.register, REGISTRY.remove
