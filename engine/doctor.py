"""A look at the machine: what there is, and what to fix."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from engine.devices import DeviceInfo, probe
from engine.runs.folder import versions


@dataclass(frozen=True)
class Terminal:
    """What the terminal says of itself."""

    name: str
    columns: int
    rows: int
    colours: str
    unicode: bool
    tmux: str
    interactive: bool


@dataclass(frozen=True)
class Report:
    """Everything that was found, and what to do about it."""

    versions: dict[str, str]
    devices: tuple[DeviceInfo, ...]
    terminal: Terminal
    fixes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)

    def to_text(self) -> str:
        """For reading."""
        seen = self.terminal
        lines = ["versions   " + "  ".join(f"{name} {number}" for name, number in self.versions.items())]
        for device in self.devices:
            memory = f"  {device.memory / 2**30:.0f} GiB, {device.free / 2**30:.0f} free" if device.memory else ""
            lines.append(f"device     {device.name:8} {device.title}{memory}: {device.verdict}")
        size = f"{seen.columns}x{seen.rows}"
        script = "Unicode" if seen.unicode else "ASCII only"
        where = f", {seen.tmux}" if seen.tmux else ""
        lines.append(f"terminal   {seen.name} {size}, {seen.colours}, {script}{where}")
        lines += [f"fix        {fix}" for fix in self.fixes] or ["           nothing to fix"]
        return "\n".join(lines)


def examine() -> Report:
    """Look at everything. Takes a few seconds: the devices are tried."""
    devices, terminal = probe(), _terminal()
    fixes = [f"{device.name} ({device.title}): {device.verdict}" for device in devices if not device.usable]
    if not terminal.unicode:
        fixes.append("The locale is not UTF-8, so curves cannot be drawn in braille: export LANG=C.UTF-8")
    if terminal.interactive and (terminal.columns < 80 or terminal.rows < 24):
        fixes.append("The terminal is smaller than 80x24: enlarge it to see the whole trainer")
    if terminal.name == "dumb":
        fixes.append("TERM is dumb, so nothing full-screen can be drawn: use `ravine train`, or set TERM")
    return Report(versions(), devices, terminal, tuple(fixes))


def _terminal() -> Terminal:
    size = shutil.get_terminal_size()
    name = os.environ.get("TERM", "unknown")
    deep = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    colours = "true colour" if deep else "256 colours" if "256" in name else "16 colours"
    if os.environ.get("NO_COLOR"):
        colours = "no colour (NO_COLOR is set)"
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    tmux = ""
    if os.environ.get("TMUX"):
        try:
            tmux = subprocess.run(["tmux", "-V"], capture_output=True, text=True, timeout=2, check=True).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            tmux = "tmux"  # it is there, though it does not say its version
    return Terminal(name, size.columns, size.lines, colours, encoding == "utf8", tmux, sys.stdin.isatty())
