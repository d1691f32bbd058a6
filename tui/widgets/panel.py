"""A panel: rows of choices that one widget draws itself, with a cursor, a scroll position and an inline editor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from rich.cells import cell_len
from textual import events
from textual.binding import BindingType
from textual.message import Message

from tui.keys.table import bindings
from tui.look.sizes import MESSAGES
from tui.widgets.cells import Cells, Span, left
from tui.widgets.rows import Row, about, draw_row, editor_room, option_rows
from tui.widgets.scroll import ScrollPosition

if TYPE_CHECKING:
    from engine.recipe import Choice
    from tui.model.workspace import Workspace
    from tui.widgets.text_field import TextField


@runtime_checkable
class WithWorkspace(Protocol):
    """An app that has a workspace, sooner or later."""

    @property
    def workspace(self) -> Workspace | None: ...


class Panel(Cells, can_focus=True):
    """A titled pane of rows. A subclass gives `rows`, and `chosen` where choosing means something of its own."""

    KIND = "panel"  # decides about the keys
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("list"), *bindings("panel")]
    number = 0
    title = ""
    brief_title = ""  # while it is folded, where the title is long

    @dataclass
    class Moved(Message):
        """The cursor, the editor or the focus moved: another help line is due."""

        panel: Panel

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id, classes="pane panel")
        self.border_title = f"{self.number} {self.title}"
        self.folded = False  # only the title is shown
        self._cursor = 0
        self._touched = False  # the cursor stands on what is chosen until a key moves it
        self._roll = ScrollPosition()
        self._unfolded = ""  # the field whose words are shown
        self._rows: list[Row] = []
        self._editor: TextField | None = None

    @property
    def workspace(self) -> Workspace | None:
        """The workspace, once the engine's recipe is there."""
        return self.app.workspace if isinstance(self.app, WithWorkspace) else None

    # What is shown.

    def rows(self, workspace: Workspace) -> list[Row]:
        """The rows with everything folded."""
        raise NotImplementedError

    def words(self, workspace: Workspace, choice: Choice) -> tuple[str, ...]:
        """The words that a field offers when it is chosen; none opens an editor."""
        return choice.words if choice.kind == "pick" else ()

    def _all_rows(self, workspace: Workspace) -> list[Row]:
        found: list[Row] = []
        for row in self.rows(workspace):
            found.append(row)
            if row.kind == "field" and row.field == self._unfolded:
                choice = workspace.find(row.field)
                found += option_rows(workspace, choice, self.words(workspace, choice))
        return found

    @property
    def wanted(self) -> int:
        """How many lines the panel would fill."""
        return len(self._all_rows(self.workspace)) if self.workspace is not None else 1

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """The rows that fit, the one under the cursor among them."""
        if self.workspace is None:
            return []
        if self.folded:
            return [self._title_line(self.workspace, width)]
        self._rows = self._all_rows(self.workspace)
        if not self._rows:
            return []
        if not self._touched:
            self._cursor = next((i for i, row in enumerate(self._rows) if row.kind == "option" and row.chosen), 0)
            self._roll.first = 0
        self._cursor = max(0, min(self._cursor, len(self._rows) - 1))
        if not self._rows[self._cursor].rests:
            self._step(1)
        # The heading above the first row is shown with it.
        top = all(not row.rests for row in self._rows[: self._cursor])
        self._roll.first = 0 if top else self._roll.first
        lines = []
        for index in self._roll.fit(len(self._rows), height, self._cursor):
            cursor = index == self._cursor and self.has_focus_within
            editing = cursor and self._editor is not None
            lines.append(draw_row(self._rows[index], width, self.ink, cursor=cursor, editing=editing))
        self.note(self._roll.told)
        return lines

    def brief(self, workspace: Workspace) -> str:
        """What the panel says in a few words while it is folded."""
        return next((row.label for row in self.rows(workspace) if row.chosen), "")

    def _title_line(self, workspace: Workspace, width: int) -> list[Span]:
        ink, brief = self.ink, self.brief(workspace)
        room = width - cell_len(brief) - 5
        title = left(self.brief_title or self.title, room) if room > 4 else ""
        return [(f" {self.number} ", ink.accent), (title + " ", ink.dim), (brief, ink.text)]

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def help(self) -> tuple[str, bool]:
        """The help line for the row under the cursor, and whether it tells of a problem."""
        row, workspace = self.current, self.workspace
        if row is None or workspace is None:
            return "", False
        if self._editor is not None and self._editor.problem:
            return self._editor.problem, True
        if row.kind == "option" and not row.deep:
            return row.help, not row.usable
        room = MESSAGES * (self.app.size.width - 10)  # of the lines, as far as words fill them
        return (about(workspace, workspace.find(row.field), room) if row.field else row.help), False

    # Keys.

    def _step(self, by: int) -> bool:
        index = self._cursor
        while 0 <= index + by < len(self._rows):
            index += by
            if self._rows[index].rests:
                self._cursor = index
                return True
        if not self._rows[self._cursor].rests and by > 0:
            return self._step(-1)
        return False

    def action_move(self, lines: int) -> None:
        """Move the cursor."""
        if not self._rows:
            return
        self.close_editor()
        self._touched = True
        direction = 1 if lines > 0 else -1
        for _ in range(min(abs(lines), len(self._rows))):
            if not self._step(direction):
                break
        else:
            self._tell()
            return
        if direction < 0:
            self._roll.first = 0  # headings above the first row
        self._tell()

    def action_choose(self) -> None:
        """Choose the row under the cursor: take an option, flip a switch, unfold the words, or open the editor."""
        row, workspace = self.current, self.workspace
        if row is None or workspace is None:
            return
        self._touched = True
        if row.kind == "option":
            self.take(workspace, row)
        else:
            self._open_field(workspace, workspace.find(row.field))
        self._tell()

    def take(self, workspace: Workspace, row: Row) -> None:
        """Set a field to an option."""
        if not row.usable:
            self.app.bell()
            return
        workspace.set({row.field: row.sets})
        if row.deep:
            self.fold()

    def _open_field(self, workspace: Workspace, choice: Choice) -> None:
        if choice.kind == "switch":
            workspace.set({choice.name: not workspace.recipe.get(choice.name)})
            return
        words = self.words(workspace, choice)
        if not words:
            self.edit(choice.name, choice.label, choice.show(workspace.recipe.get(choice.name)), choice.example)
        elif len(words) == 2:
            now = choice.show(workspace.recipe.get(choice.name))
            workspace.set({choice.name: words[1] if now == words[0] else words[0]})
        elif self._unfolded == choice.name:
            self.fold()
        else:
            self._unfolded = choice.name
            now = choice.show(workspace.recipe.get(choice.name))
            self._cursor += 1 + (words.index(now) if now in words else 0)

    def fold(self) -> None:
        """Close the unfolded words; the cursor goes back to their field."""
        field, self._unfolded = self._unfolded, ""
        if field and self.workspace is not None:
            rows = self._all_rows(self.workspace)
            self._cursor = next(i for i, row in enumerate(rows) if row.kind == "field" and row.field == field)

    def action_reset(self) -> None:
        """Set the field under the cursor back to its default."""
        row = self.current
        if row is not None and row.field and self.workspace is not None:
            self.fold()
            self.workspace.reset(row.field)
            self._tell()

    def on_key(self, event: events.Key) -> None:
        """Esc closes what is unfolded."""
        if event.key == "escape" and self._unfolded:
            event.stop()
            self.fold()
            self._tell()

    def _tell(self) -> None:
        self.redraw()
        self.post_message(self.Moved(self))

    # The editor.

    def edit(self, field: str, label: str, text: str, example: str = "", *, select: bool = True) -> None:
        """Open the inline editor on the row under the cursor."""
        from tui.widgets.text_field import TextField

        self._editor = TextField(field, text, label=label, example=example, select=select)
        self._place_editor()
        self.mount(self._editor)
        self._editor.focus()

    def _place_editor(self) -> None:
        if self._editor is not None:
            width = self.size.width
            room = editor_room(self._editor.label, width)
            self._editor.styles.width = room
            self._editor.styles.offset = (width - room - 1, self._cursor - self._roll.first)

    def close_editor(self) -> None:
        """Leave the editor without taking what is in it."""
        if self._editor is not None:
            editor, self._editor = self._editor, None
            self.focus()
            editor.remove()

    def check(self, field: str, text: str) -> str:
        """Why a field cannot take a text, in a sentence; empty where it can."""
        return self.workspace.check(field, text) if self.workspace is not None else ""

    def taken(self, field: str, text: str) -> None:
        """Take a typed text that has been found good."""
        if self.workspace is not None:
            self.workspace.set({field: text})

    def on_text_field_typed(self, message: TextField.Typed) -> None:
        """Mark what cannot be taken while it is typed."""
        if self._editor is not None:
            self._editor.mark(self.check(message.field, message.text))
            self.post_message(self.Moved(self))

    def on_text_field_done(self, message: TextField.Done) -> None:
        """Take what was typed, or leave it."""
        if self._editor is None:
            return
        if message.text is not None:
            problem = self.check(message.field, message.text)
            if problem:
                self._editor.mark(problem)
                self.post_message(self.Moved(self))
                return
        self.close_editor()
        if message.text is not None:
            self.taken(message.field, message.text)
        self._tell()

    def on_focus(self) -> None:
        """Show the cursor."""
        self._tell()

    def on_blur(self) -> None:
        """Hide the cursor, unless the editor has the focus."""
        if self._editor is None:
            self.redraw()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """The editor lost the focus to another pane: leave it. A window that is left for a moment keeps it."""
        elsewhere = self.screen.focused not in (None, self._editor)
        if self._editor is not None and event.widget is self._editor and elsewhere:
            editor, self._editor = self._editor, None
            editor.remove()
            self._tell()

    def on_resize(self, event: events.Resize) -> None:
        """A row may have moved, and the editor with it."""
        super().on_resize(event)
        self._place_editor()
        if self.has_focus_within:  # it may have been folded until now, without rows to explain
            self.post_message(self.Moved(self))
