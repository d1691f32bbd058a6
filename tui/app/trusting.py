"""Code that is not trusted yet: one question at a time, and whatever waits for the answer goes on after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

    from engine.base.errors import Untrusted


class ConsentQueue:
    """Asks the person, once for each file however many screens come upon it.

    Args:
        app: on which the question is shown.
    """

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._asked: Untrusted | None = None
        self._refused: object = None  # what a no was said to
        self._waiting: list[Callable[[], object]] = []  # what goes on after a yes

    def ask(self, error: Untrusted, allowed: Callable[[], object], *, once: bool = False) -> None:
        """Ask about some code; after a yes `allowed` is called.

        Args:
            once: not where a no was said since the person came to the screen, which asks for the code by itself.
        """
        from tui.screens.trust import TrustScreen

        if once and error.grants == self._refused:
            return
        self._waiting.append(allowed)
        if self._asked is None:
            self._asked = error
            self._app.push_screen(TrustScreen(error), self._answered)
        else:
            self.follow()

    def follow(self) -> None:
        """Show a question that waits on the screen to which the person has gone meanwhile."""
        from tui.screens.trust import TrustScreen

        if self._asked is not None and not any(isinstance(one, TrustScreen) for one in self._app.screen_stack):
            self._app.push_screen(TrustScreen(self._asked), self._answered)

    def forget(self) -> None:
        """The person goes to another screen, where a no is no longer the answer."""
        self._refused = None

    def _answered(self, allow: bool | None) -> None:
        error, self._asked = self._asked, None
        waiting, self._waiting = self._waiting, []
        from engine.modules import trust

        self._refused = None if allow or error is None else error.grants
        if allow and error is not None:
            trust.confirm(error)
            for allowed in waiting:
                allowed()
