"""Driving the cases: forked workers that have imported everything, a watch over each operation, and a report."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psutil

PATIENCE = 60.0  # seconds that an operation may take on a busy machine; each takes well below one on an idle one
SLOW = 10.0  # seconds of processor time from which on an operation counts as hanging
MEMORY = 800 * 2**20  # bytes that an operation may take beside what the process has; every file is below 100 kB
ROOM = 6 * 2**30  # bytes of addresses beside those that importing takes
TOLD = 30.0  # seconds between two words on how far it is
CASES = 250  # that a worker goes through before a fresh one takes its place


@dataclass(frozen=True)
class Failure:
    """What went wrong with a case: in which operation, and how."""

    number: int
    kind: str
    operation: str
    how: str  # traceback, hang, memory, crash
    words: str


@dataclass
class Report:
    """What has been gone through."""

    files: int = 0
    operations: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    peak: int = 0  # bytes that the most demanding operation took
    slowest: tuple[float, str] = (0.0, "")


class Workers:
    """Forked processes that take case after case.

    Args:
        folder: holds the originals, the cases and what is kept of failures.
        seed: of all cases.
        numbers: of the cases to go through.
    """

    def __init__(self, folder: Path, seed: int, numbers: range, count: int) -> None:
        self._folder, self._seed, self._numbers = folder, seed, numbers
        self._context = multiprocessing.get_context("fork")
        self._next = self._context.Value("q", 0)
        self._count = count
        self.report = Report()

    def run(self, seconds: float | None = None) -> Report:
        """Go through all cases, or until so many seconds have passed."""
        began = time.monotonic()
        due = began + TOLD
        workers = [self._start() for _ in range(self._count)]
        while workers:
            if seconds is not None and time.monotonic() - began > seconds:
                self._next.value = len(self._numbers)
            for worker in list(workers):
                ended = not worker.process.is_alive()
                worker.take(self.report)
                if not ended:
                    worker.watch()
                    continue
                worker.close(self.report)
                workers.remove(worker)
                if self._next.value < len(self._numbers):
                    workers.append(self._start())
            if time.monotonic() > due:
                due += TOLD
                report = self.report
                sys.stderr.write(f"{report.files:,} files, {len(report.failures):,} failures, {due - began:,.0f} s\n")
            time.sleep(0.05)
        self.report.seconds = time.monotonic() - began
        return self.report

    def _start(self) -> Worker:
        return Worker(self._context, self._folder, self._seed, self._numbers, self._next)


class Worker:
    """One forked process, seen from outside."""

    def __init__(self, context: Any, folder: Path, seed: int, numbers: range, following: Any) -> None:
        self._heard, told = context.Pipe(duplex=False)
        self._at: tuple[int, str, str] | None = None  # the case, its kind, and the operation that it is in
        self._since = time.monotonic()
        self._stacks = folder / f"stacks-{time.monotonic_ns()}.txt"
        self._hangs = False
        self._told_at, self._busy = 0.0, 0.0  # when an operation began, and the processor time taken before it
        self.process = context.Process(
            target=_work, args=(told, folder, seed, numbers, following, self._stacks), daemon=True
        )
        self.process.start()
        told.close()

    def take(self, report: Report) -> None:
        """Take in what it has told."""
        with contextlib.suppress(EOFError, OSError):
            while self._heard.poll():
                what, *rest = self._heard.recv()
                self._since = time.monotonic()
                if what == "at":
                    self._at = (rest[0], rest[1], rest[2])
                    report.operations += rest[2] != "prepare"
                elif what == "failed":
                    report.failures.append(Failure(*rest))
                elif what == "done":
                    report.files += 1
                    report.kinds[rest[1]] += 1
                    self._at = None
                elif what == "took":
                    report.peak = max(report.peak, rest[1])
                    report.slowest = max(report.slowest, (rest[0], rest[2]))

    def watch(self) -> None:
        """End it where an operation takes too long."""
        if self._at is None or self._hangs:
            return
        with contextlib.suppress(psutil.Error):
            busy = sum(psutil.Process(self.process.pid).cpu_times()[:2])
            if self._told_at != self._since:
                self._told_at, self._busy = self._since, busy
        if time.monotonic() - self._since > PATIENCE or busy - self._busy > SLOW:
            self._hangs = True
            assert self.process.pid is not None
            os.kill(self.process.pid, signal.SIGUSR1)  # it writes down where it stands
            time.sleep(0.5)
            self.process.kill()

    def close(self, report: Report) -> None:
        """Tell of a death in the middle of a case."""
        self.process.join()
        if self._at is not None:
            stacks = self._stacks.read_text() if self._stacks.exists() else ""
            how, words = ("hang", stacks) if self._hangs else ("crash", f"exit code {self.process.exitcode}\n{stacks}")
            report.failures.append(Failure(*self._at, how, words))
            report.files += 1
        self._stacks.unlink(missing_ok=True)
        self._heard.close()


def _work(told: Any, folder: Path, seed: int, numbers: range, following: Any, stacks: Path) -> None:
    """The life of a worker."""
    from tests.faults.fuzzing.kinds import KINDS, operations, prepare

    file = stacks.open("w")
    faulthandler.enable(file)
    faulthandler.register(signal.SIGUSR1, file)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    room = _status("VmSize") + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for _ in range(CASES):
        with following.get_lock():
            place = following.value
            following.value += 1
        if place >= len(numbers):
            return
        number = numbers[place]
        random = Random(f"{seed}:{number}")
        kind = random.choices(KINDS, [one.weight for one in KINDS])[0]
        here = folder / f"case-{number}"
        told.send(("at", number, kind.name, "prepare"))
        shutil.rmtree(here, ignore_errors=True)
        try:
            case = prepare(folder / "originals", here, kind, random)
        except Exception:  # noqa: BLE001 - a fault of the fuzzer's own, which is told like any other
            told.send(("failed", number, kind.name, "prepare", "traceback", traceback.format_exc()))
            told.send(("done", number, kind.name))
            continue
        os.chdir(here)
        failed = False
        for each in operations(kind, random):
            told.send(("at", number, kind.name, each.__name__))
            how, words = _attempt(told, each, case)
            if how:
                failed = True
                told.send(("failed", number, kind.name, each.__name__, how, words))
        os.chdir(folder)
        shutil.rmtree(here, ignore_errors=True)
        if failed:  # the operations have changed it: make it once more
            random = Random(f"{seed}:{number}")
            kind = random.choices(KINDS, [one.weight for one in KINDS])[0]
            with contextlib.suppress(OSError):
                prepare(folder / "originals", folder / f"failed-{number}", kind, random)
        told.send(("done", number, kind.name))


def _attempt(told: Any, operation: Any, case: Any) -> tuple[str, str]:
    """How an operation failed, and the words for it; empty where it did not."""
    _forget_peak()
    before, began = _status("VmRSS"), time.process_time()
    try:
        operation(case)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - that is what is looked for
        return "traceback", traceback.format_exc()
    took, peak = time.process_time() - began, _status("VmHWM") - before
    told.send(("took", took, peak, f"{operation.__name__} of {case.folder.name}"))
    if took > SLOW:
        return "hang", f"it took {took:.0f} s of processor time"
    if peak > MEMORY:
        return "memory", f"it took {peak / 2**20:,.0f} MiB"
    return "", ""


def _status(name: str) -> int:
    """Bytes of this process's memory, by the name that /proc has for them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def import_everything() -> None:
    """What the operations import, once for all workers. Nothing of it starts threads that a fork would lose."""
    import numba  # noqa: F401
    import polars  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import torch

    import tui.charts.run_curves
    import tui.model.saved_run
    import tui.screens.checkpoints
    import tui.screens.runs.columns
    import tui.screens.runs.facts  # noqa: F401

    torch.set_num_threads(1)


