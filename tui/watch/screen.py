"""The screen of `ravine watch`: the curves of any TensorBoard logs, live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from tui.charts.multi_curve import MARKERS, Logged, Sight
from tui.charts.multi_curve_pane import Curves
from tui.keys.keymap import KeyTable, named
from tui.keys.table import Situation, bindings
from tui.look.numbers import volume
from tui.screens.base import TooSmall, put
from tui.screens.train.layout import too_small
from tui.terminal.direct_paint import Shown
from tui.watch.log_details import Details
from tui.widgets.bars import KeyLine
from tui.widgets.cells import Cells, Span, clip, left, right, wrap
from tui.widgets.table import Column, Listing
from tui.widgets.text_field import Editor

if TYPE_CHECKING:
    from tui.watch.reader import Reader

LOOKS = 10.0  # a second
SELDOM = 0.3  # seconds between two pictures while much is read
SHOWN = len(MARKERS)  # curves that can be told apart
FIRST_TAGS = ("loss/train", "train/loss", "train_loss", "loss", "epoch_loss", "Loss/train")


def natural(name: str) -> list[tuple[int, float, str]]:
    """Sorts run_2 before run_10, and lr=0.01 before lr=0.1."""
    parts = re.split(r"([0-9]+(?:\.[0-9]+)?)", name)
    return [(0, float(part), part) if part[0].isdigit() else (1, 0.0, part) for part in parts if part]


class Line(Cells):
    """One or more lines of text, set from outside."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.spans: list[list[Span]] = []

    def tell(self, spans: list[list[Span]]) -> None:
        """Show these lines."""
        if spans != self.spans:
            self.spans = spans
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """What was set."""
        return self.spans


