"""What a step takes on each device of this machine, measured once with our own kernels and kept in a cache folder.

`python -m engine.learn.speeds NAME …` measures in a child process, since a device that hangs must not hold anybody up.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path

from engine.base import children
from engine.base.errors import InputError
from engine.base.files import read_text, write_text
from engine.base.versions import version
from engine.data.prepare import prepare
from engine.data.sources import load
from engine.devices import DeviceInfo
from engine.learn.kernels.choose import choose, open_kernel
from engine.learn.plan import Plan, make_architecture, make_facts, make_plan
from engine.recipe import build
from engine.registry.families import NETWORK
from engine.registry.rules import ADAM

SIZES = (("16", 32), ("64,64", 256), ("256,256", 1024), ("1024,1024", 2048))  # hidden units and rows of a batch
FEATURES = 16
LONG = 0.1  # seconds that a measurement takes at least
REPEATS = 3  # of which the shortest counts: others may have been disturbed
PATIENCE = 300.0  # seconds for all of them


@dataclass(frozen=True)
class Speed:
    """What a step takes on one device: `seconds[i]` for one of `work[i]` multiplications, both rising."""

    device: str
    title: str
    work: tuple[float, ...]
    seconds: tuple[float, ...]

    def step(self, work: float) -> float:
        """Seconds of a step of so many multiplications: between measurements by powers, beyond them in proportion."""
        if work <= self.work[0]:
            return self.seconds[0]
        if work >= self.work[-1]:
            return self.seconds[-1] * work / self.work[-1]
        after = next(i for i, known in enumerate(self.work) if known >= work)
        low, high = self.work[after - 1], self.work[after]
        share = (log(work) - log(low)) / (log(high) - log(low))
        return exp((1 - share) * log(self.seconds[after - 1]) + share * log(self.seconds[after]))


def work(plan: Plan) -> float:
    """Multiplications of a step, forwards and backwards; 0 for a module of one's own, which tells nothing of itself."""
    shape = plan.architecture
    if shape.own:
        return 0.0
    return 3.0 * plan.batch * sum(sizes[0] * sizes[1] for _, sizes in shape.layout() if len(sizes) == 2)


def recall() -> tuple[Speed, ...]:
    """What was measured before on these devices with this torch; () where nothing was."""
    try:
        content = json.loads(read_text(_path()))
        return tuple(Speed(s["device"], s["title"], tuple(s["work"]), tuple(s["seconds"])) for s in content["speeds"])
    except (OSError, InputError, ValueError, KeyError, TypeError, RecursionError):
        return ()


def current(devices: Sequence[DeviceInfo]) -> bool:
    """Whether what was measured before is of just these devices."""
    usable = {(d.name, d.title) for d in devices if d.usable}
    return usable == {(speed.device, speed.title) for speed in recall()}


def measure(devices: Sequence[DeviceInfo]) -> tuple[Speed, ...]:
    """Measure in a child process and keep the result; () where there is nothing to choose between, or it fails.

    Takes about ten seconds: call it in the background, while nothing trains.
    """
    usable = [device for device in devices if device.usable]
    if len(usable) < 2:
        return ()
    command = children.command("engine.learn.speeds", *(device.name for device in usable))
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
            text=True,
            env=children.environment(),
        )
        found = json.loads(answer.stdout.strip().splitlines()[-1])
        titles = {device.name: device.title for device in usable}
        speeds = tuple(
            Speed(name, titles[name], tuple(amounts), tuple(seconds)) for name, (amounts, seconds) in found.items()
        )
        path = _path()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps({"speeds": [asdict(speed) for speed in speeds]}))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, IndexError):
        return ()
    return speeds


def clock(device: str) -> tuple[list[float], list[float]]:
    """Work and seconds of a step of every size on a device. Runs in the child process."""
    amounts, seconds = [], []
    for hidden, batch in SIZES:
        recipe = build(
            {
                "dataset": f"linear:rows={4 * batch},features={FEATURES},condition=1",
                "model": NETWORK.name,
                "hidden": hidden,
                "batch_size": str(batch),
                "optimizer": ADAM.name,
                "val": "0",
                "steps": str(10**9),
                "device": device,
            }
        )
        prepared = prepare(recipe.data, recipe.normalization, load(recipe.data))
        facts = make_facts(recipe, prepared, *make_architecture(recipe, prepared))
        plan = choose(recipe, make_plan(recipe, prepared, facts, device), facts)
        kernel = open_kernel(plan, prepared, facts)
        kernel.advance(5)  # compiles, records, fills caches
        steps, took = 1, 0.0
        while took < LONG:
            steps = max(2 * steps, int(steps * 1.2 * LONG / took) if took else 0)
            took = _timed(kernel.advance, steps)
        took = min(took, *(_timed(kernel.advance, steps) for _ in range(REPEATS - 1)))
        amounts.append(work(plan))
        seconds.append(took / steps)
    return amounts, seconds


def _timed(advance: Callable[[int], object], steps: int) -> float:
    began = time.perf_counter()
    advance(steps)
    return time.perf_counter() - began


def _path() -> Path:
    """Where the measurements lie: by the version of torch, and of what is measured."""
    from platformdirs import user_cache_path

    key = hashlib.sha256(f"{version('torch')} {SIZES} {sys.version_info[:2]}".encode()).hexdigest()[:12]
    return user_cache_path("ravine", appauthor=False) / f"speeds-{key}.json"


def main(names: Sequence[str]) -> None:
    """The child process: one object with the figures of every device that came through."""
    found = {}
    for name in names:
        try:
            found[name] = clock(name)
        except (InputError, RuntimeError):
            continue  # a device that fails at training is not recommended
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
