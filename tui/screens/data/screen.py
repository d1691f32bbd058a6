"""The data screen: the columns in numbers, the rows themselves, and what was left out or repaired and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region

from tui.keys.keymap import named
from tui.keys.table import bindings
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.screens.data.columns import COLUMNS, KINDS, LESS, cells
from tui.screens.data.findings import Findings
from tui.tasks.survey import Summarized, ask_for_summary
from tui.widgets.cells import Span
from tui.widgets.menu import MenuScreen, Offer
from tui.widgets.table import Listing, TableColumn

if TYPE_CHECKING:
    from engine.data.summary import ColumnSummary, Summary
    from engine.data.table import Table
    from tui.model.workspace import Workspace

SAMPLE = 200  # rows that the widths of the preview's columns are taken from


class DataScreen(RavineScreen):
    """What the chosen table holds, before and after preparation."""

    NAME = "data"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("data")]

    def panes(self) -> ComposeResult:
        """The columns, the findings, the rows."""
        self.columns_list = Listing("columns", id="columns", empty=sentences.LOOKING())
        self.findings = Findings()
        self.preview = Listing("rows", id="rows", empty="")
        self.summary: Summary | None = None
        self._broken = ""  # why there is no summary
        self._asked: object = None
        self._offset = 0
        yield self.columns_list
        yield self.findings
        yield self.preview

    @property
    def has_rows(self) -> bool:
        """Whether there is a table."""
        return self.ravine.workspace is not None and self.ravine.workspace.table is not None

    def on_mount(self) -> None:
        """The cursor is on the columns."""
        self.columns_list.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """Columns and findings above, rows below; on a small screen the findings share the lower half."""
        places, between = self.body(width, height)
        tall = between.height // 2
        side = 38 if width >= 140 else max(30, width // 3)
        wide = width >= 140
        upper = Region(0, between.y, width - side if wide else width, tall)
        findings = (
            Region(width - side, between.y, side, between.height)
            if wide
            else Region(width - side, between.y + tall, side, between.height - tall)
        )
        rows = Region(0, between.y + tall, width - side, between.height - tall)
        return {**places, "columns": upper, "findings": findings, "rows": rows}

    def show(self) -> None:
        """Ask for the summary of another table or preparation; show what is there."""
        super().show()
        workspace = self.ravine.workspace
        if workspace is None:
            return
        self.findings.problem = workspace.problem or self._broken
        self.columns_list.empty = "" if self.findings.problem else sentences.LOOKING()
        prepared = workspace.known.prepared if workspace.known is not None else None
        if workspace.table is not None and not workspace.activity and (workspace.table, prepared) != self._asked:
            self._asked, self._broken = (workspace.table, prepared), ""
            ask_for_summary(workspace.table, prepared, self.post_message)
            self._rows(workspace.table)
        self._tell_strays()
        self.findings.redraw()

    def _tell_strays(self) -> None:
        workspace, one = self.ravine.workspace, self.column
        table = workspace.table if workspace is not None else None
        self.findings.strays = ""
        if table is not None and one is not None and one.name in table:
            strays = table[one.name].strays
            if strays:
                row, text = strays[0]
                self.findings.strays = sentences.STRAY(text=text, place=table.place(row), more=len(strays) - 1)

    @property
    def column(self) -> ColumnSummary | None:
        """The column under the cursor."""
        found = self.summary.columns if self.summary is not None else ()
        return found[self.columns_list.cursor] if self.columns_list.cursor < len(found) else None

    def on_summarized(self, message: Summarized) -> None:
        """The numbers have come."""
        if self._asked is None or message.asked != self._asked:
            return
        if message.summary is None:
            self._broken = message.problem
            self.notify(message.problem, severity="error")
            self.show()
            return
        another = self.summary is None or self.summary.name != message.summary.name
        self.summary = self.findings.summary = message.summary
        table, prepared = message.asked
        odd = next((index for index, one in enumerate(table.columns) if one.strays), 0)
        if another and prepared is None and odd and not self.columns_list.cursor:
            self.columns_list.cursor = odd  # what has to be mended first
        self._columns()
        self.show()

    def _columns(self) -> None:
        summary = self.summary
        if summary is None:
            return
        columns: tuple[TableColumn, ...] = COLUMNS
        for heading in LESS:
            if sum(c.width + 2 for c in columns) <= self.columns_list.size.width:
                break
            columns = tuple(c for c in columns if c.heading != heading)
        names = [c.heading for c in columns]
        self.columns_list.border_title = sentences.COLUMNS_OF(columns=len(summary.columns), table=summary.name)
        self.columns_list.fill(columns, len(summary.columns), lambda line: self._column(summary.columns[line], names))
        self.findings.column = self.column

    def _role(self, one: ColumnSummary) -> str:
        """What is done with a column; before anything is prepared, what was asked for."""
        workspace = self.ravine.workspace
        if one.role or workspace is None:
            return one.role
        data = workspace.recipe.data
        if one.name == (data.target or (workspace.table.target if workspace.table is not None else None)):
            return "target"
        out = one.name in data.drop or (data.features and one.name not in data.features)
        return sentences.LEFT_OUT() if out else ""

    def _column(self, one: ColumnSummary, names: list[str]) -> list[Span]:
        workspace, what = self.ravine.workspace, self._role(one)
        table = workspace.table if workspace is not None else None
        odd = table is not None and one.name in table and bool(table[one.name].strays)
        own = workspace is not None and one.name in workspace.recipe.data.types
        found = cells(one, what, self.columns_list.ink, odd=odd, own=own)
        return [found[name] for name in names]

    def _rows(self, table: Table) -> None:
        sample = table.preview(0, SAMPLE)
        widths = [
            max([cell_len(name), *(cell_len(row[index]) for row in sample)]) for index, name in enumerate(table.names)
        ]
        self._offset = max(0, min(self._offset, len(widths) - 1))
        room, shown = self.preview.size.width - 10, 0
        columns = [TableColumn("row", 7, number=True)]
        while self._offset + shown < len(widths):
            index = self._offset + shown
            size = min(20, max(3, widths[index]))
            if room < size and shown:
                break
            columns.append(TableColumn(table.names[index], size, number=not table.columns[index].is_coded))
            room -= size + 2
            shown += 1
        first, last = self._offset, self._offset + shown
        more = ""
        if shown < len(widths):
            more = sentences.COLUMNS_SHOWN(first=first + 1, last=last, columns=len(widths))
        self.preview.border_title = sentences.ROWS_SHOWN(rows=table.rows, columns=more)
        ink = self.preview.ink

        def line(index: int) -> list[Span]:
            cells = table.preview(index, index + 1)[0][first:last]
            return [(f"{index + 1:,}", ink.faint), *((cell or "·", ink.text if cell else ink.bad) for cell in cells)]

        self.preview.fill(columns, table.rows, line)

    def action_columns(self, by: int) -> None:
        """Other columns of the rows."""
        workspace = self.ravine.workspace
        if workspace is not None and workspace.table is not None:
            self._offset += by
            self._rows(workspace.table)

    def on_listing_moved(self, message: Listing.Moved) -> None:
        """Another column is under the cursor."""
        if message.listing is self.columns_list:
            self.findings.column = self.column
            self._tell_strays()
            self.findings.redraw()

    # Changing what a column is.

    def on_listing_chosen(self, message: Listing.Chosen) -> None:
        """Enter on a column: what it can be."""
        one, workspace = self.column, self.ravine.workspace
        if message.listing is not self.columns_list or one is None or workspace is None:
            return
        now = workspace.recipe.data.types.get(one.name, "")
        offers = [
            Offer(word, name, sentences.KIND_NOW(about=about, kind=one.kind) if not word and not now else about)
            for word, name, about in KINDS
        ]

        def take(kind: str | None) -> None:
            if kind is not None:
                types = {name: known for name, known in workspace.recipe.data.types.items() if name != one.name}
                self._set(workspace, {"types": {**types, one.name: kind} if kind else types})

        self.app.push_screen(MenuScreen(f"{one.name} is", offers, now), take)

    def _set(self, workspace: Workspace, values: dict[str, object]) -> None:
        workspace.set(values)
        self._columns()
        self.show()

    def action_target(self) -> None:
        """Predict the column under the cursor."""
        one, workspace = self.column, self.ravine.workspace
        if one is None or workspace is None:
            return
        data = workspace.recipe.data
        features = tuple(name for name in data.features if name != one.name)
        drop = tuple(name for name in data.drop if name != one.name)
        self._set(workspace, {"target": one.name, "features": features, "drop": drop, "task": "auto"})

    def action_use(self) -> None:
        """Leave the column under the cursor out, or take it in again."""
        one, workspace = self.column, self.ravine.workspace
        if one is None or workspace is None:
            return
        data = workspace.recipe.data
        if self._role(one) == "target":
            self.notify(
                sentences.IS_TARGET(column=one.name, key=named("data.target")),
                timeout=4,
            )
        elif one.name in data.drop:
            self._set(workspace, {"drop": tuple(name for name in data.drop if name != one.name)})
        elif data.features and one.name not in data.features:
            self._set(workspace, {"features": (*data.features, one.name)})
        elif self._role(one) == "left out":
            self._take_in(workspace, one)
        elif len(data.features) > 1:
            self._set(workspace, {"features": tuple(name for name in data.features if name != one.name)})
        else:
            self._set(workspace, {"drop": (*data.drop, one.name)})

    def _take_in(self, workspace: Workspace, one: ColumnSummary) -> None:
        """A column that is left out for what it is comes in as what can be learned from."""
        if one.kind not in ("identifier", "text"):
            self.notify(sentences.CANNOT_LEARN(column=one.name, why=one.left_out), timeout=4)
            return
        kind = "categorical" if one.top else "numeric"
        self._set(workspace, {"types": {**workspace.recipe.data.types, one.name: kind}})

    def action_mode(self, by: int) -> None:
        """Another normalization."""
        workspace = self.ravine.workspace
        if workspace is not None:
            words = workspace.find("normalize").words
            at = words.index(workspace.recipe.normalization.normalize) + by
            self._set(workspace, {"normalize": words[at % len(words)]})

    def on_resize(self, event: events.Resize) -> None:
        """Other columns may fit."""
        super().on_resize(event)
        self.call_after_refresh(self._refit)

    def _refit(self) -> None:
        self._columns()
        workspace = self.ravine.workspace
        if workspace is not None and workspace.table is not None:
            self._rows(workspace.table)
