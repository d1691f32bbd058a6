"""The part of a script that has the model and its loss: in style plain parameters and formulas, else calls."""

from __future__ import annotations

from itertools import pairwise
from textwrap import dedent

from engine.base.errors import InputError
from engine.learn.models import BATCH_NORM_EPSILON
from engine.registry.activations import REGISTRY
from engine.registry.families import REGISTRY as FAMILIES
from engine.runs.code.job import Job, block


def widths(job: Job) -> tuple[int, ...]:
    """Columns from the features to the outputs."""
    shape = job.plan.architecture
    return (shape.inputs, *shape.hidden, shape.outputs)


def names(job: Job) -> tuple[str, ...]:
    """What the parameters are called in style plain, in the order of `Architecture.layout`."""
    if job.plan.architecture.linear:
        return ("weights", "bias")
    if not job.plan.architecture.chain:
        return tuple(variable(name) for name, _ in job.plan.architecture.layout())
    found = []
    for layer in range(1, len(widths(job))):
        found += [f"w{layer}", f"b{layer}"]
        if job.plan.architecture.batch_norm and layer < len(widths(job)) - 1:
            found += [f"scale{layer}", f"shift{layer}"]
    return tuple(found)


def weight_names(job: Job) -> tuple[str, ...]:
    """Those that a penalty touches."""
    if not job.plan.architecture.chain:
        return tuple(variable(name) for name, sizes in job.plan.architecture.layout() if len(sizes) > 1)
    return tuple(name for name in names(job) if name[0] == "w")


def draws(job: Job) -> bool:
    """Whether the initial parameters are drawn from a stream."""
    return job.plan.init in ("uniform", "kaiming")


def needs_functional(job: Job) -> bool:
    """Whether style plain takes something from torch.nn.functional."""
    shape = job.plan.architecture
    if not shape.chain and shape.family in FAMILIES and "functional." in FAMILIES[shape.family].script:
        return True
    fancy = bool(shape.hidden) and ("functional" in REGISTRY[shape.activation].plain or shape.dropout > 0)
    return fancy or "functional" in job.plan.objective.plain


# Style plain: tensors and formulas.


def plain(job: Job) -> list[str]:
    """Parameters, and the functions of the forward pass and the loss where there is more than one line to them."""
    found = ["# Parameters."]
    if draws(job):
        found += [*_drawn(job), ""]
    if not job.plan.architecture.chain:
        found += _own_parameters(job)
    sizes = widths(job) if job.plan.architecture.chain else ()
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes), 1):
        linear = job.plan.architecture.linear
        weight, bias = ("weights", "bias") if linear else (f"w{layer}", f"b{layer}")
        found.append(f"{weight} = {_begin(job, (fan_in, fan_out))}")
        found.append(f"{bias} = {_begin(job, (fan_out,), fan_in)}")
        if job.plan.architecture.batch_norm and layer < len(sizes) - 1:
            extra = f"{_device(job)}, requires_grad=True"
            found.append(f"scale{layer} = torch.ones({fan_out}{extra})")
            found.append(f"shift{layer} = torch.zeros({fan_out}{extra})")
    loops = not job.plan.architecture.linear or job.plan.clip is not None or any(rule.state for rule in job.rules)
    if loops:
        found.append(f"parameters = [{', '.join(names(job))}]")
    if not job.plan.architecture.linear:
        found += ["", "", *_forward(job)]
    if job.evaluates:
        found += ["", "", *_loss_function(job)]
    return found


def _drawn(job: Job) -> list[str]:
    """The function that draws a parameter."""
    square = 6 if job.plan.init == "kaiming" else 1
    cast = (".float()" if job.single else "") + job.to_device
    return [
        'draw = stream("initial parameters")',
        "",
        "",
        *block(
            "def drawn(fan_in, *size):",
            f"bound = ({square} / fan_in) ** 0.5",
            f"return torch.from_numpy(draw.uniform(-bound, bound, size)){cast}.requires_grad_()",
        ),
        "",
    ]


def _device(job: Job) -> str:
    return "" if job.plan.device == "cpu" else ", device=device"


def _begin(job: Job, shape: tuple[int, ...], fan_in: int | None = None) -> str:
    """The tensor that a parameter begins as; `fan_in` is given for a bias."""
    init, sides = job.plan.init, ", ".join(map(str, shape))
    drawn = init == "uniform" or (init == "kaiming" and fan_in is None)
    if not drawn:
        return f"torch.{'ones' if init == 'ones' else 'zeros'}({sides}{_device(job)}, requires_grad=True)"
    return f"drawn({shape[0] if fan_in is None else fan_in}, {sides})"


