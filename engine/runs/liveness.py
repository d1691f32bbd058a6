"""Who writes a run, and whether that process still lives. Every question of this kind is answered here and in `lock`.

A process is known by host, boot, namespace of its number, number and start time, so that neither a number that was
given away again nor a container that was started anew is taken for it. Of a process on another host only the heartbeat
tells (see `engine.runs.heartbeat`); where that is silent nobody can know, and the run is in the state "unknown".
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from engine.base.errors import InputError
from engine.base.files import read_bytes
from engine.base.shell import quoted
from engine.runs import heartbeat
from engine.runs.facts import host

Verdict = Literal["alive", "dead", "unknown"]

LOCK = "lock"  # the folder in a run that its writer has made; in it a file by the name of the writer's token
UNFINISHED = ("running", "paused")  # the states of run.json that need a process
LIVING = ("running", "paused", "unknown")  # the states of a run that nobody else may touch
MOST = 1 << 14  # bytes of an owner's file
PROC = "/proc"
FIRST_SPACE = "pid:[4026531836]"  # the namespace from which all processes of a kernel can be seen
NOBODY = frozenset({"", "localhost", "localhost.localdomain"})  # names that many machines have
CONTAINER = re.compile(r"[0-9a-f]{12}")  # the names that container engines give: each only once
DAY = 86_400.0
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
    return Process(host(), pid, _machine(), _boot(), _space(), _own_start(pid))


@dataclass(frozen=True)
class Owner:
    """Whose lock a run has."""

    token: str
    process: Process | None  # None where its file cannot be read
    inode: tuple[int, int] | None = None  # device and number of the run's folder as its process sees it
    kept: bool = False  # whether its process keeps the file of its token locked too, for others on its kernel


@dataclass(frozen=True)
class Standing:
    """How a run stands, as far as can be told from here."""

    state: str  # running, paused, interrupted, unknown; or the word of run.json for a run that is over
    host: str = ""  # where its process is, or was
    pid: int | None = None

    @property
    def live(self) -> bool:
        """Whether a process has it."""
        return self.state in UNFINISHED

    @property
    def word(self) -> str:
        """Its state, with the host where that is another one."""
        if self.state not in LIVING or not self.host or self.host == host():
            return self.state
        return f"{self.state} ({self.host})" if self.state == "unknown" else f"{self.state} on {self.host}"

    def refusal(self, run: Path) -> str:
        """Why nobody else may have the run now, in a sentence; empty where anybody may."""
        number = f" (pid {self.pid})" if self.pid is not None else ""
        if self.live:
            paused = ", paused," if self.state == "paused" else ""
            if self.host and self.host != host():
                return f"The run {run.name} is still running{paused} on {self.host}{number}; stop it there first."
            return f"The run {run.name} is still running{paused} here{number}; stop it first."
        if self.state == "unknown":
            where = f"on {self.host}{number}" if self.host else "somewhere else"
            return (
                f"Whether the run {run.name} is still running {where} cannot be told from here; once you are sure that "
                f"it is not, take it over: ravine resume {quoted(run.name)} --take-over, or ravine runs prune "
                "--take-over."
            )
        return ""


def standing(run: Path, facts: Mapping[str, Any]) -> Standing:
    """How a run stands now.

    Args:
        run: its folder.
        facts: what its run.json says, or as much of it: `state`, `host`, `pid` and `process`.
    """
    said = str(facts.get("state") or "")
    name, pid = facts.get("host"), facts.get("pid")
    over = Standing(
        "interrupted" if said in UNFINISHED else said,
        name if isinstance(name, str) else "",
        pid if isinstance(pid, int) and not isinstance(pid, bool) else None,
    )
    found = owner(run)
    if found is None and said not in UNFINISHED:
        return over
    claims: list[tuple[Verdict, str, int | None]] = []
    if found is not None and found.process is not None:
        claims.append((of_owner(run, found), found.process.host, found.process.pid))
    if said in UNFINISHED:
        held = found if found is not None and not _copied(run, found) else None
        claims.append((_of_facts(run, facts, over, held), over.host, over.pid))
    if not claims:  # a lock that does not say whose it is
        return Standing("unknown", over.host, over.pid)
    for wanted in ("alive", "unknown"):
        for verdict, where, number in claims:
            if verdict == wanted:
                state = "unknown" if verdict == "unknown" else "paused" if said == "paused" else "running"
                return Standing(state, where, number)
    return over


def owner(run: Path) -> Owner | None:
    """Whose lock a run has; None where nobody's."""
    folder = run / LOCK
    try:
        tokens = [name for name in os.listdir(folder) if not name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Owner("", None)  # somebody's, who lets nobody look
    for token in tokens:
        try:
            content = json.loads(read_bytes(folder / token, MOST))
            node = content.get("folder")
            seen = (int(node[0]), int(node[1])) if isinstance(node, list) else None
            return Owner(token, Process.of(content.get("process")), seen, content.get("kept") is True)
        except FileNotFoundError:
            continue  # given back meanwhile
        except (InputError, ValueError, AttributeError, TypeError, LookupError, OverflowError, RecursionError):
            return Owner(token, None)
    return None


def of_owner(run: Path, held: Owner) -> Verdict:
    """Whether the process whose lock a run has still lives."""
    if held.process is None:
        return "unknown"
    if _copied(run, held):
        return "dead"
    return judge(held.process, lambda: heartbeat.news(run, held.token), lambda: _kept(run, held))


def _kept(run: Path, held: Owner) -> bool | None:
    """Whether somebody on this kernel keeps the file of a token locked; None where that cannot be told.

    The kernel ends such a lock with its process, in whatever container that was. It is no lock for the run: not every
    network disk has it.
    """
    if not held.kept:
        return None
    try:
        handle = os.open(run / LOCK / held.token, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(handle)
    return False


def _copied(run: Path, held: Owner) -> bool:
    """Whether a folder is a copy of one whose lock came along: as far as this host can tell."""
    who = held.process
    if who is None or held.inode is None or who.host != host() or not who.boot or who.boot != _boot():
        return False  # another host gives other numbers to devices, and some network disks to files
    try:
        seen = os.stat(run)
    except OSError:
        return False
    return seen.st_dev == held.inode[0] and seen.st_ino != held.inode[1]


def _of_facts(run: Path, facts: Mapping[str, Any], said: Standing, held: Owner | None) -> Verdict:
    """Whether the process that run.json names still lives."""
    pid = said.pid
    if pid is None or pid <= 0:
        return "dead"
    told = Process.of(facts.get("process"))
    if told is not None and told.host == said.host:
        if held is None:
            return "dead"  # it had a lock, and has given it back
        known = Process(told.host, pid, told.machine, told.boot, told.space, told.started)
        return judge(known, lambda: heartbeat.news(run, held.token), lambda: _kept(run, held))
    if not said.host:
        return "dead"
    if said.host != host():
        return "unknown"
    latest, began = _latest(run, facts), _began(pid)  # an earlier ravine wrote it, and not when its process began
    if began is not None and latest is not None and began > latest + SLACK:
        return "dead"
    return "alive" if _lives(pid, "") else "dead"


def _latest(run: Path, facts: Mapping[str, Any]) -> float | None:
    """When the process that wrote run.json had begun for certain, in seconds since 1970; None where nothing tells."""
    try:
        written = [os.stat(run / name).st_mtime for name in ("run.json", "recipe.toml") if (run / name).exists()]
    except OSError:
        written = []
    parts = facts.get("resumed")
    part = parts[-1] if isinstance(parts, list) and parts else None
    said = part.get("time") if isinstance(part, Mapping) else facts.get("created")
    if isinstance(said, bool) or not isinstance(said, int | float):
        return written[0] if written else None
    if not written:
        return float(said)
    # A time that has nothing to do with those of the files is that of another clock, or of a copy.
    return min(written[0], float(said)) if said > min(written) - DAY else written[0]


def judge(who: Process, beats: Callable[[], heartbeat.News], kept: Callable[[], bool | None] = lambda: None) -> Verdict:
    """Whether a process still lives.

    Args:
        beats: asks what its heartbeat says; called only where nothing else tells.
        kept: asks whether a process on this kernel keeps its token locked, or None; called only for another namespace.
    """
    known = bool(who.boot and _boot())
    if (known and who.boot == _boot()) or (not known and who.host == host()):
        return _judge_here(who, beats, kept)
    if who.host == host() and who.machine == _machine():
        if who.machine:
            return "dead"  # the machine has been started anew
        news = beats()
        if CONTAINER.fullmatch(who.host) or (news == "silent" and who.host not in NOBODY):
            return "dead"
        return "alive" if news == "fresh" else "unknown"
    return "alive" if beats() == "fresh" else "unknown"


def _judge_here(who: Process, beats: Callable[[], heartbeat.News], kept: Callable[[], bool | None]) -> Verdict:
    """The same of a process on this kernel."""
    gone: Verdict = "dead" if who.host == host() else "unknown"  # another name may be another machine after all
    if who.space == _space() or not who.space or not _space():
        lives = _lives(who.pid, who.started)
        if lives and not _look(who.pid)[1]:  # there is somebody of this number; since when cannot be read
            lives = kept() is not False
        return "alive" if lives else gone
    seen = kept()
    if seen is None:
        seen = _seen(who)
    if seen is not None:
        return "alive" if seen else gone
    if who.host == host() and CONTAINER.fullmatch(who.host):
        return "dead"  # the container has been started anew
    return "alive" if beats() == "fresh" else "unknown"


def _lives(pid: int, started: str) -> bool:
    """Whether a number is that of a process in this namespace that began at this time; zombies are dead."""
    if pid <= 0:
        return False  # a whole group, to the system
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # it lives, and belongs to somebody else
    state, now = _look(pid)
    return state != "Z" and not _differ(started, now)


def _differ(one: str, other: str) -> bool:
    """Whether two times of start are known and not the same."""
    try:
        (a, unit), (b, same) = one.split(), other.split()
        return unit == same and abs(float(a) - float(b)) > (SLACK if unit == "s" else 0)
    except ValueError:
        return False


def _look(pid: int) -> tuple[str, str]:
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


def _began(pid: int) -> float | None:
    """When a process began, in seconds since 1970; None where that cannot be read."""
    import psutil

    if os.path.isdir(f"{PROC}/self") and not _own_proc():
        return None
    try:
        return float(psutil.Process(pid).create_time())
    except (psutil.Error, OSError, ValueError, OverflowError):
        return None


def _seen(who: Process) -> bool | None:
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
    everything = _space() == FIRST_SPACE and _own_proc() and _read_stat("1")[1] != ""
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
def _machine() -> str:
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
def _boot() -> str:
    try:
        with open(f"{PROC}/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read(64).strip()
    except (OSError, ValueError):
        return ""


def _space() -> str:
    try:
        return os.readlink(f"{PROC}/self/ns/pid")
    except OSError:
        return ""


@cache
def _own_start(pid: int) -> str:
    """When this process began, and of a copy made by fork: hence the number."""
    found = _read_stat("self")[1]
    return found or _look(pid)[1]
