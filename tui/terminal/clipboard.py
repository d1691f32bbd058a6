"""Copying: to the clipboard of the terminal (OSC 52), and to a file for terminals that keep programs from it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tui.terminal import sentences
from tui.terminal.terminal import keep_copy


def kept(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Write a copied text to a file too, and say where it is and why it may not be in the clipboard. In a thread."""
    path = keep_copy(text)
    return "\n".join(filter(None, [_place(path), hint(environment)]))


def _place(path: Path | None) -> str:
    return sentences.ALSO_IN(path=path) if path is not None else sentences.NOT_IN_FILE()


def hint(environment: Mapping[str, str]) -> str:
    """Why a copied text does not reach the person's own machine, and what to do; empty where nothing is known of it."""
    from engine.doctor import tmux

    seen = tmux.look(environment)
    if seen is not None and seen.clipboard is False:
        return tmux.fixes(seen)[0]
    if seen is None and environment.get("STY"):
        return sentences.GNU_SCREEN()
    return ""
