"""What a panel is made of: rows, made from the recipe's fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len

from tui.look.numbers import figures
from tui.look.styles import Ink
from tui.widgets import sentences
from tui.widgets.cells import Span, clip, left

if TYPE_CHECKING:
    from engine.recipe import Choice
    from tui.model.workspace import Workspace


IDLE = "n/a"  # the note of a field that does not apply
FAR = 1e9  # a bound that nobody meets
UNITS = {"s": "seconds"}


@dataclass(frozen=True)
class Row:
    """A line of a panel."""

    kind: Literal["heading", "field", "option"]
    label: str
    value: str = ""
    note: str = ""  # dim, at the right end
    field: str = ""  # the recipe's field that it shows or sets
    sets: str = ""  # for an option: the text that the field takes
    chosen: bool = False
    usable: bool = True
    idle: bool = False  # a field that does not apply
    own: bool = False  # the value is not the default
    deep: bool = False  # an option unfolded under its field
    help: str = ""
    column: int = 0  # cells of the note where the notes of all rows stand in a column; 0: as long as it is

    @property
    def rests(self) -> bool:
        """Whether the cursor can stand on it."""
        return self.kind != "heading"


def field_row(workspace: Workspace, choice: Choice) -> Row:
    """The row of a field as it is generated from the recipe."""
    value = workspace.recipe.get(choice.name)
    resolved = workspace.resolved(choice.name)
    shown = choice.show(value)
    note, idle = "", bool(workspace.made.why_not(choice.name))
    if idle:
        note = IDLE
    elif resolved and resolved != shown:
        shown, note = resolved, "auto"
    else:
        shown += _in(choice, value)
    return Row(
        "field",
        choice.label,
        shown or "-",
        note=note,
        field=choice.name,
        idle=idle,
        own=value != choice.default,
        help=choice.help,
    )


def option_rows(workspace: Workspace, choice: Choice, words: tuple[str, ...], *, deep: bool = True) -> list[Row]:
    """A field's words to choose from."""
    now = choice.show(workspace.recipe.get(choice.name))
    return [
        Row("option", word, field=choice.name, sets=word, chosen=word == now, deep=deep, help=choice.about(word))
        for word in words
    ]


def about(workspace: Workspace, choice: Choice, room: int = 1000) -> str:
    """The help of a field: what it is, what it takes, what it is by default; in signs where `room` cells are few."""
    help = choice.help if choice.help.endswith(".") else choice.help + "."
    if why := workspace.made.why_not(choice.name):
        help = sentences.DOES_NOT_APPLY(why=why, help=help)
    default = choice.default_text or "none"
    unit = f" ({UNITS.get(choice.unit, choice.unit)})" if choice.unit else ""
    met = replace(choice, bounds=replace(choice.bounds, most=None)) if _far(choice.bounds.most) else choice
    taken = "" if choice.kind in ("pick", "switch") else sentences.TAKES(allowed=met.allowed, unit=unit)
    when = "" if choice.live or not workspace.live else sentences.FROM_NEXT_RUN()
    told = sentences.ABOUT(help=help, taken=taken, default=default, now=_in(choice, choice.default), when=when)
    if why and cell_len(told) > room:  # the note of the row says it too
        plain = choice.help.rstrip(".") + "."
        told = sentences.ABOUT(help=plain, taken="", default=default, now=_in(choice, choice.default), when=when)
    if cell_len(told) > room and choice.kind in ("whole", "number"):
        return sentences.ABOUT_IN_SIGNS(help=help, bounds=_signs(choice), default=default, when=when)
    return told


def _signs(choice: Choice) -> str:
    """What a number may be, in few characters: "auto or > 0"."""
    own = choice.bounds
    bounds = [("≥", own.least), (">", own.above), ("≤", own.most), ("<", own.below)]
    signs = [f"{sign} {figures(bound, 3)}" for sign, bound in bounds if bound is not None and not _far(bound)]
    found = " or ".join([*choice.words, *([" and ".join(signs)] if signs else [])])
    return found + (f" ({UNITS.get(choice.unit, choice.unit)})" if choice.unit else "")


def _far(bound: float | None) -> bool:
    return bound is not None and abs(bound) >= FAR


def _in(choice: Choice, value: object) -> str:
    """The unit of a number that is not zero: " steps"."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f" {choice.unit}" if choice.unit and number and value else ""


WORDY = 8  # cells in which the beginning of a note still says something


def editor_room(label: str, width: int) -> int:
    """How many cells an editor gets on the row of a label."""
    return max(8, min(width - 2, max(width - cell_len(label) - 3, width // 2)))


def draw_row(row: Row, width: int, ink: Ink, *, cursor: bool, editing: bool = False) -> list[Span]:
    """One row on `width` cells."""
    if row.kind == "heading":
        rule = "─" * max(0, width - cell_len(row.label) - 2)
        return [(f" {row.label} ", ink.dim), (rule, ink.faint)]
    pointer = "▸" if cursor else " "
    if row.kind == "option":
        spans = _option(row, width, ink, pointer)
    else:
        spans = _field(row, width, ink, pointer, editing)
    return [(text, ink.on_cursor(style)) for text, style in spans] if cursor else spans


def _option(row: Row, width: int, ink: Ink, pointer: str) -> list[Span]:
    indent = "  " if row.deep else ""
    button = "(•) " if row.chosen else "( ) "
    body = ink.strong if row.chosen else ink.text if row.usable else ink.faint
    room = width - 1 - len(indent) - 4 - 1
    note = row.note
    if cell_len(row.label) + 1 + cell_len(note) > room:  # half of a number says something else than all of it
        rest = room - cell_len(row.label) - 1
        note = clip(note, rest) if rest >= WORDY and not any(c.isdigit() for c in note) else ""
    label = left(row.label, room - cell_len(note))
    return [
        (pointer, ink.accent),
        (indent, ink.text),
        (button, ink.accent if row.chosen else ink.faint),
        (label, body),
        (note + " ", ink.dim if row.usable else ink.bad),
    ]


def _field(row: Row, width: int, ink: Ink, pointer: str, editing: bool) -> list[Span]:
    room = width - 2
    value = "" if editing else row.value
    note = "" if editing or not (row.note or row.column) else f" {row.note}"
    if row.column and not editing:
        note = "   " + left(row.note, row.column)
    if cell_len(row.label) + 1 + cell_len(value) + cell_len(note) > room:
        note = ""
    value = clip(value, max(4, room - cell_len(row.label) - 1, room // 2))
    rest = room - cell_len(value) - cell_len(note)
    label = left(clip(row.label, rest - 1), rest)
    if editing:
        label = left(clip(row.label, width - editor_room(row.label, width) - 3), room)
    return [
        (pointer, ink.accent),
        (label, ink.faint if row.idle else ink.dim),
        (value, ink.faint if row.idle else ink.strong if row.own else ink.text),
        (note + " ", ink.faint if row.idle else ink.dim),
    ]
