"""The list of runs as a widget: which runs, in which order, which of their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from operator import is_
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.charts.sight import MARKERS
from tui.keys.keymap import named
from tui.screens import sentences
from tui.screens.runs.columns import FOREIGN, LIVE, ColumnView, Fitting, differing, fields, fitting, ordered
from tui.screens.runs.filter import Filter
from tui.screens.runs.marked_curves import Marked
from tui.widgets.cells import Span
from tui.widgets.table import Listing, TableColumn

if TYPE_CHECKING:
    from engine.runs.store import RunInfo
    from tui.screens.runs.reading import RunsFolderRead

BAD = ("diverged", "failed", "damaged")
NAMES = (24, 44)  # cells for the name of a run, at least and at most
ARROWS = {True: "▾", False: "▴"}


class RunList(Listing):
    """All runs of a folder, those that a filter lets through in the order of a column."""

    def __init__(self, marked: Marked) -> None:
        super().__init__("runs", id="run-list", empty="looking…")
        self.marked = marked
        self.folder = ""
        self.all: tuple[RunInfo, ...] = ()
        self.shown: tuple[RunInfo, ...] = ()
        self.going: Mapping[Path, RunInfo] = {}  # this program's own live runs, as they are now
        self.view = ColumnView()
        self.filter = Filter()
        self.wanted: Path | None = None  # the cursor goes there when other runs have come
        self._names: tuple[str, ...] = ()
        self._shift = 0  # columns that are left out on the left
        self._fit = Fitting(())
        self._room = NAMES[0]  # cells for a name

    @property
    def current(self) -> RunInfo | None:
        """The run under the cursor."""
        return self.shown[self.cursor] if self.cursor < len(self.shown) else None

    def find(self, path: Path) -> RunInfo | None:
        """The run of a path."""
        return next((run for run in self.all if run.path == path), None)

    # What shows.

    def take(self, read: RunsFolderRead) -> None:
        """Other runs than before; the cursor stays on its run."""
        runs = read.runs
        self.folder = str(read.folder)
        self.empty = read.problem or sentences.NO_RUNS(
            folder=read.folder, screen=named("go.train"), key=named("run.toggle")
        )
        if len(runs) == len(self.all) and all(map(is_, runs, self.all)):
            self.redraw()  # none has changed, but what is said of an empty list may have
        else:
            self.all = runs
            self.rearrange()
        if self.wanted is not None:
            self.cursor = next((i for i, run in enumerate(self.shown) if run.path == self.wanted), self.cursor)
            self.wanted = None
            self.redraw()

    def take_filter(self, found: Filter) -> None:
        """Only the runs that pass."""
        self.filter = found
        if self.all:
            self.empty = sentences.NONE_PASSES()
        self.rearrange()

    def rearrange(self, *, follow: bool = True) -> None:
        """Filter and sort anew; with `follow` the cursor stays on its run."""
        before = self.current
        accepted = self.all if not self.filter.tests else tuple(run for run in self.all if self.filter.accepts(run))
        self.shown = ordered(accepted, self.view)
        self._names = differing(self.shown, self.view.columns) if self.view.differ else self.view.columns
        if before is not None:
            places = [index for index, run in enumerate(self.shown) if run.path == before.path] if follow else []
            self.cursor = places[0] if places else min(self.cursor, max(0, len(self.shown) - 1)) if follow else 0
        self.refill()

    def refill(self) -> None:
        """The columns that fit, and the title."""
        room = self.size.width - 2 - 1 - 3  # borders, the cursor, the mark
        if room <= 0:
            return
        known = fields()
        others = sum(known[name].width + 2 for name in self._names)
        name = max(NAMES[0], min(NAMES[1], room - others - 2))
        if self._names:
            self._fit = fitting(self._names, room - name - 2, self._shift)
            self._shift = self._fit.before
            used = sum(known[one].width + 2 for one in self._fit.names)
            name = max(name, min(NAMES[1], room - used - 2))
        else:
            self._fit = Fitting(())
        self._room = name
        columns = [TableColumn("", 1), self._column("run", name), *(self._column(one) for one in self._fit.names)]
        self._title()
        self.fill(columns, len(self.shown), lambda line: self._cells(self.shown[line]))

    def _column(self, name: str, width: int = 0) -> TableColumn:
        one = fields()[name]
        chosen = self.view.sort == name
        heading = f"{one.heading} {ARROWS[self.view.down]}" if chosen else one.heading
        return TableColumn(heading, max(width or one.width, len(heading)), one.number, chosen)

    def _title(self) -> None:
        real, all_ = (sum(run.state != FOREIGN for run in runs) for runs in (self.shown, self.all))
        runs = "run" if all_ == 1 else "runs"
        counted = f"{all_:,}" if not self.filter.tests else f"{real:,} of {all_:,}"
        words = [f"{counted} {runs} in {self.folder}"] if self.all else ["runs"]
        words += [f"/{self.filter.text}"] if self.filter.tests else []
        words += [sentences.DIFFERING()] if self.view.differ else []
        if self.view.sort not in (*self._fit.names, "run"):
            words.append(f"by {fields()[self.view.sort].heading} {ARROWS[self.view.down]}")
        more = [f"← {self._fit.before}"] * bool(self._fit.before) + [f"{self._fit.after} →"] * bool(self._fit.after)
        words += [" ".join(more) + " columns"] if more else []
        words += [sentences.MARKED(count=len(self.marked.slots))] if self.marked.slots else []
        self.head(" · ".join(words))

    def _cells(self, run: RunInfo) -> list[Span]:
        ink = self.ink
        run = self.going.get(run.path, run)
        word = run.word
        foreign = run.state == FOREIGN
        slot = self.marked.slots.get(run.path)
        sign: Span = (" ", ink.faint) if slot is None else (MARKERS[slot], ink.kinds[slot % len(ink.kinds)])
        cells = [sign, (_ending(run.name, self._room), ink.faint if foreign else ink.text)]
        for name in self._fit.names:
            style = ink.text
            if name == "state":
                style = ink.bad if word in BAD else ink.good if run.state in LIVE else ink.dim
            elif name == "loss":
                style = ink.strong
            elif not fields()[name].number:
                style = ink.dim
            cells.append((fields()[name].text(run), style))
        return cells

    # Keys.

    def sort_next(self) -> None:
        """By the next of the columns that show, the name among them."""
        names = ["run", *self._names]
        at = names.index(self.view.sort) if self.view.sort in names else -1
        self.view = self.view.turned(names[(at + 1) % len(names)])
        self.rearrange()
        self._bring(self.view.sort)

    def turn(self) -> None:
        """The other way round."""
        self.view = replace(self.view, down=not self.view.down)
        self.rearrange()

    def _bring(self, name: str) -> None:
        """Shift the columns until one of them shows."""
        if name in self._names:
            self._shift = min(self._shift, self._names.index(name))
            self.refill()
            while name not in self._fit.names and self._fit.after:
                self._shift += 1
                self.refill()

    def shift(self, by: int) -> None:
        """The columns to the left or to the right."""
        if by < 0 or self._fit.after:
            self._shift = max(0, self._shift + by)
        self.refill()

    def turn_differ(self) -> None:
        """Only the columns in which the runs differ, or those that were chosen."""
        self.see(replace(self.view, differ=not self.view.differ))

    def choose_columns(self, names: tuple[str, ...] | None) -> None:
        """Show these columns; none of them chosen leaves all as it is."""
        if names:
            self.see(replace(self.view, columns=names, differ=False))

    def see(self, view: ColumnView) -> None:
        """Other columns, or another order."""
        self.view, self._shift = view, 0
        self.rearrange()


def _ending(name: str, width: int) -> str:
    """A name, of a long one its end: they begin with a time, and end with what tells them apart."""
    if cell_len(name) <= width:
        return name
    while cell_len(name) > width - 1:
        name = name[1:]
    return "…" + name
