"""Picking a file: folders to walk through, a path to type, and the files used before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from tui.look.numbers import volume
from tui.tasks.browse import Entry, FolderRead, ask_for_folder, common, matching, parted
from tui.widgets import sentences
from tui.widgets.cells import Cells, Span, clip, left, right
from tui.widgets.scroll import ScrollPosition
from tui.widgets.text_field import TextField


class Entries(Cells):
    """The entries that fit what was typed, under the line that is typed in."""

    def __init__(self) -> None:
        super().__init__(id="entries", classes="pane")
        self.border_title = sentences.YOUR_FILE()
        self.found: list[Entry] = []
        self.recent: frozenset[Path] = frozenset()
        self.cursor = 0
        self.problem = ""
        self.roll = ScrollPosition()

    @property
    def current(self) -> Entry | None:
        """The entry under the cursor."""
        return self.found[self.cursor] if self.cursor < len(self.found) else None

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """Two lines for the path, then the entries."""
        ink = self.ink
        lines: list[list[Span]] = [[(" path ", ink.dim)], [("─" * width, ink.faint)]]
        if self.problem:
            lines.append([(f"  {clip(self.problem, width - 4)}", ink.bad)])
        elif not self.found:
            lines.append([(sentences.NOTHING_HERE(), ink.faint)])
        for index in self.roll.fit(len(self.found), height - 2, self.cursor):
            spans = self._line(self.found[index], width, "▸" if index == self.cursor else " ")
            lines.append([(text, ink.on_cursor(style)) for text, style in spans] if index == self.cursor else spans)
        self.note(" · ".join(filter(None, (self.roll.told, sentences.KEYS_OF_PICKER()))))
        return lines

    def _line(self, one: Entry, width: int, pointer: str) -> list[Span]:
        ink = self.ink
        style = ink.accent if one.folder else ink.strong if one.usable else ink.faint
        note = sentences.USED_BEFORE() if one.path in self.recent else "" if one.folder else volume(one.size)
        name = f"{one.path.name}/" if one.folder else one.path.name
        where = f"  {one.path.parent}" if one.path in self.recent else ""
        room = max(1, width - 18)
        name = clip(name, room)
        rest = left(clip(where, max(0, room - cell_len(name))), max(0, room - cell_len(name)))
        return [(f"{pointer} ", ink.accent), (name, style), (rest, ink.faint), (right(note, 14) + "  ", ink.dim)]


class FilePicker(ModalScreen[str]):
    """Gives the path (or module:function) that was chosen; None where Esc was pressed.

    Args:
        text: what stands in the line at first: the table that is chosen. Typing replaces it, and its folder is listed.
        recent: files used before, offered until something is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, system=True),
        Binding("down", "move(1)", show=False, system=True),
        Binding("pageup", "move(-10)", show=False, system=True),
        Binding("pagedown", "move(10)", show=False, system=True),
        Binding("tab", "complete", show=False, system=True, priority=True),
    ]

    def __init__(self, text: str = "", recent: Sequence[Path] = ()) -> None:
        super().__init__()
        self._recent = tuple(Entry(path, False) for path in recent)
        self.entries, self.line = Entries(), TextField("path", text, example=sentences.PATH_OR_FUNCTION())
        self._chosen, self._moved = text, False  # whether the cursor was moved since something was typed
        self._folder: Path | None = None  # the one that is shown, or was asked for
        self._read: tuple[Entry, ...] = ()

    def compose(self) -> ComposeResult:
        """The list with the line in it."""
        self.entries.styles.position = "absolute"
        yield self.entries
        yield self.line

    def on_mount(self) -> None:
        """Type at once; the folder is being looked into meanwhile."""
        self.entries.recent = frozenset(one.path for one in self._recent)
        self._fit()
        self.line.focus()
        self._look()

    def on_resize(self) -> None:
        """The terminal has another size."""
        self._fit()

    def _fit(self) -> None:
        width, height = self.app.size
        wide, tall = min(width - 2, 100), min(height - 2, 40)
        x, y = (width - wide) // 2, (height - tall) // 2
        styles = self.entries.styles
        styles.offset, styles.width, styles.height = (x, y), wide, tall
        self.line.styles.offset, self.line.styles.width = (x + 7, y + 1), max(1, wide - 9)

    # What is typed.

    def on_text_field_typed(self, message: TextField.Typed) -> None:
        """Another path, or another beginning of a name."""
        self.entries.cursor, self._moved = 0, False
        self._look()

    @property
    def _untouched(self) -> bool:
        """Whether the line still has the table that is chosen."""
        return bool(self._chosen) and self.line.value == self._chosen

    def _look(self) -> None:
        folder, _ = parted(self.line.value)
        if folder != self._folder:
            self._folder, self._read, self.entries.problem = folder, (), ""
            ask_for_folder(folder, self.post_message)
        self._show()

    def on_folder_read(self, message: FolderRead) -> None:
        """The folder has been looked into."""
        if message.folder == self._folder:
            self._read = message.entries
            self.entries.problem = message.problem
            self._show()

    def _show(self) -> None:
        folder, part = parted(self.line.value)
        found = matching(self._read, "" if self._untouched else part)
        recent = self._recent if not self.line.value else ()
        self.entries.found = [*recent, *(one for one in found if one.path not in {r.path for r in recent})]
        if self._untouched and not self._moved:
            paths = [one.path for one in self.entries.found]
            self.entries.cursor = paths.index(folder / part) if folder / part in paths else 0
        self.entries.cursor = max(0, min(self.entries.cursor, len(self.entries.found) - 1))
        self.entries.redraw()

    # Keys.

    def action_move(self, lines: int) -> None:
        """Move the cursor among the entries."""
        self._moved = True
        self.entries.cursor = max(0, min(self.entries.cursor + lines, len(self.entries.found) - 1))
        self.entries.redraw()

    def action_complete(self) -> None:
        """As much of the name as the entries that fit have in common; of a single one the whole."""
        names = [one.path.name for one in matching(self._read, parted(self.line.value)[1])]
        part = parted(self.line.value)[1]
        names = [name for name in names if name.lower().startswith(part.lower())]
        shared = common(names)
        if len(shared) > len(part):
            only = next((one for one in self._read if one.path.name == shared), None)
            self._put(shared + ("/" if only is not None and only.folder and len(names) == 1 else ""))
        elif self.entries.current is not None and self.entries.current.folder:
            self._put(self.entries.current.path.name + "/")

    def _put(self, name: str) -> None:
        head, slash, _ = self.line.value.rpartition("/")
        self.line.value = head + slash + name
        self.line.cursor_position = len(self.line.value)

    def on_text_field_done(self, message: TextField.Done) -> None:
        """Enter: into a folder, or the file; Esc leaves."""
        if message.text is None:
            self.dismiss(None)
            return
        one, text = self.entries.current, self.line.value.strip()
        exact = next((each for each in self._read if each.path.name == parted(text)[1]), None) if text else None
        one = exact if exact is not None and not self._moved else one
        if self._untouched and not self._moved:
            self.dismiss(text)
        elif one is not None and one.folder:
            self._put(one.path.name + "/")
        elif one is not None and one in self._recent:
            self.dismiss(str(one.path))
        elif one is not None:
            self.dismiss(text.rpartition("/")[0] + "/" * ("/" in text) + one.path.name)
        elif text:
            self.dismiss(text)
