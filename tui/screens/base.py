"""What all screens have in common: bars above and below, panes between them, and a word where the terminal is small."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from tui.keys.situation import Situation
from tui.look.sizes import SMALLEST, too_small
from tui.screens import sentences
from tui.terminal.direct_paint import Shown
from tui.widgets.bars import KeyLine, Messages, TopLine
from tui.widgets.cells import Cells, Span

if TYPE_CHECKING:
    from pathlib import Path

    from tui.screens.host import Host, TerminalHost


class TooSmall(Cells):
    """Says that the terminal is too small."""

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """In the middle, in as few words as fit."""
        ink = self.ink
        need = f"{SMALLEST[0]}x{SMALLEST[1]}"
        texts = [sentences.TOO_SMALL(), sentences.NEEDS(size=need), sentences.HAS(width=width, height=height)]
        top = max(0, (height - len(texts)) // 2)
        lines: list[list[Span]] = [[] for _ in range(top)]
        lines += [[(text.center(width), ink.accent if index == 0 else ink.dim)] for index, text in enumerate(texts)]
        return lines


class BaseScreen(Shown):
    """Panes laid out by a subclass, and the line of the keys."""

    _left: Widget | None = None  # what had the focus when the terminal became too small

    @property
    def base_app(self) -> TerminalHost:
        """The app: ours, with its keys and its line to the terminal."""
        return cast("TerminalHost", self.app)

    def compose(self) -> ComposeResult:
        """The panes, the keys below them."""
        self.key_line = KeyLine(self.base_app.key_table)
        yield from self.widgets()
        yield self.key_line
        self.too_small = TooSmall(id="too-small")
        yield self.too_small

    def widgets(self) -> Iterable[Widget]:
        """All but the line of the keys."""
        return ()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Where everything lies, by id; what is not named does not show."""
        return {}

    def situation(self) -> Situation:
        """What decides about the keys."""
        return Situation(columns=self.size.width)

    def show(self) -> None:
        """Draw what has changed."""
        self.key_line.show(self.situation())

    def lay_out(self) -> None:
        """Lay the panes out for the size of the terminal."""
        width, height = self.size
        if not (width and height):
            return
        small = too_small(width, height)
        self.too_small.display = small
        if small and self._left is None and self.focused is not None:
            # At once: a pane that is hidden with the focus gives it away later, when it may show again.
            self._left = self.focused
            self.set_focus(None)
        places = {} if small else self.places(width, height)
        if small:
            put(self.too_small, Region(0, 0, width, height))
        for pane in self.children:
            if pane is self.too_small or (pane.id or "").startswith("textual-"):  # Textual's own: notifications
                continue
            place = places.get(pane.id or "")
            pane.display = place is not None
            if place is not None:
                put(pane, place)
        if not small and self._left is not None:
            if self._left.is_attached:
                self.set_focus(self._left, from_app_focus=True)  # what is typed is not selected, and so not lost
            self._left = None

    def on_resize(self, event: events.Resize) -> None:
        """Lay the panes out anew."""
        self.lay_out()
        self.show()

    def on_descendant_focus(self) -> None:
        """Other keys act."""
        self.show()


class RavineScreen(BaseScreen):
    """A screen of the trainer: the top line, the messages and the keys; a subclass fills what is between."""

    NAME: ClassVar[str] = ""

    @property
    def ravine(self) -> Host:
        """The app."""
        return cast("Host", self.app)

    def widgets(self) -> Iterable[Widget]:
        """The bars, and the panes between them."""
        self.top, self.messages = TopLine(), Messages()
        self.top.place = self.NAME
        yield self.top
        yield from self.panes()
        yield self.messages

    def panes(self) -> Iterable[Widget]:
        """The panes between the bars."""
        return ()

    def body(self, width: int, height: int) -> tuple[dict[str, Region], Region]:
        """The places of the bars, and what is left between them."""
        between = Region(0, 1, width, height - 5)
        return {
            "top": Region(0, 0, width, 1),
            "messages": Region(0, between.bottom, width, 2),
            "keys": Region(0, between.bottom + 2, width, 2),
        }, between

    @property
    def has_rows(self) -> bool:
        """Whether there is something that the keys of the screen can act on."""
        return False

    @property
    def views(self) -> int:
        """How many views of the run there are."""
        return 0

    @property
    def run_path(self) -> Path | None:
        """The folder of the run under the cursor, where the screen lists runs."""
        return None

    def wish(self, run: Path | None) -> None:
        """Show a run, where the screen shows one that is asked for; None is the run that the train screen shows."""

    def show(self) -> None:
        """Draw what has changed. Called after every change and at every look at a run."""
        workspace = self.ravine.workspace
        self.top.workspace = self.messages.workspace = workspace
        self.top.redraw()
        self.messages.redraw()
        if workspace is None or not workspace.ticking:
            super().show()

    def to_copy(self) -> str:
        """What c copies here; empty for the command line."""
        return ""

    def situation(self) -> Situation:
        """What decides about the keys."""
        return self.ravine.situation(self)

    def on_screen_resume(self) -> None:
        """The screen is on top again."""
        self.lay_out()
        self.arrive()
        self.ravine.trusting.follow()
        self.show()

    def arrive(self) -> None:
        """Ask for what the screen shows. Called each time that somebody comes to it."""


def put(pane: Widget, place: Region) -> None:
    """Have a pane lie at a place of the screen; nothing is laid out anew where it lies there."""
    styles = pane.styles
    if (styles.offset.x.value, styles.offset.y.value) != (place.x, place.y):
        styles.offset = place.offset
    if styles.width is None or styles.width.value != place.width:
        styles.width = place.width
    if styles.height is None or styles.height.value != place.height:
        styles.height = place.height
