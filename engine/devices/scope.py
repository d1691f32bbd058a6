"""What the surroundings let a process see of the GPUs: CUDA_VISIBLE_DEVICES, Slurm, and MIG."""

from __future__ import annotations

from collections.abc import Mapping

from engine.devices import sentences


def visible(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """The GPUs that CUDA_VISIBLE_DEVICES names, as it names them, in the order of cuda:0, cuda:1, …; None for all.

    As CUDA reads it: what follows the first name that is none ("-1") is not seen.
    """
    text = environment.get("CUDA_VISIBLE_DEVICES")
    if text is None:
        return None
    names = []
    for part in text.split(","):
        name = part.strip()
        if not (name.isdigit() or name.startswith(("GPU-", "MIG-"))):
            break
        names.append(name)
    return tuple(names)


def note(index: int, environment: Mapping[str, str]) -> str:
    """What cuda:index is in the machine's own numbering; "" where it is the same."""
    names = visible(environment)
    if names is None or index >= len(names):
        return ""
    name = names[index]
    if name.startswith("MIG-"):
        return sentences.MIG_SLICE(name=name)
    if name.startswith("GPU-"):
        return sentences.GPU_BY_UUID(name=name)
    return sentences.GPU_BY_NUMBER(name=name) if int(name) != index else ""


def remarks(environment: Mapping[str, str], *, gpu: bool) -> tuple[str, ...]:
    """Sentences on what hides GPUs from this process.

    Args:
        gpu: whether an NVIDIA GPU is in the machine.
    """
    found = []
    names, raw = visible(environment), environment.get("CUDA_VISIBLE_DEVICES", "")
    if names == () and gpu:
        found.append(sentences.ALL_HIDDEN(value=raw))
    elif names:
        found.append(sentences.SOME_HIDDEN(value=raw))
    job = environment.get("SLURM_JOB_ID")
    if job:
        given = slurm_cards(environment)
        if given:
            found.append(sentences.SLURM_GPUS(job=job, gpus=given))
        elif gpu:
            found.append(sentences.SLURM_NO_GPU(job=job))
    return tuple(found)


def slurm_cards(environment: Mapping[str, str]) -> str:
    """The GPUs of a Slurm step or job, "0,1"; "" for none."""
    for name in ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS"):
        if environment.get(name):
            return environment[name]
    return ""