def fuzz(
    folder: Path,
    *,
    seed: int = 0,
    files: int = 10_000,
    seconds: float | None = None,
    only: int | None = None,
    count: int = 2,
) -> Report:
    """Make so many files worse and try everything that reads them.

    Args:
        folder: an existing one; what failed is kept in it.
        only: the number of one case to go through alone.
    """
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "2")
    if not (folder / "originals" / "originals.json").exists():
        line = "import sys, pathlib; from tests.faults.fuzzing.originals import make; make(pathlib.Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", line, str(folder / "originals")], check=True)
    import_everything()
    numbers = range(only, only + 1) if only is not None else range(files)
    return Workers(folder, seed, numbers, 1 if only is not None else count).run(seconds)


def tell(report: Report, seed: int, folder: Path) -> str:
    """The report in lines; one for each way to fail, with a reproducer."""
    kinds = ", ".join(f"{name} {count:,}" for name, count in sorted(report.kinds.items()))
    lines = [
        f"{report.files:,} files, {report.operations:,} operations, {report.seconds:,.0f} s, seed {seed}",
        f"kinds: {kinds}",
        f"most memory: {report.peak / 2**20:,.0f} MiB; slowest: {report.slowest[0]:.1f} s, {report.slowest[1]}",
        f"failures: {json.dumps(Counter(one.how for one in report.failures))}",
    ]
    groups: dict[tuple[str, str], list[Failure]] = {}
    for one in report.failures:
        key = (one.how, _place(one.words))
        groups.setdefault(key, []).append(one)
    for (how, place), found in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        first = found[0]
        lines += [
            "",
            f"{len(found):,} x {how}: {first.operation} of {first.kind} ({place})",
            f"  again: python -m tests.faults fuzz --seed {seed} --only {first.number} --folder {folder}",
            f"  kept: {folder / f'failed-{first.number}'}",
            *(f"    {line}" for line in first.words.strip().splitlines()[-12:]),
        ]
    return "\n".join(lines)


def _place(words: str) -> str:
    """The last line of the program's own in a traceback, and the kind of the exception."""
    lines = words.strip().splitlines()
    own = [line.strip() for line in lines if "/engine/" in line or "/tui/" in line]
    last = lines[-1][:80] if lines else ""
    return f"{own[-1].split(', in ')[0].rpartition('/')[2] if own else ''} {last}".strip()
