"""A pane over the screen: something is asked, or told in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.screen import ModalScreen

from tui.widgets.cells import Cells

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer], Generic[Answer]):
    """One pane in the middle, as large as it wants to be and as there is room for; the screen behind it is dimmed.

    Args:
        pane: what is shown; it has the focus, where it can have it.
        widest: cells, borders included.
        lines: how many lines the pane fills at so many cells, without its borders.
    """

    def __init__(self, pane: Cells, widest: int, lines: Callable[[int], int]) -> None:
        super().__init__()
        self.pane = pane
        self._widest, self._lines = widest, lines
        pane.add_class("pane", "dialog")

    def compose(self) -> ComposeResult:
        """The pane alone."""
        yield self.pane

    def on_mount(self) -> None:
        """The keys are for the pane."""
        self.fit()
        if self.pane.can_focus:
            self.pane.focus()

    def on_resize(self) -> None:
        """The terminal has another size."""
        self.fit()

    def fit(self) -> None:
        """As large as there is room."""
        width, height = self.app.size
        width = min(width - 4, self._widest)
        self.pane.styles.width, self.pane.styles.height = width, min(height - 2, self._lines(width - 2) + 2)
