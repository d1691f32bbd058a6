"""tmux: which version, and the settings of it that a full-screen program feels."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

SLOW = 50  # milliseconds that Esc may hang before it is felt
OPTIONS = {"set-clipboard": "-sv", "escape-time": "-sv", "default-terminal": "-gv", "focus-events": "-sv"}


@dataclass(frozen=True)
class Tmux:
    """The tmux that the process runs in."""

    version: str  # "tmux 3.3a"; "tmux" where it does not say
    settings: dict[str, str] = field(default_factory=dict)
    features: frozenset[str] | None = None  # what it believes of the terminal outside; None where it does not say

    @property
    def clipboard(self) -> bool | None:
        """Whether it passes a program's OSC 52 on: with set-clipboard on, to a terminal that it believes can."""
        setting = self.settings.get("set-clipboard")
        if setting is None:
            return None
        return setting == "on" and (self.features is None or "clipboard" in self.features)


def look(environment: Mapping[str, str] | None = None) -> Tmux | None:
    """Ask tmux, where the process runs in it."""
    given = os.environ if environment is None else environment
    if not given.get("TMUX"):
        return None
    settings = {name: value for name, how in OPTIONS.items() if (value := _ask("show", how, name)) is not None}
    features = _ask("display", "-p", "#{client_termfeatures}")
    known = frozenset(features.split(",")) if features else None
    return Tmux(_ask("-V") or "tmux", settings, known)


def _ask(*words: str) -> str | None:
    try:
        answer = subprocess.run(
            ["tmux", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def fixes(seen: Tmux) -> list[str]:
    """What to mend, each with the command; the same lines, without `tmux`, in ~/.tmux.conf make it last."""
    found, settings = [], seen.settings
    if settings.get("set-clipboard", "on") != "on":
        found.append("tmux does not pass copied text on to your own machine's clipboard: tmux set -s set-clipboard on")
    elif seen.features is not None and "clipboard" not in seen.features:
        found.append(
            "tmux believes that your terminal has no clipboard; if it has: "
            "tmux set -as terminal-features ',*:clipboard'"
        )
    wait = settings.get("escape-time", "")
    if wait.isdigit() and int(wait) > SLOW:
        found.append(f"tmux holds Esc back for {wait} ms: tmux set -s escape-time 10")
    if settings.get("default-terminal", "").startswith("screen"):
        found.append(
            f"tmux calls itself {settings['default-terminal']}, with few colours: "
            "tmux set -g default-terminal tmux-256color"
        )
    if seen.features is not None and "RGB" not in seen.features:
        found.append(
            "tmux reduces colours to 256; if your terminal has them all: tmux set -as terminal-features ',*:RGB'"
        )
    number = re.search(r"(\d+)\.(\d+)", seen.version)
    if number and (int(number[1]), int(number[2])) < (3, 2):
        found.append(f"{seen.version} does not know its terminal's abilities, which 3.2 does: update tmux")
    return found
