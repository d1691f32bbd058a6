"""The app of `ravine watch`: one screen, and the page of its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tui.app.base_app import BaseApp
from tui.keys.keymap import KeyTable
from tui.keys.table import WATCHING, bindings
from tui.screens.help import KeyList
from tui.watch import sentences
from tui.watch.screen import WatchScreen

if TYPE_CHECKING:
    from tui.watch.reader import Reader

ABOUT = sentences.HELP()


class WatchHelp(Screen[None]):
    """The keys of the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app", frozenset({"app.back"}))]

    def __init__(self, table: KeyTable) -> None:
        super().__init__()
        self._keys = KeyList(table, only=WATCHING, about=ABOUT)

    def compose(self) -> ComposeResult:
        """The list of keys."""
        yield self._keys

    def on_mount(self) -> None:
        """All of the screen is the list's."""
        self._keys.styles.width, self._keys.styles.height = "100%", "100%"
        self._keys.border_title = sentences.KEYS_TITLE()
        self._keys.focus()


class WatchApp(BaseApp):
    """The app of `ravine watch`.

    Args:
        reader: reads the logs.
        options: what `BaseApp` takes.
    """

    TITLE = sentences.NAME()
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app", WATCHING)]

    def __init__(self, reader: Reader, **options: Any) -> None:
        super().__init__(**options)
        self.reader = reader

    def get_default_screen(self) -> Screen[None]:
        """The curves."""
        return WatchScreen(self.reader)

    def action_go(self, where: str) -> None:
        """To the keys and back."""
        if isinstance(self.screen, WatchHelp):
            self.pop_screen()
        elif where == "help":
            self.push_screen(WatchHelp(self.key_table))

    async def action_back(self) -> None:
        """Esc on the page of keys."""
        self.action_go("")

    def action_leave(self) -> None:
        """Quit: nothing is lost."""
        self.exit()

    def action_suspend_run(self) -> None:
        """To the shell; fg comes back."""
        self.leave_to_shell(sentences.FG_BRINGS_BACK())
