"""The part of a script that moves the parameters: backward, penalty, clip, update, zeroing, in either style."""

from __future__ import annotations

import json
import re

from engine.registry.rules import REGISTRY, Rule
from engine.runs.code import model
from engine.runs.code.job import Job, block, rate
from engine.runs.python_text import in_docstring

MOST = 3  # arguments in one line


class LiveChoices:
    """The live choices as they stand while the events are gone through."""

    def __init__(self, job: Job) -> None:
        self.lr: float = job.plan.lr
        self.momentum = job.plan.momentum
        self.rule: str = job.plan.optimizer


def _penalty(job: Job) -> list[str]:
    """Lines that leave the penalty of the weights in `penalty`."""
    named = model.weight_names(job) if job.style == "plain" else ()
    found: list[str] = []
    for factor, each in ((rate(job.plan.l1), "{}.abs().sum()"), (f"{rate(job.plan.l2)} / 2", "({}**2).sum()")):
        if factor.split()[0] == "0":
            continue
        over = f"({', '.join(named)})" if named else "weights"
        total = each.format(named[0]) if len(named) == 1 else f"sum({each.format('w')} for w in {over})"
        found.append(f"penalty {'+=' if found else '='} {factor} * {total}")
    return found


# Style plain.


def optimizer_state(rule: Rule, step: int = 0) -> list[str]:
    """What an update rule keeps beside the parameters, at its beginning; nothing for one that keeps nothing."""
    names = [*rule.state, *(["first"] if _counts(rule) else [])]
    zeros = ["[torch.zeros_like(p) for p in parameters]"] * len(rule.state)
    values = [*zeros, *([str(step)] if _counts(rule) else [])]
    return [f"{', '.join(names)} = {', '.join(values)}"] if names else []


def _counts(rule: Rule) -> bool:
    """Whether the formula of a rule depends on how many updates were made."""
    return re.search(r"\bcount\b", rule.plain) is not None


def _named(job: Job) -> bool:
    """Whether an update is written out for each parameter by its name: of linear models, which have two."""
    return job.plan.architecture.linear and not any(rule.state for rule in job.rules)


def plain_step(job: Job, loss: list[str], expression: str) -> list[str]:
    found = [
        f"# forward{'' if job.evaluates else ' and loss'}",
        *loss,
        f"losses.append({job.item('loss')})",
        "# backward",
    ]
    found += [*_penalty(job), "(loss + penalty).backward()"] if job.penalised else ["loss.backward()"]
    found.append("# update")
    inside = []
    if job.plan.clip is not None:
        inside += [
            "norm = sum((p.grad**2).sum() for p in parameters).sqrt()",
            *block("for p in parameters:", f"p.grad *= ({rate(job.plan.clip)} / (norm + 1e-6)).clamp(max=1)"),
        ]
    given = "lr"
    if expression != "lr":
        inside.append(f"rate = {expression}")
        given = "rate"
    inside += _segments(job, given)
    found += block("with torch.no_grad():", *inside)
    if _named(job):
        return [*found, "# zeroing", *(f"{name}.grad.zero_()" for name in model.names(job))]
    return [*found, "# zeroing", *block("for p in parameters:", "p.grad.zero_()")]


def _segments(job: Job, lr: str) -> list[str]:
    """The update, or one for each stretch between two changes of the optimizer."""
    stretches: list[tuple[int, str]] = [(0, job.plan.optimizer)]
    for event in job.events:
        if event.field == "optimizer":
            stretches = [s for s in stretches if s[0] < event.step] + [(event.step, str(event.value))]
    if len(stretches) == 1:
        return _rule(job, stretches[0][1], lr)
    found = []
    for i, (_, rule) in enumerate(stretches):
        last = i == len(stretches) - 1
        head = "else:" if last else f"{'el' if i else ''}if step < {stretches[i + 1][0]}:"
        found += block(head, *_rule(job, rule, lr))
    return found


def _rule(job: Job, name: str, lr: str) -> list[str]:
    """One update of all parameters, by the formula of a rule."""
    rule = REGISTRY[name]
    momentum = "momentum" if job.changes("momentum") else rate(job.plan.momentum)
    counted = ["count = step - first + 1"] if _counts(rule) else []
    lines = [
        [line.format(p=p, lr=lr, momentum=momentum, weight_decay=rate(job.plan.weight_decay)) for line in rule.lines]
        for p in (model.names(job) if _named(job) else ["p"])
    ]
    if _named(job):
        return [*counted, *(line for each in lines for line in each)]
    over = "for p in parameters:"
    if rule.state:
        over = f"for {', '.join(('p', *rule.letters))} in zip({', '.join(('parameters', *rule.state))}):"
    return [*counted, *block(over, *lines[0])]


