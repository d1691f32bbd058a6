"""A terminal that is gone without SIGHUP: Textual's reader would read nothing for ever, at full speed.

That happens where the process has no controlling terminal, or ignores the signal. `poll` tells of the hang-up itself,
whoever reads; macOS has no `poll` for terminals, and there the signal has to do.
"""

from __future__ import annotations

import select
from contextlib import suppress
from threading import Thread
from typing import Any

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

GONE = select.POLLHUP | select.POLLERR


class HungUp(Message):
    """The terminal is gone."""


class TerminalDriver(LinuxDriver):
    """Textual's driver, which tells the app of a hang-up and then reads no more."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self._watcher = Thread(target=self._watch, name="hang-up", daemon=True)

    def run_input_thread(self) -> None:
        """Read keys until the end, or until there is no terminal."""
        if self._watcher.ident is None:
            self._watcher.start()
        try:
            super().run_input_thread()
        except OSError:  # EIO, in a group of processes that nobody can bring back to the foreground
            self._hung_up()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self.fileno, 0)  # only what is always told
        if any(event & GONE for _, event in poll.poll()):
            self._hung_up()

    def _hung_up(self) -> None:
        with suppress(RuntimeError):  # the app has ended already
            self.send_message(HungUp())
        self.exit_event.set()  # which ends the reader
