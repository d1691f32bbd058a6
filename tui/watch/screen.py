"""The screen of `ravine watch`: the curves of any TensorBoard logs, live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from tui.charts.multi_curve import Logged
from tui.charts.multi_curve_pane import MultiCurvePane
from tui.charts.sight import MARKERS, Sight
from tui.keys.keymap import named
from tui.keys.situation import Situation
from tui.keys.table import bindings
from tui.screens.base import BaseScreen
from tui.watch import sentences
from tui.watch.csv_files import start_export
from tui.watch.log_details import Details
from tui.watch.name_lists import NameList, fill
from tui.watch.selection import Names, Selection
from tui.watch.status import StatusLine, Word, problems_of, top_line, why_empty, word_of
from tui.widgets.cells import wrap
from tui.widgets.table import Listing
from tui.widgets.text_field import TextField

if TYPE_CHECKING:
    from tui.watch.reader import Reader

LOOKS = 10.0  # a second
SELDOM = 0.3  # seconds between two pictures while much is read


class WatchScreen(BaseScreen):
    """Runs and tags on the left, their curves on the right."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("watch")]

    @dataclass
    class Written(Message):
        """CSV files have been written, or why not."""

        text: str
        bad: bool

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader
        self.selection = Selection(reader.tree)
        self.sight = Sight()
        self._version = -1
        self._due = 0.0
        self._filtering: Names | None = None  # the list whose filter is typed
        self._told = Word()

    def widgets(self) -> Iterable[Widget]:
        """Bars and panes."""
        self.top, self.message = StatusLine(id="top"), StatusLine(id="messages")
        self.runs, self.tags = NameList("runs", self.selection), NameList("tags", self.selection)
        self.chart, self.details = MultiCurvePane(), Details()
        self.editor = TextField("filter", "", example=sentences.PART_OF_NAMES())
        self.editor.id = "filter"
        for pane in (self.top, self.tags, self.runs, self.chart, self.details, self.message):
            pane.styles.position = "absolute"
            yield pane
        yield self.editor

    def on_mount(self) -> None:
        """Look at what has been read, again and again."""
        self.tags.focus()
        self.set_interval(1 / LOOKS, self.look)
        self.call_after_refresh(self.reader.painted.set)

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Lists on the left, chart above details on the right."""
        side = 26 if width < 100 else 42
        body = Region(0, 1, width, height - 4)
        above = body.height // 2
        low = max(5, body.height // 4) if height < 30 else max(10, body.height // 3)
        places = {
            "top": Region(0, 0, width, 1),
            "tag-names": Region(0, 1, side, above),
            "run-names": Region(0, 1 + above, side, body.height - above),
            "curves": Region(side, 1, width - side, body.height - low),
            "details": Region(side, body.bottom - low, width - side, low),
            "messages": Region(0, body.bottom, width, 1),
            "keys": Region(0, body.bottom + 1, width, 2),
        }
        if self._filtering is not None:
            places["filter"] = Region(10, body.bottom, max(10, width - 12), 1)
        return places

    # Reading.

    def look(self) -> None:
        """Show what is new, as fast as the terminal takes it."""
        link = self.base_app.link
        if link is not None and link.behind:
            return
        if self.reader.version != self._version:
            if not self.reader.loaded and monotonic() < self._due:
                return
            self._due = monotonic() + SELDOM
            self._version = self.reader.version
            self._list()
            self.show()

    def _list(self) -> None:
        """The lists anew, the cursors where they were."""
        self.selection.look()
        self.runs.follow()
        self.tags.follow()

    # Showing.

    def show(self) -> None:
        """Draw everything anew; only cells that changed are sent. Reading waits meanwhile: a key is answered first."""
        if not self.is_attached or not self.size.width:
            return
        self.reader.calm.clear()
        try:
            self._show()
        finally:
            self.reader.calm.set()

    def _show(self) -> None:
        selection, reader = self.selection, self.reader
        selection.choose()
        drawn = self._drawn()
        fill(self.runs, self.tags, selection, drawn, loaded=reader.loaded)
        problems = problems_of(reader, selection)
        self._show_curves(drawn)
        self._show_details(drawn, problems)
        self.top.tell([top_line(reader, selection, self.chart.ink, self.size.width)])
        self._say(word_of(self._told, problems, selection))
        super().show()

    def _drawn(self) -> list[Logged]:
        """The curves that show, each in its colour."""
        kinds = self.chart.ink.kinds
        return [
            Logged(one.label, kinds[one.slot % len(MARKERS)], MARKERS[one.slot], one.curve)
            for one in self.selection.curves
        ]

    def _show_curves(self, drawn: list[Logged]) -> None:
        tags = self.selection.shown_tags
        self.chart.curves, self.chart.sight = drawn, self.sight
        self.chart.what = tags[0] if len(tags) == 1 else sentences.TAGS(tags=len(tags))
        self.chart.empty = why_empty(self.reader, self.selection)
        self.chart.redraw()

    def _show_details(self, drawn: list[Logged], problems: list[str]) -> None:
        self.details.curves, self.details.run = drawn, self.reader.tree.runs.get(self.selection.run)
        self.details.cursor, self.details.problems = self.sight.cursor, problems
        self.details.redraw()

    def _say(self, word: Word) -> None:
        ink = self.chart.ink
        lines = wrap(word.text, self.size.width - 2, 1)
        self.message.tell([[(f" {line}", ink.bad if word.bad else ink.dim)] for line in lines])

    def situation(self) -> Situation:
        """What decides about the keys."""
        return Situation(
            screen="watch",
            rows=bool(self.selection.runs),
            editing=self._filtering is not None,
            columns=self.size.width,
        )

    # Keys.

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another run or tag is under the cursor."""
        if message.listing is self.tags:
            self.selection.tag = self.selection.tags[message.line]
        else:
            self.selection.run = self.selection.runs[message.line]
        self._told = Word()
        self.show()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Enter."""
        self.action_show_hide()

    def action_show_hide(self) -> None:
        """Show or hide what the cursor is on."""
        selection = self.selection
        if self.runs.has_focus and selection.run:
            selection.toggle_run()
        elif self.tags.has_focus and selection.tag and selection.toggle_tag():
            self._told = Word(sentences.STAYS_ON(tag=selection.tag, key=named("watch.toggle")))
        self.show()

    def action_chart(self, what: str) -> None:
        """log_y, log_x, smooth, in, out, reset, left, right, before, after."""
        if self.chart.curves:
            self.sight = self.chart.steered(what)
            self.show()

    def action_view(self, by: int) -> None:
        """The next view below the chart."""
        self.details.turn(by)

    def action_filter(self) -> None:
        """Type a filter for the list that has the focus."""
        self._filtering = "runs" if self.runs.has_focus else "tags"
        self._told = Word(f"{self._filtering} /")
        self.editor.value = self.selection.filters[self._filtering]
        self.lay_out()
        self.editor.focus()
        self.show()

    def on_text_field_typed(self, message: TextField.Typed) -> None:
        """The lists follow what is typed."""
        if self._filtering is not None:
            self._filter(self._filtering, message.text)

    def _filter(self, what: Names, text: str) -> None:
        self.selection.filters[what] = text
        self._list()
        self.show()

    def on_text_field_done(self, message: TextField.Done) -> None:
        """Enter keeps the filter, Esc takes it away."""
        what, self._filtering, self._told = self._filtering, None, Word()
        self.lay_out()
        (self.runs if what == "runs" else self.tags).focus()
        if what is not None:
            self._filter(what, "" if message.text is None else self.selection.filters[what])

    def action_csv(self) -> None:
        """Write the curves that show."""
        curves = {f"{one.run}_{one.tag}" if one.run != "." else one.tag: one.curve for one in self.selection.curves}
        if curves:
            self._told = Word("writing…")
            self.show()
            start_export(curves, Path.cwd(), lambda text, bad: self.post_message(self.Written(text, bad)))

    def on_watch_screen_written(self, message: Written) -> None:
        """The files are there."""
        self._told = Word(message.text, message.bad)
        self.show()
