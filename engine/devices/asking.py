"""Putting the question for devices to torch, in a child process.

Asking torch means importing it, which holds the interpreter for a second, and a driver that misbehaves can hang or
abort: so a child is asked. A device that hangs it or ends it is named, and another child tries the others. A device
counts as usable only after a real kernel has run on it and its result has been read back.
"""

from __future__ import annotations

import json
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

from engine.base import children
from engine.devices import sentences
from engine.devices.info import DeviceInfo
from engine.devices.remedies import Build

TRIAL = 30.0  # seconds for one device; the first kernel of a process loads some 100 MB of code onto a GPU
MOST = 32  # children, one more for every device that hangs or ends one


class End(Enum):
    """How a child ended."""

    DONE = "done"
    LATE = "late"  # it was given up
    BROKEN = "broken"


@dataclass
class DeviceAnswers:
    """What the children said."""

    devices: list[DeviceInfo] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)  # by kind of device: why torch sees none
    build: Build = field(default_factory=Build)

    def add(self, device: DeviceInfo) -> None:
        """Take a device down, once."""
        if all(device.name != other.name for other in self.devices):
            self.devices.append(device)


def ask(timeout: float) -> DeviceAnswers:
    """Try every device, with a new child after each that does not come back."""
    answer, skip = DeviceAnswers(), list[str]()
    while len(skip) < MOST and (stuck := _one_child(answer, skip, timeout)) is not None:
        skip.append(stuck)
    return answer


def _one_child(answer: DeviceAnswers, skip: list[str], timeout: float) -> str | None:
    """Let a child try what is not skipped, and take down what it says; the device that it did not come back from."""
    command = children.command("engine.devices", *skip)
    with tempfile.TemporaryFile() as said:  # not a pipe, which a talkative library could fill
        try:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=children.environment()
            )
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
        last = (said.read().decode(errors="replace").strip().splitlines() or [sentences.NO_ANSWER()])[-1]
    if end is End.DONE:
        return None
    if trying:
        answer.add(_stuck(trying, end, child.returncode or 0, last))
        return trying
    if end is End.LATE:
        problem = sentences.LISTING_TIMED_OUT(seconds=timeout)
        answer.add(DeviceInfo("torch", "PyTorch", False, problem, remedy="nvidia-smi"))
    else:
        answer.add(_no_torch(last))
    return None


def _listen(answer: DeviceAnswers, child: subprocess.Popen[bytes], timeout: float) -> tuple[End, str]:
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
        problem = sentences.TRIAL_TIMED_OUT(seconds=TRIAL)
        return DeviceInfo(name, _kind(name), False, problem, remedy="nvidia-smi")
    how = signal.Signals(-code).name if code < 0 else sentences.EXIT_CODE(code=code)
    return DeviceInfo(name, _kind(name), False, sentences.TRIAL_CRASHED(how=how, said=last))


def _no_torch(last: str) -> DeviceInfo:
    return DeviceInfo("torch", "PyTorch", False, sentences.NO_TORCH(said=last))


def _kind(name: str) -> str:
    return {"cuda": sentences.NVIDIA_GPU(), "mps": sentences.APPLE_GPU()}.get(name.partition(":")[0], "device")
