"""Which process it is, and whether there is one of that number and start on this kernel."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from engine.base.errors import InputError
from engine.base.files import read_bytes
from engine.runs.facts import host as host

MOST = 1 << 14  # bytes of the file with a machine's number
PROC = "/proc"
FIRST_SPACE = "pid:[4026531836]"  # the namespace from which all processes of a kernel can be seen
SLACK = 2.0  # seconds that clocks of one machine may be apart


@dataclass(frozen=True)
class Process:
    """Which process it is. What is not known is empty."""

    host: str  # the name of the machine, or of the container
    pid: int
    machine: str = ""  # a hash of the machine's id: other machines may have the same name
    boot: str = ""  # of the kernel: another one each time that it starts
    space: str = ""  # the namespace that the number is of
    started: str = ""  # "1234 ticks" since the boot, or "1700000000.5 s" since 1970

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def of(cls, data: Any) -> Process | None:
        """From plain data; None where it says too little."""
        if not isinstance(data, Mapping):
            return None
        name, pid = data.get("host"), data.get("pid")
        if not isinstance(name, str) or isinstance(pid, bool) or not isinstance(pid, int):
            return None
        rest = {key: data.get(key) for key in ("machine", "boot", "space", "started")}
        return cls(name, pid, **{key: value for key, value in rest.items() if isinstance(value, str)})


def own() -> Process:
    """This process."""
    pid = os.getpid()
    return Process(host(), pid, machine(), boot(), space(), own_start(pid))


def lives(pid: int, started: str) -> bool:
    """Whether a number is that of a process in this namespace that began at this time; zombies are dead."""
    if pid <= 0:
        return False  # a whole group, to the system
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it lives, and belongs to somebody else
    state, now = look(pid)
    return state != "Z" and not _differ(started, now)


def _differ(one: str, other: str) -> bool:
    """Whether two times of start are known and not the same."""
    try:
        (a, unit), (b, same) = one.split(), other.split()
        return unit == same and abs(float(a) - float(b)) > (SLACK if unit == "s" else 0)
    except ValueError:
        return False


def look(pid: int) -> tuple[str, str]:
    """A process's state in a letter, and when it began; empty where that cannot be read."""
    if os.path.isdir(f"{PROC}/self"):
        return _read_stat(str(pid)) if _own_proc() else ("", "")
    import psutil

    try:
        process = psutil.Process(pid)
        return "Z" if process.status() == psutil.STATUS_ZOMBIE else "", f"{process.create_time():.3f} s"
    except (psutil.Error, OSError):
        return "", ""


def _read_stat(name: str) -> tuple[str, str]:
    try:
        with open(f"{PROC}/{name}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return fields[0].decode(), f"{int(fields[19])} ticks"
    except (OSError, ValueError, IndexError):
        return "", ""


def began(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None where that cannot be read."""
    import psutil

    if os.path.isdir(f"{PROC}/self") and not _own_proc():
        return None
    try:
        return float(psutil.Process(pid).create_time())
    except (psutil.Error, OSError, ValueError, OverflowError):
        return None


def seen(who: Process) -> bool | None:
    """Whether a process of another namespace of this kernel lives; None where it may be out of sight."""
    if not who.started.endswith("ticks") or not os.path.isdir(f"{PROC}/self"):
        return None
    try:
        numbers = [name for name in os.listdir(PROC) if name.isdigit()]
    except OSError:
        return None
    for number in numbers:
        state, began = _read_stat(number)
        if began == who.started and state != "Z" and _inner(number) == who.pid:
            return True
    everything = space() == FIRST_SPACE and _own_proc() and _read_stat("1")[1] != ""
    return False if everything else None


def _inner(number: str) -> int | None:
    """The number of a process in its own namespace."""
    try:
        with open(f"{PROC}/{number}/status", "rb") as file:
            line = next((line for line in file if line.startswith(b"NSpid:")), b"")
        return int(line.split()[-1])
    except (OSError, ValueError, IndexError):
        return None


def _own_proc() -> bool:
    """Whether /proc counts as this process does; in a namespace of its own it may be that of another."""
    try:
        return os.readlink(f"{PROC}/self") == str(os.getpid())
    except OSError:
        return False


@cache
def machine() -> str:
    """Return a hash of the id of this machine; "" where it has none."""
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            text = read_bytes(file, MOST).strip()
        except (FileNotFoundError, InputError):
            continue
        if len(text) == 32:
            from hashlib import sha256

            # It is to be kept from others, says machine-id(5), so only a hash of it is told.
            return sha256(b"ravine " + text).hexdigest()[:16]
    return ""


@cache
def boot() -> str:
    """Return the id of this start of the kernel; "" where there is none."""
    try:
        with open(f"{PROC}/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except (OSError, ValueError):
        return ""


def space() -> str:
    """Return the namespace of this process's number; "" where there is none."""
    try:
        return os.readlink(f"{PROC}/self/ns/pid")
    except OSError:
        return ""


@cache
def own_start(pid: int) -> str:
    """When this process began, and of a copy made by fork: hence the number."""
    found = _read_stat("self")[1]
    return found or look(pid)[1]