class WatchScreen(Shown):
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
        self.sight = Sight()
        self._version = -1
        self._due = 0.0
        self._runs: list[str] = []
        self._tags: list[str] = []
        self._hidden: set[str] = set()  # runs
        self._pinned: set[str] = set()  # tags that show whatever the cursor is on
        self._tag = ""  # the one that the cursor is on
        self._run = ""
        self._filters = {"run-names": "", "tag-names": ""}
        self._filtering = ""  # the list whose filter is typed
        self._slots: dict[str, int] = {}  # colour and marker of what is shown
        self._told: tuple[str, bool] = ("", False)
        self._left_out = 0  # curves for which there is no colour left
        self._names_of: dict[int, tuple[str, str]] = {}  # run and tag of the curves that show
        self._logged: list[Logged] = []  # the curves that show

    def compose(self) -> ComposeResult:
        """Bars and panes."""
        table: KeyTable = self.app.key_table  # type: ignore[attr-defined]
        self.top = Line(id="top")
        self.runs = Listing("runs", id="run-names", empty="looking…")
        self.tags = Listing("tags", id="tag-names", empty="")
        self.chart, self.details = Curves(), Details()
        self.message = Line(id="messages")
        self.keys = KeyLine(table)
        self.editor = Editor("filter", "", example="a part of the names")
        self.editor.display = False
        self.too_small = TooSmall(id="too-small")
        panes = (self.top, self.tags, self.runs, self.chart, self.details, self.message, self.keys, self.too_small)
        for pane in panes:
            pane.styles.position = "absolute"
            yield pane
        yield self.editor

    def on_mount(self) -> None:
        """Look at what has been read, again and again."""
        self.tags.focus()
        self.set_interval(1 / LOOKS, self.look)
        self.call_after_refresh(self.reader.painted.set)

    # Reading.

    def look(self) -> None:
        """Show what is new, as fast as the terminal takes it."""
        link = self.app.link  # type: ignore[attr-defined]
        if link is not None and link.behind:
            return
        if self.reader.version != self._version:
            if not self.reader.loaded and monotonic() < self._due:
                return
            self._due = monotonic() + SELDOM
            self._version = self.reader.version
            self._names()
            self.show()

    def _names(self) -> None:
        """The lists anew, the cursors where they were."""
        runs = self.reader.tree.runs
        words = self._filters["run-names"].lower().split()
        self._runs = sorted((n for n in runs if all(word in n.lower() for word in words)), key=natural)
        words = self._filters["tag-names"].lower().split()
        tags = {tag for name in self._runs for tag in tuple(runs[name].curves)}
        self._tags = sorted((tag for tag in tags if all(word in tag.lower() for word in words)), key=natural)
        if self._tag not in self._tags:
            wanted = [tag for tag in FIRST_TAGS if tag in tags and tag in self._tags]
            wanted += [tag for tag in self._tags if "loss" in tag.lower()]
            self._tag = next(iter([*wanted, *self._tags]), "")
        if self._run not in self._runs:
            self._run = self._runs[0] if self._runs else ""
        self.runs.cursor = self._runs.index(self._run) if self._run else 0
        self.tags.cursor = self._tags.index(self._tag) if self._tag else 0

    def _shown(self) -> list[Logged]:
        """The curves of the tags that show, of the runs that are not hidden; the run under the cursor for certain."""
        runs = self.reader.tree.runs
        tags = [tag for tag in self._tags if tag in self._pinned or tag == self._tag]
        names = [name for name in self._runs if name not in self._hidden]
        if self._run in names:
            names = [self._run, *(name for name in names if name != self._run)]
        pairs = [(name, tag) for name in names for tag in tags if tag in runs[name].curves]
        self._left_out = max(0, len(pairs) - SHOWN)
        pairs = pairs[:SHOWN]
        keys = {pair: (pair[0] if len(tags) == 1 else "\0".join(pair)) for pair in pairs}
        taken = {key: slot for key, slot in self._slots.items() if key in keys.values()}
        for pair in sorted(pairs, key=lambda pair: (natural(pair[0]), natural(pair[1]))):
            if keys[pair] not in taken:
                taken[keys[pair]] = next(slot for slot in range(SHOWN) if slot not in taken.values())
        self._slots = taken
        found = []
        for name, tag in pairs:
            slot = taken[keys[name, tag]]
            label = name if len(tags) == 1 else tag if len(self._runs) == 1 else f"{name} {tag}"
            found.append(Logged(label, self.chart.ink.kinds[slot % SHOWN], MARKERS[slot], runs[name].curves[tag]))
        self._names_of = {id(curve): pair for curve, pair in zip(found, pairs, strict=True)}
        return found

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
        ink, reader = self.chart.ink, self.reader
        runs = reader.tree.runs
        curves = self._shown()
        tags = [tag for tag in self._tags if tag in self._pinned or tag == self._tag]
        self._logged = curves
        self.chart.curves, self.chart.sight = curves, self.sight
        self.chart.what = tags[0] if len(tags) == 1 else f"{len(tags)} tags"
        self.chart.empty = self._why_empty()
        self._fill_lists()
        problems = [f"{name}: {text}" for name in self._runs for text in runs[name].problems] + list(
            reader.tree.problems.values()
        )
        problems += [reader.problem] * bool(reader.problem)
        growing = {text for text in problems if "is being written" in text}
        self.details.curves, self.details.run = curves, runs.get(self._run)
        self.details.cursor, self.details.problems = self.sight.cursor, problems
        self.chart.redraw()
        self.details.redraw()
        self.top.tell([self._top(ink.accent, ink.text, ink.dim, ink.good)])
        bad = [text for text in problems if text not in growing]
        told, wrong = self._told
        if not told and (bad or problems):
            more = f" {named('watch.view')} shows {len(problems) - 1} more." if len(problems) > 1 else ""
            told, wrong = (bad or problems)[0] + more, bool(bad)
        elif not told and self._left_out:
            told = f"{SHOWN} of {SHOWN + self._left_out} curves show: {named('watch.toggle')} hides a run, "
            told += f"{named('watch.filter')} filters the list."
        self.message.tell(
            [[(f" {line}", ink.bad if wrong else ink.dim)] for line in wrap(told, self.size.width - 2, 1)]
        )
        self.keys.show(self.situation())

    def _why_empty(self) -> str:
        if not self.reader.loaded:
            return "reading…"
        if not self.reader.tree.runs:
            return (
                f"There are no logs in {self.reader.tree.path} yet; TensorBoard's event files have tfevents in their "
                "names. New ones show by themselves."
            )
        if not self._tags:
            return (
                "No tag is called so."
                if self._filters["tag-names"]
                else f"These logs have no curves; {named('watch.view')} shows the rest."
            )
        return f"Every run is hidden: {named('watch.toggle')} shows the one under the cursor."

    def _top(self, accent: Style, text: Style, dim: Style, good: Style) -> list[Span]:
        now, width = self.reader.progress, self.size.width
        runs = self.reader.tree.runs
        state = "opening"
        if now is not None:
            share = f"{now.share:.0%} of {volume(now.size)}"
            state = f"◌ reading {share}" if now.busy else f"● live   {volume(now.size)}"
        head = f"   {self.reader.tree.path}"
        facts = f"   {len(runs):,} run{'s' * (len(runs) != 1)} · {len(self._tags):,} tag{'s' * (len(self._tags) != 1)}"
        room = max(4, width - 14 - len(facts) - len(state) - 2)
        spans: list[Span] = [(" ravine watch", accent), (left(clip(head, room), room), text), (facts, dim)]
        used = 13 + room + len(facts)
        return [*spans, (right(state, max(0, width - used - 1)), good if self.reader.loaded else text)]

    def _fill_lists(self) -> None:
        shown = {self._names_of[id(curve)][0]: curve for curve in self._logged}
        inner = max(8, self.runs.size.width - 5)
        ink = self.chart.ink
        several = len({pair[1] for pair in self._names_of.values()}) > 1

        def run(line: int) -> list[Span]:
            name = self._runs[line]
            curve = shown.get(name)
            sign = (" ", ink.faint)
            if curve is not None:
                sign = ("•" if several else curve.marker, ink.text if several else curve.style)
            return [sign, (name, ink.faint if name in self._hidden else ink.text)]

        def tag(line: int) -> list[Span]:
            name = self._tags[line]
            sign = "●" if name in self._pinned else "•" if name == self._tag else " "
            return [(sign, ink.accent), (name, ink.strong if sign != " " else ink.text)]

        for listing, names, line in ((self.runs, self._runs, run), (self.tags, self._tags, tag)):
            what = "run" if listing is self.runs else "tag"
            typed = self._filters[listing.id or ""]
            title = f"{len(names):,} {what}{'s' * (len(names) != 1)}" + (f" · /{typed}" if typed else "")
            listing.head(title)
            listing.empty = "none" if self.reader.loaded else "looking…"
            listing.fill((Column("", 1), Column("", max(4, inner - 5))), len(names), line)

    def situation(self) -> Situation:
        """What decides about the keys."""
        return Situation(screen="watch", rows=bool(self._runs), editing=bool(self._filtering), columns=self.size.width)

    def lay_out(self) -> None:
        """Lists on the left, chart above details on the right."""
        width, height = self.size
        if not (width and height):
            return
        small = too_small(width, height)
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
        self.too_small.display = small
        put(self.too_small, Region(0, 0, width, height))
        for pane in self.children:
            if pane.id in places:
                pane.display = not small
                put(pane, places[pane.id])
        self.editor.styles.offset = (10, body.bottom)
        self.editor.styles.width = max(10, width - 12)

    def on_resize(self) -> None:
        """The terminal has a size, or another one."""
        self.lay_out()
        self._names()
        self.show()

    # Keys.

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another run or tag is under the cursor."""
        if message.listing is self.tags:
            self._tag = self._tags[message.line]
        else:
            self._run = self._runs[message.line]
        self._told = ("", False)
        self.show()

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Enter."""
        self.action_show_hide()

    def action_show_hide(self) -> None:
        """Show or hide what the cursor is on."""
        if self.runs.has_focus and self._run:
            self._hidden ^= {self._run}
        elif self.tags.has_focus and self._tag:
            self._pinned ^= {self._tag}
            if self._tag in self._pinned:
                off = f"{named('watch.toggle')} takes it off"
                self._told = (f"{self._tag} stays on the chart while others are looked at; {off}.", False)
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
        self._filtering = "run-names" if self.runs.has_focus else "tag-names"
        what = "runs" if self._filtering == "run-names" else "tags"
        self._told = (f"{what} /", False)
        self.editor.value = self._filters[self._filtering]
        self.editor.display = True
        self.editor.focus()
        self.show()

    def on_editor_typed(self, message: Editor.Typed) -> None:
        """The lists follow what is typed."""
        if self._filtering:
            self._filters[self._filtering] = message.text
            self._names()
            self.show()

    def on_editor_done(self, message: Editor.Done) -> None:
        """Enter keeps the filter, Esc takes it away."""
        listing = self.runs if self._filtering == "run-names" else self.tags
        if message.text is None and self._filtering:
            self._filters[self._filtering] = ""
        self._filtering, self._told = "", ("", False)
        self.editor.display = False
        listing.focus()
        self._names()
        self.show()

    def action_csv(self) -> None:
        """Write the curves that show."""
        from threading import Thread

        pairs = [self._names_of[id(curve)] for curve in self._logged]
        curves = {f"{name}_{tag}" if name != "." else tag: curve.points for (name, tag), curve in
                  zip(pairs, self._logged, strict=True)}  # fmt: skip
        if curves:
            self._told = ("writing…", False)
            self.show()
            Thread(target=self._write, args=(curves,), name="writing", daemon=True).start()

    def _write(self, curves: Mapping[str, object]) -> None:
        """In a thread: a million lines take a second."""
        from tui.watch.reader import export

        try:
            written = export(curves, Path.cwd())
        except OSError as error:
            self.post_message(self.Written(f"The curves cannot be written: {error.strerror or error}.", True))
            return
        rest = f" and {len(written) - 1} more" if len(written) > 1 else ""
        self.post_message(self.Written(f"Written: {written[0].name}{rest}, in {Path.cwd()}.", False))

    def on_watch_screen_written(self, message: Written) -> None:
        """The files are there."""
        self._told = (message.text, message.bad)
        self.show()
