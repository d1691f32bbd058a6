"""The answers about every device, and the definite device that a recipe's word stands for.

Asking torch means importing it, which holds the interpreter for a second, and a driver that misbehaves can hang or
abort: so the question is put in a child process. A device that hangs it or ends it is named, and another child tries
the others. A device counts as usable only after a real kernel has run on it and its result has been read back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from queue import Empty, SimpleQueue
from typing import IO, Any

from engine.devices import scope
from engine.devices.host import cpu, nvidia_card
from engine.devices.info import DeviceInfo
from engine.devices.remedies import Build
from engine.errors import InputError

TIMEOUT = 60.0  # seconds; a cold import of torch from a slow disk takes a while
TRIAL = 30.0  # seconds for one device; the first kernel of a process loads some 100 MB of code onto a card
MOST = 32  # children, one more for every device that hangs or ends one

_asking = threading.Lock()
_answer: Answer | None = None


class End(Enum):
    """How a child ended."""

    DONE = "done"
    LATE = "late"  # it was given up
    BROKEN = "broken"


@dataclass
class Answer:
    """What the children said."""

    devices: list[DeviceInfo] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)  # by kind of device: why torch sees none
    build: Build = field(default_factory=Build)

    def add(self, device: DeviceInfo) -> None:
        """Take a device down, once."""
        if all(device.name != other.name for other in self.devices):
            self.devices.append(device)


def probe(timeout: float = TIMEOUT) -> tuple[DeviceInfo, ...]:
    """Every device, the processor first; asked once. Takes a second or two: call it in the background.

    Args:
        timeout: seconds that torch may take to start, and a device to answer.
    """
    global _answer
    with _asking:
        if _answer is None:
            _answer = _ask(timeout)
        return (cpu(), *_answer.devices)


def known() -> tuple[DeviceInfo, ...]:
    """Every device where it has been asked for before, else only the processor. At once."""
    answer = _answer
    return (cpu(), *(answer.devices if answer is not None else ()))


def forget() -> None:
    """Ask again the next time: a card may have come, gone, or been freed."""
    global _answer
    with _asking:
        _answer = None


def absent(kind: str) -> str:
    """Why torch sees no device of a kind ("cuda"), where that is known; "" else."""
    return _answer.absent.get(kind, "") if _answer is not None else ""


def build() -> Build:
    """What torch was built for, and the driver, where that has been asked for; empty else."""
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
            raise InputError(f"The device {exact} ({device.title}) cannot be used: {device.verdict}")
    usable = ", ".join(d.name for d in found if d.usable)
    kind = exact.partition(":")[0]
    for device in found:
        if device.name in ("torch", kind):
            raise InputError(f"The device {exact} cannot be used: {device.verdict}; usable here: {usable}.")
    why = absent(kind)
    hidden = scope.remarks(os.environ, card=nvidia_card()) if kind == "cuda" else ()
    said = "; ".join(part.rstrip(".") for part in (why, *hidden) if part)
    raise InputError(
        f"There is no device {exact} that PyTorch can see{f': {said}' if said else ''}; usable here: {usable}."
    )


def _ask(timeout: float) -> Answer:
    """Try every device, with a new child after each that does not come back."""
    answer, skip = Answer(), list[str]()
    while len(skip) < MOST and (stuck := _one_child(answer, skip, timeout)) is not None:
        skip.append(stuck)
    return answer


def _one_child(answer: Answer, skip: list[str], timeout: float) -> str | None:
    """Let a child try what is not skipped, and take down what it says; the device that it did not come back from."""
    command = [sys.executable, "-P", "-m", "engine.devices", *skip]  # -P: nothing from the folder that one stands in
    with tempfile.TemporaryFile() as said:  # not a pipe, which a talkative library could fill
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said)
        except OSError as error:
            answer.add(_no_torch(f"{sys.executable}: {error.strerror or error}"))
            return None
        try:
            end, trying = _listen(answer, child, timeout)
        finally:
            with suppress(OSError):
                child.kill()
            with suppress(subprocess.TimeoutExpired):
                child.wait(5.0)  # a process that the driver holds fast is left behind
        said.seek(0)
        last = (said.read().decode(errors="replace").strip().splitlines() or ["no answer"])[-1]
    if end is End.DONE:
        return None
    if trying:
        answer.add(_stuck(trying, end, child.returncode or 0, last))
        return trying
    if end is End.LATE:
        problem = f"asking torch for its devices took over {timeout:.3g} s; check the driver with nvidia-smi"
        answer.add(DeviceInfo("torch", "PyTorch", False, problem, remedy="nvidia-smi"))
    else:
        answer.add(_no_torch(last))
    return None


def _listen(answer: Answer, child: subprocess.Popen[bytes], timeout: float) -> tuple[End, str]:
    """Take down what a child says; how it ended, and the device that it was trying then, or ""."""
    lines: SimpleQueue[bytes | None] = SimpleQueue()
    assert child.stdout is not None
    threading.Thread(target=_read, args=(child.stdout, lines), name="devices", daemon=True).start()
    trying, due = "", time.monotonic() + timeout
    while True:
        try:
            line = lines.get(timeout=max(0.0, due - time.monotonic()))
        except Empty:
            return End.LATE, trying
        if line is None:
            with suppress(subprocess.TimeoutExpired):
                child.wait(5.0)  # for its exit code
            return End.BROKEN, trying
        said = _parsed(line)
        if "absent" in said:
            answer.absent = said["absent"]
            answer.build = _built(said.get("build") or {})
        elif "trying" in said:
            trying, due = str(said["trying"]), time.monotonic() + TRIAL
        elif "found" in said:
            try:
                answer.add(DeviceInfo(**said["found"]))
            except TypeError:
                return End.BROKEN, trying  # an answer in a form that is not ours: as if it had not come
            trying, due = "", time.monotonic() + timeout
        elif "done" in said:
            return End.DONE, ""


def _built(facts: dict[str, Any]) -> Build:
    return Build(**facts | {"architectures": tuple(facts.get("architectures", ()))})


def _read(stream: IO[bytes], lines: SimpleQueue[bytes | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _parsed(line: bytes) -> dict[str, Any]:
    """What a line says; nothing where it is not ours, such as a library's remark."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stuck(name: str, end: End, code: int, last: str) -> DeviceInfo:
    """A device that a child did not come back from."""
    if end is End.LATE:
        problem = (
            f"it gave no answer in {TRIAL:.3g} s; check it with nvidia-smi, and restart the machine if that hangs too"
        )
        return DeviceInfo(name, _kind(name), False, problem, remedy="nvidia-smi")
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return DeviceInfo(name, _kind(name), False, f"trying it ended the process ({how}): {last}")


def _no_torch(last: str) -> DeviceInfo:
    return DeviceInfo("torch", "PyTorch", False, f"PyTorch does not start: {last}")


def _kind(name: str) -> str:
    return {"cuda": "NVIDIA card", "mps": "Apple GPU"}.get(name.partition(":")[0], "device")
