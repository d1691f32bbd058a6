"""The code screen: the present choices as a PyTorch script that repeats the run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message

from tui.keys.keymap import named
from tui.keys.table import bindings
from tui.look.styles import Ink
from tui.screens import sentences
from tui.screens.base import RavineScreen
from tui.tasks.background import in_background
from tui.tasks.throttled import Throttled
from tui.widgets.cells import Span, wrap
from tui.widgets.scroll import Scrolling

if TYPE_CHECKING:
    from engine.analysis.survey import Survey
    from engine.recipe import Recipe
    from engine.runs.code import Style as Spelling

    Key: TypeAlias = tuple[Spelling, int]  # the style, and which survey the choices are of

STYLES: tuple[Spelling, ...] = ("plain", "torch")
WORDS = {"plain": sentences.PLAIN_STYLE(), "torch": sentences.TORCH_STYLE()}


class Script(Scrolling):
    """A Python text in colours, which scrolls both ways."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("code")]
    KIND = "text"

    def __init__(self) -> None:
        super().__init__(id="script", classes="pane")
        self.text = ""
        self.problem = ""
        self._lines: list[Any]
        self._coloured: list[list[tuple[str, str]]] = []
        self._aside = 0

    def take(self, text: str, coloured: list[list[tuple[str, str]]]) -> None:
        """Show a text; `coloured` are its lines in pieces, each with the name of its ink."""
        self.text, self._coloured, self.problem = text, coloured, ""
        self.redraw()

    def action_aside(self, columns: int) -> None:
        """Scroll sideways, no further than the longest line."""
        longest = max((sum(len(text) for text, _ in line) for line in self._coloured), default=0)
        self._aside = max(0, min(self._aside + columns, longest - self.size.width + 8))
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """Line numbers, and the lines that fit."""
        ink = self.ink
        if self.problem or not self._coloured:
            style = ink.bad if self.problem else ink.faint
            return [[], *([(f"  {line}", style)] for line in wrap(self.problem or "writing…", width - 4, height))]
        inks = _inks(ink)
        size = len(str(len(self._coloured))) + 1
        lines: list[list[Span]] = []
        for number in self.roll.fit(len(self._coloured), height):
            line: list[Span] = [(f"{number + 1:>{size}} ", ink.faint)]
            aside = self._aside
            for text, name in self._coloured[number]:
                line.append((text[aside:], inks[name]))
                aside = max(0, aside - len(text))
            lines.append(line)
        self.note(" ".join(filter(None, (self.roll.told, "←" * bool(self._aside)))))
        return lines


def _inks(ink: Ink) -> dict[str, Style]:
    return {
        "text": ink.text,
        "word": ink.validation,
        "name": ink.train,
        "string": ink.optimum,
        "number": ink.accent,
        "comment": ink.dim,
        "sign": ink.dim,
    }


def colour(text: str) -> list[list[tuple[str, str]]]:
    """The lines of a Python text in pieces, each with the name of its ink."""
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]
    from pygments.token import (  # type: ignore[import-untyped]
        Comment,
        Keyword,
        Name,
        Number,
        Operator,
        Punctuation,
        String,
    )

    kinds = (
        (Comment, "comment"), (String, "string"), (Number, "number"), (Operator.Word, "word"), (Keyword, "word"),
        (Name.Builtin, "name"), (Name.Function, "name"), (Name.Class, "name"), (Operator, "sign"),
        (Punctuation, "sign"),
    )  # fmt: skip
    lines: list[list[tuple[str, str]]] = [[]]
    for kind, piece in PythonLexer(stripnl=False).get_tokens(text):
        name = next((name for token, name in kinds if kind in token), "text")
        for index, part in enumerate(piece.split("\n")):
            if index:
                lines.append([])
            if part:
                lines[-1].append((part, name))
    while lines and not lines[-1]:
        lines.pop()
    return lines


@dataclass(frozen=True)
class ScriptText:
    """A script."""

    text: str
    coloured: list[list[tuple[str, str]]]  # its lines, in stretches of a colour
    note: str  # what is to be known of it
    table: Path | None  # what it loads


