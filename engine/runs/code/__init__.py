"""A run as a short PyTorch script, to be read, run and taken further.

The script repeats the run's losses: rows, initial parameters and row order are the run's own. Style "plain" is that of
the lecture notes (tensors, forward, loss, backward, update, zeroing); style "torch" uses nn, optim and DataLoader.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from engine import modules as own_modules
from engine.base.errors import InputError
from engine.base.files import write_bytes
from engine.base.versions import version
from engine.data.prepare import Prepared, prepare
from engine.data.sources import load
from engine.learn.curvature import LossSurfaceFacts
from engine.learn.decision import Decision
from engine.learn.decision import of as decision_of
from engine.learn.plan import Plan, make_plan
from engine.recipe import Recipe, read_toml
from engine.runs.code import loop, model, modules, table
from engine.runs.code.job import Job, Style, block
from engine.runs.facts import decision as kept_decision
from engine.runs.facts import read_facts
from engine.runs.provenance import own_modules as names_of
from engine.runs.python_text import in_docstring, literal
from engine.runs.whereabouts import located_recipe

__all__ = ["Style", "needs_table", "of_run", "save_table", "script"]


def needs_table(prepared: Prepared) -> bool:
    """Whether the table is too large to stand in the script, which then loads an .npz."""
    return not table.small(prepared)


def save_table(path: Path, prepared: Prepared) -> None:
    """Write the .npz that a script loads: inputs [n, d] and target [n] of the train rows, encoded and in raw units,
    and validation_inputs and validation_target where there are validation rows. float64. Raises InputError."""
    import numpy as np

    content = io.BytesIO()
    np.savez_compressed(content, **table.arrays(prepared))  # type: ignore[arg-type]
    try:
        write_bytes(path, content.getvalue())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from None


def script(
    recipe: Recipe,
    plan: Plan,
    prepared: Prepared,
    *,
    style: Style,
    data: Path | None,
    steps: int | None = None,
    decision: Decision | None = None,
) -> str:
    """The source text of the script.

    When it has been run, its `losses` holds the loss before every update in the target's own units, and `validation`
    the pairs of step and validation loss, equal to the run's to 1e-6 (in float32 for as long as the run is not
    chaotic; in half precision about as far as its digits go).

    Args:
        recipe: the choices; its events are repeated.
        plan: the recipe made definite.
        style: "plain" or "torch".
        data: the .npz with the table (see `save_table`), which the script loads: a relative path is looked for beside
            the script. None where the table is small (see `needs_table`).
        steps: updates to take, where a run ended before its last; None takes all.
        decision: how a finished run decides two classes; None: as the recipe says, and at 0.5 where it says auto.

    Raises:
        InputError: what style plain does not write out.
    """
    if data is None and needs_table(prepared):
        raise ValueError("the table is too large to stand in the script")
    given = data if needs_table(prepared) else None
    if decision is None:
        chosen = recipe.model.threshold
        decision = decision_of(prepared.classes, prepared.positive, 0.5 if chosen == "auto" else float(chosen))
    taken = plan.steps if steps is None else min(steps, plan.steps)
    job = Job(recipe, plan, prepared, style, taken, given, decision)
    table.check(job)
    model.check(job)
    if style == "plain":
        _refuse(job)
    parts = [_head(job), table.lines(job)]
    parts += [model.plain(job) if style == "plain" else modules.lines(job), loop.lines(job)]
    text = "\n".join(line for part in parts for line in (*part, ""))
    return _spaced(text)


def _refuse(job: Job) -> None:
    """Style plain writes formulas; of these it has none."""
    what = None
    if unwritten := [rule.label for rule in job.rules if not rule.plain]:
        what = f"{unwritten[0]} is too long to be written out"
    elif job.plan.architecture.own:
        what = f"Model {job.plan.model} is a class of its own"
    elif job.mixed:
        what = f"Precision {job.plan.precision} is torch's own way of mixing number formats"
    if what:
        raise InputError(f"{what}; use --style torch.")


def of_run(run: Path, style: Style, output: Path | None) -> str:
    """The script of a run; its .npz, where one is needed, is written beside `output`, or into the run's folder.

    The table is read again, and has to be what it was.

    Raises:
        InputError: the folder is no run, its table has changed or is gone, or style plain does not cover it.
    """
    facts = read_facts(run)
    recipe = located_recipe(read_toml(run), run)
    with own_modules.of_run(run.name, facts):
        own_modules.check(*names_of(recipe))
        table = load(recipe.data)
    prepared = prepare(recipe.data, recipe.normalization, table)
    known = (facts.get("data") or {}).get("fingerprint")
    if known is not None and known != prepared.fingerprint:
        raise InputError(
            f"{recipe.data.dataset} is no longer the table that {run.name} was trained on, so a script with its "
            "numbers would not repeat the run; put the old table back, or train again."
        )
    choices = facts.get("choices") or {}
    plan = make_plan(recipe, prepared, LossSurfaceFacts(), str(facts.get("device") or "cpu"))
    plan = replace(plan, lr=float(choices.get("lr") or plan.lr), precision=facts.get("precision") or plan.precision)
    taken = (run / "loss.f64").stat().st_size // 8 if (run / "loss.f64").exists() else 0
    data = None
    if needs_table(prepared):
        data = output.with_name(output.name + ".npz") if output else (run / "table.npz").resolve()
    text = script(
        recipe,
        plan,
        prepared,
        style=style,
        data=Path(data.name) if data is not None and output is not None else data,
        steps=taken or None,
        decision=kept_decision(facts),
    )
    if data is not None:
        save_table(data, prepared)
    return text


def _head(job: Job) -> list[str]:
    """The first words, the imports and the streams."""
    plan, prepared = job.plan, job.prepared
    by = f"ravine {version('ravine') or ''}".rstrip()
    table_name, named = in_docstring(prepared.table_name), in_docstring(plan.model)
    about = f"{table_name} · {prepared.normalization.normalize} · {named} · {plan.optimizer} lr {plan.lr:g}"
    found = [f'"""{about}: {job.steps:,} steps, written by {by}.', ""]
    found += ["`losses` holds the loss before every update, as the run has it in loss.f64.", '"""', ""]
    streams = _draws(job)
    if job.batched and plan.shuffle != "none":
        found.append("import itertools")
    if plan.schedule in ("cosine", "onecycle"):
        found.append("import math")
    if streams:
        found.append("import zlib")
    if job.data is not None and not job.data.is_absolute():
        found.append("from pathlib import Path")
    if plan.architecture.own and modules.imports_by_text(job):
        found.append("from importlib import import_module")
    found += [""] if found[-1] else []
    if streams or table.needs_numpy(job) or job.data is not None or (job.batched and plan.shuffle == "none"):
        found.append("import numpy as np")
    found.append("import torch")
    if job.style == "torch":
        found.append("from torch import nn")
        if modules.needs_functional(job):
            found.append("from torch.nn import functional")
        if job.batched:
            found.append("from torch.utils.data import DataLoader, TensorDataset")
    elif model.needs_functional(job):
        found.append("from torch.nn import functional")
    if plan.architecture.own:
        found += ["", modules.own_import(job)]
    found.append("")
    if not job.single and not plan.architecture.own:
        found.append("torch.set_default_dtype(torch.float64)")
    if plan.device != "cpu":
        found.append(f"device = {literal(plan.device)}")
    return [*found, *(["", "", *_stream(plan), ""] if streams else [])]


def _draws(job: Job) -> bool:
    """Whether anything is drawn at random."""
    dropout = job.plan.architecture.dropout > 0 or job.plan.architecture.own
    return model.draws(job) or (job.batched and job.plan.shuffle != "none") or dropout


def _stream(plan: Plan) -> list[str]:
    return block(
        "def stream(purpose, epoch=0):",
        '"""Random numbers: a stream for each purpose and epoch, the same on every machine."""',
        f"key = np.random.SeedSequence([{plan.seed}, zlib.crc32(purpose.encode()), epoch])",
        "return np.random.Generator(np.random.PCG64(key))",
    )


def _spaced(text: str) -> str:
    """At most two empty lines in a row, and none at the ends."""
    while "\n\n\n\n" in text:
        text = text.replace("\n\n\n\n", "\n\n\n")
    return text.strip("\n") + "\n"
