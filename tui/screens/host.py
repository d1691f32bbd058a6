"""What the screens of the trainer ask of the app, so that they need not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.base.errors import Untrusted
    from engine.runs.store import Lister
    from tui.keys.keymap import KeyTable
    from tui.keys.situation import Situation
    from tui.model.journal import Journal
    from tui.model.workspace import Workspace
    from tui.terminal.writer import TerminalWriter


class OnScreen(Protocol):
    """What a screen shows, as far as it decides about the keys."""

    @property
    def has_rows(self) -> bool: ...
    @property
    def views(self) -> int: ...
    @property
    def run_path(self) -> Path | None: ...


class TerminalHost(Protocol):
    """What both apps have: their keys, and the line to the terminal, where there is one."""

    @property
    def key_table(self) -> KeyTable: ...
    @property
    def link(self) -> TerminalWriter | None: ...


class Consent(Protocol):
    """Asks whether code may run; see `tui.app.trusting`."""

    def ask(self, error: Untrusted, allowed: Callable[[], object], *, once: bool = False) -> None: ...
    def follow(self) -> None: ...
    def forget(self) -> None: ...


class Host(Protocol):
    """The part of `tui.app.app.RavineApp` that its screens use beside what every app of ours has."""

    liking: dict[str, Any]  # how charts and lists are looked at: plain data, kept for the next time

    @property
    def workspace(self) -> Workspace | None: ...  # None until the engine's recipe is there
    @property
    def trusting(self) -> Consent: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def lister(self) -> Lister | None: ...
    def situation(self, screen: OnScreen) -> Situation: ...
    def predict_with(self, run: Path) -> None: ...
    def action_go(self, where: str) -> None: ...
    async def action_back(self) -> None: ...
