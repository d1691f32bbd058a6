"""The part of a script that has the model in style torch: a module with the run's initial parameters, and the loss."""

from __future__ import annotations

from itertools import pairwise

from engine.registry.activations import REGISTRY
from engine.runs.code.job import Job, block
from engine.runs.code.model import body, draws, variable, widths
from engine.runs.python_text import literal, plain_name

TAKEN = frozenset({"BatchNorm", "DataLoader", "Path", "TensorDataset"})  # classes that a script has of its own


def lines(job: Job) -> list[str]:
    """The module with its initial parameters, and the loss."""
    shape = job.plan.architecture
    if shape.own:
        found = _own(job)
    elif not shape.chain:
        found = _functional(job)
    elif shape.linear:
        found = ["# Model.", f"model = nn.Linear({shape.inputs}, {shape.outputs}){job.to_device}"]
        found += _begin_linear(job)
    else:
        found = _network(job)
    if job.penalised:
        found.append("weights = [p for p in model.parameters() if p.dim() > 1]  # a penalty spares the biases")
    return [*found, *_criterion(job)]


def _criterion(job: Job) -> list[str]:
    """The mean loss, or with row weights the loss of each row, of outputs and targets."""
    one = job.plan.objective
    if one.layer:
        how = 'reduction="none"' if job.weighted else ""
        return [f"criterion = nn.{one.layer}({how})"]
    before, formula = one.source("target")
    result = formula if job.weighted else f"({formula}).mean()"
    return ["", "", *block("def criterion(outputs, target):", *before, f"return {result}"), "", ""]


def needs_functional(job: Job) -> bool:
    """Whether style torch takes something from torch.nn.functional."""
    one = job.plan.objective
    formula = not one.layer and "functional" in one.plain
    return formula or (job.plan.architecture.batch_norm and lonely_rows(job))


def _begin_linear(job: Job) -> list[str]:
    init = job.plan.init
    if not draws(job):
        kind = "ones" if init == "ones" else "zeros"
        return [f"nn.init.{kind}_(model.weight)", f"nn.init.{kind}_(model.bias)"]
    return _draw(job, "model", "")


def _draw(job: Job, layer: str, around: str) -> list[str]:
    """Lines that copy drawn numbers into an nn.Linear, whose weight lies the other way round."""
    square = 6 if job.plan.init == "kaiming" else 1
    inside = [
        f"bound = ({square} / {layer}.in_features) ** 0.5",
        f"drawn = draw.uniform(-bound, bound, ({layer}.in_features, {layer}.out_features))",
        f"{layer}.weight.copy_(torch.from_numpy(drawn.T))",
    ]
    if job.plan.init == "kaiming":
        inside.append(f"nn.init.zeros_({layer}.bias)")
    else:
        inside.append(f"{layer}.bias.copy_(torch.from_numpy(draw.uniform(-bound, bound, {layer}.out_features)))")
    body = inside
    if around:
        body = block(around, *block(f"if isinstance({layer}, nn.Linear):", *inside))
    return ['draw = stream("initial parameters")', *block("with torch.no_grad():", *body)]


def lonely_rows(job: Job) -> bool:
    """Whether a batch may have only one row, which nn.BatchNorm1d refuses."""
    plan = job.plan
    return job.changes("batch_size") or plan.batch == 1 or plan.rows % plan.batch == 1


def _network(job: Job) -> list[str]:
    shape, sizes, found = job.plan.architecture, widths(job), []
    norm = "nn.BatchNorm1d"
    if shape.batch_norm and lonely_rows(job):
        norm = "BatchNorm"
        found = [
            "",
            *block(
                "class BatchNorm(nn.BatchNorm1d):",
                *block(
                    "def forward(self, x):  # one row has no variance: it is normalized as at prediction",
                    *block("if self.training and len(x) > 1:", "return super().forward(x)"),
                    "mean, variance = self.running_mean, self.running_var",
                    "return functional.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)",
                ),
            ),
            "",
            "",
        ]
    layers = []
    for number, (fan_in, fan_out) in enumerate(pairwise(sizes), 1):
        layers.append(f"nn.Linear({fan_in}, {fan_out}),")
        if number < len(sizes) - 1:
            layers += [f"{norm}({fan_out}),"] if shape.batch_norm else []
            layers.append(f"{REGISTRY[shape.activation].layer},")
            layers += [f"nn.Dropout({shape.dropout:g}),"] if shape.dropout else []
    found = [*found, "# Model."]
    found += [*block("model = nn.Sequential(", *layers), f"){job.to_device}"]
    if draws(job):
        return found + _draw(job, "layer", "for layer in model:")
    kind = "ones" if job.plan.init == "ones" else "zeros"
    return found + block(
        "for layer in model:",
        *block("if isinstance(layer, nn.Linear):", f"nn.init.{kind}_(layer.weight)", f"nn.init.{kind}_(layer.bias)"),
    )


