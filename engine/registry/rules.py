"""The update rules, each one record: all that training and exporting know of it.

To add one, write one more record here, or call `register` with it from code of your own before the run is made:

    from engine.registry.rules import Rule, register

    def step(to):
        velocity = to.state[0].mul_(to.momentum).add_(to.g)
        to.p.sub_(velocity.sign() * to.lr)

    register(
        Rule(
            name="signum",
            label="Signum",
            help="The sign of a velocity (Bernstein and others 2018).",
            state=("velocities",),
            settings=("momentum",),
            lr=1e-3,
            step=step,
            each="v = momentum * v + g; p -= lr * sign(v)",
            plain='''
                v.copy_({momentum} * v + p.grad)
                p -= {lr} * v.sign()
            ''',
        )
    )

Formulas and defaults are those of torch.optim where it has the rule. This file imports no library; functions are given
the one that they use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from string import Formatter
from textwrap import dedent
from typing import Any, Literal, NamedTuple

from engine.registry import Registry

Setting = Literal["momentum", "weight_decay"]

MOMENTUM = 0.9
WEIGHT_DECAY = 0.01  # Loshchilov and Hutter 2019
BETA1, BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015
ADAGRAD_EPSILON = 1e-10  # Duchi, Hazan and Singer 2011
RMSPROP_DECAY, RMSPROP_EPSILON = 0.99, 1e-8  # Tieleman and Hinton 2012

# torch.optim.LBFGS for one outer iteration a step, the loss before it and at most 25 evaluations of its line search
# (torch's own limit, 1.25 evaluations for each iteration, leaves the line search none); tolerances are rounding.
LINE_SEARCH = {
    "max_iter": 1,
    "max_eval": 26,
    "tolerance_grad": 0,
    "tolerance_change": 1e-16,  # a fall of the loss that rounding hides: the line search would look for it in vain
    "history_size": 10,  # pairs of steps and gradient changes that stand for the curvature
    "line_search_fn": "strong_wolfe",
}


class Update(NamedTuple):
    """What a rule is given for one update of all parameters, which lie in one vector of torch's.

    Attributes:
        torch: the library.
        p: [p] parameters, to be changed in place.
        g: [p] their gradient, with penalties and clipped; may be overwritten.
        state: a vector [p] for each of `Rule.state`, to be changed in place; zero at first.
        now: what `Rule.numbers` gives for this update: numbers, or a tensor on the device, so that the update can be
            recorded.
        momentum, weight_decay: as chosen.
    """

    torch: Any
    p: Any
    g: Any
    state: Sequence[Any]
    now: Any
    momentum: float
    weight_decay: float

    @property
    def lr(self) -> Any:
        """The learning rate, a number or a tensor []."""
        return self.now[0]


@dataclass(frozen=True)
class Rule:
    """One update rule: how parameters p follow their gradient g.

    A rule of first order states `step`, and where the compiled backend is to have it `each`; one that looks at the loss
    several times in an update states `stepper` instead.

    Attributes:
        name, label, help: see `engine.registry.Member`.
        state: the vectors that it keeps beside the parameters (optimizer state), in the plural: "velocities". The
            first letter of each stands for it in `each` and `plain`: v.
        settings: the choices that mean something to it and not to every rule; see also `takes`.
        lr: the usual learning rate where no stability bound is known; None: a trial run looks for one.
        stable: of the momentum and of whether batches are small: the largest stable learning rate as a multiple of
            plain descent's on a quadratic. None where none is known.
        numbers: of the learning rate and of the count of updates made with this state, this one included (1 at first):
            what differs from update to update, the learning rate first.
        step: one update; see `Update`.
        each: statements for the compiled backend that change one parameter p and its own numbers of the state, given
            its gradient g, in the precision of the run. They may use lr, momentum, weight_decay and what `once` names,
            and call abs, exp, log, max, min, sign, sqrt and tanh. Rules with the same text share one compiled loop,
            which has the state of all of them; what a rule does not name among its own it cannot keep. "" where there
            are none: the compiled backend then refuses the rule.
        once: statements that name numbers of this update, from lr, count, momentum and weight_decay, in float64. Rules
            that share `each` name the same ones.
        plain: lines of the update of one parameter tensor {p} in PyTorch, for exported scripts, with {lr}, {momentum}
            and {weight_decay} in braces; `count` counts as above.
        optim: the class of torch.optim, for exported scripts. "" where there is none: one is then written of `plain`.
        arguments: its arguments beside the parameters and lr, as text with braces likewise.
        stepper: the class that takes the steps, as "package.module:Class"; see `engine.learn.kernels.lbfgs.LBFGS`.
    """

    name: str
    label: str
    help: str
    state: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()
    lr: float | None = None
    stable: Callable[[float, bool], float] | None = None
    numbers: Callable[[float, int], tuple[float, ...]] = lambda lr, count: (lr,)
    step: Callable[[Update], object] | None = None
    each: str = ""
    once: str = ""
    plain: str = ""
    optim: str = ""
    arguments: tuple[str, ...] = ()
    stepper: str = ""

    def __post_init__(self) -> None:
        letters = self.letters
        if len({*letters, "p", "g"}) < len(letters) + 2:
            raise ValueError(
                f"The vectors {', '.join(self.state)} of the update rule {self.name} begin with the same letter, or "
                "with p or g, which stand for the parameters and the gradient."
            )
        if (self.step is None) == (not self.stepper):
            raise ValueError(f"The update rule {self.name} must have either step or stepper.")
        if unknown := {name for _, name, _, _ in Formatter().parse(self.plain) if name} - {"p", "lr", *self.settings}:
            raise ValueError(
                f"The update rule {self.name} has {', '.join(sorted(unknown))} in braces, but not as settings."
            )

    @property
    def letters(self) -> tuple[str, ...]:
        """What stands for each vector of the state in formulas."""
        return tuple(name[0] for name in self.state)

    @property
    def lines(self) -> list[str]:
        """The lines of `plain`."""
        return dedent(self.plain).strip().splitlines()

    @property
    def compiles(self) -> bool:
        """Whether the compiled backend has it."""
        return bool(self.each)

    def takes(self, field: str) -> bool:
        """Whether a choice of the recipe, by its field's name, means something to it.

        A rule that searches along a line needs the true loss of all rows: neither batches nor clipped gradients.
        """
        if field in ("momentum", "weight_decay"):
            return field in self.settings
        return not self.stepper if field in ("batch_size", "shuffle", "clip") else True


def _momentum(to: Update) -> None:
    velocity = to.state[0].mul_(to.momentum).add_(to.g)
    to.p.sub_(velocity * to.lr)


def _nesterov(to: Update) -> None:
    velocity = to.state[0].mul_(to.momentum).add_(to.g)
    to.p.sub_(to.g.add_(velocity, alpha=to.momentum) * to.lr)


def _adagrad(to: Update) -> None:
    total = to.state[0].addcmul_(to.g, to.g)
    _descend(to, to.g, total.sqrt().add_(ADAGRAD_EPSILON), to.lr)


def _rmsprop(to: Update) -> None:
    square = to.state[0].mul_(RMSPROP_DECAY).addcmul_(to.g, to.g, value=1 - RMSPROP_DECAY)
    _descend(to, to.g, square.sqrt().add_(RMSPROP_EPSILON), to.lr)


def _adam(to: Update) -> None:
    _, corrected, root = to.now
    mean = to.state[0].lerp_(to.g, 1 - BETA1)
    square = to.state[1].mul_(BETA2).addcmul_(to.g, to.g, value=1 - BETA2)
    _descend(to, mean, square.sqrt().div_(root).add_(ADAM_EPSILON), corrected)


def _adamw(to: Update) -> None:
    to.p.mul_(1 - to.lr * to.weight_decay)
    _adam(to)


def _adam_numbers(lr: float, count: int) -> tuple[float, float, float]:
    """The learning rate, and the corrections of the two means for having begun at zero."""
    return lr, lr / (1 - BETA1**count), sqrt(1 - BETA2**count)


def _descend(to: Update, above: Any, below: Any, size: Any) -> None:
    """p -= size * above / below."""
    if isinstance(size, to.torch.Tensor):
        to.p.sub_(above.div(below).mul_(size))
    else:
        to.p.addcdiv_(above, below, value=-size)


# Two loops serve all rules of first order, which keeps the code that has to be compiled small: one with a velocity, one
# with a mean of the gradients and one of their squares. What a rule has no use for is multiplied with 0 or 1.
_VELOCITY = "v = kept * v + g; p -= own * g + carried * v"
_MEANS = """
    m = kept_mean * m + new_mean * g
    s = kept_square * s + new_square * g * g
    p = shrink * p - size * m / (sqrt(s) * width + tiny)
