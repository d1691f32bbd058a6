"""Timing by turns: whatever else the machine does slows all sides alike, so that ratios of one round hold."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

ROUNDS = 5
REST = 0.2  # seconds in which the thread pools of the task before go to sleep


def seconds(work: Callable[[], object], calls: int = 1) -> float:
    """How long a call takes: the mean of so many, for what is over in milliseconds."""
    begin = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - begin) / calls


def turns(tasks: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """What each task gives (its time, for one and the same amount of work), round after round, one after the other."""
    for task in tasks.values():
        task()  # once, for caches of every kind
    found: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            time.sleep(REST)
            found[name].append(task())
    return found


def ratio(theirs: list[float], ours: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(theirs, ours, strict=True))


def against(times: Mapping[str, list[float]], ours: str, gates: Mapping[str, float | None]) -> dict[str, Any]:
    """How many times as fast one task is as others, and what it must reach."""
    found: dict[str, Any] = {}
    for peer, gate in gates.items():
        times_faster = ratio(times[peer], times[ours])
        found[f"{ours} / {peer}"] = {"times": times_faster}
        if gate is not None:
            found[f"{ours} / {peer}"] |= {"must reach": gate, "reached": times_faster >= gate}
    return found


def microseconds(times: Mapping[str, list[float]], steps: int) -> dict[str, float]:
    """Medians for one step."""
    return {f"{name} (µs a step)": statistics.median(values) / steps * 1e6 for name, values in times.items()}


def machine() -> str:
    """What it ran on, in words."""
    from engine.devices import cpu

    words = [cpu().title]
    if hasattr(os, "getloadavg"):
        words.append(f"load {os.getloadavg()[0]:.1f}")
    words += [f"{name}={os.environ[name]}" for name in ("OPENBLAS_CORETYPE", "OMP_NUM_THREADS") if name in os.environ]
    return ", ".join(words)
