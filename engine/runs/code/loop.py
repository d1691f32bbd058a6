"""The part of a script that trains: row order, learning rate, updates, the changes made on the way."""

from __future__ import annotations

from typing import Any

from engine.learn import schedules
from engine.learn.kernels.order import BLOCK
from engine.registry.rules import REGISTRY
from engine.runs.code import model, updates
from engine.runs.code.job import Job, block, rate
from engine.runs.python_text import literal

REPORTS = 10  # losses that the script prints on its way


def lines(job: Job) -> list[str]:
    """Everything after the model."""
    found = []
    if job.batched:
        found += ["", "", *_batches(job)]
    if job.scheduled:
        found += ["", "", *_factor(job)]
    if job.evaluates:
        found += ["", "", *_evaluate(job)]
    if job.style == "torch" and (own := updates.classes(job)):
        found += ["", "", *own]
    gap = ["", ""] if found else []
    return [*found, *gap, *_before(job), *_loop(job), *_after(job)]


# Functions that the loop calls.


def _batches(job: Job) -> list[str]:
    """The function that gives row numbers, as the kernels draw them."""
    shuffled, resized = job.plan.shuffle != "none", job.changes("batch_size")
    drawn = {
        "full": 'stream("order", epoch).permutation(rows)',
        "blocks": "shuffled(epoch)",
        "none": "np.arange(rows)",
    }[job.plan.shuffle]
    if resized:
        if shuffled:
            drawn += " if batch_size < rows else np.arange(rows)"
        first = f"rows, batch_size = {job.plan.rows}, {job.plan.batch}"
        inner = ["row = 0"]
        inner += block("while row < rows:", "size = batch_size", "yield order[row : row + size]", "row += size")
    else:
        size = job.plan.batch
        first = f"rows = {job.plan.rows}"
        inner = block(f"for row in range(0, rows, {size}):", f"yield order[row : row + {size}]")
    about = '"""Row numbers for one update after another; every epoch has an order of its own."""'
    if shuffled:
        body = [about, *block("for epoch in itertools.count():", f"order = {drawn}", *inner)]
    else:
        body = ['"""Row numbers for one update after another."""', f"order = {drawn}", *block("while True:", *inner)]
    before = _in_blocks() if job.plan.shuffle == "blocks" else []
    return [first, "", "", *before, *block("def batches():", *body)]


def _in_blocks() -> list[str]:
    """The function that shuffles in blocks, as `engine.learn.kernels.order` does."""
    return [
        *block(
            "def shuffled(epoch):",
            f'"""Row numbers: blocks of {BLOCK:,} rows in a new order, each with its rows shuffled."""',
            f'draw, whole = stream("order", epoch), rows // {BLOCK}',
            'blocks = stream("blocks", epoch).permutation(whole)',
            f"inside = draw.permuted(np.broadcast_to(np.arange({BLOCK}), (whole, {BLOCK})), axis=1)",
            f"inside = inside + {BLOCK} * blocks[:, None]",
            f"rest = {BLOCK} * whole + draw.permutation(rows - {BLOCK} * whole)",
            "return np.concatenate([inside.reshape(-1), rest])",
        ),
        "",
        "",
    ]