def _functional(job: Job) -> list[str]:
    """A model that its record computes: a module with the parameters, whose forward pass is the record's lines."""
    layout = job.plan.architecture.layout()
    names = [variable(name) for name, _ in layout]
    kind = "ones" if job.plan.init == "ones" else "zeros"
    made = [
        f"self.{name} = nn.Parameter(torch.{kind}({', '.join(map(str, sizes))}))"
        for name, (_, sizes) in zip(names, layout, strict=True)
    ]
    taken = [f"{name} = self.{name}" for name in names]
    found = ["", *block(
        "class Model(nn.Module):",
        *block("def __init__(self):", "super().__init__()", *made),
        "",
        *block("def forward(self, x):", *taken, *body(job)),
    ), "", "", "# Model.", f"model = Model(){job.to_device}"]  # fmt: skip
    if not draws(job):
        return found
    square = 6 if job.plan.init == "kaiming" else 1
    drawn = [f"bound = ({square} / fan_in) ** 0.5", "p.copy_(torch.from_numpy(draw.uniform(-bound, bound, p.shape)))"]
    inside = block("if p.dim() > 1:", "fan_in = len(p)")
    inside += drawn if job.plan.init == "uniform" else block("if p.dim() > 1:", *drawn)
    return [
        *found,
        'draw, fan_in = stream("initial parameters"), 1',
        *block("with torch.no_grad():", *block("for p in model.parameters():", *inside)),
    ]


def own_import(job: Job) -> str:
    """The line that brings the person's own class, under a name that is no other in the script."""
    place, _, name = job.plan.architecture.module.partition(":")
    if plain_name(place) and name.isidentifier() and plain_name(name):
        called = own_name(job)
        return f"from {place} import {name}" + ("" if called == name else f" as {called}")
    return f"{own_name(job)} = getattr(import_module({literal(place)}), {literal(name)})"


def own_name(job: Job) -> str:
    """What the script calls the person's own class."""
    name = job.plan.architecture.module.partition(":")[2]
    return name if plain_name(name) and name[0].isupper() and name not in TAKEN else "Model"


def imports_by_text(job: Job) -> bool:
    """Whether the person's module or class is called so that no import statement can name it."""
    return "import_module" in own_import(job)


def _own(job: Job) -> list[str]:
    shape, plan = job.plan.architecture, job.plan
    name = own_name(job)
    cast = (".float()" if job.single else ".double()") + job.to_device
    found = ["# Model.", f"torch.manual_seed({plan.seed % 2**63})"]
    found.append(f"model = {name}({shape.inputs}, {shape.outputs}){cast}")
    if plan.init == "own":
        return found
    square = 6 if plan.init == "kaiming" else 1
    if not draws(job):
        kind = "ones" if plan.init == "ones" else "zeros"
        return [*found, *block("for p in model.parameters():", f"nn.init.{kind}_(p)")]
    drawn = "p.copy_(torch.from_numpy(draw.uniform(-((S / fan_in) ** 0.5), (S / fan_in) ** 0.5, p.shape)))"
    drawn = drawn.replace("S", str(square))
    body = [*block("if p.dim() > 1:", "fan_in = p[0].numel()")]
    body += [drawn] if plan.init == "uniform" else [*block("if p.dim() > 1:", drawn), *block("else:", "p.zero_()")]
    return [
        *found,
        'draw, fan_in = stream("initial parameters"), 1',
        *block("with torch.no_grad():", *block("for p in model.parameters():", *body)),
    ]