def variable(name: str) -> str:
    """What a parameter of a model that is no chain of layers is called in a script."""
    return name.replace(".", "_")


def check(job: Job) -> None:
    """Raise InputError where the model has no lines for a script."""
    shape = job.plan.architecture
    if shape.family in FAMILIES and not shape.chain and not FAMILIES[shape.family].script:
        raise InputError(f"The model {shape.family} has no lines for a script; use --format predictor instead.")


def body(job: Job) -> list[str]:
    """The lines from x to the outputs of a model that is no chain of layers."""
    shape = job.plan.architecture
    one = FAMILIES[shape.family]
    bend = block("def bend(z):", f"return {REGISTRY[shape.activation].plain.format('z')}") if one.hidden else []
    return [*bend, *([""] if bend else []), *dedent(one.script).strip().splitlines()]


def _own_parameters(job: Job) -> list[str]:
    found, fan_in = [], 1
    for name, sizes in job.plan.architecture.layout():
        matrix = len(sizes) == 2
        fan_in = sizes[0] if matrix else fan_in
        found.append(f"{variable(name)} = {_begin(job, sizes, None if matrix else fan_in)}")
    return found


def _forward(job: Job) -> list[str]:
    if not job.plan.architecture.chain:
        return block("def forward(x):", *body(job))
    shape = job.plan.architecture
    found, before = [], []
    mode = ", training" if job.switches_mode else ""
    if shape.batch_norm:
        sizes = list(shape.hidden)
        before = [
            f"running_mean = [torch.zeros(size{_device(job)}) for size in {sizes}]",
            f"running_variance = [torch.ones(size{_device(job)}) for size in {sizes}]",
            "",
            "",
            *block(
                "def batch_norm(z, layer, training):",
                *block(
                    "if training and len(z) > 1:",
                    "mean, variance = z.mean(dim=0), z.var(dim=0, correction=0)",
                    *block(
                        "with torch.no_grad():",
                        "running_mean[layer] += 0.1 * (mean - running_mean[layer])",
                        "running_variance[layer] += 0.1 * (z.var(dim=0) - running_variance[layer])",
                    ),
                ),
                *block("else:", "mean, variance = running_mean[layer], running_variance[layer]"),
                f"return (z - mean) / torch.sqrt(variance + {BATCH_NORM_EPSILON})",
            ),
            "",
            "",
        ]
    value = "x"
    for layer in range(1, len(shape.hidden) + 1):
        total = f"{value} @ w{layer} + b{layer}"
        if shape.batch_norm:
            found.append(f"z = batch_norm({total}, {layer - 1}, training)")
            total = f"z * scale{layer} + shift{layer}"
        found.append(f"h = {REGISTRY[shape.activation].plain.format(total)}")
        if shape.dropout:
            found.append(f"h = functional.dropout(h, {shape.dropout:g}, training)")
        value = "h"
    last = len(shape.hidden) + 1
    return [*before, *block(f"def forward(x{mode}):", *found, f"return {value} @ w{last} + b{last}")]


def forward_call(job: Job, inputs: str, training: bool) -> str:
    """The outputs for inputs, as source text."""
    if job.style == "torch":
        return f"model({inputs})"
    if job.plan.architecture.linear:
        return f"{inputs} @ weights + bias"
    return f"forward({inputs}{f', training={training}' if job.switches_mode else ''})"


def _loss_function(job: Job) -> list[str]:
    before, formula = job.plan.objective.source("target")
    takes = ", weight" if job.weighted else ""
    result = f"({formula}) * weight" if job.weighted else formula
    return block(f"def mean_loss(outputs, target{takes}):", *before, f"return ({result}).mean()")


def loss_lines(job: Job, y: str, weight: str) -> list[str]:
    """Lines that leave the mean loss of `outputs` in `loss`."""
    more = f", {weight}" if job.weighted else ""
    if job.style == "torch":
        return [f"loss = {criterion_call(job, 'outputs', y, weight)}"]
    if job.evaluates:
        return [f"loss = mean_loss(outputs, {y}{more})"]
    before, formula = job.plan.objective.source(y)
    result = f"({formula}) * {weight}" if job.weighted else formula
    return [*before, f"loss = ({result}).mean()"]


def criterion_call(job: Job, outputs: str, y: str, weight: str) -> str:
    """The mean loss in style torch, as source text."""
    if job.weighted:
        return f"(criterion({outputs}, {y}).flatten() * {weight}).mean()"
    return f"criterion({outputs}, {y})"
