"""The short way to the terminal, for cells that changed and nothing else.

Textual repaints a changed cell by rendering every widget of the screen and sends the line from the widget's left edge
on. Of a chart that changes ten times a second that is most of the work and most of the bytes. Cells over which nothing
lies go out as they are; for everything else, and after every change of the layout, Textual does the painting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.app import App
from textual.errors import NoWidget
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from tui.terminal.writer import TerminalWriter

APART = 8  # cells between two places at which is looked what lies on top; nothing of ours is narrower
KEPT, BACK = "\x1b7", "\x1b8"  # save the cursor and restore it: it may stand in a field that is being edited


class DirectApp(App[None]):
    """An app whose cells may go out as they are."""

    direct_paint: DirectPaint | None = None  # for cells that need nothing done to them on the way; None where all do


class Shown(Screen[None]):
    """A screen that knows whether the terminal shows it, so that what changes on it may be sent on its own."""

    painted = False

    def on_screen_resume(self) -> None:
        """It is on top, and on the terminal after the next painting."""
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        self.painted = self.is_current

    def on_screen_suspend(self) -> None:
        """Another screen is on top."""
        self.painted = False


class DirectPaint:
    """Takes the changed cells of widgets and sends those of one moment as one text.

    Args:
        link: the line to the terminal.
    """

    def __init__(self, link: TerminalWriter) -> None:
        self._link = link
        self._waiting: list[tuple[Widget, Region, str]] = []
        self._gathering = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is taken inside goes out at the end, and not with what else happens now.

        That spares the event loop a turn, in which a training loop of Python would be interrupted once more.
        """
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            self._send()

    def take(self, widget: Widget, changed: Sequence[Region], stretch: Callable[[int, int, int], Strip]) -> bool:
        """Send cells of a widget; False where Textual has to do it.

        Args:
            widget: whose content they are in.
            changed: which, by regions one line high in that content.
            stretch: of line, first cell and end: what stands there.
        """
        screen, place, app = widget.screen, widget.content_region, widget.app
        if not isinstance(screen, Shown) or not screen.painted or screen is not app.screen or app.native_ansi_color:
            return False
        try:
            for region in changed:
                y = place.y + region.y
                for x in (*range(region.x, region.right, APART), region.right - 1):
                    if screen.get_widget_at(place.x + x, y)[0] is not widget:
                        return False
        except NoWidget:  # scrolled or folded away
            return False
        console = app.console
        text = "".join(
            f"\x1b[{place.y + region.y + 1};{place.x + region.x + 1}H"
            + stretch(region.y, region.x, region.right).render(console)
            for region in changed
        )
        if not self._waiting and not self._gathering:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append((widget, place, text))
        return True

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        # A widget that lies elsewhere by now has been painted there by Textual.
        text = "".join(text for widget, place, text in waiting if widget.content_region == place)
        if text:
            self._link.write(KEPT + text + BACK)