def _factor(job: Job) -> list[str]:
    plan, found = job.plan, []
    rest = max(plan.steps - plan.warmup, 1)
    at = f"step - {plan.warmup}" if plan.warmup else "step"
    about = '"""What the learning rate is multiplied by at a step."""'
    if plan.warmup:
        low = f"{1 / schedules.START:g} * " if plan.schedule == "onecycle" else ""
        found += block(f"if step < {plan.warmup}:", f"return {low}(step + 1) / {plan.warmup}")
    if plan.schedule == "step":
        third = max(-(-rest // 3), 1)
        inner = f"({at})" if plan.warmup else at
        found.append(f"return {schedules.DROP} ** ({inner} // {third})")
    elif plan.schedule == "cosine":
        inner = f"({at})" if plan.warmup else at
        found.append(f"return (1 + math.cos(math.pi * {inner} / {rest})) / 2")
    elif plan.schedule == "onecycle":
        peak, last = schedules.RISE * rest - 1, rest - 1
        found += [f"at, peak, last = {at}, {peak!r}, {last}"]
        start, least = 1 / schedules.START, 1 / schedules.START / schedules.END
        if peak > 0:
            found += block("if at <= peak:", f"return 1 + ({start:g} - 1) / 2 * (1 + math.cos(math.pi * at / peak))")
        fall = "(1 + math.cos(math.pi * (at - peak) / (last - peak)))"
        found.append(f"return {least:g} + (1 - {least:g}) / 2 * {fall}")
    else:
        found.append("return 1.0")
    return block("def factor(step):", about, *found)


def _evaluate(job: Job) -> list[str]:
    part, what = ("validation_", "validation") if job.validates else ("", "train")
    outputs = model.forward_call(job, f"{part}inputs", training=False)
    if job.style == "torch":
        loss = model.criterion_call(job, "outputs", f"{part}target", f"{part}weight")
    else:
        more = f", {part}weight" if job.weighted else ""
        loss = f"mean_loss(outputs, {part}target{more})"
    body = [*_mixed(job, f"outputs = {outputs}"), f"return {job.item(loss)}"]
    around = block("with torch.no_grad():", *body)
    if job.style == "torch" and job.switches_mode:
        around = [
            "model.eval()",
            *block("with torch.no_grad():", *body[:-1], f"loss = {job.item(loss)}"),
            "model.train()",
            "return loss",
        ]
    return block("def evaluate():", f'"""The loss of all {what} rows."""', *around)


def _mixed(job: Job, forward: str) -> list[str]:
    """The forward pass, in half precision where the run had it so."""
    if not job.mixed:
        return [forward]
    kind = "bfloat16" if job.plan.precision == "bf16" else "float16"
    device = job.plan.device.partition(":")[0]
    return [*block(f"with torch.autocast({literal(device)}, torch.{kind}):", forward), "outputs = outputs.float()"]


# The loop.


def _before(job: Job) -> list[str]:
    plan, found = job.plan, []
    if job.style == "plain" or job.scheduled or plan.schedule == "plateau":
        found.append(f"lr = {rate(plan.lr)}")
    if job.style == "plain":
        if job.changes("momentum"):
            found.append(f"momentum = {rate(plan.momentum)}")
        found += updates.optimizer_state(plan.rule)
    else:
        live = updates.LiveChoices(job)
        found += updates.constructor(job, live)
        if plan.precision == "fp16":
            found.append(f"scaler = torch.amp.GradScaler({literal(plan.device.partition(':')[0])})")
    if plan.schedule == "plateau":
        found.append('best, waited, plateau = float("inf"), 0, 1.0')
    if job.batched:
        found += ["loader = iter(batches())"] if job.style == "plain" else _loader(job)
    if plan.architecture.dropout > 0 or plan.architecture.own:
        found.append(_dropout_seed(job))
    found.append("losses = []  # before every update")
    if job.validates:
        found.append("validation = []  # (step, loss of all validation rows)")
    return found


def _dropout_seed(job: Job) -> str:
    if job.plan.device.startswith("cuda"):
        return f"torch.manual_seed({job.plan.seed})  # for dropout"
    return 'torch.manual_seed(int(stream("dropout").integers(2**63)))  # for dropout'


def _loader(job: Job) -> list[str]:
    names = "inputs, target, weight" if job.weighted else "inputs, target"
    # A generator of its own: the loader draws a number for itself, which must not come from dropout's.
    own = ", generator=torch.Generator()" if job.switches_mode else ""
    return [
        f"table = TensorDataset({names})",
        f"loader = iter(DataLoader(table, sampler=batches(), batch_size=None{own}))",
    ]


def _loop(job: Job) -> list[str]:
    body: list[str] = []
    if job.evaluates:
        body += _watch(job)
    for event in job.events:
        body += block(f"if step == {event.step}:", *_event(job, event.field, event.value, event.step))
    x, y, weight = "inputs", "target", "weight"
    if job.batched:
        x, y, weight = "x", "y", "w"
        if job.style == "torch":
            body.append(f"x, y{', w' if job.weighted else ''} = next(loader)")
        else:
            more = (", w", ", weight[batch]") if job.weighted else ("", "")
            body += ["batch = next(loader)", f"x, y{more[0]} = inputs[batch], target[batch]{more[1]}"]
    expression = "lr" + (" * factor(step)" if job.scheduled else "")
    expression += " * plateau" if job.plan.schedule == "plateau" else ""
    outputs = _mixed(job, f"outputs = {model.forward_call(job, x, training=True)}")
    loss = [*outputs, *model.loss_lines(job, y, weight)]
    if job.style == "plain":
        body += updates.plain_step(job, loss, expression)
    else:
        body += updates.torch_step(job, loss, expression)
    every = max(1, job.steps // REPORTS)
    body += block(f"if step % {every} == 0:", 'print(f"step {step:,}  loss {losses[-1]:.6g}")')
    return ["", *block(f"for step in range({job.steps}):", *body)]


def _watch(job: Job) -> list[str]:
    """What evaluations are for: the validation curve, and the plateau."""
    every = job.plan.eval_every
    if job.validates:
        found = ["now = evaluate()", "validation.append((step, now))"]
        if job.plan.schedule == "plateau":
            found += block("if step:", *_plateau())
        return block(f"if step % {every} == 0:", *found)
    return block(f"if step and step % {every} == 0:", "now = evaluate()", *_plateau())


def _plateau() -> list[str]:
    return [
        *block("if now < best * (1 - 1e-4):", "best, waited = now, 0"),
        *block("else:", "waited += 1"),
        *block(f"if waited > {schedules.PATIENCE}:", f"waited, plateau = 0, plateau * {schedules.DROP}"),
    ]


def _event(job: Job, field: str, value: Any, step: int) -> list[str]:
    if field == "batch_size":
        return [f"batch_size = {'rows' if value == 'full' else f'min({int(value)}, rows)'}"]
    if job.style == "plain":
        if field == "optimizer":
            return updates.optimizer_state(REGISTRY[str(value)], step) or [
                "pass  # plain gradient descent from here on"
            ]
        return [f"{field} = {rate(value)}"]
    live = updates.LiveChoices(job)
    for event in job.events:
        if event.step <= step and event.field in ("lr", "momentum", "optimizer"):
            setattr(live, {"optimizer": "rule"}.get(event.field, event.field), event.value)
    if field == "optimizer":
        return updates.constructor(job, live)
    if field == "lr":
        if job.scheduled or job.plan.schedule == "plateau":
            return [f"lr = {rate(value)}"]
        return [f'optimizer.param_groups[0]["lr"] = {rate(value)}']
    if REGISTRY[live.rule].takes(field):
        return [f'optimizer.param_groups[0]["momentum"] = {rate(value)}']
    return [f"pass  # momentum {rate(value)}, which {live.rule} has no use for"]


def _after(job: Job) -> list[str]:
    found = [""]
    if job.validates:
        found.append(f"validation.append(({job.steps}, evaluate()))")
        found.append('print(f"validation loss {validation[-1][1]:.6g}")')
    if job.plan.architecture.linear:
        pair = ("weights", "bias") if job.style == "plain" else ("model.weight.T", "model.bias")
        found.append(f'print("weights", {pair[0]}.tolist(), "bias", {pair[1]}.tolist())')
    elif not job.validates:
        found.append('print(f"the last of {len(losses):,} losses {losses[-1]:.6g}")')
    return [*found, *_decisions(job)]


def _decisions(job: Job) -> list[str]:
    """How two classes are decided: the function, and what it gives for the rows."""
    decision = job.decision
    if decision is None:
        return []
    part, what = ("validation_", "validation") if job.validates else ("", "train")
    forward = _mixed(job, f"outputs = {model.forward_call(job, 'inputs', training=False)}")
    body = block("with torch.no_grad():", *forward)
    if job.style == "torch" and job.switches_mode:
        body = ["model.eval()", *body, "model.train()"]
    if job.classes == 1:
        sign = "" if decision.positive == 1 else "-"
        probability = f"torch.sigmoid({sign}outputs[:, 0])"
    else:
        probability = f"torch.softmax(outputs, dim=1)[:, {decision.positive}]"
    return [
        "",
        f"classes = [{', '.join(literal(name) for name in decision.classes)}]",
        f"positive, threshold = {decision.positive}, {decision.threshold!r}",
        "",
        "",
        *block(
            "def decide(inputs):",
            '"""The class number of each row: the positive class from the threshold on."""',
            *body,
            f"reached = {probability} >= threshold",
            "return torch.where(reached, positive, 1 - positive)",
        ),
        "",
        "",
        f"decided = decide({part}inputs)",
        f'print(f"{{int((decided == positive).sum()):,}} of {{len(decided):,}} {what} rows are decided for", '
        "classes[positive])",
    ]
