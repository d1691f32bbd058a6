"""The answers about every device, and the definite device that a recipe's word stands for."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from engine.base.errors import InputError
from engine.devices import scope, sentences
from engine.devices.host import cpu, nvidia_gpu
from engine.devices.info import DeviceInfo

if TYPE_CHECKING:
    from engine.devices.asking import DeviceAnswers
    from engine.devices.remedies import Build

TIMEOUT = 60.0  # seconds; a cold import of torch from a slow disk takes a while

_asking = threading.Lock()
_answer: DeviceAnswers | None = None


def probe(timeout: float = TIMEOUT) -> tuple[DeviceInfo, ...]:
    """Every device, the processor first; asked once. Takes a second or two: call it in the background.

    Args:
        timeout: seconds that torch may take to start, and a device to answer.
    """
    global _answer
    with _asking:
        if _answer is None:
            from engine.devices import asking

            _answer = asking.ask(timeout)
        return (cpu(), *_answer.devices)


def known() -> tuple[DeviceInfo, ...]:
    """Every device where it has been asked for before, else only the processor. At once."""
    answer = _answer
    return (cpu(), *(answer.devices if answer is not None else ()))


def forget() -> None:
    """Ask again the next time: a GPU may have come, gone, or been freed."""
    global _answer
    with _asking:
        _answer = None


def absent(kind: str) -> str:
    """Why torch sees no device of a kind ("cuda"), where that is known; "" else."""
    return _answer.absent.get(kind, "") if _answer is not None else ""


def build() -> Build:
    """What torch was built for, and the driver, where that has been asked for; empty else."""
    from engine.devices.remedies import Build

    return _answer.build if _answer is not None else Build()


def resolve(name: str) -> str:
    """The definite device that a recipe's `device` stands for: "cpu", "cuda:0", …

    `auto` is the processor here; see `engine.learn.recommend` for when another one is faster.

    Raises:
        InputError: the device is not there or does not compute, with the reason.
    """
    if name in ("auto", "cpu"):
        return "cpu"
    found = probe()
    exact = name if name == "mps" or ":" in name else f"{name}:0"
    for device in found:
        if device.name == exact:
            if device.usable:
                return exact
            raise InputError(sentences.UNUSABLE(device=exact, title=device.title, why=device.verdict))
    usable = ", ".join(d.name for d in found if d.usable)
    kind = exact.partition(":")[0]
    for device in found:
        if device.name in ("torch", kind):
            raise InputError(sentences.UNUSABLE_BUT(device=exact, why=device.verdict, usable=usable))
    why = absent(kind)
    hidden = scope.remarks(os.environ, gpu=nvidia_gpu()) if kind == "cuda" else ()
    said = "; ".join(part.rstrip(".") for part in (why, *hidden) if part)
    raise InputError(sentences.NO_DEVICE(device=exact, why=said, usable=usable))
