"""What the screens of the trainer ask of the app, so that they need not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from engine.runs.store import Lister
    from tui.app.journal import Journal
    from tui.keys.table import Situation
    from tui.model.trusting import Trusting
    from tui.model.workspace import Desk
    from tui.screens.base import RavineScreen


class Host(Protocol):
    """The part of `tui.app.app.RavineApp` that its screens use beside what every app of ours has."""

    liking: dict[str, Any]  # how charts and lists are looked at: plain data, kept for the next time

    @property
    def desk(self) -> Desk | None: ...  # None until the engine's recipe is there
    @property
    def trusting(self) -> Trusting: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def lister(self) -> Lister | None: ...
    def situation(self, screen: RavineScreen) -> Situation: ...
    def predict_with(self, run: Path) -> None: ...
    def action_go(self, where: str) -> None: ...
    async def action_back(self) -> None: ...