class CodeScreen(RavineScreen):
    """In the style of the lecture notes, or with nn, optim and DataLoader."""

    NAME = "script"

    @dataclass
    class Written(Message):
        """A script, or why there is none."""

        key: Key
        found: ScriptText | BaseException

    def panes(self) -> ComposeResult:
        """The text."""
        self.script = Script()
        self._style: Spelling = "plain"
        self._asked: Key | None = None
        self._survey: Survey | None = None
        self._table: Path | None = None  # what the script loads
        self._work: Throttled[Key, ScriptText] = Throttled(
            lambda key, found: self.post_message(self.Written(key, found)), rest=0
        )
        yield self.script

    def to_copy(self) -> str:
        """The script; the table that it loads is written before anybody can run it."""
        table, survey = self._table, self._survey
        if self.script.text and table is not None and survey is not None:
            in_background(lambda: self._save(table, survey), "table")
        return self.script.text

    def _save(self, table: Path, survey: Survey) -> None:
        from engine.base.errors import InputError
        from engine.runs.code import save_table

        try:
            table.parent.mkdir(parents=True, exist_ok=True)
            save_table(table, survey.prepared)
        except (OSError, InputError) as error:
            self.app.call_from_thread(self.app.notify, str(error), severity="error")

    @property
    def has_rows(self) -> bool:
        """Whether there is a script."""
        return bool(self.script.text)

    def on_mount(self) -> None:
        """Arrows scroll at once."""
        self.script.focus()

    def places(self, width: int, height: int) -> dict[str, Region]:
        """One pane."""
        places, body = self.body(width, height)
        return {**places, "script": body}

    def show(self) -> None:
        """The script of the choices as they are now."""
        workspace = self.ravine.workspace
        survey = workspace.survey if workspace is not None else None
        if workspace is not None and workspace.problem:
            self._refuse(workspace.problem)
        elif workspace is not None and survey is not None and survey.recipe == workspace.recipe:
            self._ask(survey, workspace.recipe)
        title = f"{self._style}: {WORDS[self._style]}"
        self.script.head(title)
        super().show()

    def _refuse(self, problem: str) -> None:
        self.script.text, self.script.problem, self._asked = "", problem, None
        self.script.redraw()

    def _ask(self, survey: Survey, recipe: Recipe) -> None:
        style = self._style
        key = (style, id(survey))
        if key != self._asked:
            self._asked, self._survey = key, survey
            self._work.ask(key, lambda: _write(survey, recipe, style), at_once=True)

    def on_code_screen_written(self, message: Written) -> None:
        """It has come."""
        if message.key != self._asked:
            return
        if isinstance(message.found, BaseException):
            problem = str(message.found) or type(message.found).__name__
            self.script.text = ""
            self.script.problem = problem.replace(
                sentences.USE_TORCH_STYLE(), sentences.SHOWS_TORCH(key=named("code.style"))
            )
            self.script.redraw()
        else:
            self._table = message.found.table
            self.script.take(message.found.text, message.found.coloured)
            self.messages.hint = (message.found.note, False)
        super().show()

    def action_style(self) -> None:
        """The other style."""
        self._style = STYLES[(STYLES.index(self._style) + 1) % len(STYLES)]
        self.show()


def _write(survey: Survey, recipe: Recipe, style: Spelling) -> ScriptText:
    """The script of some choices. In a thread."""
    from platformdirs import user_state_path

    from engine.learn.decide import decide
    from engine.runs import code

    prepared = survey.prepared
    plan, _ = decide(recipe, prepared, lambda _words: None, lambda: False)
    data = None
    if code.needs_table(prepared):
        stem = re.sub(r"[^\w.+=-]+", "-", prepared.table_name)[:50].strip("-.")
        name = f"{stem}-{prepared.fingerprint[:12]}.npz"
        data = user_state_path("ravine", appauthor=False) / "tables" / name
    text = code.script(recipe, plan, prepared, style=style, data=data)
    note = sentences.SCRIPT_ABOUT(key=named("app.copy"), data="" if data is None else data)
    return ScriptText(text, colour(text), note, data)