"""
_MEANS_ONCE = """
    kept_mean, new_mean = {mean}
    kept_square, new_square = {square}
    shrink, size, width, tiny = {rest}
"""
_ADAM_ONCE = _MEANS_ONCE.format(
    mean=f"{BETA1}, 1 - {BETA1}",
    square=f"{BETA2}, 1 - {BETA2}",
    rest=f"1.0, lr / (1 - {BETA1}**count), 1 / sqrt(1 - {BETA2}**count), {ADAM_EPSILON}",
)
_ADAM_PLAIN = f"""
    m.copy_({BETA1} * m + (1 - {BETA1}) * p.grad)
    s.copy_({BETA2} * s + (1 - {BETA2}) * p.grad**2)
    width = (s / (1 - {BETA2}**count)).sqrt() + {ADAM_EPSILON:g}
    p -= {{lr}} * m / (1 - {BETA1}**count) / width
"""

SGD = Rule(
    name="sgd",
    label="SGD",
    help="plain gradient descent, stochastic where batches are small.",
    stable=lambda momentum, small: 1.0,
    step=lambda to: to.p.sub_(to.g.mul_(to.lr)),
    each=_VELOCITY,
    once="kept, own, carried = 0.0, lr, 0.0",
    plain="{p} -= {lr} * {p}.grad",
    optim="SGD",
)
NESTEROV = Rule(
    name="nesterov",
    label="Nesterov",
    help="momentum that looks ahead (Nesterov 1983, as Sutskever and others 2013 write it).",
    state=("velocities",),
    settings=("momentum",),
    stable=lambda momentum, small: 1 - momentum if small else (1 + momentum) / (1 + 2 * momentum),
    step=_nesterov,
    each=_VELOCITY,
    once="kept, own, carried = momentum, lr, lr * momentum",
    plain="""
        v.copy_({momentum} * v + p.grad)
        p -= {lr} * (p.grad + {momentum} * v)
    """,
    optim="SGD",
    arguments=("momentum={momentum}", "nesterov=True"),
)
ADAM = Rule(
    name="adam",
    label="Adam",
    help="a mean of gradients over the root of one of their squares (Kingma and Ba 2015).",
    state=("means", "squares"),
    lr=1e-3,
    numbers=_adam_numbers,
    step=_adam,
    each=_MEANS,
    once=_ADAM_ONCE,
    plain=_ADAM_PLAIN,
    optim="Adam",
)
LBFGS = Rule(
    name="lbfgs",
    label="L-BFGS",
    help="a quasi-Newton method with a line search, on full batches (Nocedal and Wright 2006).",
    lr=1.0,
    optim="LBFGS",
    arguments=tuple(f"{name}={json.dumps(value)}" for name, value in LINE_SEARCH.items()),
    stepper="engine.learn.kernels.lbfgs:LBFGS",
)
REGISTRY: Registry[Rule] = Registry(
    "update rule",
    SGD,
    Rule(
        name="momentum",
        label="momentum",
        help="a velocity that keeps a share of the last step (Polyak 1964).",
        state=("velocities",),
        settings=("momentum",),
        stable=lambda momentum, small: 1 - momentum if small else 1 + momentum,
        step=_momentum,
        each=_VELOCITY,
        once="kept, own, carried = momentum, 0.0, lr",
        plain="""
            v.copy_({momentum} * v + p.grad)
            p -= {lr} * v
        """,
        optim="SGD",
        arguments=("momentum={momentum}",),
    ),
    NESTEROV,
    Rule(
        name="adagrad",
        label="Adagrad",
        help="steps over the root of the sum of squared gradients (Duchi, Hazan and Singer 2011).",
        state=("squares",),
        lr=1e-2,
        step=_adagrad,
        each=_MEANS,
        once=_MEANS_ONCE.format(mean="0.0, 1.0", square="1.0, 1.0", rest=f"1.0, lr, 1.0, {ADAGRAD_EPSILON}"),
        plain=f"""
            s += p.grad**2
            p -= {{lr}} * p.grad / (s.sqrt() + {ADAGRAD_EPSILON:g})
        """,
        optim="Adagrad",
    ),
    Rule(
        name="rmsprop",
        label="RMSprop",
        help="steps over the root of a mean of squared gradients (Tieleman and Hinton 2012).",
        state=("squares",),
        lr=1e-3,
        step=_rmsprop,
        each=_MEANS,
        once=_MEANS_ONCE.format(
            mean="0.0, 1.0",
            square=f"{RMSPROP_DECAY}, 1 - {RMSPROP_DECAY}",
            rest=f"1.0, lr, 1.0, {RMSPROP_EPSILON}",
        ),
        plain=f"""
            s.copy_({RMSPROP_DECAY} * s + (1 - {RMSPROP_DECAY}) * p.grad**2)
            p -= {{lr}} * p.grad / (s.sqrt() + {RMSPROP_EPSILON:g})
        """,
        optim="RMSprop",
    ),
    ADAM,
    Rule(
        name="adamw",
        label="AdamW",
        help="Adam with weight decay that is decoupled from the gradient (Loshchilov and Hutter 2019).",
        state=("means", "squares"),
        settings=("weight_decay",),
        lr=1e-3,
        numbers=_adam_numbers,
        step=_adamw,
        each=_MEANS,
        once=_ADAM_ONCE.replace("= 1.0,", "= 1 - lr * weight_decay,"),
        plain="    p *= 1 - {lr} * {weight_decay}" + _ADAM_PLAIN,
        optim="AdamW",
        arguments=("weight_decay={weight_decay}",),
    ),
    LBFGS,
)
register, remove = REGISTRY.register, REGISTRY.remove
