"""What both apps have in common: themes, terminals without colours or Unicode, and the line to the terminal."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import SuspendNotSupported
from textual.filter import LineFilter
from textual.geometry import Size
from textual.theme import Theme

from engine.base.printable import printable, printable_lines
from tui.app import sentences
from tui.keys.keymap import KeyTable, speak_of
from tui.look.filters import Harmless, NoColours, OnlyAscii
from tui.look.styles import RAVINE, pane_colours
from tui.look.themes import OURS
from tui.model.journal import Journal
from tui.tasks.background import unexpected
from tui.terminal.direct_paint import DirectApp, DirectPaint
from tui.terminal.early_signals import ENDING, INTERRUPTED
from tui.terminal.hangup import TerminalDriver
from tui.terminal.terminal import ALL, Abilities, has_shell, stop_here

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel
    from textual.timer import Timer

    from tui.app.preferences import Preferences
    from tui.terminal.writer import TerminalWriter

LOOK = 1.0  # seconds between two looks at the size of the terminal
REST = 0.1  # seconds after which sizes have come to rest


class BaseApp(DirectApp):
    """An app in a terminal.

    Args:
        keymap: keys of a person's own, by id.
        theme: the name of the colours; one that is not known is ours.
        shows: what the terminal can show.
        link: the line to the terminal; none without one.
        memory: what is remembered of last time; nothing is without one.
    """

    CSS_PATH = Path(__file__).parents[1] / "ravine.tcss"

    def __init__(
        self,
        *,
        keymap: Mapping[str, str] | None = None,
        theme: str = RAVINE.name,
        shows: Abilities = ALL,
        link: TerminalWriter | None = None,
        memory: Preferences | None = None,
    ) -> None:
        super().__init__(driver_class=TerminalDriver if link is not None else None)
        self.key_table = KeyTable(keymap, arrows=shows.unicode)
        speak_of(self.key_table)
        self.link, self.memory = link, memory
        self.journal = Journal()
        self.no_color = not shows.colours
        self._guard = Harmless()
        self._own_filters: list[LineFilter] = [NoColours()] * (not shows.colours) + [OnlyAscii()] * (not shows.unicode)
        if link is not None and not self._own_filters:
            self.direct_paint = DirectPaint(link)
        self._drawn = False
        self._settling: Timer | None = None
        self._hook: Callable[[threading.ExceptHookArgs], Any] | None = None  # what hears of threads that failed
        for one in OURS:
            self.register_theme(one)
        self.theme = theme if theme in self.available_themes else RAVINE.name
        if self.key_table.keymap:
            self.set_keymap(self.key_table.keymap)
        if link is not None:
            link.mend = self._mend

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What is done to every line before it is sent."""
        return [self._guard, *([] if self.no_color else super().get_line_filters()), *self._own_filters]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colours of our stylesheet for themes that do not name them."""
        return pane_colours(self.current_theme)

    def notify(
        self, message: str, *, title: str = "", severity: SeverityLevel = "information", timeout: float | None = None,
        markup: bool = False,
    ) -> None:  # fmt: skip
        """Tell something in passing, and keep it for the log. What looks like markup in it is somebody's text."""
        message, title = printable_lines(message), printable(title)
        self.journal.add(f"{title}: {message}" if title else message, severity)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    # The terminal.

    def on_mount(self) -> None:
        """Look after the size of the terminal; remember the colours that are chosen."""
        self.set_interval(LOOK, self._measure)
        self._hook, threading.excepthook = threading.excepthook, self._thread_failed
        # Textual's own handler of SIGCONT may run after its `suspend` is over, and starts everything a second time.
        self.obey({signal.SIGTSTP: self._told_to_stop, signal.SIGCONT: self.refresh})
        self.obey(dict.fromkeys(ENDING, self.told_to_end))
        self.theme_changed_signal.subscribe(self, self._keep_theme)

    def on_unmount(self) -> None:
        """Threads are somebody else's again."""
        if self._hook is not None:
            threading.excepthook = self._hook

    def _thread_failed(self, what: threading.ExceptHookArgs) -> None:
        """In a thread that died of an exception: nobody waits for a word about it, but it is told all the same."""
        assert self._hook is not None
        self._hook(what)
        if what.exc_value is not None and self.is_running:
            self.call_later(self.notify, unexpected(what.exc_value), severity="error")

    def obey(self, signals: Mapping[signal.Signals, Callable[[], object]]) -> None:
        """Do something when a signal comes, between two messages."""
        for number, act in signals.items():
            try:
                asyncio.get_running_loop().add_signal_handler(number, act)
            except (RuntimeError, ValueError):
                return  # not the main thread, as in some tests

    def told_to_end(self) -> None:
        """A signal to end, or the line was cut."""
        self.exit(return_code=INTERRUPTED)

    def on_hung_up(self) -> None:
        """The terminal is gone, and no signal has told of it."""
        self.told_to_end()

    def _told_to_stop(self) -> None:
        """SIGTSTP, as from another shell: what Ctrl+Z does."""
        self.run_worker(self.run_action("app.suspend_run"), exclusive=True, group="suspend")

    def _keep_theme(self, theme: Theme) -> None:
        if self.memory is not None:
            self.memory.keep_soon(theme=theme.name)

    def _measure(self) -> None:
        """Take the size of the terminal where no signal has told of it."""
        if self.link is None:
            return
        try:
            size = Size(*os.get_terminal_size(self.link.fileno()))
        except OSError:
            return
        if size.area and size != self.size:
            self.post_message(events.Resize(size, size))

    def on_ready(self) -> None:
        """The first picture is drawn."""
        self._drawn = True

    def on_resize(self, event: events.Resize) -> None:
        """Draw everything anew once sizes have come to rest.

        A terminal cuts off what does not fit. Of several sizes in quick succession Textual lays out only the last one,
        and where that is the one from before, nothing: what was cut off meanwhile would stay away.
        """
        if self._settling is not None:
            self._settling.stop()
        if self._drawn:
            self._settling = self.set_timer(REST, self.refresh)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text; nothing that a terminal would obey where it is pasted is in it."""
        super().copy_to_clipboard(printable_lines(text))

    def copy(self, text: str, shown: str = "") -> None:
        """Copy a text, and tell of it: the text itself, or other words for it."""
        from tui.tasks.background import in_background
        from tui.terminal.clipboard import kept

        self.copy_to_clipboard(text)

        def keep() -> None:
            also = kept(text)
            self.call_later(
                lambda: self.notify(sentences.COPIED(shown=shown or text, also=also), title="Copied", timeout=8)
            )

        in_background(keep, "copying")

    def leave_to_shell(self, farewell: str) -> None:
        """Give the terminal to the shell, with a word; returns after fg."""
        if not has_shell():
            self.notify(sentences.NO_SHELL(), severity="error")
            return
        try:
            with self.suspend():
                stop_here(farewell)
        except SuspendNotSupported:
            self.notify(sentences.NO_WAY_BACK(), severity="error")

    def _mend(self) -> None:
        """In the thread of the line: pictures were thrown away, so the whole screen is due."""
        self.call_later(self.refresh)
