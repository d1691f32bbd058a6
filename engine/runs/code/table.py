"""The part of a script that has the numbers: the table, its normalization, the weights of its classes."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
from numpy.typing import NDArray

from engine.base.errors import InputError
from engine.data.normalize import fit, of_target, stand_ins
from engine.data.prepare import Prepared
from engine.registry.modes import REGISTRY
from engine.runs.code.job import Job, block, number
from engine.runs.python_text import literal, remark

Floats = NDArray[np.float64]
INLINE_ROWS, INLINE_NUMBERS = 20, 160  # a table up to these sizes is written out


def small(prepared: Prepared) -> bool:
    """Whether a table is small enough to stand in the script itself."""
    rows = len(prepared.train.y) + len(prepared.validation.y)
    return rows <= INLINE_ROWS and rows * len(prepared.features) <= INLINE_NUMBERS


def arrays(prepared: Prepared) -> dict[str, Floats]:
    """inputs [n, d] and target [n], and the same of the validation rows: encoded, in raw units."""
    found = {"inputs": prepared.raw_train(), "target": prepared.plan.goal.y[prepared.train.index]}
    if len(prepared.validation.y):
        index = prepared.validation.index
        found["validation_inputs"] = prepared.plan.encoder.fill(prepared.plan.table, index)[0]
        found["validation_target"] = prepared.plan.goal.y[index]
    return found


def lines(job: Job) -> list[str]:
    """The table as tensors, normalized, in the run's number format and on its device."""
    found = [*_table(job), "", *_normalization(job)]
    found += _target(job)
    found += _format(job)
    found += _class_weights(job)
    return found


def _parts(job: Job) -> tuple[str, ...]:
    return ("", "validation_") if job.validates else ("",)


def _table(job: Job) -> list[str]:
    prepared = job.prepared
    listed = ", ".join(map(remark, prepared.features))
    shown = listed if len(listed) <= 70 else f"{len(prepared.features)} columns"
    about = f"# The table: {shown} -> {remark(prepared.target)}, in raw units."
    if job.data is not None:
        place = literal(str(job.data))
        where = place if job.data.is_absolute() else f"Path(__file__).with_name({place})"
        found = [about, f"table = np.load({where})"]
        for part in _parts(job):
            names = (f"{part}inputs", f"{part}target")
            found += [f'{name} = torch.from_numpy(table["{name}"])' for name in names]
        return found
    wide = ", dtype=torch.float64" if job.single or job.plan.architecture.own else ""
    found = [about]
    for name, values in arrays(prepared).items():
        if values.ndim == 1:
            found.append(f"{name} = torch.tensor([{', '.join(map(number, values))}]{wide})")
            continue
        rows = [f"[{', '.join(map(number, row))}]," for row in values]
        found += [*block(f"{name} = torch.tensor(", *block("[", *rows), f"]{wide}"), ")"]
    return found


# Normalization: how offset and scale of each column are found, as source text.


def check(job: Job) -> None:
    """Raise InputError where the normalization has no lines for a script."""
    one = REGISTRY[job.prepared.normalization.normalize]
    if one.scales and not one.script:
        raise InputError(f"The normalization {one.name} has no lines for a script; use --format predictor instead.")


def needs_numpy(job: Job) -> bool:
    """Whether the lines of the normalization use numpy."""
    return "np." in REGISTRY[job.prepared.normalization.normalize].script


def _normalization(job: Job) -> list[str]:
    if not job.prepared.normalizer.scales:
        return []
    mode = job.prepared.normalization.normalize
    found = ["# Normalization, from the train rows alone.", *_statistics(job, mode, "inputs"), *_fixes(job)]
    return [*found, *(_scaled(mode, f"{part}inputs") for part in _parts(job)), ""]


def _std(job: Job) -> str:
    return "dim=0" if job.prepared.normalization.std == "sample" else "dim=0, correction=0"


def _statistics(job: Job, mode: str, name: str, prefix: str = "") -> list[str]:
    told = {"x": name, "offset": f"{prefix}offset", "scale": f"{prefix}scale", "std": _std(job)}
    return dedent(REGISTRY[mode].script).strip().format(**told).splitlines()


def _scaled(mode: str, name: str, prefix: str = "") -> str:
    moved = f"({name} - {prefix}offset)" if "{offset}" in REGISTRY[mode].script else name
    return f"{name} = {moved} / {prefix}scale"


def _fixes(job: Job) -> list[str]:
    """Lines for columns whose scale is not what the formula gives: constant ones, and those with no middle spread."""
    found, prepared = [], job.prepared
    narrow = stand_ins(prepared.raw_train(), prepared.normalizer, prepared.normalization.std)
    if narrow:
        found.append(f"scale[{narrow}] = inputs[:, {narrow}].std({_std(job)})  # their middle half is all the same")
    ones = np.flatnonzero(prepared.normalizer.constant & (prepared.normalizer.scale == 1)).tolist()
    if ones:
        found.append(f"scale[{ones}] = 1.0  # the same in every train row")
    return found


def _target(job: Job) -> list[str]:
    scale = job.prepared.target_scale
    if scale.scale == 1.0 and scale.offset == 0.0:
        return []
    mode = of_target(job.prepared.normalization.normalize)
    found = _statistics(job, mode, "target", "target_")
    y = job.prepared.plan.goal.y[job.prepared.train.index][:, np.newaxis]
    fitted = fit(y, mode, job.prepared.normalization.std)
    if stand_ins(y, fitted, job.prepared.normalization.std):
        found.append(f"target_scale = target.std({_std(job)})  # its middle half is all the same")
    elif fitted.constant[0] and scale.scale == 1:
        found.append("target_scale = 1.0  # the same in every train row")
    found += [_scaled(mode, f"{part}target", "target_") for part in _parts(job)]
    if job.unit:
        power = "**2" if job.plan.objective.degree == 2 else ""
        found.append(f"unit = float(target_scale){power}  # brings a loss back to the target's own units")
    return [*found, ""]


def _format(job: Job) -> list[str]:
    """Shapes and number formats: inputs [n, d], target [n, 1] or the class numbers [n]."""
    found = []
    for part in _parts(job):
        cast = (".float()" if job.single else "") + job.to_device
        if cast:
            found.append(f"{part}inputs = {part}inputs{cast}")
        shape = ".long()" + job.to_device if job.plan.objective.classes else f"{cast}.unsqueeze(1)"
        about = "" if job.plan.objective.classes else "  # [rows, 1], as the outputs are"
        found.append(f"{part}target = {part}target{shape}{about if not part else ''}")
    return found


def _class_weights(job: Job) -> list[str]:
    if not job.weighted:
        return []
    flat = "" if job.plan.objective.classes else ".flatten().long()"
    classes = max(len(job.prepared.classes), 2)
    precise = "float" if job.single else "double"
    shape = "" if job.plan.objective.classes or job.style == "torch" else ".unsqueeze(1)"
    found = [
        "",
        "# Class weights: every class counts the same in all.",
        f"counts = torch.bincount(target{flat}, minlength={classes}).{precise}()",
        "class_weight = len(target) / ((counts > 0).sum() * counts)",
    ]
    return found + [f"{part}weight = class_weight[{part}target{flat}]{shape}" for part in _parts(job)]
