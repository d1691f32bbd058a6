"""The part of a script that moves the parameters: backward, penalty, clip, update, zeroing, in either style."""

from __future__ import annotations

import json

from engine.learn import optimizers as o
from engine.runs.code import model
from engine.runs.code.job import Job, block, rate


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


def memory(rule: str, step: int = 0) -> list[str]:
    """What an update rule remembers, at its beginning."""
    zeros = "[torch.zeros_like(p) for p in parameters]"
    if rule in ("adam", "adamw"):
        return [f"means, squares, first = {zeros}, {zeros}, {step}"]
    if rule in ("momentum", "nesterov"):
        return [f"velocities = {zeros}"]
    return [f"squares = {zeros}"] if rule in ("adagrad", "rmsprop") else []


def plain_step(job: Job, loss: list[str], expression: str) -> list[str]:
    two = job.plan.architecture.linear and set(job.rules) == {"sgd"}
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
    if two:
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


def _rule(job: Job, rule: str, lr: str) -> list[str]:
    """One update of all parameters, formulas as torch.optim has them."""
    momentum = "momentum" if job.changes("momentum") else rate(job.plan.momentum)
    if rule == "sgd":
        if job.plan.architecture.linear and set(job.rules) == {"sgd"}:
            return [f"{name} -= {lr} * {name}.grad" for name in model.names(job)]
        return block("for p in parameters:", f"p -= {lr} * p.grad")
    if rule in ("momentum", "nesterov"):
        direction = f"(p.grad + {momentum} * v)" if rule == "nesterov" else "v"
        return block(
            "for p, v in zip(parameters, velocities):",
            f"v.copy_({momentum} * v + p.grad)",
            f"p -= {lr} * {direction}",
        )
    if rule == "adagrad":
        return block(
            "for p, s in zip(parameters, squares):",
            "s += p.grad**2",
            f"p -= {lr} * p.grad / (s.sqrt() + {o.ADAGRAD_EPSILON:g})",
        )
    if rule == "rmsprop":
        return block(
            "for p, s in zip(parameters, squares):",
            f"s.copy_({o.RMSPROP_DECAY} * s + (1 - {o.RMSPROP_DECAY}) * p.grad**2)",
            f"p -= {lr} * p.grad / (s.sqrt() + {o.RMSPROP_EPSILON:g})",
        )
    decay = [f"p *= 1 - {lr} * {rate(job.plan.weight_decay)}"] if rule == "adamw" else []
    return [
        "count = step - first + 1",
        *block(
            "for p, m, s in zip(parameters, means, squares):",
            *decay,
            f"m.copy_({o.BETA1} * m + (1 - {o.BETA1}) * p.grad)",
            f"s.copy_({o.BETA2} * s + (1 - {o.BETA2}) * p.grad**2)",
            f"width = (s / (1 - {o.BETA2}**count)).sqrt() + {o.ADAM_EPSILON:g}",
            f"p -= {lr} * m / (1 - {o.BETA1}**count) / width",
        ),
    ]


# Style torch.


def constructor(job: Job, live: LiveChoices) -> list[str]:
    kinds = {
        "sgd": "SGD",
        "momentum": "SGD",
        "nesterov": "SGD",
        "adagrad": "Adagrad",
        "rmsprop": "RMSprop",
        "adam": "Adam",
        "adamw": "AdamW",
        "lbfgs": "LBFGS",
    }
    more = f"lr={rate(live.lr)}"
    if live.rule in ("momentum", "nesterov"):
        more += f", momentum={rate(live.momentum)}" + (", nesterov=True" if live.rule == "nesterov" else "")
    elif live.rule == "adamw":
        more += f", weight_decay={rate(job.plan.weight_decay)}"
    opening = f"optimizer = torch.optim.{kinds[live.rule]}("
    if live.rule == "lbfgs":
        settings = [f"{name}={json.dumps(value)}," for name, value in o.LBFGS.items()]
        return [*block(opening, "model.parameters(),", f"{more},", *settings), ")"]
    return [f"{opening}model.parameters(), {more})"]


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
    if "lbfgs" in job.rules:
        if clip and set(job.rules) != {"lbfgs"}:
            clip = block("if not isinstance(optimizer, torch.optim.LBFGS):", *clip)
        elif clip:
            clip = []
        inside = ["optimizer.zero_grad()", *loss, f"{objective}.backward()", *clip]
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
