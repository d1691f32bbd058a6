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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.base.errors import InputError
from engine.base.files import read_bytes
from engine.base.shell import quoted
from engine.runs import heartbeat, processes, sentences
from engine.runs.processes import Process

Verdict = Literal["alive", "dead", "unknown"]

LOCK = "lock"  # the folder in a run that its writer has made; in it a file by the name of the writer's token
UNFINISHED = ("running", "paused")  # the states of run.json that need a process
LIVING = ("running", "paused", "unknown")  # the states of a run that nobody else may touch
MOST = 1 << 14  # bytes of an owner's file
NOBODY = frozenset({"", "localhost", "localhost.localdomain"})  # names that many machines have
CONTAINER = re.compile(r"[0-9a-f]{12}")  # the names that container engines give: each only once
DAY = 86_400.0


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
        if self.state not in LIVING or not self.host or self.host == processes.host():
            return self.state
        return f"{self.state} ({self.host})" if self.state == "unknown" else f"{self.state} on {self.host}"

    def refusal(self, run: Path) -> str:
        """Why nobody else may have the run now, in a sentence; empty where anybody may."""
        pid = "" if self.pid is None else str(self.pid)
        if self.live:
            paused = sentences.PAUSED() if self.state == "paused" else ""
            if self.host and self.host != processes.host():
                return sentences.RUNNING_THERE(run=run.name, paused=paused, host=self.host, pid=pid)
            return sentences.RUNNING_HERE(run=run.name, paused=paused, pid=pid)
        if self.state == "unknown":
            where = sentences.ON_HOST(host=self.host, pid=pid) if self.host else sentences.SOMEWHERE()
            return sentences.MAYBE_RUNNING(run=run.name, where=where, quoted=quoted(run.name))
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
    if who is None or held.inode is None or who.host != processes.host():
        return False
    if not who.boot or who.boot != processes.boot():
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
    if said.host != processes.host():
        return "unknown"
    latest, began = _latest(run, facts), processes.began(pid)  # an earlier ravine wrote it, not when its process began
    if began is not None and latest is not None and began > latest + processes.SLACK:
        return "dead"
    return "alive" if processes.lives(pid, "") else "dead"


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
    known = bool(who.boot and processes.boot())
    if (known and who.boot == processes.boot()) or (not known and who.host == processes.host()):
        return _judge_here(who, beats, kept)
    if who.host == processes.host() and who.machine == processes.machine():
        if who.machine:
            return "dead"  # the machine has been started anew
        news = beats()
        if CONTAINER.fullmatch(who.host) or (news == "silent" and who.host not in NOBODY):
            return "dead"
        return "alive" if news == "fresh" else "unknown"
    return "alive" if beats() == "fresh" else "unknown"


def _judge_here(who: Process, beats: Callable[[], heartbeat.News], kept: Callable[[], bool | None]) -> Verdict:
    """The same of a process on this kernel."""
    here = who.host == processes.host()
    gone: Verdict = "dead" if here else "unknown"  # another name may be another machine after all
    if who.space == processes.space() or not who.space or not processes.space():
        lives = processes.lives(who.pid, who.started)
        if lives and not processes.look(who.pid)[1]:  # there is somebody of this number; since when cannot be read
            lives = kept() is not False
        return "alive" if lives else gone
    seen = kept()
    if seen is None:
        seen = processes.seen(who)
    if seen is not None:
        return "alive" if seen else gone
    if here and CONTAINER.fullmatch(who.host):
        return "dead"  # the container has been started anew
    return "alive" if beats() == "fresh" else "unknown"
