"""What is gone on with from the list of runs: a run onto the train screen, a run resumed, a run predicted with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.model.saved_run import CheckpointRead, RunRead, SavedRun, ask_to_resume
from tui.screens.runs.length_line import length_line
from tui.screens.runs.run_shown import RunShown
from tui.widgets.prompt import Ask

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from tui.screens.host import Host


class RunOpening:
    """Takes the run under the cursor to another screen, as soon as it has been read.

    Args:
        host: the app, whose screens are gone to.
        shown: the run under the cursor.
        tell: says in passing why that cannot be done.
        ask: opens the line on which something is typed.
        post: takes `CheckpointRead`, from any thread.
    """

    def __init__(
        self,
        host: Host,
        shown: RunShown,
        tell: Callable[[str], object],
        ask: Callable[[Ask], object],
        post: Callable[[Message], Any],
    ) -> None:
        self._host, self._shown, self._tell, self._ask, self._post = host, shown, tell, ask, post
        self._waiting: Path | None = None  # it is shown on the train screen when it has been read

    def forget(self) -> None:
        """The cursor is on another run: what was to be opened is left."""
        self._waiting = None

    def open(self, run: RunInfo) -> None:
        """Its choices into the panels, its curve onto the train screen."""
        if self._shown.kept is not None and self._shown.path == run.path:
            self._show(self._shown.kept)
        elif self._shown.problem:
            self._tell(self._shown.problem)
        else:
            self._waiting = run.path

    def read(self, message: RunRead) -> None:
        """A run has been read, perhaps the one that is waited for."""
        if self._waiting == message.path and message.kept is not None:
            self._show(message.kept)
        self._waiting = None

    def _show(self, kept: SavedRun) -> None:
        if self._host.workspace is not None:
            self._host.workspace.show_kept(kept)
            self._host.action_go("train")

    def resume(self, run: Path) -> None:
        """Read its checkpoint, to go on with it where it stood."""
        ask_to_resume(run, self._post)

    def resumed(self, message: CheckpointRead) -> None:
        """The checkpoint has been read: go on."""
        workspace = self._host.workspace
        if workspace is None:
            return
        if message.found is not None:
            workspace.resume(message.found)
            self._host.action_go("train")
            return
        self._tell(message.problem)
        run = message.path
        if message.more and self._shown.path == run:
            self._ask(length_line(run.name, message.more, lambda length: ask_to_resume(run, self._post, **length)))

    def predict(self, run: Path) -> None:
        """To the predict screen, with its model."""
        self._host.predict_with(run)