# Style torch.


def classes(job: Job) -> list[str]:
    """The optimizers in use that torch.optim has not."""
    found: list[str] = []
    for rule in job.rules:
        if not rule.optim and rule.plain:
            found += ["", "", *_class(rule)] if found else _class(rule)
    return found


def _class(rule: Rule) -> list[str]:
    settings = ("lr", *rule.settings)
    each = dict(zip(rule.letters, rule.state, strict=True))
    beginning = [f'"{name}": torch.zeros_like(p)' for name in rule.state] + (['"count": 0'] if _counts(rule) else [])
    kept = [f'{letter} = state["{name}"]' for letter, name in each.items()]
    if _counts(rule):
        kept += ['state["count"] += 1', 'count = state["count"]']
    if beginning:
        kept = ["state = self.state[p]", *block("if not state:", f"state.update({{{', '.join(beginning)}}})"), *kept]
    lines = [line.format(p="p", **{name: name for name in settings}) for line in rule.lines]
    update = block(
        "for group in self.param_groups:",
        *(f'{name} = group["{name}"]' for name in settings),
        *block('for p in group["params"]:', *kept, *lines),
    )
    return block(
        f"class {_class_name(rule)}(torch.optim.Optimizer):",
        f'"""{in_docstring(f"{rule.label}: {rule.help}")}"""',
        "",
        *block(
            f"def __init__(self, parameters, {', '.join(settings)}):",
            f"super().__init__(parameters, {{{', '.join(f'{json.dumps(name)}: {name}' for name in settings)}}})",
        ),
        "",
        "@torch.no_grad()",
        *block("def step(self):", *update),
    )


def _class_name(rule: Rule) -> str:
    """The class of torch.optim, or what the one is called that is written out."""
    return rule.optim or "".join(part.capitalize() for part in rule.name.split("-"))


def constructor(job: Job, live: LiveChoices) -> list[str]:
    """The line that makes the optimizer."""
    rule = REGISTRY[live.rule]
    values = {"momentum": rate(live.momentum), "weight_decay": rate(job.plan.weight_decay)}
    arguments = rule.arguments or tuple(f"{name}={{{name}}}" for name in rule.settings)
    given = [f"lr={rate(live.lr)}", *(argument.format(**values) for argument in arguments)]
    opening = f"optimizer = {'torch.optim.' if rule.optim else ''}{_class_name(rule)}("
    if len(given) > MOST:
        return [*block(opening, "model.parameters(),", *(f"{one}," for one in given)), ")"]
    return [f"{opening}model.parameters(), {', '.join(given)})"]


def torch_step(job: Job, loss: list[str], expression: str) -> list[str]:
    found = []
    if expression != "lr":
        found.append(f'optimizer.param_groups[0]["lr"] = {expression}')
    objective = "loss"
    if job.penalised:
        loss = [*loss, *_penalty(job), "objective = loss + penalty"]
        objective = "objective"
    clip = []
    if job.plan.clip is not None:
        clip = [f"nn.utils.clip_grad_norm_(model.parameters(), {rate(job.plan.clip)})"]
    if any(rule.stepper for rule in job.rules):
        inside = ["optimizer.zero_grad()", *loss, f"{objective}.backward()"]
        inside += [f"found.append({job.item('loss')})", f"return {objective}"]
        return [
            *found,
            "found = []  # losses that the line search asks for; the first is the one before the update",
            "",
            *block("def closure():", *inside),
            "",
            "optimizer.step(closure)",
            "losses.append(found[0])",
        ]
    found += [*loss, f"losses.append({job.item('loss')})", "optimizer.zero_grad()"]
    if job.plan.precision == "fp16":
        found.append(f"scaler.scale({objective}).backward()")
        found += ["scaler.unscale_(optimizer)", *clip] if clip else []
        return [*found, "scaler.step(optimizer)", "scaler.update()"]
    return [*found, f"{objective}.backward()", *clip, "optimizer.step()"]
