"""tmux: which version, and the settings of it that a full-screen program feels."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.doctor import sentences

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
        found.append(sentences.TMUX_NO_CLIPBOARD())
    elif seen.features is not None and "clipboard" not in seen.features:
        found.append(sentences.TMUX_CLIPBOARD_UNKNOWN())
    wait = settings.get("escape-time", "")
    if wait.isdigit() and int(wait) > SLOW:
        found.append(sentences.TMUX_ESCAPE(milliseconds=wait))
    if settings.get("default-terminal", "").startswith("screen"):
        found.append(sentences.TMUX_NAME(name=settings["default-terminal"]))
    if seen.features is not None and "RGB" not in seen.features:
        found.append(sentences.TMUX_COLOURS())
    number = re.search(r"(\d+)\.(\d+)", seen.version)
    if number and (int(number[1]), int(number[2])) < (3, 2):
        found.append(sentences.TMUX_OLD(version=seen.version))
    return found
