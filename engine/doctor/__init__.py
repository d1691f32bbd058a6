"""A look at the machine: what there is, and what to mend.

terminal   colours, Unicode, whole frames, clipboard
tmux       its version and the settings that are felt
machine    versions, BLAS, disk, compiled code
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.base.printable import printable
from engine.devices import DeviceInfo, build, host, probe, scope
from engine.devices.remedies import Build
from engine.doctor import machine, sentences, terminal, tmux
from engine.doctor.machine import Blas, LiveRun, Place
from engine.doctor.terminal import Terminal
from engine.learn.speeds import Speed, current, measure, recall


@dataclass(frozen=True)
class Report:
    """Everything that was found, and what to do about it."""

    versions: dict[str, str]
    devices: tuple[DeviceInfo, ...]
    terminal: Terminal
    fixes: tuple[str, ...]
    torch: Build = field(default_factory=Build)  # what torch was built for, and the driver
    surroundings: tuple[str, ...] = ()  # what hides devices: CUDA_VISIBLE_DEVICES, Slurm
    telemetry: str = ""
    speeds: tuple[Speed, ...] = ()  # what a step takes on each device; () where there is but one
    blas: tuple[Blas, ...] = ()
    runs: Place = field(default_factory=lambda: Place("", 0, True))
    compiled: Place = field(default_factory=lambda: Place("", 0, True))
    live: tuple[LiveRun, ...] = ()  # runs of the folder that have a process, or may have one

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)

    def to_text(self) -> str:
        """For reading."""
        lines = [_line("versions", "  ".join(f"{name} {number}" for name, number in self.versions.items()))]
        if self.torch.version:
            cuda: str = f"CUDA {self.torch.cuda}" if self.torch.cuda else sentences.NO_CUDA()
            parts = [sentences.PYTORCH(version=self.torch.version, cuda=cuda)]
            if self.torch.architectures:
                parts.append(sentences.BUILT_FOR(architectures=" ".join(self.torch.architectures)))
            if self.torch.driver:
                parts.append(sentences.DRIVER(version=self.torch.driver))
            lines.append(_line("build", ", ".join(parts)))
        for device in self.devices:
            lines += self._device(device)
        lines += [_line("", sentence) for sentence in self.surroundings]
        lines.append(_line("telemetry", self.telemetry))
        for speed in self.speeds:
            pairs = zip(speed.work, speed.seconds, strict=True)
            times = [sentences.STEP_TIME(milliseconds=step * 1e3, millions=amount / 1e6) for amount, step in pairs]
            lines.append(_line("speed", sentences.SPEED(device=speed.device, times=times)))
        lines += self._terminal()
        for library in self.blas:
            words = sentences.BLAS(
                name=library.name,
                version=library.version,
                threads=library.threads,
                architecture=library.architecture,
            )
            lines.append(_line("blas", words))
        for name, spot in (("runs", self.runs), ("compiled", self.compiled)):
            state = "" if spot.writable else sentences.NOT_WRITABLE()
            lines.append(_line(name, sentences.PLACE(path=spot.path, gigabytes=spot.free / 1e9, state=state)))
        for run in self.live:
            pid = "" if run.pid is None else str(run.pid)
            lines.append(_line("run", sentences.RUN(run=run.run, state=run.word, pid=pid)))
        lines += [_line("fix", fix) for fix in self.fixes] or [_line("", sentences.NO_PROBLEMS())]
        return "\n".join(lines)

    def _device(self, device: DeviceInfo) -> list[str]:
        memory = ""
        if device.memory:
            memory = sentences.MEMORY(total=device.memory / 2**30, free=device.free / 2**30)
        lines = [_line("device", f"{device.name:8} {device.title}{memory}: {device.verdict}")]
        if device.usable:
            short = [f"{name} {state}" for name, state in (("bf16", device.bf16), ("fp16", device.fp16))]
            wide = "float64" if device.float64 else sentences.NO_FLOAT64()
            facts = [device.capability, wide, *(words for words in short if not words.endswith("unknown"))]
            lines.append(_line("", f"{'':8} {', '.join(filter(None, facts))}"))
        if device.note:
            lines.append(_line("", f"{'':8} {device.note}"))
        return lines

    def _terminal(self) -> list[str]:
        seen = self.terminal
        script = "Unicode" if seen.unicode else sentences.ASCII_ONLY()
        words = [f"{seen.name} {seen.columns}x{seen.rows}", seen.colours, script]
        if seen.program:
            words.insert(1, seen.program)
        for name, known in ((sentences.WHOLE_FRAMES(), seen.synchronized), ("clipboard", seen.clipboard)):
            words.append(f"{name} {'unknown' if known is None else 'yes' if known else 'no'}")
        words += [
            sentences.LOCALE(name=seen.locale or sentences.NOT_SET()),
            *([sentences.OVER_SSH()] if seen.remote else []),
        ]
        lines = [_line("terminal", ", ".join(words))]
        if seen.tmux:
            settings = "  ".join(f"{name} {value}" for name, value in seen.tmux_settings.items())
            lines.append(_line("tmux", f"{seen.tmux.removeprefix('tmux ')}  {settings}".rstrip()))
        return lines


def _line(name: str, text: str) -> str:
    return printable(f"{name:<10} {text}".rstrip())


def examine(runs: Path = Path("./runs")) -> Report:
    """Look at everything. Takes a few seconds, as the devices are tried, and ten more when they are measured at first.

    Args:
        runs: the folder that runs are kept in.
    """
    devices, seen, inside = probe(), terminal.look(), tmux.look()
    numbers, disk, loops = machine.versions(), machine.place(runs), machine.compiled()
    going = machine.live(runs)
    fixes = [f"{device.name} ({device.title}): {device.verdict}" for device in devices if not device.usable]
    fixes += terminal.fixes(seen)
    fixes += tmux.fixes(inside) if inside is not None else []
    fixes += machine.fixes(disk, loops, numbers, going)
    return Report(
        versions=numbers,
        devices=devices,
        terminal=seen,
        fixes=tuple(fixes),
        torch=build(),
        surroundings=scope.remarks(os.environ, gpu=host.nvidia_gpu()),
        telemetry=machine.telemetry(),
        speeds=recall() if current(devices) else measure(devices),
        blas=machine.blas(),
        runs=disk,
        compiled=loops,
        live=going,
    )
