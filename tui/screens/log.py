"""The log screen: what the app has told, the log of the run, what other code has printed, and what the line carries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from tui.keys.table import bindings
from tui.look.numbers import volume
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.tasks.background import in_background
from tui.terminal.terminal import log_begun, log_path
from tui.widgets.cells import Span, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from textual.timer import Timer

    from tui.terminal.writer import Traffic

LOOKS = 1.0  # seconds between two looks at the files and at the line
TAIL = 1 << 17  # bytes of a file's end that are shown
LINES = 4000  # lines that one text may take


class Lines(Scrolling):
    """Lines of text that scroll; the newest, at the end, are followed until one scrolls up."""

    KIND = "text"

    def __init__(self, *, id: str, empty: str) -> None:
        super().__init__(id=id, classes="pane")
        self.empty = empty
        self._texts: tuple[tuple[str, str, str], ...] = ()  # (time, text, kind)
        self._follows = True  # the end

    def fill(self, texts: tuple[tuple[str, str, str], ...]) -> None:
        """Show texts, each with the time in front of it and the name of its ink."""
        if texts != self._texts:
            self._texts = texts
            self.redraw()

    def action_move(self, lines: int) -> None:
        """Scroll."""
        self.roll.move(lines)
        self._follows = not self.roll.below
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The lines that fit."""
        ink = self.ink
        if not self._texts:
            return [[(f" {line}", ink.faint)] for line in wrap(self.empty, width - 2, height)]
        inks: dict[str, Style] = {"information": ink.text, "warning": ink.accent, "error": ink.bad, "log": ink.text}
        lines: list[list[Span]] = []
        for time, text, kind in self._texts:
            head = f" {time}  " if time else " "
            room = max(8, width - len(head) - 1)
            parts = [part for line in text.splitlines() or [""] for part in (_folded(line, room) or [""])]
            for index, part in enumerate(parts):
                lines.append([(head if index == 0 else " " * len(head), ink.faint), (part, inks[kind])])
        if self._follows:
            self.roll.first = len(lines)
        seen = self.roll.fit(len(lines), height)
        self.note(self.roll.told)
        return [lines[index] for index in seen]


def _folded(line: str, width: int) -> list[str]:
    """A line in lines of `width` cells; its first blanks, which in a traceback mean something, are kept."""
    blanks = line[: len(line) - len(line.lstrip())][: width // 2]
    return [blanks + part for part in wrap(line, width - len(blanks), LINES)]


def tail(path: Path) -> str:
    """The end of a text file, from the beginning of a line; empty where there is none."""
    from engine.base.errors import InputError
    from engine.base.files import open_regular

    try:
        with open_regular(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            content = file.read()
    except (OSError, InputError):
        return ""
    if size > TAIL:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8", "replace")


def said(before: Traffic | None, now: Traffic, seconds: float) -> str:
    """What the line has carried, in words.

    Args:
        before: the traffic `seconds` ago.
    """
    parts = []
    if before is not None:
        parts.append(sentences.RATE(rate=(now.sent - before.sent) / seconds / 1000))
        parts.append(sentences.PICTURES(rate=(now.pictures - before.pictures) / seconds))
    parts.append(sentences.SENT(size=volume(now.sent)))
    if now.drain:
        parts.append(sentences.DRAIN(milliseconds=1000 * now.drain))
    if now.waiting:
        parts.append(sentences.WAITING(size=volume(now.waiting)))
    if now.lost:
        parts.append(sentences.LOST(pictures=now.lost))
    return sentences.LINE(facts=" · ".join(parts))


class LogScreen(RavineScreen):
    """What happened, in words."""

    NAME = "log"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("log")]

    @dataclass
    class Read(Message):
        """The ends of the files."""

        run: Path | None
        log: str
        printed: str

    def panes(self) -> ComposeResult:
        """What was told, the log of the run, what was printed."""
        self.told = Lines(id="told", empty=sentences.NO_MESSAGES())
        self.told.border_title = "messages"
        self.log_lines = Lines(id="log-lines", empty=sentences.NO_RUN_YET())
        self.printed = Lines(id="printed", empty="")
        self.printed.border_title = sentences.PRINTED(path=log_path())
        self._line_shown = False
        self._before: tuple[float, Traffic] | None = None
        self._said = ""
        self._reading = False
        self._looks: Timer | None = None
        self._begun = log_begun()
        self._printed = ""
        yield self.told
        yield self.log_lines
        yield self.printed

    def on_mount(self) -> None:
        """Look again and again, while the screen shows."""
        self._looks = self.set_interval(LOOKS, self._look)
        self.log_lines.focus()

    def arrive(self) -> None:
        """The screen is on top."""
        if self._looks is not None:
            self._looks.resume()
        self._look()

    def on_screen_suspend(self) -> None:
        """Nobody sees it."""
        if self._looks is not None:
            self._looks.pause()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Below each other; what was printed only where something was."""
        places, between = self.body(width, height)
        parts = 3 if self._printed else 2
        tall = between.height // parts
        regions = {"told": Region(0, between.y, width, tall)}
        regions["log-lines"] = Region(0, between.y + tall, width, tall if parts == 3 else between.height - tall)
        if parts == 3:
            regions["printed"] = Region(0, between.y + 2 * tall, width, between.height - 2 * tall)
        return {**places, **regions}

    def show(self) -> None:
        """What was told since."""
        journal = self.ravine.journal
        self.told.fill(tuple((f"{one.time:%H:%M:%S}", one.text, one.how) for one in journal.told))
        workspace = self.ravine.workspace
        run = workspace.snapshot.run if workspace is not None and workspace.snapshot is not None else None
        title = sentences.LOG_OF_RUN(path=run / "log.txt") if run is not None else sentences.LOG()
        self.log_lines.head(title)
        self.messages.hint = (self._said if self._line_shown else "", False)
        super().show()

    def _look(self) -> None:
        """Read the files in a thread; look at the line."""
        link = self.base_app.link
        if self._line_shown and link is not None:
            now, traffic = monotonic(), link.traffic
            before = self._before
            self._before = (now, traffic)
            self._said = said(before[1] if before else None, traffic, now - before[0] if before else 1.0)
        workspace = self.ravine.workspace
        run = workspace.snapshot.run if workspace is not None and workspace.snapshot is not None else None
        if not self._reading:
            self._reading = True
            in_background(lambda: self._read(run), "log", lambda words: self.post_message(self.Read(run, words, "")))
        self.show()

    def _read(self, run: Path | None) -> None:
        log = tail(run / "log.txt") if run is not None else ""
        printed = tail(log_path()) if _size(log_path()) != self._begun else ""
        self.post_message(self.Read(run, log, printed))

    def on_log_screen_read(self, message: Read) -> None:
        """The files have been read."""
        self._reading = False
        self.log_lines.fill(_lines(message.log))
        self.printed.fill(_lines(message.printed))
        if bool(message.printed) != bool(self._printed):
            self._printed = message.printed
            self.lay_out()

    def action_line(self) -> None:
        """Tell what the line carries, or do not."""
        if self.base_app.link is None:
            self.notify(sentences.NO_LINE(), severity="error")
            return
        self._line_shown = not self._line_shown
        self._before = None
        self._look()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _lines(text: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(("", line, "log") for line in text.splitlines())
