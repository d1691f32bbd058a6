"""The part of a script that has the numbers: the table, its normalization, the weights of its classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.data.prepare import Prepared
from engine.runs.code.job import Job, block, number
from engine.runs.python_text import literal, remark

Floats = NDArray[np.float64]
INLINE_ROWS, INLINE_NUMBERS = 20, 160  # a table up to these sizes is written out
SPARE = 1e-9  # relative difference up to which two scales are the same


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
    wide = ", dtype=torch.float64" if job.single or job.plan.architecture.family == "module" else ""
    found = [about]
    for name, values in arrays(prepared).items():
        if values.ndim == 1:
            found.append(f"{name} = torch.tensor([{', '.join(map(number, values))}]{wide})")
            continue
        rows = [f"[{', '.join(map(number, row))}]," for row in values]
        found += [*block(f"{name} = torch.tensor(", *block("[", *rows), f"]{wide}"), ")"]
    return found


# Normalization: how offset and scale of each column are found, as source text.


def _normalization(job: Job) -> list[str]:
    mode, std = job.prepared.normalization.normalize, job.prepared.normalization.std
    if mode == "none":
        return []
    found = ["# Normalization, from the train rows alone."]
    found += _statistics("inputs", mode, std)
    fixes = _fixes(job, mode)
    found += fixes
    shift = {"max": ""}.get(mode, " - offset")
    for part in _parts(job):
        name = f"{part}inputs"
        found.append(f"{name} = ({name}{shift}) / scale" if shift else f"{name} = {name} / scale")
    return [*found, ""]


def _statistics(name: str, mode: str, std: str, prefix: str = "") -> list[str]:
    offset, scale = f"{prefix}offset", f"{prefix}scale"
    if mode == "max":
        return [f"{scale} = {name}.abs().max(dim=0).values"]
    if mode == "minmax":
        return [
            f"{offset} = {name}.min(dim=0).values",
            f"{scale} = {name}.max(dim=0).values - {offset}",
        ]
    if mode == "robust":
        return [
            f"low, {offset}, high = torch.from_numpy(np.percentile({name}.numpy(), [25, 50, 75], axis=0))",
            f"{scale} = high - low",
        ]
    how = "dim=0" if std == "sample" else "dim=0, correction=0"
    return [f"{offset}, {scale} = {name}.mean(dim=0), {name}.std({how})"]


def _fixes(job: Job, mode: str) -> list[str]:
    """Lines for columns whose scale is not what the formula gives: constant ones, and those with no middle spread."""
    found, normalizer = [], job.prepared.normalizer
    ones = normalizer.constant if mode != "max" else normalizer.constant & (normalizer.scale == 1)
    if mode == "robust":
        low, high = np.percentile(job.prepared.raw_train(), [25, 75], axis=0)
        same = np.abs(high - low - normalizer.scale) <= SPARE * normalizer.scale
        narrow = np.flatnonzero(~same & ~normalizer.constant).tolist()
        if narrow:
            how = "" if job.prepared.normalization.std == "sample" else ", correction=0"
            found.append(f"scale[{narrow}] = inputs[:, {narrow}].std(dim=0{how})  # their middle half is all the same")
    where = np.flatnonzero(ones).tolist()
    if where:
        found.append(f"scale[{where}] = 1.0  # the same in every train row")
    return found


def _target(job: Job) -> list[str]:
    scale, choice = job.prepared.target_scale, job.prepared.normalization
    if scale.scale == 1.0 and scale.offset == 0.0:
        return []
    mode = "zscore" if choice.normalize == "none" else choice.normalize
    if mode == "max":
        found, shift = _statistics("target", mode, choice.std, "target_"), ""
    else:
        found, shift = _statistics("target", mode, choice.std, "target_"), " - target_offset"
    for part in _parts(job):
        name = f"{part}target"
        found.append(f"{name} = ({name}{shift}) / target_scale" if shift else f"{name} = {name} / target_scale")
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
